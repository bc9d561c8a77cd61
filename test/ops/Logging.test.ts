import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Data, Effect, Layer, Redacted, Tracer } from "effect"
import { TestClock } from "effect/testing"
import { readFileSync } from "node:fs"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { keepSecret } from "../../src/domain/Secrets.ts"
import * as Logging from "../../src/ops/Logging.ts"
import { Screen } from "../../src/ops/Screen.ts"
import { makeOutput } from "./Output.ts"

class Broken extends Data.TaggedError("Broken")<{ readonly message: string }> {}

const temporary = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "observer log "))),
  (folder) => Effect.promise(() => rm(folder, { recursive: true, force: true }))
)

interface Trial {
  readonly terminal?: boolean
  readonly env?: Record<string, string>
  readonly level?: "Info" | "Debug"
}

/** What a program's logging leaves on its standard output and in its file, once its scope has ended. */
const logged = Effect.fnUntraced(function* (program: Effect.Effect<void>, trial: Trial = {}) {
  const logDir = yield* temporary
  const { output, text } = makeOutput({ isTTY: trial.terminal ?? false })
  yield* TestClock.setTime(Date.parse("2026-11-24T00:00:01.234Z"))
  yield* program.pipe(
    Effect.provide(
      Logging.layer({
        logDir,
        level: trial.level ?? "Info",
        max_mb: 1,
        days: 14,
        complain: assert.fail
      }).pipe(
        Layer.provide(Screen.layer(output)),
        Layer.provide(ConfigProvider.layer(ConfigProvider.fromUnknown(trial.env ?? {})))
      )
    )
  )
  return { screen: text(), file: readFileSync(join(logDir, "observer.log"), "utf8") }
})

const jsonLines = (text: string): ReadonlyArray<unknown> =>
  text
    .trimEnd()
    .split("\n")
    .map((line): unknown => JSON.parse(line))

