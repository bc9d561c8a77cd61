import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Fiber, Layer, Logger, Schema } from "effect"
import { TestClock } from "effect/testing"
import { patient } from "../../src/actor/RestartPolicy.ts"
import { Supervisor } from "../../src/actor/Supervisor.ts"
import { MarketSession } from "../../src/calendar/MarketSession.ts"
import type { JournalRecord, RecordSource } from "../../src/domain/JournalRecord.ts"
import { minuteMarkerOf } from "../../src/domain/MinuteMarker.ts"
import type { Delivery, Sighting } from "../../src/domain/Sighting.ts"
import { reject } from "../../src/feed/FeedRecord.ts"
import { finishing } from "../../src/feed/finishing.ts"
import { KisFeed } from "../../src/feed/KisFeed.ts"
import { makeSweepAnswers } from "../../src/feed/sweep/SweepAnswers.ts"
import { SweepSchedule } from "../../src/feed/SweepSchedule.ts"
import { Conservation } from "../../src/journal/Conservation.ts"
import { conservationOf } from "../../src/journal/dayConservation.ts"
import { Journal } from "../../src/journal/Journal.ts"
import { MinuteMarkers } from "../../src/ops/MinuteMarkers.ts"
import { Shards } from "../../src/shard/Shards.ts"
import { SqlPipeline } from "../../src/sql/SqlPipeline.ts"
import { checkArchive, node, openMs, settled, tempFolder } from "../journal/fixtures.ts"
import { MemoryDisk } from "../support/memoryDisk.ts"

const owned = ["005930", "000660", "000400", "000100"]

const Seen = Schema.Struct({
  /** One that no shard owns is among them. */
  symbol: Schema.Literals([...owned, ...owned, "999999"]),
  /** Few, so that many repeat what was said before. */
  says: Schema.Literals(["a", "b"]),
  price: Schema.Literals([100, 100, 100, 0]),
  isPoison: Schema.Literals([false, false, false, false, false, false, false, true])
})
const Chunk = Schema.Struct({
  does: Schema.Literal("deliver"),
  source: Schema.Literals(["kis-ws", "kis-rest"]),
  seen: Schema.NonEmptyArray(Seen),
  unasked: Schema.Literals([0, 0, 1, 2]),
  /** So many in a row: some hundred fill a mailbox when the journal waits. */
  times: Schema.Literals([1, 1, 1, 3, 150])
})
const Fault = Schema.Struct({
  does: Schema.Literals(["fillDisk", "freeDisk", "freeDisk", "crashBefore", "crashAfter", "restart", "stopSources"]),
  times: Schema.Literals([1, 2, 3])
})
const Pass = Schema.Struct({ does: Schema.Literal("pass"), ms: Schema.Literals([0, 0, 10, 1_000, 45_000, 130_000]) })
const Steps = Schema.Array(Schema.Union([Chunk, Chunk, Fault, Pass]))
/** How it ends: with room on the disk, or cut off while there is none. */
const Ending = Schema.Literals(["room", "room", "room", "full"])

/** Lets virtual time pass, a little at a time, so that what is due has its turn at about the time at which it is. */
const pass = Effect.fnUntraced(function* (ms: number) {
  for (let left = ms; left >= 0; left -= 1_000) {
    yield* TestClock.adjust(Math.min(left, 1_000))
    yield* settled
  }
})

type Source = (typeof Chunk.Type)["source"]

const sightingOf = ({ isPoison, price, says, symbol }: typeof Seen.Type): Sighting => ({
  symbol,
  kind: "quote",
  venue: "KRX",
  receivedAtMs: openMs,
  price,
  flags: [],
  get sameness(): string {
    if (isPoison) throw new Error("poison")
    return `${says} ${price}`
  },
  payload: { says }
})
const unaskedFor: Sighting = {
  symbol: "000020",
  kind: "quote",
  venue: "KRX",
  receivedAtMs: openMs,
  flags: [],
  payload: {}
}

/** A feed without accounts, and the counts of the minutes on top of it. */
const minutesLayer = MinuteMarkers.layer.pipe(
  Layer.provide(
    Layer.mock(KisFeed, {
      status: Effect.succeed({
        accounts: [],
        sweep: { rounds: 0, lastRound_ms: undefined, lastAnswerAtMs: undefined, unknown: [] },
        calendar: { knownTo: "20271231", answeredOn: undefined },
        phase: { expected: "continuous" as const, nextChangeMs: undefined, difference: undefined }
      })
    })
  ),
  Layer.provide(SqlPipeline.layerOff)
)

