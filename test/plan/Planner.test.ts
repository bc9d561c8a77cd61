import { assert, describe, it } from "@effect/vitest"
import { Effect, Latch, Layer, PubSub, Stream } from "effect"
import { TestClock } from "effect/testing"
import { ActorTree } from "../../src/actor/ActorTree.ts"
import { Supervisor } from "../../src/actor/Supervisor.ts"
import { MarketSession } from "../../src/calendar/MarketSession.ts"
import type { AccountAbility, Assignment, SymbolAge } from "../../src/domain/Assignment.ts"
import type { ChangeReport } from "../../src/plan/Coverage.ts"
import { makePlanner, type PlannedUniverse, type PlannerOptions } from "../../src/plan/Planner.ts"
import { settled } from "../journal/fixtures.ts"
import { memoryJournal } from "../support/memoryJournal.ts"

const nowMs = Date.UTC(2026, 10, 24, 1)
const codes = (count: number) => Array.from({ length: count }, (_, index) => String(1_000 + index).padStart(6, "0"))
const universeOf = (symbols: ReadonlyArray<string>): PlannedUniverse => ({
  symbols,
  entries: new Map(
    symbols.map((symbol, index) => [symbol, { kind: "common", name: `name of ${symbol}`, turnover: 10_000 - index }])
  )
})
const account = (alias: string, changes: Partial<AccountAbility> = {}): AccountAbility => ({
  alias,
  callsPerSecond: 18,
  slots: 2,
  multiPrice: true,
  ...changes
})
const age = (symbol: string, changes: Partial<SymbolAge> = {}): SymbolAge => ({
  symbol,
  target_ms: 10_000,
  staleness_ms: 1_000,
  seenAtMs: nowMs,
  late: { times: 0, worst_ms: 0 },
  misses: 0,
  ...changes
})

/** A planner among universe, accounts and shards that the test plays. */
const setUp = Effect.fnUntraced(function* (options: Partial<PlannerOptions> = {}) {
  yield* TestClock.setTime(nowMs)
  const { drafts, layer } = memoryJournal()
  const told = yield* PubSub.unbounded<string>()
  const moved = yield* PubSub.unbounded<ChangeReport>()
  const world = {
    universe: universeOf(codes(5)),
    abilities: [account("a"), account("b")] as ReadonlyArray<AccountAbility>,
    ages: [] as ReadonlyArray<SymbolAge>,
    /** What is done with an assignment before it counts as applied. */
    hindrance: Effect.void
  }
  const applied: Array<Assignment> = []
  const observed: Array<ReadonlyArray<string>> = []
  const planner = yield* makePlanner({
    target_seconds: { watch: 3, index: 10, stock: 10, etf: 10 },
    books: 0,
    watched: new Set(),
    universe: {
      current: Effect.sync(() => world.universe),
      changes: Stream.fromPubSub(moved),
      change: ({ add, remove }) => Effect.succeed({ added: add, removed: remove, unchanged: [] })
    },
    accounts: {
      abilities: Effect.sync(() => world.abilities),
      changes: Stream.fromPubSub(told),
      ages: Effect.sync(() => world.ages),
      apply: (assignment) =>
        Effect.suspend(() =>
          Effect.andThen(
            world.hindrance,
            Effect.sync(() => void applied.push(assignment))
          )
        )
    },
    observe: (symbols) => Effect.sync(() => void observed.push(symbols)),
    ...options
  }).pipe(Effect.provide(Layer.merge(layer, Layer.fresh(MarketSession.layer("calendar")))))
  yield* planner.start
  yield* settled
  return {
    coverage: planner.coverage,
    applied,
    observed,
    drafts,
    world,
    tell: (reason: string) => Effect.andThen(PubSub.publish(told, reason), settled),
    move: (universe: PlannedUniverse) =>
      Effect.gen(function* () {
        world.universe = universe
        yield* PubSub.publish(moved, { added: [], removed: [], unchanged: [] })
        yield* settled
      }),
    reasons: () => drafts.map(({ payload }) => ("reason" in payload ? payload.reason : undefined)),
    streams: () =>
      Object.fromEntries(
        [...(applied.at(-1)?.streams ?? [])].map(([alias, of]) => [alias, of.map((each) => each.symbol)])
      )
  }
})
const supervised = Effect.provide(Layer.fresh(Supervisor.layer))

