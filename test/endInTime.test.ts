import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { spawn, spawnSync } from "node:child_process"
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { compiled } from "./support/compiled.ts"
import { programMissing } from "./support/programs.ts"
import { programs, start } from "./secrets/programs.ts"
import { scratchFolder, until } from "./support/virtualTime.ts"

const missing = programMissing("mkfifo", "--version")
if (missing !== undefined) console.warn(`skipped: tests of files that hang, for ${missing}`)

/** A file whose reading never comes back, for nobody writes it. */
const hangingFile = (path: string) => assert.strictEqual(spawnSync("mkfifo", [path]).status, 0)

const replacesItself = "execve" in process

const ended = Effect.fnUntraced(function* (script: string, args: ReadonlyArray<string>, isAsked: boolean) {
  let end: { readonly code: number | null; readonly signal: string | null } | undefined
  const child = yield* Effect.acquireRelease(
    Effect.sync(() => spawn(process.execPath, [script, ...args])),
    (running) => Effect.sync(() => running.kill("SIGKILL"))
  )
  let said = ""
  let runs = false
  child.stdout.on("data", () => (runs = true))
  child.stderr.on("data", (text) => (said += String(text)))
  child.on("close", (code, signal) => (end = { code, signal }))
  yield* until(() => runs)
  if (isAsked) child.kill("SIGTERM")
  yield* until(() => end !== undefined)
  return { ...end, said }
})

describe.skipIf(missing !== undefined)(
  "a program in which a call to the file system hangs",
  { timeout: 120_000 },
  () => {
    it.live("ends in time with its code, or by the signal that is nearest to it, and says why", () =>
      Effect.gen(function* () {
        const script = join(yield* compiled(["test/children/hangs.ts"]), "test/children/hangs.js")
        const file = join(yield* scratchFolder, "hangs")
        hangingFile(file)
        const ends = yield* Effect.all(
          [
            ended(script, [file, "waits"], true),
            ended(script, [file, "waits", "fails"], false),
            ended(script, [file, "does not wait"], true)
          ],
          { concurrency: "unbounded" }
        )
        const [asked, refused, answered] = ends
        for (const { code, signal } of [asked, answered]) {
          assert.deepStrictEqual([code, signal], replacesItself ? [0, null] : [null, "SIGTERM"])
        }
        assert.deepStrictEqual([refused.code, refused.signal], replacesItself ? [69, null] : [null, "SIGKILL"])
        assert.include(asked.said, "closing has not come to its end in time")
        assert.include(refused.said, "ends with code 69")
        assert.include(answered.said, "a call to the file system hangs")
      }).pipe(Effect.scoped)
    )

    it.live("is the observer itself, whose look at its backups does not come back", () =>
      Effect.gen(function* () {
        const place = yield* scratchFolder
        const { main } = yield* programs
        mkdirSync(join(place, "state/observer/backup"), { recursive: true })
        hangingFile(join(place, "state/observer/backup/runs.json"))
        const running = yield* start(
          main,
          [],
          {
            OBSERVER_SYMBOLS: "005930",
            OBSERVER_SQL: "off",
            OBSERVER_HTTP_PORT: "0",
            OBSERVER_STATE_DIR: join(place, "state/observer"),
            OBSERVER_BACKUP_TARGET: join(place, "backup")
          },
          place
        )
        yield* until(() => running.said().includes("the observer runs") || running.code() !== undefined)
        running.kill("SIGTERM")
        yield* until(() => running.code() !== undefined)
        assert.strictEqual(running.code(), replacesItself ? 0 : null, running.said())
        assert.include(running.said(), "everything is stored")
        assert.include(running.said(), "it is not waited for")
      }).pipe(Effect.scoped)
    )
  }
)
