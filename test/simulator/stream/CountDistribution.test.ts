import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import { marketInstant } from "../../../src/calendar/MarketTime.ts"
import { Exchange } from "../../../src/simulator/Exchange.ts"
import { frameOf } from "../../support/streamStage.ts"
import { approvalOf, connect, registration } from "../client.ts"
import { sample } from "../fixtures.ts"

/** The counts of the frames in the recording of 2026-06-08, an ordinary moment of a very busy day: 26 trades a second. */
const captured = (() => {
  const counts = new Map<string, number>()
  for (const line of sample("ws/ticks-005930-20260608.csv").trim().split("\n").slice(1)) {
    const [block = "", frame = "", count = ""] = line.split(",")
    counts.set(block + frame, Number(count))
  }
  return [...counts.values()]
})()

const share = (counts: ReadonlyArray<number>, upTo: number): number =>
  counts.filter((count) => count <= upTo).length / counts.length

/** The greatest distance of the two cumulative distributions (Kolmogorov and Smirnov). */
const distance = (a: ReadonlyArray<number>, b: ReadonlyArray<number>): number =>
  Math.max(...Array.from({ length: 20 }, (_, at) => Math.abs(share(a, at + 1) - share(b, at + 1))))

const mean = (counts: ReadonlyArray<number>): number => counts.reduce((sum, count) => sum + count, 0) / counts.length

/** Continuous trading on a day of 2026. */
const opened = Layer.unwrap(
  Effect.as(
    TestClock.setTime(marketInstant("20261124", "110000") ?? 0),
    Exchange.layer({ seed: 7, tradesPerSecond: 400 })
  )
)

describe("the count of a trade frame", () => {
  it.effect(
    "is distributed as in the recorded ticks, for the two busiest issues",
    () =>
      Effect.gen(function* () {
        const key = yield* approvalOf("PSKEY")
        const client = yield* connect()
        for (const code of ["005930", "000660"]) {
          client.send(registration(key, code))
          yield* client.next
        }
        yield* TestClock.adjust("180 seconds")
        const { framesSent } = yield* (yield* Exchange).stats
        const counts: Array<number> = []
        for (let taken = 0; taken < framesSent; taken++) counts.push(frameOf(yield* client.next).count)

        assert.isAbove(counts.length, 400)
        assert.strictEqual(captured.length, 87)
        assert.strictEqual(Math.max(...counts), Math.max(...captured))
        assert.strictEqual(Math.min(...counts), 1)
        assert.closeTo(mean(counts), mean(captured), 1)
        // Constant counts, or those of a market of single trades, are 0.4 and more away.
        assert.isBelow(distance(counts, captured), 0.2)
      }).pipe(Effect.provide(opened)),
    60_000
  )
})
