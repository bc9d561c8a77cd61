import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Scope } from "effect"
import { execFileSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import { startSimulator } from "../../src/feed/SimulatorProcess.ts"
import { passUntil, until } from "../support/virtualTime.ts"

const program = new URL("./children/fakeSimulator.mjs", import.meta.url)
const script = fileURLToPath(program)
const startedAs = (behaviour: string) => startSimulator(program, ["--mark", behaviour])

/** The processes that run the fake, by their flags. */
const running = (behaviour: string): number =>
  execFileSync("ps", ["-eo", "args"], { encoding: "utf8" })
    .split("\n")
    .filter((line) => line.includes(script) && line.endsWith(`--mark ${behaviour}`)).length

describe("the simulator's process", () => {
  it.effect("is asked for a free port and to end with its input, and gives its addresses", () =>
    Effect.gen(function* () {
      const { restUrl, wsUrl } = yield* startedAs("good")
      assert.deepStrictEqual([restUrl, wsUrl], ["http://127.0.0.1:1", "ws://127.0.0.1:2"])
      const line =
        execFileSync("ps", ["-eo", "args"], { encoding: "utf8" })
          .split("\n")
          .find((each) => each.includes(script)) ?? ""
      assert.include(line, "--port 0 --until-stdin-closes --mark good")
    })
  )

  it.effect("may say its first line in parts", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* startedAs("slow")).restUrl, "http://127.0.0.1:1")
    })
  )

  it.effect("ends when its scope closes", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      yield* Scope.provide(startSimulator(program, ["--mark", "good"]), scope)
      assert.isAtLeast(running("good"), 1)
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(running("good"), 0)
    })
  )

  it.effect("is killed when it does not end within three seconds", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      yield* Scope.provide(startedAs("stubborn"), scope)
      const closing = yield* Effect.forkScoped(Scope.close(scope, Exit.void))
      yield* passUntil(() => closing.pollUnsafe() !== undefined, 500)
      yield* until(() => running("stubborn") === 0)
    })
  )

  it.effect("that says something else first cannot be used, and is named by what it said", () =>
    Effect.gen(function* () {
      assert.strictEqual(
        (yield* Effect.flip(startedAs("bad"))).message,
        'the simulator cannot be used: it said "Error: listen EADDRINUSE"'
      )
      assert.include(
        (yield* Effect.flip(startedAs("wrongShape"))).message,
        'it said "{\\"ready\\":false}"'.replaceAll("\\", "")
      )
    })
  )

  it.effect("that ends at once cannot be used, and is named by its exit code", () =>
    Effect.gen(function* () {
      assert.strictEqual(
        (yield* Effect.flip(startedAs("exits"))).message,
        "the simulator cannot be used: its process ended (exit code 3)"
      )
    })
  )

  it.effect("that is not there cannot be used", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(startSimulator(new URL("./children/nothing.mjs", import.meta.url), []))
      assert.strictEqual(error.message, "the simulator cannot be used: its process ended (exit code 1)")
    })
  )

  it.effect("that says nothing is given up after twenty seconds, and ended", () =>
    Effect.gen(function* () {
      const starting = yield* Effect.forkScoped(Effect.scoped(Effect.flip(startedAs("silent"))))
      yield* until(() => running("silent") === 1)
      yield* passUntil(() => starting.pollUnsafe() !== undefined, 500)
      assert.strictEqual(
        (yield* Fiber.join(starting)).message,
        "the simulator cannot be used: it was not ready within 20 seconds"
      )
      yield* until(() => running("silent") === 0)
    })
  )

  it.effect("may say as much as it likes later, and its end is told", () =>
    Effect.gen(function* () {
      const { ended } = yield* startedAs("talkative")
      assert.strictEqual(
        (yield* Effect.flip(ended)).message,
        "the simulator cannot be used: its process ended (exit code 7)"
      )
      assert.strictEqual((yield* Effect.flip(ended)).detail, "its process ended (exit code 7)")
    })
  )
})
