import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Cause, Context, Effect, Exit, Layer, Logger } from "effect"
import { fileURLToPath } from "node:url"
import { hosted } from "./actor/hosted.ts"
import { patient } from "./actor/RestartPolicy.ts"
import { Supervisor } from "./actor/Supervisor.ts"
import { MarketClock, rehearsed } from "./calendar/MarketClock.ts"
import { MarketSession } from "./calendar/MarketSession.ts"
import { boundHeap } from "./boundHeap.ts"
import { databaseOf } from "./databaseOf.ts"
import { endInTime } from "./endInTime.ts"
import { KisFeed } from "./feed/KisFeed.ts"
import { withoutSecrets } from "./domain/Secrets.ts"
import { prepareFolders } from "./Folders.ts"
import * as Api from "./http/Api.ts"
import * as Server from "./http/Server.ts"
import { tellAddress } from "./httpAddress.ts"
import { Compressor } from "./journal/Compressor.ts"
import { Conservation } from "./journal/Conservation.ts"
import { Disk } from "./journal/Disk.ts"
import { Journal } from "./journal/Journal.ts"
import type { AccountEntry } from "./kis/AccountsFile.ts"
import * as KisClient from "./kis/KisClient.ts"
import { Observer } from "./Observer.ts"
import { hearHangups, NextHangup } from "./onHangup.ts"
import { openToOthers } from "./openToOthers.ts"
import { guessablePasswords, passwordAdvice } from "./guessablePasswords.ts"
import { AlertBoard } from "./ops/alerts/AlertBoard.ts"
import { openChannels } from "./ops/alerts/channels.ts"
import { LastWords, makeLastWords, tellEnd } from "./ops/alerts/LastWords.ts"
import { Alerts } from "./ops/Alerts.ts"
import { Backup } from "./ops/Backup.ts"
import { ChildEnvironment, childEnvironment } from "./ops/backup/childProgram.ts"
import { Certificates } from "./ops/Certificates.ts"
import { Certifier } from "./ops/Certifier.ts"
import { ConservationWatch } from "./ops/ConservationWatch.ts"
import { DiskWatch } from "./ops/DiskWatch.ts"
import { Retention } from "./ops/Retention.ts"
import { Gaps } from "./ops/Gaps.ts"
import { Health } from "./ops/Health.ts"
import * as Logging from "./ops/Logging.ts"
import { makeMeterRefresh } from "./ops/Meters.ts"
import { Screen } from "./ops/Screen.ts"
import { Telemetry } from "./ops/Telemetry.ts"
import { MinuteMarkers } from "./ops/MinuteMarkers.ts"
import * as StatusLine from "./ops/StatusLine.ts"
import { statusSentence } from "./ops/statusLine/renderStatus.ts"
import { makeSnapshot } from "./ops/statusLine/snapshotOf.ts"
import * as Watchdog from "./ops/Watchdog.ts"
import { notifyAddressOf, notifySystemd } from "./ops/watchdog/notifySystemd.ts"
import { DayUniverse } from "./plan/DayUniverse.ts"
import { observedUniverse } from "./plan/observedUniverse.ts"
import { Planner } from "./plan/Planner.ts"
import { codeOf, endExhausted, endWith, exitCode, hearUncaught, sayBefore, teardown } from "./ProgramEnd.ts"
import { readSettings } from "./readSettings.ts"
import { type Settings, unknownVariables } from "./Settings.ts"
import { Shards } from "./shard/Shards.ts"
import { openSource, readAccounts, type Source } from "./Source.ts"
import { SqlPipeline } from "./sql/SqlPipeline.ts"
import { readTelemetrySettings, telemetryOf } from "./telemetryOf.ts"
import { version } from "./version.ts"

const megabyte = 1_000_000

