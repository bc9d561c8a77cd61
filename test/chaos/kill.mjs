// Kills the built program with SIGKILL at random moments, again and again, and then holds what it left behind against
// what was promised: every line that could be read before a kill is there, `seq` has no hole, every file is in its
// manifest, and SQL has exactly the journal's data lines. `node test/chaos/kill.mjs [kills] [seed]`
import { spawn, spawnSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { journalProblems, manifestProblems, segmentsOf, textOf } from "../../scripts/checkSmoke.mjs"

const kills = Number(process.argv[2] ?? 20)
let seed = Number(process.argv[3] ?? Date.now() % 2 ** 31)
console.log(`${kills} kills, seed ${seed}`)
const random = () => (seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0) / 2 ** 32

const program = (name) => fileURLToPath(new URL(`../../dist/${name}.js`, import.meta.url))
const work = mkdtempSync(join(tmpdir(), "observer-chaos-"))
const dataDir = join(work, "data")
const clean = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(OBSERVER|KIS|PHASE15)_|^DATABASE_URL$/.test(name))
)
const env = {
  ...clean,
  ...(process.env.CHAOS_DATABASE_URL ? { DATABASE_URL: process.env.CHAOS_DATABASE_URL } : {}),
  OBSERVER_NODE: "chaos",
  OBSERVER_DATA_DIR: dataDir,
  OBSERVER_LOG_DIR: join(work, "log"),
  OBSERVER_STATE_DIR: join(work, "state"),
  OBSERVER_HTTP_PORT: "0",
  // Small segments, compressed at once, so that kills also fall into sealing and compressing.
  OBSERVER_SEGMENT_MB: "1",
  OBSERVER_GZIP_MINUTES: "0"
}
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
const start = () => spawn(process.execPath, [program("main")], { env, stdio: ["ignore", "ignore", "pipe"] })
const ended = (child) => new Promise((resolve) => child.once("exit", (code, signal) => resolve(signal ?? code)))

/** Every whole line on disk now, by its `seq`. */
const lines = () => {
  const found = new Map()
  for (const file of segmentsOf(dataDir)) {
    const text = textOf(file)
    for (const line of text.slice(0, text.lastIndexOf("\n") + 1).split("\n")) {
      if (line !== "") found.set(Number(/"seq":(\d+)/.exec(line)?.[1]), line)
    }
  }
  return found
}

const problems = []
let promised = new Map()
for (let kill = 1; kill <= kills; kill++) {
  const child = start()
  let said = ""
  child.stderr.on("data", (text) => (said += text))
  const exit = ended(child)
  const life = await Promise.race([wait(1_500 + random() * 4_000), exit])
  if (life !== undefined) problems.push(`start ${kill} ended by itself with ${life}: ${said}`)
  // A file sealed between two reads of this listing may be missed; it is checked in the next round.
  if (life === undefined) child.kill("SIGKILL")
  await exit
  const now = lines()
  for (const [seq, line] of promised)
    if (now.get(seq) !== line) problems.push(`kill ${kill}: seq ${seq} was there and is not`)
  promised = now
}
const last = start()
const exit = ended(last)
await Promise.race([wait(10_000), exit])
last.kill("SIGINT")
const code = await exit
if (code !== 0) problems.push(`the last run ended with ${code}`)
problems.push(...journalProblems(dataDir, 1), ...manifestProblems(dataDir))
const replay = spawnSync(process.execPath, [program("replay"), "--dry-run"], { env, encoding: "utf8" })
const verdict = `${replay.stdout}${replay.stderr}`.trim().split("\n").at(-1)
if (replay.status !== 0 || !verdict.endsWith("equal")) problems.push(`journal and SQL differ: ${verdict}`)
console.log(verdict)
for (const problem of problems.slice(0, 20)) console.log(`PROBLEM: ${problem}`)
rmSync(work, { recursive: true })
console.log(problems.length === 0 ? `${kills} kills, nothing lost` : `${problems.length} problems`)
process.exitCode = problems.length === 0 ? 0 : 1
