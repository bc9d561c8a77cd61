import { NodeHttpClient, NodeRuntime } from "@effect/platform-node"
import { Context, Effect, Layer } from "effect"
import { fileURLToPath } from "node:url"
import { hosted } from "./actor/hosted.ts"
import { patient } from "./actor/RestartPolicy.ts"
import { Supervisor } from "./actor/Supervisor.ts"
import { MarketSession } from "./calendar/MarketSession.ts"
import { databaseOf } from "./databaseOf.ts"
import { KisFeed } from "./feed/KisFeed.ts"
import { prepareFolders } from "./Folders.ts"
import * as Server from "./http/Server.ts"
import { Conservation } from "./journal/Conservation.ts"
import { Disk } from "./journal/Disk.ts"
import { Journal } from "./journal/Journal.ts"
import { Observer } from "./Observer.ts"
import { Health } from "./ops/Health.ts"
import * as Logging from "./ops/Logging.ts"
import { Screen } from "./ops/Screen.ts"
import * as StatusLine from "./ops/StatusLine.ts"
import { makeSnapshot } from "./ops/statusLine/snapshotOf.ts"
import { plan } from "./plan/CoveragePlan.ts"
import { resolveUniverse } from "./plan/Universe.ts"
import { endExhausted, endWith, exitCode, teardown } from "./ProgramEnd.ts"
import { readSettings } from "./readSettings.ts"
import { type Settings, unknownVariables } from "./Settings.ts"
import { Shards } from "./shard/Shards.ts"
import { openSource, type Source } from "./Source.ts"
import { SqlPipeline } from "./sql/SqlPipeline.ts"
import { version } from "./version.ts"

const megabyte = 1_000_000

/** Every layer of the main job, composed here and nowhere else. */
const compose = Effect.fnUntraced(function* (
  settings: Settings,
  { account }: Source,
  universe: Effect.Success<ReturnType<typeof resolveUniverse>>
) {
  const {
    callsPerSecond,
    dataDir,
    drain_seconds,
    fsync_ms,
    heartbeat_seconds,
    node,
    stateDir,
    wsSlots: slots
  } = settings
  const { rule, symbols, unlisted } = universe
  const multiPrice = account.endpoints.env === "live"
  const coverage = plan(symbols, { callsPerSecond, slots, multiPrice })
  const { callsPerSweep, expectedStaleness_seconds, stream, sweep } = coverage
  yield* Effect.logInfo(`observing ${symbols.length} symbols: ${rule}`, {
    swept: sweep.length,
    calls_per_sweep: callsPerSweep,
    expected_staleness_seconds: Math.round(expectedStaleness_seconds * 10) / 10,
    streamed: stream.length
  })
  if (unlisted.length > 0) {
    yield* Effect.logWarning(`not in the list of issues of 2026-07-22: ${unlisted.join(", ")}; observed all the same`)
  }

  const journal = Journal.layer({ dataDir, node, segment_bytes: settings.segment_mb * megabyte, fsync_ms })
  const base = Layer.mergeAll(Supervisor.layer, MarketSession.layer(settings.session), Conservation.layer, journal)
  const shards = Shards.layer({ count: settings.shards, symbols, heartbeat_ms: heartbeat_seconds * 1_000 })
  const migrations = fileURLToPath(new URL("./migrations", import.meta.url))
  const sql = settings.sql
    ? SqlPipeline.layer({ database: databaseOf(settings), node, migrations })
    : SqlPipeline.layerOff
  const feed = Layer.unwrap(
    Effect.map(Shards, ({ deliver }) =>
      KisFeed.layer({ account, stateDir, callsPerSecond, slots, sweep, stream, multiPrice, deliver })
    )
  )
  const describe = { source: settings.sourceMode, node, rule, symbols: symbols.length, streamed: stream.length }
  const actors = Observer.layer({ version, describe, drain_seconds }).pipe(
    Layer.provideMerge(feed),
    Layer.provideMerge(Layer.merge(shards, sql)),
    Layer.provideMerge(base),
    Layer.provide(Disk.layer),
    Layer.provide(NodeHttpClient.layerUndiciOptions({ keepAliveTimeout: 4_000, connect: { timeout: 5_000 } }))
  )
  return Health.layer({ node, version, stale_seconds: settings.stale_seconds }).pipe(Layer.provideMerge(actors))
})

/** What people and other programs look at. Health is to be seen from the first moment on. */
const openFront = Effect.fnUntraced(function* ({ httpHost: host, httpPort: port, httpToken: token }: Settings) {
  const supervisor = yield* Supervisor
  const { report } = yield* Health
  const front = { kind: "transient", policy: patient } as const
  const server = hosted(Server.layer({ host, port, token }))
  yield* supervisor.start({ ...front, name: "http", run: server.run })
  const { url } = Context.get(yield* server.first, Server.ServerAddress)
  const snapshot = makeSnapshot(report, `${url}/health`)
  yield* supervisor.start({ ...front, name: "screen", run: StatusLine.run(snapshot) })
  return url
})

const observe = Effect.fnUntraced(function* (settings: Settings) {
  const universe = yield* Effect.mapError(resolveUniverse(settings.symbols), endWith(exitCode.settings))
  const source = yield* Effect.mapError(openSource(settings), endWith(exitCode.bug))
  const layer = yield* compose(settings, source, universe)
  const context = yield* Layer.build(layer).pipe(
    Effect.catchTags({
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
  const { env, settings } = yield* readSettings
  yield* prepareFolders(settings)
  const { log_days: days, log_mb: max_mb, logDir, logLevel: level } = settings
  const secrets = [settings.kisAppKey, settings.kisAppSecret, settings.databaseUrl, settings.httpToken].filter(
    (value) => value !== undefined
  )
  const complain = (line: string) => void process.stderr.write(`${line}\n`)
  const logging = Logging.layer({ logDir, level, max_mb, days, secrets, complain }).pipe(
    Layer.provideMerge(Screen.layer(process.stdout))
  )
  const unknown = unknownVariables(env)
  const warn =
    unknown.length === 0 ? Effect.void : Effect.logWarning(`these settings do not exist: ${unknown.join(", ")}`)
  return yield* Effect.scoped(Effect.andThen(warn, observe(settings))).pipe(Effect.provide(logging))
})

NodeRuntime.runMain(main, { disableErrorReporting: true, teardown })
