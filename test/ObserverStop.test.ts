import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Logger, Schedule } from "effect"
import { mkdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Supervisor } from "../src/actor/Supervisor.ts"
import { MarketSession } from "../src/calendar/MarketSession.ts"
import { KisFeed } from "../src/feed/KisFeed.ts"
import { marker } from "../src/feed/FeedRecord.ts"
import { Compressor } from "../src/journal/Compressor.ts"
import { Conservation } from "../src/journal/Conservation.ts"
import { Disk } from "../src/journal/Disk.ts"
import { Journal } from "../src/journal/Journal.ts"
import { Observer } from "../src/Observer.ts"
import { Backup } from "../src/ops/Backup.ts"
import { Certifier } from "../src/ops/Certifier.ts"
import { ConservationWatch } from "../src/ops/ConservationWatch.ts"
import { DiskWatch } from "../src/ops/DiskWatch.ts"
import { MinuteMarkers } from "../src/ops/MinuteMarkers.ts"
import { Retention } from "../src/ops/Retention.ts"
import { Coverage } from "../src/plan/Coverage.ts"
import { makeChanger } from "../src/plan/dayUniverse/makeChanger.ts"
import { DayUniverse } from "../src/plan/DayUniverse.ts"
import { Planner } from "../src/plan/Planner.ts"
import { Shards } from "../src/shard/Shards.ts"
import { SqlPipeline } from "../src/sql/SqlPipeline.ts"
import { checkArchive, filesBelow, node } from "./journal/fixtures.ts"
import { quote } from "./shard/fixtures.ts"
import { fillUp, hasMounts, mounted } from "./support/mounts.ts"

const often = Schedule.spaced("50 millis")
const mb = 1024 * 1024

const feed = Layer.mock(KisFeed, {
  start: Effect.void,
  refused: Effect.never,
  status: Effect.succeed({
    accounts: [],
    sweep: { rounds: 0, lastRound_ms: undefined, lastAnswerAtMs: undefined, unknown: [] },
    calendar: { knownTo: "20271231", answeredOn: undefined },
    phase: { expected: "continuous" as const, nextChangeMs: undefined, difference: undefined }
  })
})

/** An observer with its real journal, shards, minutes and watch over folders, and without broker and database. */
const openObserver = Effect.fnUntraced(function* (root: string, drain_seconds: number) {
  const [dataDir, logDir, stateDir] = ["data", "log", "state"].map((name) => join(root, name)) as [
    string,
    string,
    string
  ]
  for (const folder of [dataDir, logDir, stateDir]) mkdirSync(folder, { recursive: true })
  const { changer } = yield* makeChanger("universe/changes", () => Effect.never)
  const base = Layer.mergeAll(
    Supervisor.layer,
    MarketSession.layer("always"),
    Conservation.layer,
    Journal.layer({ dataDir, node, segment_bytes: mb, fsync_ms: 200 }),
    feed,
    SqlPipeline.layerOff,
    Retention.layerOff
  ).pipe(Layer.provideMerge(Disk.layer))
  const parts = Layer.mergeAll(
    Shards.layer({ count: 2, heartbeat_ms: 300_000 }),
    MinuteMarkers.layer,
    DiskWatch.layer({ dataDir, logDir, stateDir, low_bytes: 0, stop_bytes: mb }),
    Layer.mock(DayUniverse, {
      run: Effect.never,
      reload: Effect.never,
      recorded: Effect.void,
      changer: Effect.succeed(changer)
    }),
    Layer.effect(
      Planner,
      Effect.map(Coverage, (coverage) => ({ start: Effect.void, coverage }))
    ).pipe(Layer.provide(Layer.mock(Coverage, {}))),
    Compressor.layerOff,
    Layer.succeed(Certifier, { run: Effect.never }),
    Backup.layerOff,
    Layer.succeed(ConservationWatch, { run: Effect.never, alarm: Effect.undefined })
  )
  const layer = Observer.layer({ version: "1", describe: {}, drain_seconds }).pipe(
    Layer.provideMerge(parts),
    Layer.provideMerge(base)
  )
  const context = yield* Layer.build(Layer.fresh(layer))
  return {
    dataDir,
    run: Context.get(context, Observer).run,
    journal: Context.get(context, Journal),
    shards: Context.get(context, Shards)
  }
})

