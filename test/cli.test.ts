import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { spawn } from "node:child_process"
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { compiled } from "./support/compiled.ts"
import { scratchFolder } from "./support/virtualTime.ts"

const root = fileURLToPath(new URL("..", import.meta.url))

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a program to its end. Its standard input closes once it has said its first line. */
const runToEnd = (program: string, args: ReadonlyArray<string>, env: Record<string, string> = {}) =>
  Effect.callback<Ended>((resume) => {
    const child = spawn(process.execPath, [program, ...args], {
      cwd: dirname(program),
      env: { ...process.env, ...env }
    })
    let stdout = ""
    let stderr = ""
    child.stdout.on("data", (text) => {
      stdout += String(text)
      if (stdout.includes("\n")) child.stdin.end()
    })
    child.stderr.on("data", (text) => (stderr += String(text)))
    child.on("close", (code) => resume(Effect.succeed({ code, stdout, stderr })))
    return Effect.sync(() => child.kill("SIGKILL"))
  })

const gapRecord = (seq: number, symbol: string | undefined, payload: object) =>
  JSON.stringify({
    v: 1,
    seq,
    id: "",
    kind: "gap",
    ...(symbol === undefined ? {} : { symbol }),
    receivedAt: "2026-11-20T01:10:00.000Z",
    source: "observer",
    payload
  })

const record = (seq: number, receivedAt: string) =>
  JSON.stringify({ v: 1, seq, id: "", kind: "marker", receivedAt, source: "observer", payload: { event: "start" } })

