// Kills the built program with SIGKILL at random moments, again and again, while a market outside of it goes on at some
// thousands of records a second, and holds what it leaves behind against what was promised: every whole line that was on
// disk at a kill is there afterwards, unchanged, in whatever form its file is by then; every start succeeds; `seq` has no
// hole; every downtime is a gap; every file is in its manifest; SQL has exactly the journal's data lines.
// `node test/chaos/kill.mjs [--kills 20] [--seed N] [--rate 5000] [--sql auto|embedded|off] [--keep]`
import { spawn, spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { basename, join } from "node:path"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { gunzipSync } from "node:zlib"
import { journalProblems, manifestProblems, recordsOf } from "../../scripts/checkSmoke.mjs"
import { postgresBin, startPostgres } from "../../bench/support/postgres.mjs"

const { values: given } = parseArgs({
  options: {
    kills: { type: "string", default: "20" },
    seed: { type: "string", default: String(Date.now() % 2 ** 31) },
    rate: { type: "string", default: "5000" },
    sql: { type: "string", default: "auto" },
    keep: { type: "boolean", default: false }
  }
})
const kills = Number(given.kills)
let seed = Number(given.seed)
const random = () => (seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0) / 2 ** 32
const hasServer = given.sql === "auto" && postgresBin !== undefined
console.log(`${kills} kills, seed ${seed}, SQL ${hasServer ? "PostgreSQL" : given.sql === "off" ? "off" : "embedded"}`)

/** Of the whole market's trades about a third are of the 160 symbols that four keys stream. */
const tradesOfMarket = Number(given.rate) * 3
const program = (name) => fileURLToPath(new URL(`../../dist/${name}.js`, import.meta.url))
const work = mkdtempSync(join(tmpdir(), "observer-chaos-"))
const dataDir = join(work, "data")
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

const postgres = hasServer ? await startPostgres() : undefined
const flags = ["--port", "0", "--until-stdin-closes", "--held-after-abrupt-close-seconds", "0"]
const market = spawn(
  process.execPath,
  [program("simulator"), ...flags, "--trades-per-second", String(tradesOfMarket), "--seed", "7"],
  { stdio: ["pipe", "pipe", "inherit"] }
)
const { restUrl, wsUrl } = await new Promise((resolve) =>
  market.stdout.once("data", (line) => resolve(JSON.parse(line)))
)
const accounts = join(work, "accounts.json")
/** Other keys after every few lives: a key that connects again and again is held back, as it should be, and nothing would stream. */
const lives_key = 4
const useKeys = (life) => {
  const of = Math.floor(life / lives_key)
  const pair = (n) => ({ alias: `key-${n}`, appKey: `kill-key-${n}-${of}`, appSecret: `kill-secret-${n}-${of}` })
  writeFileSync(accounts, JSON.stringify([1, 2, 3, 4].map(pair)), { mode: 0o600 })
}
const port = await freePort()
const env = {
  ...clean,
  ...(postgres ? { DATABASE_URL: postgres.url } : {}),
  ...(given.sql === "off" ? { OBSERVER_SQL: "off" } : {}),
  KIS_ACCOUNTS: accounts,
  KIS_REST_URL: restUrl,
  KIS_WS_URL: wsUrl,
  OBSERVER_SESSION: "always",
  OBSERVER_NODE: "chaos",
  OBSERVER_DATA_DIR: dataDir,
  OBSERVER_LOG_DIR: join(work, "log"),
  OBSERVER_STATE_DIR: join(work, "state"),
  OBSERVER_HTTP_PORT: String(port),
  // Small segments, compressed at once, so that kills also fall into rotation, sealing and gzip.
  OBSERVER_SEGMENT_MB: "1",
  OBSERVER_GZIP_MINUTES: "0"
}
const start = () => spawn(process.execPath, [program("main")], { env, stdio: ["ignore", "ignore", "pipe"] })

const health = () => fetch(`http://127.0.0.1:${port}/health`).then((answer) => answer.json())

/** Until a run has begun to write what it streams; not for ever, for a run that cannot is killed as well. */
const streaming = async () => {
  const untilMs = Date.now() + 30_000
  while (Date.now() < untilMs) {
    const now = await health().catch(() => undefined)
    if (now?.conservation?.["kis-ws"]?.stored > 0) return
    await wait(50)
  }
}

const segment = /^chaos-(\d{12,})\.jsonl(\.gz|\.open)?$/
const segments = () =>
  (existsSync(dataDir) ? readdirSync(dataDir, { recursive: true }) : []).filter(
    (name) => segment.test(basename(name)) && !name.startsWith("quarantine")
  )
const contentOf = (path) => (path.endsWith(".gz") ? gunzipSync(readFileSync(path)) : readFileSync(path))
const digest = (bytes) => createHash("sha256").update(bytes).digest("hex")

/** What the disk holds of a segment at the moment of a kill, by its first `seq`: whole lines, their length and digest. */
const wholeLines = (name) => {
  const content = contentOf(join(dataDir, name))
  const length = content.lastIndexOf(10) + 1
  return { length, sha256: digest(content.subarray(0, length)) }
}

const problems = []
/** Segments of which nothing more is expected to change, and those that were not yet sealed at the newest kill. */
const promised = new Map()
const settle = (kill) => {
  const now = new Map(segments().map((name) => [segment.exec(basename(name))[1], name]))
  for (const [first, { length, sha256 }] of promised) {
    const name = now.get(first)
    if (name === undefined) {
      if (length > 0) problems.push(`kill ${kill}: the lines from seq ${Number(first)} on were there and are not`)
      continue
    }
    if (digest(contentOf(join(dataDir, name)).subarray(0, length)) !== sha256)
      problems.push(`kill ${kill}: ${name} does not begin with what was there`)
  }
}
/** After a kill only files of the last seconds can be unfinished; the others are in a manifest, and are looked at in the end. */
const promise = () => {
  promised.clear()
  for (const name of segments()) {
    const { mtimeMs } = statSync(join(dataDir, name))
    if (Date.now() - mtimeMs > 20_000) continue
    const first = segment.exec(basename(name))[1]
    // A kill between two steps of the compressor leaves a file in both forms.
    if (!promised.has(first) || !name.endsWith(".gz")) promised.set(first, wholeLines(name))
  }
}

for (let kill = 1; kill <= kills; kill++) {
  useKeys(kill)
  const child = start()
  let said = ""
  child.stderr.on("data", (text) => (said = `${said}${text}`.slice(-4_000)))
  const exit = ended(child)
  // One in eight falls into the start itself, the others into the market's full rate.
  const chance = random()
  const moment = chance < 1 / 8 ? wait(chance * 16_000) : streaming().then(() => wait(random() * 3_000))
  const life = await Promise.race([moment, exit])
  if (life === undefined) child.kill("SIGKILL")
  else problems.push(`start ${kill} ended by itself with ${life}: ${said}`)
  await exit
  settle(kill)
  promise()
  if (kill % 10 === 0) console.log(`${kill} kills, ${problems.length} problems, ${segments().length} files`)
}

useKeys(kills + lives_key)
const last = start()
const exit = ended(last)
const untilMs = Date.now() + 300_000
for (;;) {
  if ((await Promise.race([wait(1_000), exit])) !== undefined) break
  const now = await health().catch(() => undefined)
  const isCaughtUp =
    now?.ready === true && (now.sql === undefined || (now.sql.state === "ok" && now.sql.lag_seconds < 2))
  if (isCaughtUp) break
  if (Date.now() > untilMs) {
    problems.push(`after five minutes the last run has not caught up: ${JSON.stringify(now?.sql)}`)
    break
  }
}
last.kill("SIGINT")
const code = await exit
if (code !== 0) problems.push(`the last run ended with ${code}`)
market.stdin.end()
settle("the last")

/** Every start after another run is told with what was missed: a gap of cause `downtime` that reaches back to the newest record. */
let starts = 0
let records = 0
let newest
let awaited
for (const record of recordsOf(dataDir)) {
  records++
  if (awaited !== undefined) {
    const { cause, from, to } = record.payload
    if (record.kind !== "gap" || cause !== "downtime" || from > awaited.newest || to < awaited.at)
      problems.push(`the start at seq ${record.seq - 1} is not followed by its downtime`)
    awaited = undefined
  }
  if (record.kind === "marker" && record.payload.event === "start") {
    starts++
    if (newest !== undefined && newest < record.receivedAt) awaited = { newest, at: record.receivedAt }
  }
  newest = record.receivedAt
}
problems.push(...journalProblems(dataDir, 1), ...manifestProblems(dataDir))
console.log(`${records} records, ${starts} starts on record, ${segments().length} files`)
if (given.sql !== "off") {
  const replay = spawnSync(process.execPath, [program("replay"), "--dry-run"], { env, encoding: "utf8" })
  const verdict = `${replay.stdout}${replay.stderr}`.trim().split("\n").at(-1)
  if (replay.status !== 0 || !verdict.endsWith("equal")) problems.push(`journal and SQL differ: ${verdict}`)
  console.log(verdict)
}
for (const problem of problems.slice(0, 20)) console.log(`PROBLEM: ${problem}`)
await postgres?.remove()
if (given.keep) console.log(`kept: ${work}`)
else rmSync(work, { recursive: true })
console.log(problems.length === 0 ? `${kills} kills, nothing lost` : `${problems.length} problems`)
process.exitCode = problems.length === 0 ? 0 : 1