describe("the planner", () => {
  it.effect("makes a plan before it starts, hands it to shards and accounts, and writes it down once", () =>
    Effect.gen(function* () {
      const { applied, coverage, drafts, observed, streams } = yield* setUp()
      assert.deepStrictEqual(observed, [codes(5)])
      assert.strictEqual(applied.length, 1)
      assert.deepStrictEqual(
        applied[0]?.sweep.map(({ symbol, target_ms }) => [symbol, target_ms]),
        codes(5).map((symbol) => [symbol, 10_000])
      )
      assert.deepStrictEqual(streams(), { a: ["001000", "001002"], b: ["001001", "001003"] })
      const [draft] = drafts
      assert.strictEqual(drafts.length, 1)
      assert.deepInclude(draft, { kind: "marker", receivedAtMs: nowMs, source: "observer" })
      assert.deepInclude(draft?.payload, {
        event: "plan",
        reason: "the start",
        symbols: 5,
        streamed: 4,
        callsPerSecond: 36,
        callsPerSweep: 1,
        unmet: [],
        notCovered: [],
        streams: streams()
      })
      assert.deepInclude(yield* coverage.plan, { madeAt: "2026-11-24T01:00:00.000Z", reason: "the start", symbols: 5 })
    }).pipe(supervised)
  )

  it.effect("plans anew when the symbols change: the shards know them before the accounts ask for them", () =>
    Effect.gen(function* () {
      const order: Array<string> = []
      const { applied, move, observed, reasons, world } = yield* setUp({
        observe: (symbols) => Effect.sync(() => void order.push(`observe ${symbols.length}`))
      })
      world.hindrance = Effect.sync(() => void order.push("apply"))
      yield* move(universeOf([...codes(4), "0000Y0"]))
      assert.deepStrictEqual(order, ["observe 5", "observe 6", "apply"])
      assert.deepStrictEqual(observed, [])
      assert.deepStrictEqual(
        applied.at(-1)?.sweep.map(({ symbol }) => symbol),
        [...codes(4), "0000Y0"]
      )
      assert.deepStrictEqual(reasons(), ["the start", "the symbols have changed"])
    }).pipe(supervised)
  )

  it.effect(
    "lets the shards keep a removed symbol until nobody can hear of it any more, unless it is wanted again",
    () =>
      Effect.gen(function* () {
        const { move, observed, world } = yield* setUp()
        const owned = () => [...(observed.at(-1) ?? [])].sort()
        const gate = Latch.makeUnsafe(false)
        world.hindrance = gate.await
        yield* move(universeOf(codes(3)))
        // However long the accounts take to let go of it.
        yield* TestClock.adjust("2 minutes")
        assert.deepStrictEqual(owned(), codes(5))
        yield* gate.open
        yield* settled
        yield* TestClock.adjust("20 seconds")
        assert.deepStrictEqual(owned(), codes(5))
        yield* move(universeOf([...codes(2), "001004"]))
        yield* TestClock.adjust("10 seconds")
        assert.deepStrictEqual(owned(), ["001000", "001001", "001002", "001004"])
        yield* TestClock.adjust("29 seconds")
        assert.include(owned(), "001002")
        yield* TestClock.adjust("31 seconds")
        assert.deepStrictEqual(owned(), ["001000", "001001", "001004"])
        const shrunk = observed.length
        yield* TestClock.adjust("10 minutes")
        assert.strictEqual(observed.length, shrunk)
      }).pipe(supervised)
  )

  it.effect("plans anew when an account changes, and gives its streams to others", () =>
    Effect.gen(function* () {
      const { coverage, reasons, streams, tell, world } = yield* setUp()
      world.abilities = [account("a", { down: "keys refused" }), account("b", { slots: 3 })]
      yield* tell("account a is refused")
      assert.deepStrictEqual(streams(), { b: ["001001", "001003", "001000"] })
      assert.deepStrictEqual(reasons(), ["the start", "account a is refused"])
      const { accounts, callsPerSecond, streamed } = yield* coverage.plan
      assert.deepStrictEqual([callsPerSecond, streamed], [18, 3])
      assert.deepStrictEqual(accounts, [
        { alias: "a", state: "down", reason: "keys refused", callsPerSecond: 18, slots: 2, streamed: [] },
        { alias: "b", state: "ok", callsPerSecond: 18, slots: 3, streamed: ["001001", "001003", "001000"] }
      ])
    }).pipe(supervised)
  )

  it.effect("looks every five minutes, and neither applies nor writes a plan that says the same", () =>
    Effect.gen(function* () {
      const { applied, drafts, reasons, world } = yield* setUp()
      yield* TestClock.adjust("30 minutes")
      assert.deepStrictEqual([applied.length, drafts.length], [1, 1])
      world.abilities = [account("a", { slots: 3 }), account("b")]
      yield* TestClock.adjust("4 minutes")
      assert.strictEqual(applied.length, 1)
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(applied.length, 2)
      assert.deepStrictEqual(reasons(), ["the start", "a look at who is lively"])
    }).pipe(supervised)
  )

  it.effect("takes no order of the streamed for a new plan, nor calls that differ by a hair, but many hairs", () =>
    Effect.gen(function* () {
      const { applied, move, tell, world } = yield* setUp()
      yield* move(universeOf(codes(500)))
      applied.length = 0
      const reversed = universeOf([...codes(4)].reverse())
      yield* move({ ...world.universe, entries: new Map([...world.universe.entries, ...reversed.entries]) })
      for (const callsPerSecond of [17.9, 17.8, 17.7]) {
        world.abilities = [account("a", { callsPerSecond }), account("b", { callsPerSecond })]
        yield* tell("a hair")
      }
      assert.strictEqual(applied.length, 0)
      world.abilities = [account("a", { callsPerSecond: 17.5 }), account("b", { callsPerSecond: 17.5 })]
      yield* tell("many hairs")
      assert.strictEqual(applied.length, 1)
    }).pipe(supervised)
  )

  it.effect("streams those that trade most, as the sweep sees it, once their stay is over", () =>
    Effect.gen(function* () {
      const { streams, world } = yield* setUp({})
      const traded = (volumes: Readonly<Record<string, number>>) =>
        codes(5).map((symbol) => age(symbol, { price: 10, cumVolume: volumes[symbol] ?? 0 }))
      world.ages = traded({})
      yield* TestClock.adjust("5 minutes")
      // Only what is traded between looks counts; by now everybody has been streamed for too short a time.
      world.ages = traded({ "001004": 100, "001000": 80, "001001": 80, "001002": 80, "001003": 50 })
      yield* TestClock.adjust("4 minutes")
      assert.notInclude(Object.values(streams()).flat(), "001004")
      yield* TestClock.adjust("2 minutes")
      const after = streams()
      assert.deepStrictEqual(Object.values(after).flat().sort(), ["001000", "001001", "001002", "001004"])
      assert.includeMembers(after["a"] ?? [], ["001000", "001002"])
    }).pipe(supervised)
  )

  it.effect("watches whom it is told to among the symbols, and streams them first with their books", () =>
    Effect.gen(function* () {
      const watched = ["0000Y0", "001004", "000001"]
      const { applied, coverage, move, observed } = yield* setUp({ watched: new Set(watched), books: 1 })
      yield* move(universeOf([...codes(5), "0000Y0"]))
      // Who is observed is the universe's to say, and on record: a watched symbol that is not in it is nobody's.
      assert.notInclude(observed.flat(), "000001")
      const targets = [...(applied.at(-1)?.streams.values() ?? [])].flat()
      assert.includeDeepMembers(targets, [
        { symbol: "001004", book: true },
        { symbol: "0000Y0", book: false }
      ])
      assert.deepInclude(applied.at(-1)?.sweep.at(-1), { symbol: "0000Y0", target_ms: 3_000 })
      assert.deepInclude(yield* coverage.symbol("0000Y0"), {
        class: "watch",
        coverage: "stream+sweep",
        target_seconds: 3
      })
    }).pipe(supervised)
  )

  it.effect("makes a plan again that crashed while it was applied, and tells every reason that waited", () =>
    Effect.gen(function* () {
      const { applied, reasons, tell, world } = yield* setUp()
      world.hindrance = Effect.die(new Error("the feed crashed"))
      world.abilities = [account("a", { slots: 3 }), account("b")]
      yield* tell("account a has more slots")
      assert.strictEqual(applied.length, 1)
      world.hindrance = Effect.void
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual(applied.length, 2)
      assert.strictEqual(reasons().length, 2)
      const actors = yield* (yield* ActorTree).snapshot
      assert.deepInclude(
        actors.find(({ name }) => name === "planner"),
        { restarts: 1 }
      )

      const gate = Latch.makeUnsafe(false)
      world.hindrance = gate.await
      world.abilities = [account("a"), account("b")]
      yield* tell("one")
      for (const reason of ["two", "three", "two"]) yield* tell(reason)
      world.abilities = [account("a"), account("b", { slots: 1 })]
      yield* gate.open
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(reasons().slice(2), ["one", "two; three"])
    }).pipe(supervised)
  )

  it.effect("says of each class what is promised, what is measured, and who is outside", () =>
    Effect.gen(function* () {
      const { coverage, world } = yield* setUp({ watched: new Set(["001000"]) })
      world.ages = [
        age("001000", { target_ms: 3_000, staleness_ms: 2_500 }),
        age("001001", { staleness_ms: 10_900 }),
        age("001002", { staleness_ms: 11_100 }),
        { ...age("001003", { staleness_ms: 60_000, misses: 4 }), seenAtMs: undefined } as never,
        age("001004", { staleness_ms: 500 })
      ]
      const { classes } = yield* coverage.plan
      const [watch, stock] = classes
      assert.deepInclude(watch, { class: "watch", symbols: 1, target_seconds: 3, outside: 0, met: true })
      assert.deepStrictEqual(watch?.measured, { median_seconds: 2.5, p99_seconds: 2.5, max_seconds: 2.5 })
      assert.deepInclude(stock, { class: "stock", symbols: 4, target_seconds: 10, outside: 3, met: false })
      assert.deepStrictEqual(stock?.measured, { median_seconds: 10.9, p99_seconds: 11.1, max_seconds: 11.1 })
    }).pipe(supervised)
  )

  it.effect("says of each symbol how it is covered, how well, and why not better", () =>
    Effect.gen(function* () {
      const { coverage, world } = yield* setUp()
      world.ages = [
        age("001000", { late: { times: 2, worst_ms: 12_345, reason: "the broker was down" } }),
        age("001003", { staleness_ms: 60_000, misses: 4 }),
        age("001004", { staleness_ms: 30_000 })
      ]
      const all = yield* coverage.symbols
      assert.deepStrictEqual(
        all.map(({ symbol }) => symbol),
        codes(5)
      )
      assert.deepStrictEqual(all[0], {
        symbol: "001000",
        name: "name of 001000",
        class: "stock",
        coverage: "stream+sweep",
        account: "a",
        target_seconds: 10,
        expected_seconds: 0.005,
        staleness_seconds: 1,
        lastSeenAt: "2026-11-24T01:00:00.000Z",
        late: { times: 2, worst_seconds: 12.345 },
        reason: "the broker was down"
      })
      assert.deepInclude(all[3], { coverage: "stream+sweep", reason: "the broker left it out of 4 answers" })
      assert.deepInclude(all[4], { coverage: "sweep", reason: "no answer has come in time" })
      assert.deepStrictEqual(yield* coverage.symbol("001000"), all[0])
      assert.isUndefined(yield* coverage.symbol("999999"))
      assert.deepStrictEqual(yield* coverage.change({ add: ["005930"], remove: [] }), {
        added: ["005930"],
        removed: [],
        unchanged: []
      })
    }).pipe(supervised)
  )

  it.effect("says whom nobody can ask for, and which targets the calls do not suffice for", () =>
    Effect.gen(function* () {
      const { coverage, drafts, tell, world } = yield* setUp()
      world.universe = universeOf(["0001", ...codes(50)])
      world.abilities = [account("a", { callsPerSecond: 1, multiPrice: false })]
      world.ages = [age("001000", { staleness_ms: 30_000 })]
      yield* tell("only the mock is left")
      const { classes, notCovered, unmet } = yield* coverage.plan
      assert.deepStrictEqual(notCovered, ["0001"])
      assert.deepInclude(classes[0], { expected_seconds: 52.63 })
      assert.deepInclude(unmet[0], { class: "stock", target_seconds: 10, expected_seconds: 52.63 })
      assert.deepInclude(drafts.at(-1)?.payload, { unmet, notCovered })
      assert.deepInclude(yield* coverage.symbol("0001"), { coverage: "none", reason: "no account can ask for it" })
      assert.deepInclude(yield* coverage.symbol("001000"), { reason: "the calls do not suffice for its target" })
    }).pipe(supervised)
  )

  it.effect("writes down at the end of the day what it got: every class, who was late, who still is, and why", () =>
    Effect.gen(function* () {
      const { drafts, world } = yield* setUp()
      world.ages = [
        age("001000"),
        age("001001", { late: { times: 1, worst_ms: 11_000, reason: "the broker was down" } }),
        age("001002", { late: { times: 3, worst_ms: 40_000, reason: "no answer has come in time" } }),
        // Answered in the morning and never again: late it is only when it is answered again.
        age("001003", { staleness_ms: 36_000_000 })
      ]
      const told = () => drafts.filter(({ payload }) => "event" in payload && payload.event === "coverage")
      yield* TestClock.setTime(Date.parse("2026-11-24T19:59:59.999+09:00"))
      yield* settled
      assert.deepStrictEqual(told(), [])
      yield* TestClock.adjust("1 second")
      yield* settled
      const [marker, ...more] = told()
      assert.deepStrictEqual(more, [])
      assert.deepInclude(marker?.payload, {
        symbols: 5,
        lateSymbols: 2,
        unseen: ["001004"],
        outsideSymbols: 2,
        outside: [
          { symbol: "001004", target_seconds: 10, reason: "it has not been asked for yet" },
          {
            symbol: "001003",
            target_seconds: 10,
            staleness_seconds: 36_000,
            reason: "no answer has come in time"
          }
        ],
        late: [
          {
            symbol: "001002",
            target_seconds: 10,
            times: 3,
            worst_seconds: 40,
            reason: "no answer has come in time"
          },
          { symbol: "001001", target_seconds: 10, times: 1, worst_seconds: 11, reason: "the broker was down" }
        ]
      })
    }).pipe(supervised)
  )
})
