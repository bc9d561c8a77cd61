// Whether anything grows: the built program under some 2,000 records a second over the wire, with a PostgreSQL server beside it.
// `npm run build && node bench/soak.mjs [--minutes 30] [--out FILE] [--keys 8] [--trades 5000]`
// Every five seconds it reads what the kernel says of the process and what the program says of itself. Of heap, resident
// memory, descriptors and the lag of the event loop it takes the slope (Theil–Sen) with its 95 % interval; a slope counts
// when all of the interval is above zero and it comes to more than its tolerance in an hour. At the end nothing may be lost:
// every file is verified, and its lines are compared with the rows. Runs shorter than ten minutes say nothing of slopes.
import { writeFileSync } from "node:fs"
import { cpus } from "node:os"
import { parseArgs } from "node:util"
import { startBusyMarket } from "./support/busyMarket.mjs"
import { chart } from "./support/chart.mjs"
import { median, runProgram, startObserver } from "./support/observed.mjs"
import { startPostgres } from "./support/postgres.mjs"
import { cpuSecondsOf, descriptorsOf, residentOf } from "./support/processUsage.mjs"
import { theilSen } from "./support/theilSen.mjs"

const { values: options } = parseArgs({
  options: {
    minutes: { type: "string", default: "30" },
    out: { type: "string" },
    keys: { type: "string", default: "8" },
    trades: { type: "string", default: "5000" }
  }
})
const minutes = Number(options.minutes)
const every_ms = 5_000
/** Less says of a slope only how a program warms up. */
const judged_minutes_min = 10
const warmUp_ms = minutes >= judged_minutes_min ? 180_000 : 20_000
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
const lines = []
const say = (line = "") => {
  lines.push(line)
  console.log(line)
  if (options.out !== undefined) writeFileSync(options.out, `${lines.join("\n")}\n`)
}

/** The value of a metric, of its 99th percentile where it has quantiles; `undefined` where the program has none of the name. */
const metricOf = (metrics, name) =>
  metrics.get(name) ??
  [...metrics].find(([series]) => series.startsWith(`${name}{`) && series.includes('quantile="0.99"'))?.[1]

const sample = async (observer) => {
  const askedMs = performance.now()
  await observer.alive()
  const answer_ms = performance.now() - askedMs
  const [health, metrics] = [await observer.health(), await observer.metrics()]
  const lag_seconds = metricOf(metrics, "observer_event_loop_lag_seconds")
  return {
    atMs: Date.now(),
    cpu_seconds: cpuSecondsOf(observer.pid),
    seq: health.journal.head.seq,
    heap_mb: (metricOf(metrics, "observer_heap_used_bytes") ?? Number.NaN) / 1e6,
    resident_mb: residentOf(observer.pid).resident_mb,
    descriptors: descriptorsOf(observer.pid),
    answer_ms,
    lag_ms: (lag_seconds ?? Number.NaN) * 1_000,
    mailbox: Math.max(...health.actors.map(({ mailboxDepth = 0 }) => mailboxDepth)),
    follower: health.sql.lag_records,
    remainder: Object.values(health.conservation).reduce((sum, { remainder }) => sum + Math.abs(remainder), 0)
  }
}

/** The sample with the least of each minute: what is left after collections. */
const floors = (samples, of) => {
  const least = new Map()
  for (const each of samples) {
    const minute = Math.floor((each.atMs - samples[0].atMs) / 60_000)
    const known = least.get(minute)
    if (known === undefined || of(each) < of(known)) least.set(minute, each)
  }
  return [...least.values()]
}

const series = [
  { name: "heap, least of a minute, MB", of: ({ heap_mb }) => heap_mb, isFloor: true, tolerance: 10 },
  { name: "resident, MB", of: ({ resident_mb }) => resident_mb, tolerance: 20 },
  { name: "descriptors", of: ({ descriptors }) => descriptors, tolerance: 2 },
  { name: "event-loop lag (p99), ms", of: ({ lag_ms }) => lag_ms, tolerance: 5 },
  { name: "answer of /livez, ms", of: ({ answer_ms }) => answer_ms, tolerance: 5 },
  { name: "deepest mailbox", of: ({ mailbox }) => mailbox },
  { name: "follower lag, records", of: ({ follower }) => follower }
]