describe("Logging", () => {
  it.effect("writes the same JSON lines to the file and to an output that is no terminal", () =>
    Effect.gen(function* () {
      const { file, screen } = yield* logged(
        Effect.logInfo("swept", { symbols: 2_000n, level: 3 }).pipe(
          Effect.annotateLogs({ shard: 4 }),
          Effect.withLogSpan("sweep")
        )
      )
      assert.strictEqual(screen, file)
      const [line] = jsonLines(file)
      assert.containSubset(line, {
        time: "2026-11-24T00:00:01.234Z",
        level: "INFO",
        message: "swept",
        spans: { sweep: 0 },
        shard: 4,
        symbols: "2000n",
        level_: 3
      })
      assert.isNumber((line as { readonly fiber: unknown }).fiber)
    })
  )

  it.effect("tells of which trace and span a line is, where somebody traces and keeps the trace", () =>
    Effect.gen(function* () {
      const tracer = Tracer.make({ span: (options) => new Tracer.NativeSpan(options) })
      const traced = (sampled: boolean) =>
        Effect.logInfo("inside", { trace: "an annotation" }).pipe(
          Effect.withSpan("work", { sampled }),
          Effect.provideService(Tracer.Tracer, tracer)
        )
      const { file } = yield* logged(Effect.andThen(traced(true), traced(false)))
      const [kept, left] = jsonLines(file) as ReadonlyArray<Record<string, string>>
      assert.match(kept?.["trace"] ?? "", /^[0-9a-f]{32}$/)
      assert.match(kept?.["span"] ?? "", /^[0-9a-f]{16}$/)
      assert.strictEqual(kept?.["trace_"], "an annotation")
      assert.notProperty(left, "trace")
      assert.notProperty(left, "span")
    })
  )

  it.effect("writes lines for human eyes to a terminal, in market time", () =>
    Effect.gen(function* () {
      const program = Effect.logWarning("reconnecting", { attempt: 2, because: "no answer" })
      const { screen } = yield* logged(program, { terminal: true, env: { NO_COLOR: "1" } })
      assert.strictEqual(screen, '09:00:01 WARN  reconnecting attempt=2 because="no answer"\n')
    })
  )

  it.effect("uses colours on a terminal only, and not when NO_COLOR is set", () =>
    Effect.gen(function* () {
      const program = Effect.logError("down")
      assert.include((yield* logged(program, { terminal: true })).screen, "\u001b[31mERROR\u001b[0m")
      assert.notInclude((yield* logged(program, { terminal: true, env: { NO_COLOR: "1" } })).screen, "\u001b")
      assert.notInclude((yield* logged(program)).screen, "\u001b")
    })
  )

  it.effect("shows a cause on lines of its own to people and in one value to programs", () =>
    Effect.gen(function* () {
      const program = Effect.fail(new Broken({ message: "the wire\u001b[2J broke" })).pipe(
        Effect.catchCause((cause) => Effect.logError("sweep failed", cause))
      )
      const { file, screen } = yield* logged(program, { terminal: true, env: { NO_COLOR: "1" } })
      assert.match(screen, /^09:00:01 ERROR sweep failed\n {2}Broken: the wire\\u001b\[2J broke\n {2,}at /)
      assert.match((jsonLines(file)[0] as { readonly cause: string }).cause, /^Broken: the wire/)
    })
  )

  it.effect("lets no text write lines or commands of its own", () =>
    Effect.gen(function* () {
      const program = Effect.logInfo("one\n09:00:02 ERROR two\u001b]0;title\u0007", { "a\nb": "c\r\u009b2Jd" })
      const { file, screen } = yield* logged(program, { terminal: true, env: { NO_COLOR: "1" } })
      assert.strictEqual(screen, "09:00:01 INFO  one\\n09:00:02 ERROR two\\u001b]0;title\\u0007 a\\nb=c\\r\\u009b2Jd\n")
      assert.strictEqual(jsonLines(file).length, 1)
    })
  )

  it.effect("never shows a secret, neither redacted nor quoted by a library", () =>
    Effect.gen(function* () {
      const url = Redacted.make('postgres://observer:p%40ss"word@host/db')
      const secrets = [Redacted.make("PSabcdefghijklmn"), url]
      for (const secret of secrets) keepSecret(secret)
      const program = Effect.gen(function* () {
        yield* Effect.logInfo(`key ${secrets[0]}`, { key: secrets[0], nested: { key: [secrets[0]] } })
        yield* Effect.logInfo(secrets[0])
        yield* Effect.logError('connect postgres://observer:***@host failed for p@ss"word, header PSabcdefghijklmn')
        yield* Effect.logError(new Error('cannot open postgres://observer:p%40ss"word@host/db'))
      })
      for (const terminal of [true, false]) {
        const { file, screen } = yield* logged(program, { terminal })
        for (const text of [file, screen]) {
          assert.notInclude(text, "PSabcdef")
          assert.notMatch(text, /p(%40|@)ss/)
          assert.include(text, "<redacted>")
        }
      }
    })
  )

  it.effect("keeps its keys though they are somebody's password", () =>
    Effect.gen(function* () {
      keepSecret(Redacted.make("postgres://observer:message@host/db"))
      const { file } = yield* logged(Effect.logInfo("no message from message@host", { note: "password=message" }))
      const { message, note } = JSON.parse(file) as Record<string, string>
      assert.strictEqual(message, "no <redacted> from <redacted>@host")
      assert.strictEqual(note, "password=<redacted>")
    })
  )

  it.effect("leaves out what is below its level", () =>
    Effect.gen(function* () {
      const program = Effect.logDebug("fine print").pipe(Effect.andThen(Effect.logInfo("news")))
      assert.notInclude((yield* logged(program)).file, "fine print")
      assert.include((yield* logged(program, { level: "Debug" })).file, "fine print")
    })
  )

  it.effect("survives values that cannot be written as JSON", () =>
    Effect.gen(function* () {
      const circle: Record<string, unknown> = { name: "circle" }
      circle["self"] = circle
      const { file } = yield* logged(Effect.logInfo("odd", { circle, nothing: undefined, text: Symbol("s"), big: 1n }))
      assert.containSubset(jsonLines(file)[0], { message: "odd", circle: { name: "circle" } })
    })
  )
})
