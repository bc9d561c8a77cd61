import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { spawn } from "node:child_process"
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { RecordDraft } from "../src/domain/JournalRecord.ts"
import { lay, numbered, trade } from "./ops/exportFixtures.ts"
import { compiled } from "./support/compiled.ts"
import { scratchFolder } from "./support/virtualTime.ts"

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs `observer export` in a folder, over the journal in its `data`. */
const runIn =
  (program: string, folder: string) =>
  (args: ReadonlyArray<string>, nodeArgs: ReadonlyArray<string> = []) =>
    Effect.callback<Ended>((resume) => {
      const child = spawn(process.execPath, [...nodeArgs, program, "export", ...args], {
        cwd: folder,
        env: { ...process.env, OBSERVER_DATA_DIR: "data" }
      })
      let stdout = ""
      let stderr = ""
      child.stdout.on("data", (text) => (stdout += String(text)))
      child.stderr.on("data", (text) => (stderr += String(text)))
      child.on("close", (code) => resume(Effect.succeed({ code, stdout, stderr })))
      return Effect.sync(() => child.kill("SIGKILL"))
    })

/** As long as ten trades are: fewer rows then fill the same room. */
const long = (n: number): RecordDraft => trade(n, { payload: { raw: `${n} `.repeat(1_000) } })

describe("observer export", () => {
  it.live(
    "writes files, says what they are, and ends with a code that tells what was wrong",
    () =>
      Effect.gen(function* () {
        const program = join(yield* compiled(["src/cli.ts"]), "src", "cli.js")
        const folder = yield* scratchFolder
        const run = runIn(program, folder)
        lay(join(folder, "data"), "seoul-1", numbered("seoul-1", 1, [trade(0), trade(1)]))
        lay(join(folder, "data"), "seoul-1", numbered("seoul-1", 3, [trade(2, { kind: "quote" })]), { suffix: ".open" })

        const written = yield* run(["--day", "2026-11-20"])
        assert.deepInclude(written, { code: 0, stderr: "" })
        assert.match(
          written.stdout,
          /2026-11-20\.trade\.parquet: 2 rows, 0\.0 MB\n.*quote\.parquet: 1 rows.*\n3 rows in /
        )
        assert.match(written.stdout, /\n1 of the journal's files are still written; what comes later is not in this\n$/)
        const names = ["2026-11-20.quote.parquet", "2026-11-20.trade.parquet"]
        assert.deepStrictEqual(readdirSync(join(folder, "var", "export")).sort(), names)

        const refused = yield* run(["--day", "20261120"])
        assert.deepInclude(refused, { code: 73, stdout: "" })
        assert.match(refused.stderr, /trade\.parquet: is there already; --overwrite replaces it\n$/)
        assert.strictEqual((yield* run(["--day", "20261120", "--overwrite"])).code, 0)

        const one = ["--day", "2026-11-20", "--format", "csv", "--out", "one.csv"]
        assert.strictEqual((yield* run([...one, "--kind", "trade", "--symbol", "000660"])).code, 0)
        const [head, line, ...more] = readFileSync(join(folder, "one.csv"), "utf8").split("\n")
        assert.match(head ?? "", /^node,seq,id,kind,symbol,/)
        assert.match(line ?? "", /^seoul-1,2,[0-9a-f-]{36},trade,000660,2026-11-20T00:00:00\.001Z,/)
        assert.deepStrictEqual(more, [""])

        const nothing = yield* run(["--day", "2026-11-21", "--out", "none"])
        assert.deepInclude(nothing, { code: 0, stderr: "" })
        assert.match(nothing.stdout, /^nothing to export: /)
        assert.isFalse(existsSync(join(folder, "none")))

        for (const [args, said] of [
          [["--day", "2026-02-30"], /2026-02-30 is no day; allowed: a day such as /],
          [["--day", "2026-11-20", "--to", "2026-11-19"], /--to 2026-11-19 is before --day 2026-11-20/],
          [["--day", "2026-11-20", "--kind", "trade,ticks"], /ticks is none of trade, book,/],
          [["--day", "2026-11-20", "--symbol", "59300"], /not a symbol code: 59300/],
          [["--day", "2026-11-20", "--out", "day.csv"], /--out day\.csv is not the name of a parquet file/],
          [["--day", "2026-11-20", "--out", "day.parquet", "--columns", "raw"], /name one with --kind, or a folder/],
          [[], /day/]
        ] as const) {
          const wrong = yield* run(args)
          assert.deepInclude(wrong, { code: 64, stdout: "" }, args.join(" "))
          assert.match(wrong.stderr, said)
        }
        writeFileSync(join(folder, "file"), "")
        const impossible = yield* run(["--day", "2026-11-20", "--out", "file/below"])
        assert.strictEqual(impossible.code, 73)
        assert.match(impossible.stderr, /a part of its path is a file/)
      }),
    120_000
  )

  it.live(
    "needs no more memory for a long day than for a short one",
    () =>
      Effect.gen(function* () {
        const program = join(yield* compiled(["src/cli.ts"]), "src", "cli.js")
        const folder = yield* scratchFolder
        const file_rows = 3_000
        const files = 10
        mkdirSync(join(folder, "data"))
        for (let file = 0; file < files; file++) {
          const first = file * file_rows
          const drafts = Array.from({ length: file_rows }, (_, n) => long(first + n))
          lay(join(folder, "data"), "seoul-1", numbered("seoul-1", first + 1, drafts))
        }
        // The payloads alone are more than this heap holds.
        const heap = ["--max-old-space-size=96"]
        const ended = yield* runIn(program, folder)(["--day", "2026-11-20"], heap)
        assert.deepInclude(ended, { code: 0, stderr: "" })
        assert.include(ended.stdout, `\n${file_rows * files} rows in `)
      }),
    120_000
  )
})
