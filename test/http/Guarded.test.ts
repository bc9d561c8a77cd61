import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Logger, Metric, Redacted } from "effect"
import { TestClock } from "effect/testing"
import { attempts_max, regained_ms } from "../../src/http/guarded/Attempts.ts"
import * as Server from "../../src/http/Server.ts"
import { Health } from "../../src/ops/Health.ts"

const right = "a-token-of-sixteen"

const serving = Server.layer({ host: "127.0.0.1", port: 0, token: Redacted.make(right) }).pipe(
  Layer.provide(Layer.succeed(Health, { report: Effect.die("not asked") })),
  Layer.fresh
)

const ask = Effect.fnUntraced(function* (path: string, authorization?: string) {
  const { url } = yield* Server.ServerAddress
  return yield* Effect.promise(async () => {
    const response = await fetch(url + path, authorization === undefined ? {} : { headers: { authorization } })
    return { status: response.status, retryAfter: response.headers.get("retry-after"), text: await response.text() }
  })
})

const counted = Effect.map(Metric.snapshot, (all) =>
  all.flatMap((each) =>
    each.id === "observer_http_refusals_total" && each.attributes?.["reason"] === "noToken"
      ? [Number((each.state as { readonly count: number | bigint }).count)]
      : []
  )
)

describe("who sends wrong tokens", () => {
  it.effect("has to wait, and whoever has the right one and the same address has not", () => {
    const logged: Array<unknown> = []
    const logger = Logger.make(({ message }) => void logged.push(Array.isArray(message) ? message[0] : message))
    return Effect.gen(function* () {
      // Of every length, and what only begins like the right one.
      const wrong = ["", "Bearer", "Bearer ", `Bearer ${right}x`, `Bearer ${right.slice(0, -1)}`, `Basic ${right}`]
      for (let count = 0; count < attempts_max; count++) {
        const { status } = yield* ask("/nowhere", wrong[count] ?? `Bearer ${"x".repeat(count * 1_000)}`)
        assert.strictEqual(status, 401)
      }
      const { retryAfter, status, text } = yield* ask("/nowhere", "Bearer another")
      assert.deepStrictEqual([status, retryAfter], [429, "6"])
      assert.notInclude(text, right)
      assert.strictEqual((yield* ask("/nowhere", `Bearer ${right}`)).status, 404)
      // Probes and those that have no token yet are no guesses.
      assert.strictEqual((yield* ask("/livez", "Bearer another")).status, 200)
      assert.strictEqual((yield* ask("/nowhere")).status, 401)
      yield* TestClock.adjust(regained_ms)
      assert.strictEqual((yield* ask("/nowhere", "Bearer another")).status, 401)
      assert.strictEqual((yield* ask("/nowhere", "Bearer another")).status, 429)
      // The right one is no reason to let others try again.
      assert.strictEqual((yield* ask("/nowhere", `Bearer ${right}`)).status, 404)
      assert.strictEqual((yield* ask("/nowhere", "Bearer another")).status, 429)
      assert.deepStrictEqual(logged, ["an address sends wrong HTTP tokens; it has to wait between two"])
    }).pipe(Effect.provide(Layer.provideMerge(serving, Logger.layer([logger]))))
  })

  it.effect("is told that one is needed where none is sent, as often as asked, and is counted", () =>
    Effect.gen(function* () {
      const [before = 0] = yield* counted
      for (let count = 0; count < 2 * attempts_max; count++) assert.strictEqual((yield* ask("/health")).status, 401)
      assert.deepStrictEqual(yield* counted, [before + 2 * attempts_max])
    }).pipe(Effect.provide(serving))
  )
})
