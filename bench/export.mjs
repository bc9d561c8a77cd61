// What an export of a long day costs, in a process of its own:
// `npm run build && node bench/export.mjs [rows] [parquet|csv] [record|raw]`.
// The journal is of captured trades of 47 columns, for 40 symbols; its folder and the files are made and removed here.
import { spawnSync } from "node:child_process"
import {
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
  closeSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { marketInstant } from "../dist/calendar/MarketTime.js"
import { encodeLine, makeNumberer } from "../dist/domain/JournalRecord.js"
import { tradeSighting } from "../dist/feed/KisTrade.js"

const rows = Number(process.argv[2] ?? 3_000_000)
const format = process.argv[3] ?? "parquet"
const columns = process.argv[4] ?? "record"
const segment_rows = 150_000
const openMs = marketInstant("20261120", "090000")

const captured = readFileSync(new URL("../test/fixtures/kis/ws-frames.jsonl", import.meta.url), "utf8")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line))
  .filter(({ columns: width, tr }) => tr === "H0STCNT0" && width === 47)
  .flatMap(({ count, frame }) => {
    const values = frame.split("|")[3].split("^")
    return Array.from({ length: count }, (_, at) => values.slice(at * 47, (at + 1) * 47))
  })

const folder = mkdtempSync(join(tmpdir(), "observer-bench-export-"))
try {
  const hour = join(folder, "data", "2026", "11", "20", "09")
  mkdirSync(hour, { recursive: true })
  const number = makeNumberer("bench")
  let journal_bytes = 0
  for (let first = 1; first <= rows; first += segment_rows) {
    const file = openSync(join(hour, `bench-${String(first).padStart(12, "0")}.jsonl`), "w")
    for (let seq = first; seq < Math.min(first + segment_rows, rows + 1); seq += 1_000) {
      let text = ""
      for (let at = seq; at < Math.min(seq + 1_000, rows + 1); at++) {
        const values = [...captured[at % captured.length]]
        values[0] = String(5_930 + (at % 40) * 110).padStart(6, "0")
        values[13] = String(1_000_000 + at)
        const { flags, sameness: _, ...sighting } = tradeSighting(values, openMs + at, 0)
        const quality = { flags, lagMs: 81 }
        text += `${encodeLine(number({ ...sighting, source: "kis-ws", account: "bench", quality }, at))}\n`
      }
      journal_bytes += writeSync(file, text)
    }
    closeSync(file)
  }

  const out = join(folder, "out")
  const cli = fileURLToPath(new URL("../dist/cli.js", import.meta.url))
  const args = [
    "export",
    "--day",
    "2026-11-20",
    "--kind",
    "trade",
    "--format",
    format,
    "--columns",
    columns,
    "--out",
    out
  ]
  const began = performance.now()
  const { status, stdout, stderr } = spawnSync("/usr/bin/env", ["time", "-v", process.execPath, cli, ...args], {
    cwd: folder,
    encoding: "utf8",
    env: { ...process.env, OBSERVER_DATA_DIR: join(folder, "data") }
  })
  const seconds = (performance.now() - began) / 1_000
  if (status !== 0) throw new Error(`the export ended with ${status}: ${stdout}${stderr}`)
  const processor_seconds = ["User", "System"].reduce(
    (sum, part) => sum + Number(new RegExp(`${part} time \\(seconds\\): ([\\d.]+)`).exec(stderr)?.[1]),
    0
  )
  const peak_kb = Number(/Maximum resident set size \(kbytes\): (\d+)/.exec(stderr)?.[1])
  const written = readdirSync(out).reduce((sum, name) => sum + statSync(join(out, name)).size, 0)
  console.log(`${rows} trades, ${(journal_bytes / 1e6).toFixed(0)} MB of journal, as ${format} with ${columns} columns`)
  console.log(
    `${Math.round(rows / seconds)} rows/s, ${seconds.toFixed(1)} s, ${processor_seconds.toFixed(1)} s of a processor`
  )
  console.log(`peak memory ${Math.round(peak_kb / 1_024)} MB, ${(written / 1e6).toFixed(0)} MB written`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
