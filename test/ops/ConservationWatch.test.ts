import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Logger } from "effect"
import { TestClock } from "effect/testing"
import { Supervisor } from "../../src/actor/Supervisor.ts"
import { MarketSession } from "../../src/calendar/MarketSession.ts"
import type { Delivery } from "../../src/domain/Sighting.ts"
import { Conservation } from "../../src/journal/Conservation.ts"
import { ConservationWatch, watched, type Watched } from "../../src/ops/ConservationWatch.ts"
import { Shards } from "../../src/shard/Shards.ts"
import { openJournal, openMs, settled, tempFolder } from "../journal/fixtures.ts"
import { Journal } from "../../src/journal/Journal.ts"
import { MemoryDisk } from "../support/memoryDisk.ts"

const chunk: Delivery = {
  source: "kis-ws",
  account: "main",
  sightings: ["a", "b", "c"].map((says) => ({
    symbol: "005930",
    kind: "quote",
    venue: "KRX",
    receivedAtMs: openMs,
    price: 100,
    flags: [],
    sameness: says,
    payload: { says }
  }))
}

describe("the watch over conservation", () => {
  it.effect(
    "raises an alarm when a message is lost between source and shard, once, and clears it when it is found",
    () =>
      Effect.gen(function* () {
        yield* TestClock.setTime(openMs)
        const logged: Array<string> = []
        const logger = Logger.make(({ logLevel, message }) => {
          if (logLevel === "Error" || logLevel === "Info") logged.push(`${logLevel} ${[message].flat()[0]}`)
        })
        const disk = new MemoryDisk(yield* tempFolder)
        const journal = yield* Effect.provide(openJournal(disk.root), disk.layer)
        const layer = Layer.merge(ConservationWatch.layer, Shards.layer({ count: 2, heartbeat_ms: 300_000 })).pipe(
          Layer.provideMerge(
            Layer.mergeAll(
              Supervisor.layer,
              Conservation.layer,
              MarketSession.layer("always"),
              Layer.succeed(Journal, journal)
            )
          )
        )
        const context = yield* Layer.build(Layer.fresh(layer))
        const { alarm, run } = Context.get(context, ConservationWatch)
        const { receive } = Context.get(context, Conservation)
        const shards = Context.get(context, Shards)
        yield* shards.observe(["005930"])
        yield* shards.start
        const said = () => logged.filter((line) => line.includes("record"))
        yield* Effect.gen(function* () {
          yield* Effect.forkScoped(run)
          yield* receive("kis-ws", 3, ({ passOn }) => shards.deliver({ ...chunk, onTaken: passOn }))
          // The fault: whoever takes the chunk over lets go of it.
          yield* receive("kis-ws", 3, ({ passOn }) => Effect.sync(() => passOn(3)))
          yield* TestClock.adjust("55 seconds")
          assert.isUndefined(yield* alarm)
          yield* TestClock.adjust("20 seconds")
          const raised = yield* alarm
          assert.deepStrictEqual(raised && [...raised.remainders], [["kis-ws", 3]])
          assert.deepStrictEqual(raised?.reason, "kis-ws: 3 records were received and are nowhere")
          assert.strictEqual(raised?.sinceMs, openMs)
          yield* TestClock.adjust("5 minutes")
          assert.deepStrictEqual(said(), ["Error records are missing from the count of what was received"])

          yield* shards.deliver(chunk)
          yield* settled
          assert.isUndefined(yield* alarm)
          yield* TestClock.adjust("5 seconds")
          assert.deepStrictEqual(said().slice(1), ["Info no record is missing any more"])
        }).pipe(Effect.provide(Logger.layer([logger])))
      }).pipe(Effect.scoped)
  )

  const amiss = { isAmiss: true, isWritable: true }
  it("takes a minute without a break for a fault, and not the time in which nothing can be written", () => {
    let state: Watched | undefined
    const look = (nowMs: number, told: { readonly isAmiss: boolean; readonly isWritable: boolean }) => {
      state = watched(state, { ...told, nowMs })
      return state?.isTold ?? false
    }
    assert.isFalse(look(0, amiss))
    assert.isFalse(look(60_000, amiss))
    assert.isTrue(look(60_001, amiss))
    assert.isTrue(look(60_002, { ...amiss, isWritable: false }), "it stays said while the disk is full")
    assert.isFalse(look(70_000, { ...amiss, isAmiss: false }))
    assert.isFalse(look(80_000, amiss))
    assert.isFalse(look(110_000, { ...amiss, isAmiss: false }))
    assert.isFalse(look(141_000, amiss), "it was whole in between")
    assert.isFalse(look(200_000, { ...amiss, isWritable: false }))
    assert.isFalse(look(260_000, amiss))
    assert.isTrue(look(260_001, amiss))
  })
})
