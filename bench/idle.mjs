// What the built program costs while the market is closed: `npm run build && node bench/idle.mjs [seconds] [--only server,embedded,off]`.
// It observes a rehearsed Saturday, in which the market does not open, against a simulator in another process; once with a
// PostgreSQL server, once with the embedded database and once without SQL. Everything is read from /proc: nobody asks the program
// for anything while it is measured. Twelve windows one after another give the spread.
import { cpus } from "node:os"
import { parseArgs } from "node:util"
import { median, startObserver, startSimulator } from "./support/observed.mjs"
import { postgresBin, startPostgres } from "./support/postgres.mjs"
import { cpuSecondsOf, residentOf, wakeUpsOf } from "./support/processUsage.mjs"

const windows = 12
/** Until the start's garbage is collected and what is done once is done. */
const settle_seconds = 30
const aim_percent = 1

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { only: { type: "string", default: "server,embedded,off" }, threads: { type: "boolean", default: false } }
})
const seconds = Number(positionals[0] ?? 120)
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

const measure = async (pid) => {
  const samples = []
  for (let at = 0; at < windows; at += 1) {
    const before = { atMs: performance.now(), cpu: cpuSecondsOf(pid), woken: wakeUpsOf(pid) }
    await wait((seconds * 1_000) / windows)
    const took = (performance.now() - before.atMs) / 1_000
    const woken = wakeUpsOf(pid)
    const perSecond = (thread) => ((woken.get(thread) ?? 0) - (before.woken.get(thread) ?? 0)) / took
    const threads = [...woken.keys()].map((thread) => [thread, perSecond(thread)])
    samples.push({
      took,
      used: cpuSecondsOf(pid) - before.cpu,
      main: perSecond(String(pid)),
      all: threads.reduce((sum, [, count]) => sum + count, 0),
      threads,
      ...residentOf(pid)
    })
  }
  return samples
}

const spread = (samples, of, digits) => {
  const found = samples.map(of)
  const text = (value) => value.toFixed(digits)
  return `${text(median(found))} (${text(Math.min(...found))}–${text(Math.max(...found))})`
}

const closedMarket = `${new Date().toISOString()}=2026-11-21T12:00:00+09:00x1`
const simulator = await startSimulator(["--clock", closedMarket])
const server = values.only.includes("server") && postgresBin !== undefined ? await startPostgres() : undefined
if (server === undefined && values.only.includes("server")) console.log("no PostgreSQL here: that part is left out")

const cases = {
  server: server && { DATABASE_URL: server.url },
  embedded: {},
  off: { OBSERVER_SQL: "off" }
}
const names = { server: "SQL in a server", embedded: "SQL embedded", off: "without SQL" }

console.log(`market closed, ${seconds} s, ${windows} windows: median (least–most)`)
console.log(`${cpus().length} cores, Node ${process.version}, ${new Date().toISOString().slice(0, 10)}\n`)
console.log(
  `${"".padEnd(17)}${"% of a core, all".padEnd(18)}${"in a window".padEnd(20)}${"wake-ups/s, main".padEnd(24)}${"all threads".padEnd(24)}resident, MB`
)
let isShort = false
for (const name of values.only.split(",")) {
  const settings = cases[name]
  if (settings === undefined) continue
  const observer = await startObserver({ ...simulator.env, OBSERVER_CLOCK: closedMarket, ...settings })
  try {
    await wait(settle_seconds * 1_000)
    const samples = await measure(observer.pid)
    const whole =
      (samples.reduce((sum, { used }) => sum + used, 0) / samples.reduce((sum, { took }) => sum + took, 0)) * 100
    isShort ||= whole > aim_percent
    console.log(
      names[name].padEnd(17) +
        whole.toFixed(2).padEnd(18) +
        spread(samples, ({ took, used }) => (used / took) * 100, 2).padEnd(20) +
        spread(samples, ({ main }) => main, 1).padEnd(24) +
        spread(samples, ({ all }) => all, 1).padEnd(24) +
        spread(samples, ({ resident_mb }) => resident_mb, 0)
    )
    if (values.threads) console.log(samples.at(-1).threads.filter(([, count]) => count > 0.05))
  } finally {
    await observer.stop()
    observer.remove()
  }
}
await simulator.stop()
await server?.remove()
console.log(
  isShort ? `\nSHORT of the aim: at most ${aim_percent} % of a core` : `\nPASS: at most ${aim_percent} % of a core`
)
process.exitCode = isShort ? 1 : 0