describe("the command line", () => {
  it.live(
    "has one program for everything: it simulates, audits, replays and observes, and says what is wrong with exit codes",
    () =>
      Effect.gen(function* () {
        const folder = yield* compiled(["src/cli.ts", "src/simulator.ts"])
        cpSync(join(root, "data"), join(folder, "data"), { recursive: true })
        const observer = join(folder, "src", "cli.js")
        const scratch = yield* scratchFolder
        const ledger = join(scratch, "ledger")
        const script = join(scratch, "faults.json")

        const simulate = ["--port", "0", "--until-stdin-closes"]
        writeFileSync(script, JSON.stringify({ faults: [{ fault: "drop" }] }))
        const simulated = yield* runToEnd(observer, ["simulate", ...simulate, "--ledger", ledger, "--faults", script])
        assert.deepInclude(simulated, { code: 0, stderr: "" })
        const ready = JSON.parse(simulated.stdout) as Record<string, unknown>
        assert.deepStrictEqual(Object.keys(ready), ["ready", "restUrl", "wsUrl", "controlUrl"])
        const lines = readFileSync(join(ledger, readdirSync(ledger)[0] ?? ""), "utf8")
          .trim()
          .split("\n")
        assert.deepStrictEqual(
          lines.map((line) => (JSON.parse(line) as { readonly kind: string }).kind),
          ["open", "control", "close"]
        )

        const audited = yield* runToEnd(observer, ["audit-ledger", "--ledger", ledger, "--journal", scratch, "--json"])
        assert.deepInclude(audited, { code: 0, stderr: "" })
        assert.deepInclude(JSON.parse(audited.stdout) as object, { clean: true, ledgerLines: 3 })
        const text = "0|H0STCNT0|001|005930^1"
        const lost = { n: 4, at: "2026-11-24T01:00:00.000Z", kind: "frame", symbol: "005930", records: 1, text }
        writeFileSync(join(ledger, "ledger-more.jsonl"), `${JSON.stringify(lost)}\n`)
        const journal = [record(1, "2026-11-24T00:59:00.000Z"), record(2, "2026-11-24T01:01:00.000Z")]
        mkdirSync(join(scratch, "2026", "11", "24", "10"), { recursive: true })
        writeFileSync(join(scratch, "2026", "11", "24", "10", "node-000000000001.jsonl"), `${journal.join("\n")}\n`)
        const wrong = yield* runToEnd(observer, ["audit-ledger", "--ledger", ledger, "--journal", scratch])
        assert.strictEqual(wrong.code, 1)
        assert.match(wrong.stdout, /WRONG: 1 missing/)

        writeFileSync(script, JSON.stringify({ faults: [{ fault: "drop", rate: 3 }] }))
        for (const [program, args] of [
          [observer, ["simulate"]],
          [join(folder, "src", "simulator.js"), []]
        ] as const) {
          const refused = yield* runToEnd(program, [...args, ...simulate, "--faults", script])
          assert.deepInclude(refused, { code: 64, stdout: "" })
          assert.match(refused.stderr, /faults\.json is wrong: faults\[0\]\.rate: .*at most 1/)
        }
        const replayed = yield* runToEnd(observer, ["replay"], { OBSERVER_SQL: "off" })
        assert.strictEqual(replayed.code, 64)
        const observed = yield* runToEnd(observer, ["run"], { OBSERVER_SHARDS: "none" })
        assert.strictEqual(observed.code, 64)
        assert.match(observed.stderr, /OBSERVER_SHARDS/)
        const unknown = yield* runToEnd(observer, ["simulate", "--port", "x"])
        assert.deepInclude(unknown, { code: 64, stdout: "" })
        assert.strictEqual(unknown.stderr.trim().split("\n").length, 1)
      }),
    60_000
  )

  it.live("says what the record does not have of a day, in a table and as JSON", () =>
    Effect.gen(function* () {
      const folder = yield* compiled(["src/cli.ts"])
      const observer = join(folder, "src", "cli.js")
      const scratch = yield* scratchFolder
      const hours = join(scratch, "2026", "11", "20", "10")
      mkdirSync(hours, { recursive: true })
      const at = (minute: number) => `2026-11-20T01:0${minute}:00.000Z`
      const lost = { from: at(0), to: at(2), cause: "continuity", symbol: "005930" }
      const lines = [
        record(1, at(0)),
        gapRecord(2, "005930", { from: at(0), to: at(1), cause: "disconnect", symbol: "005930" }),
        gapRecord(3, "005930", { ...lost, lostTrades: 12, lostVolume: 3_400 }),
        gapRecord(4, "005930", {
          ...lost,
          repairedBy: { source: "backfill", trades: 10, volume: 3_000, complete: false }
        }),
        gapRecord(5, undefined, { from: at(5), to: at(7), cause: "downtime" })
      ]
      writeFileSync(join(hours, "a-000000000001.jsonl"), `${lines.join("\n")}\n`)
      const env = { OBSERVER_DATA_DIR: scratch, OBSERVER_SESSION: "calendar" }

      const told = yield* runToEnd(observer, ["gaps", "--day", "2026-11-20"], env)
      assert.deepInclude(told, { code: 0, stderr: "" })
      for (const words of [
        "2026-11-20: 2 holes, 0 filled, 1 in part; the market was open for 12:00:00.",
        "Nothing at all was recorded for 0:02:00, of which 0:02:00 are not filled.",
        "10:00:00–10:01:00  005930   disconnect, 12 trades, 3,400 shares lost, filled in part",
        "10:05:00–10:07:00  all      downtime",
        "Records are from 10:00:00 to 10:10:00.",
        "Unrecorded, and no gap says why: 11:50:00 of the open hours (08:00:00–10:00:00, 10:10:00–20:00:00)."
      ]) {
        assert.include(told.stdout, words)
      }
      const json = yield* runToEnd(observer, ["gaps", "--day", "20261120", "--symbol", "000660", "--json"], env)
      assert.deepInclude(JSON.parse(json.stdout), {
        day: "2026-11-20",
        symbol: "000660",
        all_seconds: 120,
        firstReceivedAt: at(0),
        unrecorded_seconds: 42_600
      })
      const none = yield* runToEnd(observer, ["gaps", "--day", "2026-11-21"], env)
      assert.deepStrictEqual(none.stdout.split("\n"), [
        "2026-11-21: no gap is on record; the market was closed.",
        "There is no record of that day.",
        ""
      ])
      for (const day of ["2026-02-31", "yesterday", "2999-01-04"]) {
        const wrong = yield* runToEnd(observer, ["gaps", "--day", day], env)
        assert.deepInclude(wrong, { code: 64, stdout: "" }, day)
      }
      const nowhere = yield* runToEnd(observer, ["gaps"], { ...env, OBSERVER_DATA_DIR: join(scratch, "nowhere") })
      assert.deepInclude(nowhere, { code: 73, stdout: "" })
      assert.include(nowhere.stderr, "there is no such folder")
    })
  )
})
