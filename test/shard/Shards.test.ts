import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Schema, Stream } from "effect"
import { TestClock } from "effect/testing"
import { ActorTree } from "../../src/actor/ActorTree.ts"
import { Supervisor } from "../../src/actor/Supervisor.ts"
import { MarketSession } from "../../src/calendar/MarketSession.ts"
import type { Delivery, Sighting } from "../../src/domain/Sighting.ts"
import { Conservation } from "../../src/journal/Conservation.ts"
import type { Journal } from "../../src/journal/Journal.ts"
import { shardOf, Shards } from "../../src/shard/Shards.ts"
import { settled } from "../journal/fixtures.ts"
import { memoryJournal } from "../support/memoryJournal.ts"
import { captured } from "./tape.ts"

const symbols = Array.from({ length: 100 }, (_, index) => String(index).padStart(6, "0"))

const layerOf = (journal: Layer.Layer<Journal>) =>
  Shards.layer({ count: 4, heartbeat_ms: 300_000 }).pipe(
    Layer.provideMerge(
      Layer.mergeAll(journal, Conservation.layer, MarketSession.layer("always"), Layer.fresh(Supervisor.layer))
    )
  )

const sighting = (symbol: string, sameness: string, price = 1_000): Sighting => ({
  symbol,
  kind: "quote",
  venue: "KRX",
  receivedAtMs: 0,
  price,
  flags: [],
  sameness,
  payload: { sameness }
})

const delivery = (sightings: ReadonlyArray<Sighting>): Delivery => ({ source: "kis-rest", account: "main", sightings })

/** No more deliveries: waits until everything handed in is in the journal. */
const drain = Effect.flatMap(Supervisor, ({ shutdown }) => shutdown({ order: ["shard"], deadline_ms: 60_000 }))

