import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Fiber, Layer, Ref, Schema } from "effect"
import { TestClock } from "effect/testing"
import { Screen } from "../../src/ops/Screen.ts"
import * as StatusLine from "../../src/ops/StatusLine.ts"
import { statusSentence } from "../../src/ops/statusLine/renderStatus.ts"
import { makeOutput } from "./Output.ts"

const calm: StatusLine.StatusSnapshot = {
  marketTime: "09:12:34",
  phase: "continuous",
  symbolsTotal: 2_000,
  symbolsSeen: 2_000,
  symbolsStale: 0,
  recordsPerSecond: 540.4,
  records: 1_234_567,
  sqlLagRecords: 120,
  sqlLagSeconds: 0.34,
  sqlState: "ok",
  callsUsed: 18,
  callsBudget: 18,
  refusals: 0,
  slotsUsed: 41,
  slots: 41,
  headSeq: 1_234_890,
  alarms: 0,
  url: "http://127.0.0.1:8787/health",
  problems: []
}
const troubled: StatusLine.StatusSnapshot = {
  ...calm,
  symbolsSeen: 1_970,
  symbolsStale: 30,
  sqlState: "degraded",
  sqlLagRecords: 90_000,
  sqlLagSeconds: 183.2,
  refusals: 2,
  problems: [
    "the database does not answer (ECONNREFUSED 127.0.0.1:5432); records wait in the journal",
    "two\u001b[2J\nlines",
    "three",
    "four",
    "five"
  ]
}

describe("statusSentence", () => {
  it("is one line for a service manager, the problems first and no longer than it takes", () => {
    assert.strictEqual(
      statusSentence(calm),
      "09:12:34 KST continuous · symbols 2,000/2,000 seen · records 540/s, 1,234,567 in all · SQL 120 behind, 0.3 s · calls 18/18 per s · streams 41/41 · journal #1,234,890 · http://127.0.0.1:8787/health"
    )
    const words = statusSentence(troubled)
    assert.isTrue(words.startsWith("! the database does not answer"))
    assert.notMatch(words, /[\u0000-\u001f]/)
    assert.strictEqual(statusSentence({ ...calm, problems: ["x".repeat(1_000)] }).length, 400)
  })
})

describe("renderStatus", () => {
  it("fits 100 columns", () => {
    assert.strictEqual(
      StatusLine.renderStatus(calm, 100),
      [
        "─".repeat(99),
        "09:12:34 KST continuous  ·  symbols 2,000/2,000 seen  ·  records 540/s, 1,234,567 in all",
        "SQL 120 behind, 0.3 s  ·  calls 18/18 per s  ·  streams 41/41  ·  journal #1,234,890",
        "http://127.0.0.1:8787/health"
      ].join("\n")
    )
  })

  it("fits 60 columns and says what is wrong", () => {
    assert.strictEqual(
      StatusLine.renderStatus(troubled, 60),
      [
        "─".repeat(59),
        "09:12:34 KST continuous",
        "symbols 1,970/2,000 seen, 30 stale",
        "records 540/s, 1,234,567 in all",
        "SQL DOWN, 90,000 behind, 183 s",
        "calls 18/18 per s, 2 refused  ·  streams 41/41",
        "journal #1,234,890  ·  http://127.0.0.1:8787/health",
        "! the database does not answer (ECONNREFUSED 127.0.0.1:543…",
        "! two\\u001b[2J\\nlines",
        "! three",
        "! and 2 more"
      ].join("\n")
    )
  })

  it("says how many alarms fire, when some do", () => {
    assert.include(StatusLine.renderStatus({ ...calm, alarms: 2 }, 200), "ALARMS 2")
  })

  it("says when there is no SQL", () => {
    assert.include(StatusLine.renderStatus({ ...calm, sqlState: "off" }, 200), "  ·  SQL off  ·  ")
  })

  it.effect.prop(
    "leaves the last column free at every width, whatever the numbers",
    [Schema.Int.check(Schema.isBetween({ minimum: 2, maximum: 200 })), Schema.Int, Schema.String],
    ([width, number, text]) =>
      Effect.sync(() => {
        const snapshot = { ...troubled, records: number, headSeq: number, sqlLagRecords: number, problems: [text] }
        for (const line of StatusLine.renderStatus(snapshot, width).split("\n")) assert.isBelow(line.length, width)
      })
  )
})

