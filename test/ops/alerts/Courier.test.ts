import { assert, describe, it } from "@effect/vitest"
import { Effect, Logger, Metric, Schema } from "effect"
import { TestClock } from "effect/testing"
import type { AlertEvent, AlertMessage } from "../../../src/ops/alerts/AlertMessage.ts"
import { DeliveryFailed } from "../../../src/ops/alerts/Channel.ts"
import { makeCourier, tries_max, waiting_max } from "../../../src/ops/alerts/Courier.ts"
import { channelRate, fullBucket, spent, wait_ms } from "../../../src/ops/alerts/Rate.ts"

const event = (rule: string): AlertEvent => ({
  event: "fired",
  rule,
  severity: "warning",
  title: rule,
  sinceMs: 0,
  marketSinceMs: 0,
  duration_seconds: 0,
  words: "",
  meaning: "",
  action: ""
})
const failure = (told: Partial<DeliveryFailed> = {}) =>
  new DeliveryFailed({ channel: "slack", reason: "answers 500", isRetryable: true, ...told })

/** A courier whose channel fails as long as `fails` says so. */
const stage = (fails: (tried: number) => DeliveryFailed | "hang" | undefined = () => undefined) =>
  Effect.gen(function* () {
    const sent: Array<AlertMessage> = []
    const lines: Array<string> = []
    const registry: typeof Metric.MetricRegistry.Service = new Map()
    let tries = 0
    const courier = yield* makeCourier(
      {
        name: "slack",
        send: (message) =>
          Effect.suspend((): Effect.Effect<void, DeliveryFailed> => {
            tries += 1
            const error = fails(tries)
            if (error === "hang") return Effect.never
            if (error !== undefined) return Effect.fail(error)
            sent.push(message)
            return Effect.void
          })
      },
      "seoul-1"
    )
    const logger = Logger.make(({ logLevel, message }) => void lines.push(`${logLevel} ${[message].flat()[0]}`))
    yield* courier.run.pipe(
      Effect.provideService(Metric.MetricRegistry, registry),
      Effect.provide(Logger.layer([logger])),
      Effect.forkScoped
    )
    const offer = (...rules: ReadonlyArray<string>) =>
      Effect.provideService(courier.offer(rules.map(event)), Metric.MetricRegistry, registry)
    const results = Effect.map(Effect.provideService(Metric.snapshot, Metric.MetricRegistry, registry), (all) =>
      Object.fromEntries(
        all.map(({ attributes, state }) => [attributes?.["result"], "count" in state ? Number(state.count) : undefined])
      )
    )
    const rulesSent = () => sent.map(({ events }) => events.map(({ rule }) => rule).join(" "))
    return { offer, sent, rulesSent, lines, results, tries: () => tries }
  })