describe("the shards", () => {
  it.prop(
    "give every symbol to exactly one shard, always the same",
    [
      Schema.String.check(Schema.isPattern(/^[0-9A-Z]{4,9}$/)),
      Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 64 }))
    ],
    ([symbol, count]) => {
      const shard = shardOf(symbol, count)
      assert.isTrue(Number.isInteger(shard) && shard >= 0 && shard < count)
      assert.strictEqual(shardOf(symbol, count), shard)
    }
  )

  it("share 2,000 symbols about evenly", () => {
    const shards = Array.from({ length: 2_000 }, (_, code) => shardOf(String(code * 10).padStart(6, "0"), 8))
    const counts = Array.from({ length: 8 }, (_, shard) => shards.filter((each) => each === shard).length)
    assert.isAbove(Math.min(...counts), 150)
  })

  it.effect("store, drop and refuse, and the sums are right", () => {
    const { drafts, layer } = memoryJournal()
    return Effect.gen(function* () {
      const shards = yield* Shards
      yield* shards.observe(symbols)
      yield* shards.start
      yield* shards.deliver(delivery(symbols.map((symbol) => sighting(symbol, "first"))))
      yield* shards.deliver(delivery(symbols.map((symbol) => sighting(symbol, "first"))))
      yield* shards.deliver(delivery([sighting("999999", "x"), sighting("000001", "free", 0)]))
      yield* drain
      const tally = (yield* (yield* Conservation).balances).get("kis-rest")
      assert.deepInclude(tally, { stored: 100, deduplicated: 100, rejected: 2 })
      assert.strictEqual(drafts.filter(({ kind }) => kind === "quote").length, 100)
      const reasons = drafts.flatMap(({ kind, payload }) =>
        kind === "reject" && "reason" in payload ? [payload.reason] : []
      )
      assert.sameMembers(reasons, ["unknownSymbol", "zeroPrice"])
    }).pipe(Effect.provide(layerOf(layer)))
  })

  it.effect("own whom they are told to, from that moment on, and keep the state of those who stay", () => {
    const { drafts, layer } = memoryJournal()
    return Effect.gen(function* () {
      const shards = yield* Shards
      yield* shards.start
      const say = (symbol: string) => shards.deliver(delivery([sighting(symbol, "same")]))
      yield* say("000001")
      yield* settled
      yield* shards.observe(["000001", "000002"])
      yield* say("000001")
      yield* say("000002")
      yield* settled
      yield* shards.observe(["000002", "000003"])
      for (const symbol of ["000001", "000002", "000003"]) yield* say(symbol)
      yield* drain
      const told = drafts.map(({ kind, symbol }) => [kind, symbol])
      assert.sameDeepMembers(told, [
        ["reject", "000001"],
        ["quote", "000001"],
        ["quote", "000002"],
        ["reject", "000001"],
        ["quote", "000003"]
      ])
      const tally = (yield* (yield* Conservation).balances).get("kis-rest")
      assert.deepInclude(tally, { stored: 3, rejected: 2, deduplicated: 1 })
    }).pipe(Effect.provide(layerOf(layer)))
  })

  it.effect("a crash before the append loses nothing and changes nothing: the chunk is handed over again", () => {
    const crashes = { left: 0 }
    const { drafts, layer } = memoryJournal(crashes)
    return Effect.gen(function* () {
      const shards = yield* Shards
      yield* shards.observe(symbols)
      yield* shards.start
      crashes.left = 1
      yield* shards.deliver(delivery([sighting("000001", "a")]))
      yield* TestClock.adjust("10 seconds")
      yield* shards.deliver(delivery([sighting("000001", "b")]))
      yield* drain
      assert.deepStrictEqual(
        drafts.map(({ payload }) => ("sameness" in payload ? payload.sameness : undefined)),
        ["a", "b"]
      )
      assert.deepInclude((yield* (yield* Conservation).balances).get("kis-rest"), { stored: 2, rejected: 0 })
    }).pipe(Effect.provide(layerOf(layer)))
  })

  it.effect("a loss is told of once, and so are its totals, though the judgement that found it was made twice", () => {
    const crashes = { left: 0 }
    const { drafts, layer } = memoryJournal(crashes)
    return Effect.gen(function* () {
      const shards = yield* Shards
      yield* shards.observe(["005930"])
      yield* shards.start
      const told: Array<number> = []
      yield* Effect.forkScoped(
        Stream.runForEach(shards.losses, ({ cumVolumeBefore }) => Effect.sync(() => void told.push(cumVolumeBefore)))
      )
      yield* settled
      crashes.left = 1
      const [first, , , fourth] = captured("A")
      if (first === undefined || fourth === undefined) return assert.fail("no ticks")
      yield* shards.deliver({ source: "kis-ws", account: "main", sightings: [first, fourth] })
      yield* TestClock.adjust("10 seconds")
      yield* drain
      assert.deepStrictEqual(
        drafts.map(({ kind }) => kind),
        ["trade", "trade", "gap"]
      )
      assert.deepInclude(yield* shards.lossTotals, { losses: 1, trades: 2 })
      assert.deepStrictEqual(told, [first.cumVolume])
    }).pipe(Effect.provide(layerOf(layer)), Effect.scoped)
  })

  it.effect("a chunk that crashes its shard three times is set aside as poison, and the shard goes on", () => {
    const crashes = { left: 0 }
    const { drafts, layer } = memoryJournal(crashes)
    return Effect.gen(function* () {
      const shards = yield* Shards
      yield* shards.observe(symbols)
      yield* shards.start
      crashes.left = 3
      yield* shards.deliver(delivery([sighting("000001", "poison")]))
      yield* TestClock.adjust("10 seconds")
      yield* shards.deliver(delivery([sighting("000001", "good")]))
      yield* drain
      assert.deepStrictEqual(
        drafts.map(({ kind, payload }) => [kind, "reason" in payload ? payload.reason : undefined]),
        [
          ["reject", "poison"],
          ["quote", undefined]
        ]
      )
      assert.deepInclude((yield* (yield* Conservation).balances).get("kis-rest"), { stored: 1, rejected: 1 })
      const restarts = (yield* (yield* ActorTree).snapshot).map((actor) => actor.restarts)
      assert.deepStrictEqual(restarts.sort(), [0, 0, 0, 3])
    }).pipe(Effect.provide(layerOf(layer)))
  })

  it.effect("trades that were set aside as poison are refused, and not lost", () => {
    const crashes = { left: 0 }
    const { drafts, layer } = memoryJournal(crashes)
    return Effect.gen(function* () {
      const shards = yield* Shards
      yield* shards.observe(["005930"])
      yield* shards.start
      const ticks = captured("A")
      const stream = (from: number, to: number) =>
        shards.deliver({ source: "kis-ws", account: "main", sightings: ticks.slice(from, to) })
      yield* stream(0, 2)
      yield* settled
      crashes.left = 3
      yield* stream(2, 5)
      yield* TestClock.adjust("10 seconds")
      yield* stream(5, 7)
      // One more is really lost.
      yield* stream(8, 9)
      yield* drain
      assert.deepStrictEqual(
        drafts.map(({ kind }) => kind),
        ["trade", "trade", "reject", "reject", "reject", "trade", "trade", "trade", "gap"]
      )
      assert.deepInclude(yield* shards.lossTotals, { losses: 1, trades: 1 })
    }).pipe(Effect.provide(layerOf(layer)))
  })
})