/** Everything from the edge to the journal, under a supervisor; a shard's appends can be made to crash, undone or done. */
const openStage = Effect.fnUntraced(function* (disk: MemoryDisk) {
  yield* TestClock.setTime(openMs)
  const crashes = { before: 0, after: 0 }
  const spoilt = (real: Journal["Service"]): Journal["Service"] => ({
    ...real,
    append: Effect.fnUntraced(function* (drafts, origin, tell) {
      if (origin !== undefined && crashes.before > 0) {
        crashes.before -= 1
        return yield* Effect.die(new Error("the append crashed"))
      }
      const range = yield* real.append(drafts, origin, tell)
      if (origin === undefined || crashes.after === 0) return range
      crashes.after -= 1
      return yield* Effect.die(new Error("the append was done, and crashed"))
    })
  })
  const journal = Layer.effect(Journal, Effect.map(Journal, spoilt)).pipe(
    Layer.provide(Journal.layer({ dataDir: disk.root, node, segment_bytes: 1 << 20, fsync_ms: 3_600_000 })),
    Layer.provide(disk.layer)
  )
  const context = yield* Layer.build(
    Layer.fresh(
      Layer.merge(minutesLayer, Shards.layer({ count: 2, heartbeat_ms: 300_000 })).pipe(
        Layer.provideMerge(Layer.mergeAll(Supervisor.layer, Conservation.layer, MarketSession.layer("always"), journal))
      )
    )
  )
  const supervisor = Context.get(context, Supervisor)
  const shards = Context.get(context, Shards)
  const { close, run } = Context.get(context, Journal)
  const minutes = Context.get(context, MinuteMarkers)
  const transient = { kind: "transient", policy: patient } as const
  yield* supervisor.start({ ...transient, name: "journal", run, drain: close })
  yield* shards.observe(owned)
  yield* shards.start
  yield* supervisor.start({ ...transient, name: "minutes", run: minutes.run, drain: minutes.end })
  return {
    context,
    crashes,
    shards,
    supervisor,
    journal: Context.get(context, Journal),
    conservation: Context.get(context, Conservation)
  }
})