describe("a courier", () => {
  it.effect("delivers what has come together in one message", () =>
    Effect.gen(function* () {
      const { offer, rulesSent } = yield* stage()
      yield* offer("a", "b")
      yield* TestClock.adjust(1)
      yield* offer("c")
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(rulesSent(), ["a b", "c"])
    })
  )

  it.effect("tries again with growing pauses, logs the trouble once and its end once", () =>
    Effect.gen(function* () {
      const { lines, offer, results, sent, tries } = yield* stage((tried) => (tried <= 4 ? failure() : undefined))
      yield* offer("a")
      yield* TestClock.adjust(0)
      assert.strictEqual(tries(), 1)
      for (const [pause_seconds, tried] of [
        [2, 2],
        [4, 3],
        [8, 4],
        [16, 5]
      ] as const) {
        yield* TestClock.adjust(pause_seconds * 1_000 - 1)
        assert.strictEqual(tries(), tried - 1)
        yield* TestClock.adjust(1)
        assert.strictEqual(tries(), tried)
      }
      assert.deepInclude(sent[0], { undelivered: 0 })
      assert.deepStrictEqual(lines, [
        "Error alarms cannot be delivered on a channel",
        "Info alarms are delivered again"
      ])
      assert.deepStrictEqual(yield* results, { retried: 4, sent: 1 })
    })
  )

  it.effect("leaves the other side alone for as long as it asks, and at most ten minutes", () =>
    Effect.gen(function* () {
      const asked = [35_000, 999_999_999]
      const { offer, tries } = yield* stage((tried) => {
        const retryAfter_ms = asked[tried - 1]
        return retryAfter_ms === undefined ? undefined : failure({ retryAfter_ms })
      })
      yield* offer("a")
      yield* TestClock.adjust(34_999)
      assert.strictEqual(tries(), 1)
      yield* TestClock.adjust(1)
      assert.strictEqual(tries(), 2)
      yield* TestClock.adjust(599_999)
      assert.strictEqual(tries(), 2)
      yield* TestClock.adjust(1)
      assert.strictEqual(tries(), 3)
    })
  )

  it.effect("gives up after so many tries, and says in the next message what did not arrive", () =>
    Effect.gen(function* () {
      const { offer, results, sent, tries } = yield* stage((tried) => (tried <= tries_max ? failure() : undefined))
      yield* offer("a", "b")
      yield* TestClock.adjust("10 minutes")
      assert.strictEqual(tries(), tries_max)
      yield* offer("c")
      yield* TestClock.adjust("10 minutes")
      assert.deepInclude(sent[0], { undelivered: 2 })
      yield* offer("d")
      yield* TestClock.adjust("10 minutes")
      assert.deepInclude(sent[1], { undelivered: 0 })
      assert.deepStrictEqual(yield* results, { retried: tries_max - 1, failed: 1, sent: 2 })
    })
  )

  it.effect("does not try again what is refused for good", () =>
    Effect.gen(function* () {
      const { offer, tries } = yield* stage(() => failure({ isRetryable: false }))
      yield* offer("a")
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(tries(), 1)
    })
  )

  it.effect("never holds up who offers: the oldest are let go of, and counted", () =>
    Effect.gen(function* () {
      const { offer, results, tries } = yield* stage(() => "hang")
      yield* offer("in hand")
      yield* TestClock.adjust(1)
      assert.strictEqual(tries(), 1)
      for (let at = 0; at < waiting_max + 7; at++) yield* offer(`rule ${at}`)
      assert.deepStrictEqual(yield* results, { dropped: 7 })
    })
  )

  it.effect("sends at most so many messages an hour; what is held back goes out together", () =>
    Effect.gen(function* () {
      const { offer, sent } = yield* stage()
      for (let second = 0; second < 3_600; second++) {
        yield* offer(`rule ${second}`)
        yield* TestClock.adjust("1 second")
      }
      assert.isAtMost(sent.length, 30)
      assert.isAtLeast(sent.length, 25)
      yield* TestClock.adjust("3 minutes")
      const { events = [], undelivered = 0 } = sent.at(-1) ?? {}
      assert.strictEqual(events.at(-1)?.rule, "rule 3599")
      assert.isAtLeast(events.length + undelivered, 100)
    })
  )
})

describe("the rate of a channel", () => {
  const Pauses = Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 400_000 })))
  it.prop("lets no more than the burst and one for each refill through, in any while", [Pauses], ([pauses]) => {
    let nowMs = 1_000_000
    let bucket = fullBucket
    const sentMs: Array<number> = []
    for (const pause of pauses) {
      nowMs += pause
      nowMs += wait_ms(channelRate, bucket, nowMs)
      bucket = spent(channelRate, bucket, nowMs)
      sentMs.push(nowMs)
    }
    for (const [first, fromMs] of sentMs.entries()) {
      for (const [last, toMs] of sentMs.entries()) {
        if (last < first) continue
        assert.isAtMost(last - first + 1, channelRate.burst + Math.floor((toMs - fromMs) / channelRate.refill_ms))
      }
    }
  })
})
