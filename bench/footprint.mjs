// What the built program holds of memory while it observes 2,000 symbols, with a PostgreSQL server outside it:
// `npm run build && node bench/footprint.mjs [seconds] [--keys 1,8] [--trades 400,5000]`, 180 s each if nothing is said.
// With one key the market makes 400 trades a second and is swept in 3.7 s; with eight it fills the record at some 2,000
// records a second. The most since the start is the kernel's own high-water mark, so that no peak falls between two looks.
import { cpus } from "node:os"
import { parseArgs } from "node:util"
import { startBusyMarket } from "./support/busyMarket.mjs"
import { median, startObserver } from "./support/observed.mjs"
import { startPostgres } from "./support/postgres.mjs"
import { cpuSecondsOf, residentOf } from "./support/processUsage.mjs"

const aim_mb = 200
/** Until every symbol has been seen some times and the engine has compiled what is called often. */
const warmUp_seconds = 60

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { keys: { type: "string", default: "1,8" }, trades: { type: "string", default: "400,5000" } }
})
const seconds = Number(positionals[0] ?? 180)
const keyCounts = values.keys.split(",").map(Number)
const tradeRates = values.trades.split(",").map(Number)
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

const measure = async (keys, trades) => {
  const open = []
  try {
    const server = await startPostgres()
    open.push(() => server.remove())
    const market = await startBusyMarket({ keys, trades })
    open.push(() => market.stop())
    const observer = await startObserver({ ...market.env, DATABASE_URL: server.url })
    open.push(async () => {
      await observer.stop()
      observer.remove()
    })
    await wait(warmUp_seconds * 1_000)
    const { peak_mb: atStart } = residentOf(observer.pid)
    const before = {
      atMs: Date.now(),
      cpu: cpuSecondsOf(observer.pid),
      seq: (await observer.health()).journal.head.seq
    }
    const resident = []
    while (Date.now() - before.atMs < seconds * 1_000) {
      await wait(1_000)
      resident.push(residentOf(observer.pid).resident_mb)
    }
    const took = (Date.now() - before.atMs) / 1_000
    const { coverage, journal, sql } = await observer.health()
    const heap = (await observer.metrics()).get("observer_heap_used_bytes")
    return {
      median: median(resident),
      most: Math.max(...resident),
      atStart,
      peak: residentOf(observer.pid).peak_mb,
      heap: heap === undefined ? "–" : (heap / 1e6).toFixed(0),
      rate: (journal.head.seq - before.seq) / took,
      cpu: ((cpuSecondsOf(observer.pid) - before.cpu) / took) * 100,
      seen: `${coverage.seen} of ${coverage.symbols}`,
      lag: sql.lag_records
    }
  } finally {
    for (const close of open.reverse()) await close()
  }
}

console.log(`2,000 symbols, PostgreSQL beside it, ${seconds} s after ${warmUp_seconds} s; MB of 10⁶ bytes`)
console.log(`${cpus().length} cores, Node ${process.version}, ${new Date().toISOString().slice(0, 10)}\n`)
const widths = [6, 12, 10, 18, 10, 18, 12, 14, 14]
const row = (cells) =>
  console.log(
    cells
      .map((cell, at) => String(cell).padEnd(widths[at]))
      .join("")
      .trimEnd()
  )
row([
  "keys",
  "records/s",
  "CPU, %",
  "resident, median",
  "most",
  "peak of the start",
  "peak",
  "heap in use",
  "symbols seen"
])
let isShort = false
for (const [at, keys] of keyCounts.entries()) {
  const found = await measure(keys, tradeRates[at] ?? tradeRates.at(-1))
  isShort ||= found.most > aim_mb
  const text = (value) => value.toFixed(0)
  const memory = [text(found.median), text(found.most), text(found.atStart), text(found.peak)]
  row([keys, text(found.rate), text(found.cpu), ...memory, found.heap, found.seen])
  if (found.lag > 10_000)
    console.log(`      SQL is ${found.lag} records behind: the machine is too busy for a fair figure`)
}
console.log(isShort ? `\nSHORT of the aim: at most ${aim_mb} MB` : `\nPASS: at most ${aim_mb} MB`)
process.exitCode = isShort ? 1 : 0
