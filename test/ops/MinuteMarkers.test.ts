import { assert, describe, it } from "@effect/vitest"
import { Clock, Context, Effect, Fiber, Layer } from "effect"
import { TestClock } from "effect/testing"
import { MarketClock, rehearsed } from "../../src/calendar/MarketClock.ts"
import { MarketSession } from "../../src/calendar/MarketSession.ts"
import { marketInstant } from "../../src/calendar/MarketTime.ts"
import { type MinuteMarker, minuteMarkerOf } from "../../src/domain/MinuteMarker.ts"
import { KisFeed } from "../../src/feed/KisFeed.ts"
import { Conservation } from "../../src/journal/Conservation.ts"
import { Journal, origin } from "../../src/journal/Journal.ts"
import { MinuteMarkers } from "../../src/ops/MinuteMarkers.ts"
import { SqlPipeline } from "../../src/sql/SqlPipeline.ts"
import { openJournal, recordsAfter, settled, tempFolder } from "../journal/fixtures.ts"
import { accountStatus } from "../support/accountStatus.ts"
import { MemoryDisk } from "../support/memoryDisk.ts"
import { movableClock } from "../support/virtualTime.ts"

const at = (hour: string) => marketInstant("20261124", hour) ?? Number.NaN
const utc = (hour: string) => new Date(at(hour)).toISOString()

const gap = { kind: "gap", source: "observer", payload: { cause: "silence" } } as const

const openStage = Effect.fnUntraced(function* ({ mode = "always" }: { readonly mode?: "always" | "calendar" } = {}) {
  const disk = new MemoryDisk(yield* tempFolder)
  const journal = yield* Effect.provide(openJournal(disk.root), disk.layer)
  const spent = { answered: 0, refusals: 0, ledger: 0, tokens: 0, frames: 0, bytes: 0 }
  const statusOf = () => {
    const { budget, stream, token, ...account } = accountStatus()
    const ledger = { ...budget.ledger, refusals: spent.ledger }
    return {
      ...account,
      budget: { ...budget, answered: spent.answered, refusals: spent.refusals, ledger },
      token: { ...token, issues: spent.tokens },
      stream: { ...stream, frames: spent.frames, bytes: spent.bytes }
    }
  }
  const feed = Layer.mock(KisFeed, {
    status: Effect.sync(() => ({
      accounts: [statusOf()],
      sweep: { rounds: 0, lastRound_ms: undefined, lastAnswerAtMs: undefined, unknown: [] },
      calendar: { knownTo: "20271231", answeredOn: undefined },
      phase: { expected: "continuous" as const, nextChangeMs: undefined, difference: undefined }
    }))
  })
  const sql = Layer.mock(SqlPipeline, {
    status: Effect.succeed({
      name: "sql",
      state: "ok" as const,
      sinceMs: 0,
      seq: 1,
      lag_records: 2,
      lag_bytes: 0,
      lag_seconds: 1.5,
      lastGoodAtMs: 0
    })
  })
  const layer = MinuteMarkers.layer.pipe(
    Layer.provideMerge(Layer.mergeAll(Conservation.layer, MarketSession.layer(mode), feed, sql)),
    Layer.provide(Layer.succeed(Journal, journal))
  )
  const context = yield* Layer.build(Layer.fresh(layer))
  const minutes = Context.get(context, MinuteMarkers)
  const { receive } = Context.get(context, Conservation)
  const fiber = yield* Effect.forkScoped(minutes.run)
  yield* settled
  /** Minute by minute, as time passes. */
  const pass = Effect.fnUntraced(function* (seconds: number) {
    for (let left = seconds; left > 0; left -= 10) {
      yield* TestClock.adjust(Math.min(left, 10) * 1_000)
      yield* settled
    }
  })
  return {
    disk,
    journal,
    spent,
    pass,
    store: (records: number) =>
      receive("kis-ws", records, ({ settle }) => Effect.sync(() => settle({ stored: records }))),
    receive,
    markers: Effect.map(recordsAfter(journal, origin), (records) =>
      records.map(minuteMarkerOf).filter((marker) => marker !== undefined)
    ),
    records: recordsAfter(journal, origin),
    end: Effect.andThen(minutes.end, Fiber.join(fiber))
  }
})

const noted = (markers: ReadonlyArray<MinuteMarker>) =>
  markers.map(({ from, minute, sources, to }) => [minute, from, to, sources["kis-ws"]?.received])

