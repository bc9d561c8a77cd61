import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { spawnSync } from "node:child_process"
import { join } from "node:path"
import { exitCode } from "../src/ProgramEnd.ts"
import { compiled } from "./support/compiled.ts"

describe("a program whose tree cannot go on", () => {
  it.live(
    "ends with the code of a bug and a last log line that says who failed and why",
    () =>
      Effect.gen(function* () {
        const built = yield* compiled(["test/children/exhausted.ts"])
        const { status, stderr } = spawnSync(process.execPath, [join(built, "test/children/exhausted.js")], {
          encoding: "utf8",
          timeout: 20_000
        })
        assert.strictEqual(status, exitCode.bug, stderr)
        const last = stderr.trimEnd().split("\n").at(-1) ?? ""
        assert.include(last, "level=FATAL")
        assert.include(last, "the actor journal failed too often and cannot go on: the disk is gone")
      }),
    60_000
  )

  it.live(
    "ends of an error that nobody waits for once it has said farewell",
    () =>
      Effect.gen(function* () {
        const built = yield* compiled(["test/children/uncaught.ts"])
        const { status, stderr, stdout } = spawnSync(process.execPath, [join(built, "test/children/uncaught.js")], {
          encoding: "utf8",
          timeout: 20_000
        })
        assert.strictEqual(status, exitCode.bug, stderr)
        assert.strictEqual(stdout, "farewell: nobody waits for this\n")
        assert.strictEqual(stderr.split("a bug: ").length, 2)
      }),
    60_000
  )
})