const screenOf = (output: ReturnType<typeof makeOutput>["output"]) =>
  Screen.layer(output).pipe(Layer.provide(ConfigProvider.layer(ConfigProvider.fromUnknown({}))))

/** The status line runs while something else does. */
const drawing =
  (snapshot: Effect.Effect<StatusLine.StatusSnapshot>) =>
  <A, E, R>(meanwhile: Effect.Effect<A, E, R>) =>
    Effect.gen(function* () {
      const line = yield* Effect.forkChild(StatusLine.run(snapshot))
      yield* meanwhile
      yield* Fiber.interrupt(line)
    })

describe("StatusLine", () => {
  it.effect("is redrawn once a second below the lines that are printed, and goes away at the end", () =>
    Effect.gen(function* () {
      const { output, plain, text } = makeOutput({ isTTY: true })
      const headSeq = yield* Ref.make(1)
      const snapshot = Ref.get(headSeq).pipe(Effect.map((seq) => ({ ...calm, headSeq: seq })))
      yield* Effect.gen(function* () {
        const screen = yield* Screen
        yield* TestClock.adjust("0 seconds")
        assert.include(plain(), "journal #1\n")
        yield* Ref.set(headSeq, 2)
        yield* TestClock.adjust("999 millis")
        assert.notInclude(plain(), "journal #2")
        yield* TestClock.adjust("1 millis")
        assert.include(plain(), "journal #2")

        const before = text().length
        screen.print("a log line")
        const after = text().slice(before)
        assert.match(after, /^(\u001b\[2K(\u001b\[1A)?)+\u001b\[Ga log line\n─/)
        assert.include(after, "journal #2")
      }).pipe(drawing(snapshot), Effect.provide(screenOf(output)))
      assert.match(text(), /(\u001b\[2K(\u001b\[1A)?){5}\u001b\[G$/)
    })
  )

  it.effect("draws nothing where standard output is no terminal", () =>
    Effect.gen(function* () {
      const { output, text } = makeOutput({ isTTY: false })
      const asked = yield* Ref.make(0)
      const snapshot = Ref.update(asked, (times) => times + 1).pipe(Effect.as(calm))
      yield* TestClock.adjust("5 seconds").pipe(drawing(snapshot), Effect.provide(screenOf(output)))
      assert.strictEqual(text(), "")
      assert.strictEqual(yield* Ref.get(asked), 0)
    })
  )

  it.effect("outlives a snapshot that hangs and one that dies", () =>
    Effect.gen(function* () {
      const { output, plain } = makeOutput({ isTTY: true })
      const asked = yield* Ref.make(0)
      const snapshot = Effect.gen(function* () {
        const times = yield* Ref.updateAndGet(asked, (before) => before + 1)
        if (times === 1) return yield* Effect.never
        if (times === 2) return yield* Effect.die("broken")
        return calm
      })
      yield* TestClock.adjust("3 seconds").pipe(drawing(snapshot), Effect.provide(screenOf(output)))
      assert.include(plain(), "09:12:34 KST continuous")
    })
  )

  it.effect("is silent when the reader of standard output has gone", () =>
    Effect.gen(function* () {
      const { output, text } = makeOutput({ isTTY: false })
      yield* Effect.gen(function* () {
        const screen = yield* Screen
        screen.print("heard")
        output.emit("error", new Error("EPIPE"))
        screen.print("not heard")
      }).pipe(Effect.provide(screenOf(output)))
      assert.strictEqual(text(), "heard\n")
    })
  )
})