/** Every layer of the main job, composed here and nowhere else. */
const compose = (settings: Settings, { accounts, masterUrl }: Source) => {
  const { books, dataDir, drain_seconds, fsync_ms, heartbeat_seconds, node, stateDir, symbols: selection } = settings
  const journal = Journal.layer({ dataDir, node, segment_bytes: settings.segment_mb * megabyte, fsync_ms })
  const base = Layer.mergeAll(Supervisor.layer, MarketSession.layer(settings.session), Conservation.layer, journal)
  const after_minutes = settings.gzip_minutes
  const compressor = after_minutes === "off" ? Compressor.layerOff : Compressor.layer({ dataDir, after_minutes })
  const shards = Shards.layer({ count: settings.shards, heartbeat_ms: heartbeat_seconds * 1_000 })
  const migrations = fileURLToPath(new URL("./migrations", import.meta.url))
  const sql = settings.sql
    ? SqlPipeline.layer({
        database: databaseOf(settings),
        node,
        migrations,
        retention_days: settings.sqlRetention_days
      })
    : SqlPipeline.layerOff
  const [{ endpoints }] = accounts
  const watched = settings.watch ?? []
  const universe = Layer.unwrap(
    Effect.map(Journal, ({ append }) =>
      DayUniverse.layer({ selection, watched, dataDir, stateDir, masterUrl, place: endpoints.place, append })
    )
  )
  const feed = Layer.unwrap(
    Effect.map(Shards, ({ deliver, losses }) => KisFeed.layer({ accounts, stateDir, deliver, losses }))
  )
  const planner = Layer.unwrap(
    Effect.gen(function* () {
      const { observe } = yield* Shards
      const options = { target_seconds: settings.targets, books, observe, accounts: yield* KisFeed }
      return Planner.layer({ ...options, watched: new Set(watched), universe: observedUniverse(yield* DayUniverse) })
    })
  )
  const describe = { source: settings.sourceMode, node, accounts: accounts.map(({ alias }) => alias) }
  const retention = Retention.layer({
    dataDir,
    stateDir,
    node,
    days: settings.retention_days,
    target: settings.backupTarget?.name,
    unbacked: settings.retentionUnbacked
  })
  const disk = DiskWatch.layer({
    dataDir,
    logDir: settings.logDir,
    stateDir,
    low_bytes: settings.diskLow_mb * megabyte,
    stop_bytes: settings.diskStop_mb * megabyte
  }).pipe(Layer.provideMerge(retention))
  const certificates = Layer.merge(Certifier.layer({ dataDir, version }), Certificates.layer(dataDir))
  const { backupAge_hours: age_hours, backupSchedule: schedule, backupTarget: target, gzip_minutes, logDir } = settings
  const backup =
    target === undefined
      ? Backup.layerOff
      : Backup.layer({ target, schedule, age_hours, gzip_minutes, dataDir, logDir, stateDir })
  const actors = Observer.layer({ version, describe, drain_seconds }).pipe(
    Layer.provideMerge(Layer.mergeAll(disk, backup)),
    Layer.provideMerge(certificates),
    Layer.provideMerge(planner),
    Layer.provideMerge(Layer.mergeAll(ConservationWatch.layer, MinuteMarkers.layer)),
    Layer.provideMerge(feed),
    Layer.provideMerge(Layer.mergeAll(shards, sql, universe, compressor)),
    Layer.provideMerge(base),
    Layer.provide(Disk.layer),
    Layer.provide(KisClient.layer)
  )
  const gaps = Layer.unwrap(Effect.map(KisFeed, ({ openHoles }) => Gaps.layer(dataDir, openHoles))).pipe(
    Layer.provide(Disk.layer)
  )
  const health = Health.layer({ node, version, stale_seconds: settings.stale_seconds })
  const alerts = Layer.unwrap(
    Effect.map(openChannels(settings), (channels) => {
      const { alertRules: changes = new Map(), pingUrl: ping } = settings
      return Alerts.layer({ node, dataDir, stateDir, changes, channels, ping })
    })
  ).pipe(Layer.provideMerge(health), Layer.provideMerge(AlertBoard.layer), Layer.provide([Disk.layer, KisClient.layer]))
  return Layer.merge(alerts, gaps).pipe(Layer.provideMerge(actors))
}

/** What people and other programs look at. Health is to be seen from the first moment on. */
const openFront = Effect.fnUntraced(function* (settings: Settings) {
  const { httpHost: host, httpPort: port, httpToken: token, stateDir } = settings
  const supervisor = yield* Supervisor
  const { report } = yield* Health
  const front = { kind: "transient", policy: patient } as const
  const server = hosted(Server.layer({ host, port, token }, Api.layer))
  yield* supervisor.start({ ...front, name: "http", run: server.run })
  const { url } = Context.get(yield* server.first, Server.ServerAddress)
  yield* Effect.provide(tellAddress(stateDir, url), Disk.layer)
  const telemetry = yield* Telemetry
  const refresh = yield* makeMeterRefresh
  yield* telemetry.refreshBy(Effect.flatMap(report, refresh))
  const snapshot = makeSnapshot(report, `${url}/health`)
  yield* supervisor.start({ ...front, name: "screen", run: StatusLine.run(snapshot) })
  const systemd = notifyAddressOf(process.env, process.pid)
  if (systemd !== undefined) {
    const { socket, watchdog_seconds } = systemd
    // Records a second are counted since the last look: two who look need two counts.
    const words = Effect.map(makeSnapshot(report, `${url}/health`), statusSentence)
    const options = { journal: yield* Journal, words, watchdog_seconds, notify: notifySystemd(socket) }
    yield* supervisor.start({ ...front, name: "systemd", run: Watchdog.run(options) })
  }
  return url
})

