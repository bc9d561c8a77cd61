// Rehearses a market day at speed: the built simulator and the built observer with the same clock and several app keys,
// and at the end every symbol inside its staleness target, or listed with the reason.
// `node test/chaos/day.mjs [--date 2026-11-24] [--from 07:45:00] [--to 20:06:00] [--speed 60] [--keys 4] [--symbols 2000]`
import { spawn, spawnSync } from "node:child_process"
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"

const { values: given } = parseArgs({
  options: {
    date: { type: "string", default: "2026-11-24" },
    from: { type: "string", default: "07:45:00" },
    to: { type: "string", default: "20:06:00" },
    speed: { type: "string", default: "60" },
    keys: { type: "string", default: "4" },
    symbols: { type: "string", default: "2000" },
    ledger: { type: "boolean", default: false },
    keep: { type: "boolean", default: false }
  }
})
const speed = Number(given.speed)
const instant = (hour) => Date.parse(`${given.date}T${hour}+09:00`)
const program = (name) => fileURLToPath(new URL(`../../dist/${name}.js`, import.meta.url))
const clean = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(OBSERVER|KIS|PHASE15)_|^DATABASE_URL$/.test(name))
)
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
const ended = (child) => new Promise((resolve) => child.once("exit", (code, signal) => resolve(signal ?? code)))
const freePort = () =>
  new Promise((resolve) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address()
      probe.close(() => resolve(port))
    })
  })

