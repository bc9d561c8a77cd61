// How near the sweep comes to the broker's limits: the built simulator with both windows strict, answers after 5–80 ms and
// 0.5 % weather, and the built observer with so many app keys. `node bench/sweep.mjs [seconds] [keys …]`, 300 s with 1 and 8
// keys if nothing is said. The limit is symbols ÷ 30 calls at 18 a second and key.
import { spawn } from "node:child_process"
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { cpus, tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const seconds = Number(process.argv[2] ?? 300)
const keyCounts = process.argv.length > 3 ? process.argv.slice(3).map(Number) : [1, 8]
const callsPerSecond = 18
const symbols = 2_000
const weather = 0.005
const program = (name) => fileURLToPath(new URL(`../dist/${name}.js`, import.meta.url))
const ended = (child) => new Promise((resolve) => child.once("exit", (code) => resolve(code)))
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]
const cpuOf = (pid) => {
  const usage = readFileSync(`/proc/${pid}/stat`, "utf8").split(" ")
  return (Number(usage[13]) + Number(usage[14])) / 100
}
const clean = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(OBSERVER|KIS|PHASE15)_|^DATABASE_URL$/.test(name))
)

const measure = async (keys) => {
  const work = mkdtempSync(join(tmpdir(), "observer-sweep-"))
  const flags = ["--latency", "5-80", "--weather", String(weather), "--window", "both"]
  const simulator = spawn(process.execPath, [program("simulator"), "--port", "0", "--until-stdin-closes", ...flags], {
    stdio: ["pipe", "pipe", "inherit"]
  })
  const ready = await new Promise((resolve) => simulator.stdout.once("data", (line) => resolve(JSON.parse(line))))
  const accounts = join(work, "accounts.json")
  const pair = (n) => ({ alias: `key-${n}`, appKey: `bench-key-${n}`, appSecret: `bench-secret-${n}` })
  writeFileSync(accounts, JSON.stringify(Array.from({ length: keys }, (_, n) => pair(n + 1))), { mode: 0o600 })
  const env = {
    ...clean,
    KIS_ACCOUNTS: accounts,
    KIS_REST_URL: ready.restUrl,
    KIS_WS_URL: ready.wsUrl,
    OBSERVER_SYMBOLS: `top:${symbols}`,
    OBSERVER_SQL: "off",
    OBSERVER_DATA_DIR: join(work, "data"),
    OBSERVER_LOG_DIR: join(work, "log"),
    OBSERVER_STATE_DIR: join(work, "state"),
    OBSERVER_HTTP_PORT: "0"
  }
  const observer = spawn(process.execPath, [program("main")], { env, stdio: ["ignore", "ignore", "inherit"] })
  await wait(15_000)
  const before = { observer: cpuOf(observer.pid), simulator: cpuOf(simulator.pid) }
  await wait(seconds * 1_000)
  const spent = { observer: cpuOf(observer.pid) - before.observer, simulator: cpuOf(simulator.pid) - before.simulator }
  const stats = await (await fetch(ready.controlUrl)).json()
  observer.kill("SIGINT")
  const code = await ended(observer)
  simulator.stdin.end()
  const sweeps = readdirSync(env.OBSERVER_DATA_DIR, { recursive: true })
    .filter((name) => /-\d{12}\.jsonl$/.test(name))
    .sort()
    .flatMap((name) => readFileSync(join(env.OBSERVER_DATA_DIR, name), "utf8").split("\n"))
    .filter((line) => line.includes('"event":"sweep"'))
    .map((line) => JSON.parse(line).payload)
    .slice(2)
  rmSync(work, { recursive: true })
  const took = sweeps.map(({ took_ms }) => took_ms)
  const mean = took.reduce((sum, ms) => sum + ms, 0) / took.length
  const limit = (Math.ceil(symbols / 30) / (callsPerSecond * keys)) * 1_000
  const refused = stats.refusals / stats.calls
  const share = (part) => `${((part / seconds) * 100).toFixed(0)} %`
  const rows = [
    [
      "one sweep, mean",
      `${mean.toFixed(0)} ms; median ${median(took)} (${Math.min(...took)}–${Math.max(...took)}), ${took.length} sweeps`
    ],
    ["the limit", `${limit.toFixed(0)} ms`],
    ["ratio", `${(mean / limit).toFixed(3)}, at most 1.05`],
    ["symbols missing in a sweep", String(sweeps.reduce((sum, { missing }) => sum + missing.length, 0))],
    [
      "refused",
      `${stats.refusals} of ${stats.calls}, ${((refused - weather) * 100).toFixed(2)} % beyond the weather of ${weather * 100} %, at most 0.1 %`
    ],
    [
      "processor: observer, simulator",
      `${share(spent.observer)}, ${share(spent.simulator)} of a core; exit code ${code}`
    ]
  ]
  console.log(`${keys} key${keys === 1 ? "" : "s"}, ${seconds} s`)
  for (const [what, value] of rows) console.log(`  ${what.padEnd(32)} ${value}`)
}

console.log(`${cpus().length} cores, Node ${process.version}, ${new Date().toISOString().slice(0, 10)}`)
for (const keys of keyCounts) await measure(keys)