describe("the markers of the minutes", () => {
  it.effect("hold what came in each minute and what became of it, from the start to the end of a run", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(at("100030"))
      const stage = yield* openStage()
      yield* stage.store(5)
      Object.assign(stage.spent, { answered: 3, tokens: 1 })
      yield* stage.pass(40)
      Object.assign(stage.spent, { answered: 10, refusals: 2, ledger: 1, frames: 4, bytes: 900 })
      const waiting = yield* Effect.forkScoped(stage.receive("kis-rest", 7, () => Effect.never))
      yield* stage.pass(60)
      yield* Fiber.interrupt(waiting)
      yield* stage.pass(30)
      yield* stage.end
      const nothing = { received: 0, stored: 0, rejected: 0, deduplicated: 0, inFlight: 0 }
      const common = { event: "minute" as const, since: utc("100030"), lag_seconds: 1.5 }
      const idle = { calls: { main: { answered: 0, refused: 0 } }, tokens: 0, frames: 0, bytes: 0 }
      assert.deepStrictEqual(yield* stage.markers, [
        {
          ...common,
          ...idle,
          minute: utc("100000"),
          from: utc("100030"),
          sources: { "kis-ws": { ...nothing, received: 5, stored: 5 } },
          calls: { main: { answered: 3, refused: 0 } },
          tokens: 1
        },
        {
          ...common,
          minute: utc("100100"),
          sources: { "kis-ws": nothing, "kis-rest": { ...nothing, received: 7, inFlight: 7 } },
          calls: { main: { answered: 7, refused: 3 } },
          tokens: 0,
          frames: 4,
          bytes: 900
        },
        {
          ...common,
          ...idle,
          minute: utc("100200"),
          to: utc("100240"),
          sources: { "kis-ws": nothing, "kis-rest": nothing },
          remainder: { "kis-rest": 7 }
        }
      ])
      const [first] = yield* stage.records
      assert.deepInclude(first, { kind: "marker", source: "observer", receivedAt: utc("100100") })
    }).pipe(Effect.scoped)
  )

  it.effect("tell minutes together that could not be written while the disk was full, and from when they are", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(at("100000"))
      const stage = yield* openStage()
      yield* stage.store(1)
      yield* stage.pass(90)
      stage.disk.fault = ({ operation }) =>
        operation === "write" ? { _tag: "Refused", code: "ENOSPC", done: 0 } : undefined
      // The marker of 10:01 waits for room with what it has counted, and no other is begun meanwhile.
      yield* stage.store(2)
      yield* stage.pass(240)
      yield* stage.store(4)
      stage.disk.fault = () => undefined
      yield* stage.pass(90)
      assert.deepStrictEqual(noted(yield* stage.markers), [
        [utc("100000"), undefined, undefined, 1],
        [utc("100100"), undefined, undefined, 2],
        [utc("100500"), utc("100200"), undefined, 4],
        [utc("100600"), undefined, undefined, 0]
      ])
    }).pipe(Effect.scoped)
  )

  it.effect("are not begun while it is known that nothing can be written", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(at("100000"))
      const stage = yield* openStage()
      stage.disk.fault = ({ operation }) =>
        operation === "write" ? { _tag: "Refused", code: "ENOSPC", done: 0 } : undefined
      yield* Effect.forkScoped(stage.journal.append([{ ...gap, receivedAtMs: at("100000") }]))
      yield* stage.store(1)
      yield* stage.pass(150)
      yield* stage.store(2)
      stage.disk.fault = () => undefined
      yield* stage.pass(30)
      assert.deepStrictEqual(noted(yield* stage.markers), [[utc("100200"), utc("100000"), undefined, 3]])
    }).pipe(Effect.scoped)
  )

  it.effect("begin anew from the minute at hand when the clock is set back", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(at("100500"))
      const { clock, setBack } = yield* movableClock
      const stage = yield* Effect.provideService(openStage(), Clock.Clock, clock)
      yield* stage.store(1)
      yield* stage.pass(70)
      yield* stage.store(2)
      setBack(600_000)
      yield* stage.pass(60)
      yield* stage.store(4)
      yield* stage.pass(60)
      assert.deepStrictEqual(noted(yield* stage.markers), [
        [utc("100500"), undefined, undefined, 1],
        [utc("095600"), undefined, undefined, 2],
        [utc("095700"), undefined, undefined, 4]
      ])
    }).pipe(Effect.scoped)
  )

  it.effect("are written all day while the market is open, and of a closed one only when something happened", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(at("195700"))
      const stage = yield* openStage({ mode: "calendar" })
      yield* stage.pass(600)
      yield* stage.store(3)
      yield* stage.pass(600)
      yield* stage.end
      assert.deepStrictEqual(noted(yield* stage.markers), [
        [utc("195700"), undefined, undefined, undefined],
        [utc("195800"), undefined, undefined, undefined],
        [utc("195900"), undefined, undefined, undefined],
        [utc("200700"), undefined, undefined, 3]
      ])
    }).pipe(Effect.scoped)
  )

  it.effect("end a run that is over as soon as it has begun without a word", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(at("100030"))
      const stage = yield* openStage()
      yield* stage.end
      assert.deepStrictEqual(yield* stage.markers, [])
    }).pipe(Effect.scoped)
  )

  it.effect("are of the minutes of the market's clock in a rehearsal", () =>
    Effect.gen(function* () {
      const wallMs = at("100000")
      yield* TestClock.setTime(wallMs)
      const clock = rehearsed({ wallMs, marketMs: at("133000"), speed: 60 })
      const stage = yield* Effect.provideService(openStage(), MarketClock, clock)
      yield* stage.store(1)
      yield* TestClock.adjust("1 second")
      yield* settled
      yield* stage.store(2)
      yield* TestClock.adjust("1 second")
      yield* settled
      assert.deepStrictEqual(noted(yield* stage.markers), [
        [utc("133000"), undefined, undefined, 1],
        [utc("133100"), undefined, undefined, 2]
      ])
    }).pipe(Effect.scoped)
  )
})