const observe = Effect.fnUntraced(function* (settings: Settings, accounts: ReadonlyArray<AccountEntry>) {
  const source = yield* Effect.mapError(openSource(settings, accounts), endWith(exitCode.bug))
  const context = yield* Layer.build(compose(settings, source)).pipe(
    Effect.catchTags({
      SymbolFileUnusable: (error) => Effect.fail(endWith(exitCode.settings)(error)),
      UniverseRefused: (error) => Effect.fail(endWith(exitCode.settings)(error)),
      JournalUnwritable: (error) => Effect.fail(endWith(exitCode.folders)(error)),
      FolderLocked: (error) => Effect.fail(endWith(exitCode.folders)(error)),
      FolderUnwritable: (error) => Effect.fail(endWith(exitCode.folders)(error))
    }),
    Effect.onError((cause) =>
      Effect.sync(() => endInTime(codeOf(Exit.failCause(cause)), settings.drain_seconds * 1_000))
    )
  )
  const { left_ms, run } = Context.get(context, Observer)
  return yield* Effect.gen(function* () {
    const url = yield* openFront(settings)
    yield* (yield* Alerts).start
    yield* Effect.logInfo("the observer runs; Ctrl-C ends it", { health: `${url}/health`, journal: settings.dataDir })
    const { overtaken } = yield* Journal
    return yield* Effect.raceAllFirst([run, source.ended, overtaken])
  }).pipe(
    Effect.provideContext(context),
    Effect.catchTags({
      HttpUnavailable: (error) => Effect.fail(endWith(exitCode.settings)(error)),
      ActorExhausted: endExhausted,
      SimulatorFailed: (error) => Effect.fail(endWith(exitCode.bug)(error)),
      KisCredentialsRejected: (error) => Effect.fail(endWith(exitCode.credentials)(error)),
      EmbeddedDatabaseError: (error) => Effect.fail(endWith(exitCode.folders)(error)),
      FolderLocked: (error) => Effect.fail(endWith(exitCode.folders)(error)),
      FolderOvertaken: (error) => Effect.fail(endWith(exitCode.folders)(error)),
      FolderUnwritable: (error) => Effect.fail(endWith(exitCode.folders)(error))
    }),
    Effect.onExit((exit) => Effect.map(left_ms, (left) => endInTime(codeOf(exit), left)))
  )
})

/** Tells people that the program ends, unless that was asked for; what has been told already is not told again. */
const tellFatal = <E>(cause: Cause.Cause<E>) => {
  if (Cause.hasInterrupts(cause)) return Effect.void
  const error = Cause.squash(cause)
  return tellEnd(error instanceof Error ? error : { message: String(error) })
}

/** The channels of the settings, with a client of their own: the one that alarms use ends with the program. */
const openOwnChannels = (settings: Settings) =>
  Effect.flatMap(Layer.build(KisClient.layer), (client) => Effect.provideContext(openChannels(settings), client))

const observeBy = Effect.fnUntraced(function* ({ env, settings }: Effect.Success<typeof readSettings>) {
  const nextHangup = yield* hearHangups
  const { telemetry: sent, warnings: telemetryWarnings } = yield* readTelemetrySettings(env)
  const complain = (line: string) => void process.stderr.write(`${withoutSecrets(line)}\n`)
  yield* prepareFolders(settings, (line) => complain(`observer: ${line}`))
  const { clock, log_days: days, log_mb: max_mb, logDir, logLevel: level } = settings
  const { accounts, warnings } = yield* Effect.mapError(readAccounts(settings), endWith(exitCode.settings))
  const logging = Logging.layer({ logDir, level, max_mb, days, complain }).pipe(
    Layer.provideMerge(Screen.layer(process.stdout))
  )
  const unknown = unknownVariables(env)
  const open = openToOthers(settings, process.cwd())
  const wrong = unknown.length === 0 ? [] : [`these settings do not exist: ${unknown.join(", ")}`]
  const guessable = guessablePasswords(env).map(
    (name) => `the password in ${name} is short or a plain word: ${passwordAdvice}`
  )
  const warn = Effect.forEach(
    [...wrong, ...guessable, ...warnings, ...open, ...telemetryWarnings],
    (warning) => Effect.logWarning(warning),
    {
      discard: true
    }
  )
  const run = Effect.andThen(warn, observe(settings, accounts)).pipe(
    Effect.tapCause(tellFatal),
    Effect.scoped,
    Effect.provideService(NextHangup, nextHangup),
    Effect.provideService(ChildEnvironment, childEnvironment(env))
  )
  const { drain_seconds, node } = settings
  const telemetry = telemetryOf({ settings: sent, node, drain_seconds })
  const inTime = clock === undefined ? run : Effect.provideService(run, MarketClock, rehearsed(clock))
  return yield* Effect.provide(inTime, Layer.provideMerge(telemetry, logging))
})

const main = Effect.gen(function* () {
  const read = yield* readSettings
  const { settings } = read
  const { node, stateDir } = settings
  const making = makeLastWords({ node, stateDir, channels: openOwnChannels(settings) })
  const tell = yield* Effect.provide(making, Disk.layer)
  const runPromise = Effect.runPromiseWith(yield* Effect.context<never>())
  sayBefore((reason) =>
    runPromise(Effect.ignore(Effect.timeout(Effect.provide(tell(`a bug: ${reason}`), Logger.layer([])), "8 seconds")))
  )
  // What ends before there is a log has its line on standard error.
  const silently = (cause: Cause.Cause<unknown>) => Effect.provide(tellFatal(cause), Logger.layer([]))
  return yield* observeBy(read).pipe(Effect.tapCause(silently), Effect.provideService(LastWords, tell))
})

hearUncaught()
boundHeap()
NodeRuntime.runMain(main, { disableErrorReporting: true, teardown })