const rehearse = Effect.fnUntraced(function* (steps: typeof Steps.Type, ending: typeof Ending.Type) {
  const disk = new MemoryDisk(yield* tempFolder)
  const { conservation, context, crashes, journal, shards, supervisor } = yield* openStage(disk)
  /** What the shards were handed, counted beside the law. */
  const taken = { "kis-ws": 0, "kis-rest": 0 }
  const deliverOf = (source: Source) => (delivery: Delivery) =>
    shards.deliver({
      ...delivery,
      onTaken: (records) => {
        taken[source] += records
        delivery.onTaken?.(records)
      }
    })
  const schedule = new SweepSchedule(openMs)
  const answers = yield* Effect.provideContext(makeSweepAnswers(schedule, deliverOf("kis-rest")), context)

  /** As the sweep and the streamer do: first what is refused at the edge, then what the shards are to judge. */
  const send = ({ seen, source, times, unasked }: typeof Chunk.Type) => {
    const sightings = seen.map((each) => sightingOf({ ...each, isPoison: each.isPoison && times === 1 }))
    if (source === "kis-rest") {
      const came = [...sightings, ...Array.from({ length: unasked }, () => unaskedFor)]
      return answers.accept("main", {
        call: -1,
        asked: sightings.map(({ symbol }) => symbol),
        came,
        isNameless: false
      })
    }
    const refusals = Array.from({ length: unasked }, () => reject("kis-ws", "main", openMs, "frameShape", "raw"))
    return conservation.receive(
      source,
      seen.length + unasked,
      Effect.fnUntraced(function* ({ passOn, store }) {
        if (unasked > 0) yield* store(journal, refusals, { rejected: unasked })
        yield* deliverOf(source)({ source, account: "main", sightings, onTaken: passOn })
      })
    )
  }

  const faults: Array<string> = []
  let isStopped = false
  const look = Effect.map(conservation.balances, (balances) => {
    for (const [source, balance] of balances) {
      const { inFlight, remainder } = balance
      // Who is stopped while the journal waits may lose what it has in hand, and says so.
      if (inFlight < 0 || remainder < 0 || (remainder > 0 && !isStopped))
        faults.push(`${source} ${JSON.stringify(balance)}`)
    }
  })
  yield* Effect.forkScoped(Effect.forever(Effect.andThen(look, Effect.yieldNow)))

  const isUnderWay = Effect.map(conservation.balances, (balances) =>
    [...balances.values()].some(({ inFlight }) => inFlight > 0)
  )
  const setFull = (isFull: boolean) => {
    disk.fault = ({ operation }) =>
      isFull && operation === "write" ? { _tag: "Refused", code: "ENOSPC", done: 0 } : undefined
  }
  const senders: Array<Fiber.Fiber<void>> = []
  const stopSenders = Effect.suspend(() => {
    isStopped = true
    return Effect.forEach(senders.splice(0), (sender) => Effect.forkScoped(Fiber.interrupt(sender)), { discard: true })
  })
  for (const step of steps) {
    if (step.does === "deliver") {
      for (let left = step.times; left > 0; left--) senders.push(yield* Effect.forkScoped(finishing(send(step))))
    } else if (step.does === "pass") yield* pass(step.ms)
    else if (step.does === "crashBefore") crashes.before += step.times
    else if (step.does === "crashAfter") crashes.after += step.times
    else if (step.does === "restart") yield* shards.start
    else if (step.does === "stopSources") yield* stopSenders
    else setFull(step.does === "fillDisk")
  }
  setFull(ending === "full")
  crashes.before = 0
  crashes.after = 0
  yield* pass(0)
  // Poison takes its time: three crashes each, and a rest after every ten.
  const rounds_max = ending === "room" ? 500 : 0
  for (let rounds = 0; rounds < rounds_max && (yield* isUnderWay); rounds++) yield* pass(10_000)
  yield* stopSenders
  yield* pass(3_000)
  const shutdown = supervisor.shutdown({ order: ["shard", "minutes", "journal"], deadline_ms: 10_000 })
  const ended = yield* Effect.forkScoped(shutdown)
  yield* pass(11_000)
  return { late: yield* Fiber.join(ended), faults, taken, balances: yield* conservation.balances, disk }
})

const isOf = (source: RecordSource) => (record: JournalRecord) => record.source === source
const isReject = ({ kind }: JournalRecord) => kind === "reject"

describe("the law of conservation", () => {
  it.effect.prop(
    "holds at every moment under any faults, and the minutes' markers and the journal's lines say the same",
    { steps: Steps, ending: Ending },
    ({ ending, steps }) =>
      Effect.gen(function* () {
        const { balances, disk, faults, late, taken } = yield* rehearse(steps, ending)
        assert.deepStrictEqual(faults, [])
        if (late.length > 0) return assert.strictEqual(ending, "full", `${late} did not end`)
        const records = checkArchive(disk.files())
        const markers = records.flatMap((record) => minuteMarkerOf(record) ?? [])
        const told = conservationOf(markers)
        for (const [source, balance] of balances) {
          if (source !== "kis-ws" && source !== "kis-rest") return assert.fail(source)
          const lines = records.filter(isOf(source))
          const rejected = lines.filter(isReject)
          assert.deepInclude(balance, { rejected: rejected.length, stored: lines.length - rejected.length })
          // A refusal of the edge names no symbol; what is neither that nor with the shards was let go of by its source.
          const atEdge = rejected.filter(({ symbol }) => symbol === undefined).length
          assert.deepInclude(balance, {
            inFlight: 0,
            remainder: balance.received - taken[source] - atEdge,
            deduplicated: taken[source] - (lines.length - atEdge)
          })
          assert.deepStrictEqual(told.sources[source], { ...balance, untold: 0 })
        }
        const isWhole = [...balances.values()].every(({ remainder }) => remainder === 0)
        assert.deepInclude(told, { markers: markers.length, runs: markers.length > 0 ? 1 : 0, holds: isWhole })
      }).pipe(Effect.scoped, Effect.provide(Logger.layer([]))),
    { arbitrary: { runs: 50, size: 20 }, timeout: 90_000 }
  )
})