/** What was received while appends are held back: more chunks than go into one append. */
const received = Array.from({ length: 40 }, (_, chunk) =>
  Array.from({ length: 50 }, (_, index) => quote(`${chunk}/${index}`, Date.now(), { payload: { chunk, index } }))
)

const whileHeld = Effect.fnUntraced(function* ({ journal, shards }: Effect.Success<ReturnType<typeof openObserver>>) {
  yield* Effect.repeat(journal.status, { schedule: often, until: ({ lastAppendAtMs }) => lastAppendAtMs !== undefined })
  yield* shards.observe(["005930"])
})

const isHeld = ({ journal }: Effect.Success<ReturnType<typeof openObserver>>) =>
  Effect.repeat(journal.status, { schedule: often, until: ({ writable }) => !writable })

const deliver = ({ shards }: Effect.Success<ReturnType<typeof openObserver>>) =>
  Effect.forEach(received, (sightings) => shards.deliver({ source: "kis-rest", account: "main", sightings }), {
    discard: true
  })

describe.skipIf(!hasMounts)("the end of an observer whose data folder is short of room", { timeout: 60_000 }, () => {
  it.live("stores what was received while appends were held back in the room that is kept for it", () =>
    Effect.gen(function* () {
      const disk = yield* mounted(24)
      const life = Effect.gen(function* () {
        const observer = yield* openObserver(disk.path, 10)
        const lives = Effect.gen(function* () {
          yield* whileHeld(observer)
          writeFileSync(join(disk.path, "filler"), Buffer.alloc(23.25 * mb))
          yield* isHeld(observer)
          yield* deliver(observer)
        })
        yield* Effect.raceFirst(observer.run, lives)
        return observer.dataDir
      }).pipe(Effect.scoped)
      const dataDir = yield* life
      rmSync(join(disk.path, "filler"))
      const records = checkArchive(filesBelow(dataDir))
      const all = received.reduce((sum, { length }) => sum + length, 0)
      assert.strictEqual(records.filter(({ kind }) => kind === "quote").length, all)
      assert.include(records.at(-1)?.payload, { event: "stop" })
    }).pipe(Effect.scoped)
  )

  it.live("says how much is lost where nothing can be written to its end", () =>
    Effect.gen(function* () {
      const disk = yield* mounted(24)
      const logged: Array<unknown> = []
      const hearing = Logger.layer([Logger.make(({ message }) => void logged.push(message))])
      const life = Effect.gen(function* () {
        const observer = yield* openObserver(disk.path, 2)
        const lives = Effect.gen(function* () {
          yield* whileHeld(observer)
          fillUp(join(disk.path, "filler"))
          yield* isHeld(observer)
          yield* deliver(observer)
          const { append, status } = observer.journal
          const another = Effect.forkScoped(append([marker(Date.now(), { event: "another" })]))
          yield* Effect.repeat(Effect.andThen(another, status), {
            schedule: often,
            until: ({ waitingAppends }) => waitingAppends > 0
          })
        })
        yield* Effect.raceFirst(observer.run, lives)
      }).pipe(Effect.scoped)
      yield* Effect.provide(life, hearing)
      const [words, figures] = logged.findLast(
        (message) => Array.isArray(message) && String(message[0]).includes("cut off")
      ) as [string, Readonly<Record<string, unknown>>]
      assert.include(words, "is lost")
      assert.strictEqual(
        figures["notStored_records"],
        received.reduce((sum, { length }) => sum + length, 0)
      )
      assert.isAbove(Number(figures["waitingAppends"]), 0)
    }).pipe(Effect.scoped)
  )
})