/** One line of the report, and whether the series grows. */
const judge = ({ isFloor, name, of, tolerance }, all) => {
  const samples = isFloor === true ? floors(all, of) : all
  const values = samples.map(of)
  if (values.length < 3) return { text: `${name.padEnd(29)} too few samples`, grows: false }
  if (values.some(Number.isNaN)) return { text: `${name.padEnd(29)} the program does not tell`, grows: false }
  const text = (value) => value.toFixed(Math.abs(value) >= 100 ? 0 : 1)
  const { high, low, slope } = theilSen(samples.map((each) => [(each.atMs - all[0].atMs) / 3_600_000, of(each)]))
  const spread = `${text(median(values))} (${text(Math.min(...values))}–${text(Math.max(...values))})`
  const perHour = `${text(slope)} (${text(low)}–${text(high)})`
  const grows = minutes >= judged_minutes_min && tolerance !== undefined && low > 0 && slope > tolerance
  const line = `${name.padEnd(29)}${spread.padEnd(24)}${perHour.padEnd(28)}${tolerance === undefined ? "" : tolerance}`
  return { text: `${line.trimEnd()}${grows ? "  GROWS" : ""}\n  ${chart(values)}`, grows }
}

/** For the database to take in the rest: as long as the run, and ten minutes more. */
const drain_ms_max = (minutes + 10) * 60_000

/** Ends the market and then the observer, and holds what it left against itself. */
const endAndCompare = async (observer, market) => {
  const problems = []
  await market.stop()
  const deadlineMs = Date.now() + drain_ms_max
  const lag = () => observer.health().then(({ sql }) => sql.lag_records)
  while ((await lag().catch(() => Number.NaN)) !== 0 && Date.now() < deadlineMs && observer.isRunning())
    await wait(1_000)
  const code = await observer.stop()
  if (code !== 0) problems.push(`the observer ended with ${code}`)
  const verify = await runProgram("cli", ["verify"], observer.env)
  say(verify.said.trim())
  if (verify.code !== 0) problems.push(`verify ended with ${verify.code}: ${verify.complained.trim()}`)
  const replay = await runProgram("replay", ["--dry-run"], observer.env)
  const compared = replay.said.split("\n").find((line) => line.startsWith("before:")) ?? replay.complained.trim()
  say(compared)
  if (!compared.endsWith("equal")) problems.push("the journal's lines and SQL's rows are not the same")
  return problems
}

const soak = async (observer) => {
  const samples = []
  const problems = []
  const beganMs = Date.now()
  const endMs = beganMs + warmUp_ms + minutes * 60_000
  while (Date.now() < endMs && problems.length === 0) {
    const startedMs = Date.now()
    try {
      const taken = await sample(observer)
      if (taken.remainder !== 0) problems.push(`the law of conservation has a remainder of ${taken.remainder}`)
      if (startedMs >= beganMs + warmUp_ms) samples.push(taken)
    } catch (error) {
      // A machine that is busy elsewhere may miss a sample; a program that has ended has failed.
      if (!observer.isRunning()) problems.push(`the observer has ended: ${error}`)
    }
    await wait(Math.max(0, startedMs + every_ms - Date.now()))
  }
  const seconds = (samples.at(-1).atMs - samples[0].atMs) / 1_000
  const rate = (samples.at(-1).seq - samples[0].seq) / seconds
  const cpu = ((samples.at(-1).cpu_seconds - samples[0].cpu_seconds) / seconds) * 100
  say(`${rate.toFixed(0)} records a second, ${cpu.toFixed(0)} % of a core, ${samples.length} samples\n`)
  say(`${"".padEnd(29)}${"median (least–most)".padEnd(24)}${"an hour adds (95 %)".padEnd(28)}at most`)
  for (const each of series) {
    const { grows, text } = judge(each, samples)
    say(text)
    if (grows) problems.push(`${each.name} grows`)
  }
  say()
  return problems
}

say(`soak of ${minutes} min after ${warmUp_ms / 1_000} s, ${options.keys} keys, 2,000 symbols, PostgreSQL beside it`)
say(`${cpus().length} cores, Node ${process.version}, ${new Date().toISOString().slice(0, 16)}Z`)
const problems = []
const open = []
try {
  const server = await startPostgres()
  open.push(() => server.remove())
  const market = await startBusyMarket({ keys: Number(options.keys), trades: Number(options.trades) })
  open.push(() => market.stop())
  const observer = await startObserver({ ...market.env, DATABASE_URL: server.url })
  open.push(async () => {
    await observer.stop()
    observer.remove()
  })
  problems.push(...(await soak(observer)))
  problems.push(...(await endAndCompare(observer, market)))
} catch (error) {
  problems.push(String(error?.stack ?? error))
} finally {
  for (const close of open.reverse()) await close().catch((error) => console.error(error))
}
if (minutes < judged_minutes_min) say(`slopes are judged from ${judged_minutes_min} minutes on`)
say(problems.length === 0 ? "PASS" : `SHORT of the aim: ${problems.join("; ")}`)
process.exit(problems.length === 0 ? 0 : 1)