const work = mkdtempSync(join(tmpdir(), "observer-day-"))
const wallMs = Date.now() + 6_000
const clock = `${new Date(wallMs).toISOString()}=${given.date}T${given.from}+09:00x${speed}`
const flags = ["--port", "0", "--until-stdin-closes", "--clock", clock, "--latency", "5-80", "--weather", "0.005"]
if (given.ledger) flags.push("--ledger", join(work, "ledger"))
const simulator = spawn(process.execPath, [program("simulator"), ...flags], { stdio: ["pipe", "pipe", "inherit"] })
const ready = await new Promise((resolve) => simulator.stdout.once("data", (line) => resolve(JSON.parse(line))))
const accounts = join(work, "accounts.json")
const pair = (n) => ({ alias: `key-${n}`, appKey: `day-key-${n}`, appSecret: `day-secret-${n}` })
writeFileSync(accounts, JSON.stringify(Array.from({ length: Number(given.keys) }, (_, n) => pair(n + 1))), {
  mode: 0o600
})
const port = await freePort()
const env = {
  ...clean,
  KIS_ACCOUNTS: accounts,
  KIS_REST_URL: ready.restUrl,
  KIS_WS_URL: ready.wsUrl,
  OBSERVER_CLOCK: clock,
  OBSERVER_SESSION: "calendar",
  OBSERVER_SYMBOLS: `top:${given.symbols}`,
  OBSERVER_SQL: "off",
  OBSERVER_NODE: "day",
  OBSERVER_DATA_DIR: join(work, "data"),
  OBSERVER_LOG_DIR: join(work, "log"),
  OBSERVER_STATE_DIR: join(work, "state"),
  OBSERVER_HTTP_PORT: String(port)
}
const observer = spawn(process.execPath, [program("main")], { env, stdio: ["ignore", "ignore", "inherit"] })
const exit = ended(observer)
const get = async (path) => await (await fetch(`http://127.0.0.1:${port}${path}`)).json()
const untilMs = wallMs + (instant(given.to) - instant(given.from)) / speed
let early
while (Date.now() < untilMs && early === undefined) {
  early = await Promise.race([wait(Math.min(30_000, Math.max(0, untilMs - Date.now()))), exit])
  if (early !== undefined) break
  const { coverage, journal, phase } = await get("/health")
  const marketMs = instant(given.from) + (Date.now() - wallMs) * speed
  const hour = new Date(marketMs + 9 * 3_600_000).toISOString().slice(11, 19)
  console.log(
    `${hour} ${phase}: ${coverage.seen} of ${coverage.symbols} seen, ${coverage.stale} stale, journal #${journal.head.seq}`
  )
}
const problems = []
if (early !== undefined) problems.push(`the observer ended by itself with ${early}`)
else {
  const plan = await get("/api/v1/plan")
  const symbols = []
  let after = ""
  while (after !== undefined) {
    const page = await get(`/api/v1/symbols?limit=1000${after === "" ? "" : `&after=${after}`}`)
    symbols.push(...page.symbols)
    after = page.next
  }
  for (const each of plan.classes) {
    const { max_seconds, median_seconds, p99_seconds } = each.measured ?? {}
    console.log(
      `${each.class}: ${each.symbols} symbols, target ${each.target_seconds} s, expected ${each.expected_seconds} s, now ${median_seconds} s median, ${p99_seconds} s p99, ${max_seconds} s at most`
    )
  }
  const late = symbols.filter((each) => each.late.times > 0)
  // Who is never answered again is never late: it only grows older.
  const outside = symbols.filter(
    ({ staleness_seconds, target_seconds }) => staleness_seconds === undefined || staleness_seconds > target_seconds
  )
  const troubled = new Set([...late, ...outside])
  const unexplained = [...troubled].filter(({ reason }) => reason === undefined)
  const unseen = symbols.filter(({ lastSeenAt }) => lastSeenAt === undefined)
  console.log(
    `${symbols.length} symbols: ${symbols.length - troubled.size} always inside their target, ${late.length} late at least once, ${outside.length} outside it now`
  )
  for (const {
    late: { times, worst_seconds },
    reason,
    symbol
  } of late.slice(0, 10)) {
    console.log(`  ${symbol}: ${times} times, ${worst_seconds} s at the worst: ${reason}`)
  }
  for (const { reason, staleness_seconds, symbol } of outside.slice(0, 10)) {
    console.log(
      `  ${symbol}: outside its target now, ${staleness_seconds === undefined ? "of no age" : `${staleness_seconds} s old`}: ${reason}`
    )
  }
  if (unexplained.length > 0) {
    problems.push(`${unexplained.length} symbols were late or are outside their target without a reason`)
  }
  if (unseen.length > 0) problems.push(`${unseen.length} symbols were never seen`)
  if (symbols.length < Number(given.symbols)) problems.push(`only ${symbols.length} symbols`)
}
observer.kill("SIGTERM")
const code = early ?? (await exit)
if (code !== 0) problems.push(`the observer ended with ${code}`)
simulator.stdin.end()
await ended(simulator)
if (given.ledger) {
  const audited = ["audit-ledger", "--ledger", join(work, "ledger"), "--clock", clock, "--json"]
  const audit = spawnSync(process.execPath, [program("cli"), ...audited], { env, encoding: "utf8", maxBuffer: 1 << 28 })
  const report = JSON.parse(audit.stdout || "{}")
  console.log(`audit: ${JSON.stringify(report.total)}`)
  if (!report.clean) problems.push("the audit is not clean")
}
const folders = readdirSync(env.OBSERVER_DATA_DIR, { recursive: true }).filter((name) =>
  /^\d{4}\/\d{2}\/\d{2}\/\d{2}$/.test(name)
)
console.log(
  `hours in the journal: ${folders
    .map((name) => name.slice(-2))
    .sort()
    .join(" ")}`
)
const log = readdirSync(env.OBSERVER_LOG_DIR).flatMap((name) =>
  readFileSync(join(env.OBSERVER_LOG_DIR, name), "utf8").split("\n")
)
const loud = log.filter((line) => /"level":"(ERROR|FATAL)"/i.test(line))
console.log(`${loud.length} errors in the log${loud.length > 0 ? `, the first: ${loud[0].slice(0, 300)}` : ""}`)
if (!given.keep) rmSync(work, { recursive: true })
else console.log(`kept in ${work}`)
for (const problem of problems) console.log(`PROBLEM: ${problem}`)
console.log(problems.length === 0 ? "the day is whole" : `${problems.length} problems`)
process.exitCode = problems.length === 0 ? 0 : 1
