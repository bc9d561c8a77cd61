import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Context, Effect, Layer } from "effect"
import { fileURLToPath } from "node:url"
import { hosted } from "./actor/hosted.ts"
import { patient } from "./actor/RestartPolicy.ts"
import { Supervisor } from "./actor/Supervisor.ts"
import { MarketClock, rehearsed } from "./calendar/MarketClock.ts"
import { MarketSession } from "./calendar/MarketSession.ts"
import { boundHeap } from "./boundHeap.ts"
import { databaseOf } from "./databaseOf.ts"
import { KisFeed } from "./feed/KisFeed.ts"
import { prepareFolders } from "./Folders.ts"
import * as Api from "./http/Api.ts"
import * as Server from "./http/Server.ts"
import { Compressor } from "./journal/Compressor.ts"
import { Conservation } from "./journal/Conservation.ts"
import { Disk } from "./journal/Disk.ts"
import { Journal } from "./journal/Journal.ts"
import type { AccountEntry } from "./kis/AccountsFile.ts"
import { Observer } from "./Observer.ts"
import { hearHangups, NextHangup } from "./onHangup.ts"
import { Backup } from "./ops/Backup.ts"
import { Certificates } from "./ops/Certificates.ts"
import { Certifier } from "./ops/Certifier.ts"
import { ConservationWatch } from "./ops/ConservationWatch.ts"
import { DiskWatch } from "./ops/DiskWatch.ts"
import { Gaps } from "./ops/Gaps.ts"
import { Health } from "./ops/Health.ts"
import * as Logging from "./ops/Logging.ts"
import { Screen } from "./ops/Screen.ts"
import { MinuteMarkers } from "./ops/MinuteMarkers.ts"
import * as StatusLine from "./ops/StatusLine.ts"
import { makeSnapshot } from "./ops/statusLine/snapshotOf.ts"
import { DayUniverse } from "./plan/DayUniverse.ts"
import { observedUniverse } from "./plan/observedUniverse.ts"
import { Planner } from "./plan/Planner.ts"
import { endExhausted, endWith, exitCode, teardown } from "./ProgramEnd.ts"
import { readSettings } from "./readSettings.ts"
import { type Settings, unknownVariables } from "./Settings.ts"
import { Shards } from "./shard/Shards.ts"
import { openSource, readAccounts, type Source } from "./Source.ts"
import { SqlPipeline } from "./sql/SqlPipeline.ts"
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
  const certificates = Layer.merge(Certifier.layer({ dataDir, version }), Certificates.layer(dataDir))
  const actors = Observer.layer({ version, describe, drain_seconds }).pipe(
    Layer.provideMerge(Layer.mergeAll(DiskWatch.layerOff, Backup.layerOff)),
    Layer.provideMerge(certificates),
    Layer.provideMerge(planner),
    Layer.provideMerge(Layer.mergeAll(ConservationWatch.layer, MinuteMarkers.layer)),
    Layer.provideMerge(feed),
    Layer.provideMerge(Layer.mergeAll(shards, sql, universe, compressor)),
    Layer.provideMerge(base),
    Layer.provide(Disk.layer),
    Layer.provide(NodeHttpClient.layerUndiciOptions({ keepAliveTimeout: 4_000, connect: { timeout: 5_000 } }))
  )
  const gaps = Layer.unwrap(Effect.map(KisFeed, ({ openHoles }) => Gaps.layer(dataDir, openHoles))).pipe(
    Layer.provide(Disk.layer)
  )
  const health = Health.layer({ node, version, stale_seconds: settings.stale_seconds })
  return Layer.merge(health, gaps).pipe(Layer.provideMerge(actors))
}

/** What people and other programs look at. Health is to be seen from the first moment on. */
const openFront = Effect.fnUntraced(function* ({ httpHost: host, httpPort: port, httpToken: token }: Settings) {
  const supervisor = yield* Supervisor
  const { report } = yield* Health
  const front = { kind: "transient", policy: patient } as const
  const server = hosted(Server.layer({ host, port, token }, Api.layer))
  yield* supervisor.start({ ...front, name: "http", run: server.run })
  const { url } = Context.get(yield* server.first, Server.ServerAddress)
  const snapshot = makeSnapshot(report, `${url}/health`)
  yield* supervisor.start({ ...front, name: "screen", run: StatusLine.run(snapshot) })
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
    })
  )
  return yield* Effect.gen(function* () {
    const url = yield* openFront(settings)
    const { run } = yield* Observer
    yield* Effect.logInfo("the observer runs; Ctrl-C ends it", { health: `${url}/health`, journal: settings.dataDir })
    return yield* Effect.raceFirst(run, source.ended)
  }).pipe(
    Effect.provideContext(context),
    Effect.catchTags({
      HttpUnavailable: (error) => Effect.fail(endWith(exitCode.settings)(error)),
      ActorExhausted: endExhausted,
      SimulatorFailed: (error) => Effect.fail(endWith(exitCode.bug)(error)),
      KisCredentialsRejected: (error) => Effect.fail(endWith(exitCode.credentials)(error)),
      EmbeddedDatabaseError: (error) => Effect.fail(endWith(exitCode.folders)(error)),
      FolderLocked: (error) => Effect.fail(endWith(exitCode.folders)(error)),
      FolderUnwritable: (error) => Effect.fail(endWith(exitCode.folders)(error))
    })
  )
})

const main = Effect.gen(function* () {
  const nextHangup = yield* hearHangups
  const { env, settings } = yield* readSettings
  yield* prepareFolders(settings)
  const { clock, log_days: days, log_mb: max_mb, logDir, logLevel: level } = settings
  const {
    accounts,
    secrets: keys,
    warnings
  } = yield* Effect.mapError(readAccounts(settings), endWith(exitCode.settings))
  const secrets = [...keys, settings.databaseUrl, settings.httpToken].filter((value) => value !== undefined)
  const complain = (line: string) => void process.stderr.write(`${line}\n`)
  const logging = Logging.layer({ logDir, level, max_mb, days, secrets, complain }).pipe(
    Layer.provideMerge(Screen.layer(process.stdout))
  )
  const unknown = unknownVariables(env)
  const wrong = unknown.length === 0 ? [] : [`these settings do not exist: ${unknown.join(", ")}`]
  const warn = Effect.forEach([...wrong, ...warnings], (warning) => Effect.logWarning(warning), { discard: true })
  const run = Effect.andThen(warn, observe(settings, accounts)).pipe(
    Effect.scoped,
    Effect.provideService(NextHangup, nextHangup)
  )
  const inTime = clock === undefined ? run : Effect.provideService(run, MarketClock, rehearsed(clock))
  return yield* Effect.provide(inTime, logging)
})

boundHeap()
NodeRuntime.runMain(main, { disableErrorReporting: true, teardown })
