// How the built program covers its market: starts the simulator and the observer as users do, lets them run, ends the
// observer, and reads what each of them left behind. `npm run bench -- [seconds]`; nothing here is used by src/.
import { spawn, spawnSync } from "node:child_process"
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { cpus, tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const seconds = Number(process.argv[2] ?? 60)
const program = (name) => fileURLToPath(new URL(`../dist/${name}.js`, import.meta.url))
const work = mkdtempSync(join(tmpdir(), "observer-bench-"))
const ended = (child) => new Promise((resolve) => child.once("exit", (code) => resolve(code)))
const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]

const clean = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(OBSERVER|KIS|PHASE15)_|^DATABASE_URL$/.test(name))
)
const simulator = spawn(process.execPath, [program("simulator"), "--port", "0", "--until-stdin-closes"], {
  stdio: ["pipe", "pipe", "inherit"]
})
const ready = await new Promise((resolve) => simulator.stdout.once("data", (line) => resolve(JSON.parse(line))))
const env = {
  ...clean,
  OBSERVER_SOURCE_MODE: "simulator",
  KIS_REST_URL: ready.restUrl,
  KIS_WS_URL: ready.wsUrl,
  OBSERVER_DATA_DIR: join(work, "data"),
  OBSERVER_LOG_DIR: join(work, "log"),
  OBSERVER_STATE_DIR: join(work, "state"),
  OBSERVER_HTTP_PORT: "0"
}

const startedMs = Date.now()
const observer = spawn(process.execPath, [program("main")], { env, stdio: ["ignore", "ignore", "inherit"] })
await new Promise((resolve) => setTimeout(resolve, seconds * 1_000))
const usage = readFileSync(`/proc/${observer.pid}/stat`, "utf8").split(" ")
const memory = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${observer.pid}/status`, "utf8"))[1]
const cpu_seconds = (Number(usage[13]) + Number(usage[14])) / 100
const stats = await (await fetch(ready.controlUrl)).json()
const askedMs = Date.now()
observer.kill("SIGINT")
const code = await ended(observer)
const drain_ms = Date.now() - askedMs
const replay = spawnSync(process.execPath, [program("replay"), "--dry-run"], { env, encoding: "utf8" })
simulator.stdin.end()

const records = readdirSync(env.OBSERVER_DATA_DIR, { recursive: true })
  .filter((name) => name.endsWith(".jsonl") && !name.endsWith("MANIFEST.jsonl"))
  .sort()
  .flatMap((name) => readFileSync(join(env.OBSERVER_DATA_DIR, name), "utf8").trimEnd().split("\n"))
  .map((line) => JSON.parse(line))
rmSync(work, { recursive: true })

const seen = new Map()
for (const { receivedAt, symbol } of records) if (symbol && !seen.has(symbol)) seen.set(symbol, Date.parse(receivedAt))
const times = [...seen.values()].sort((a, b) => a - b)
const sweeps = records.filter(({ payload }) => payload.event === "sweep").map(({ payload }) => payload.took_ms)
const steady = sweeps.slice(1)
const after = (ms) => `${((ms - startedMs) / 1_000).toFixed(1)} s`

const rows = [
  ["machine", `${cpus().length} cores, Node ${process.version}, ${new Date().toISOString().slice(0, 10)}`],
  ["first record after the start of the process", after(times[0])],
  [`all ${seen.size} symbols seen`, after(times.at(-1))],
  [
    "one sweep, median (least – most)",
    `${median(steady)} ms (${Math.min(...steady)} – ${Math.max(...steady)}), ${steady.length} sweeps`
  ],
  ["the limit: 67 calls at 18 a second", `${Math.round((67 / 18) * 1_000)} ms`],
  ["calls answered, refused (the simulator's count)", `${stats.answered}, ${stats.refusals}`],
  ["records in the journal", String(records.length)],
  [
    "observer's processor time and memory",
    `${((cpu_seconds / seconds) * 100).toFixed(0)} % of a core, ${Math.round(memory / 1_000)} MB`
  ],
  ["from Ctrl-C to the end", `${drain_ms} ms, exit code ${code}`],
  [
    "journal against SQL",
    replay.stdout
      .trim()
      .split("\n")
      .at(-1)
      .replace(/^.*: (?=\d+ data lines)/, "")
  ]
]
for (const [what, value] of rows) console.log(`${what.padEnd(50)} ${value}`)
