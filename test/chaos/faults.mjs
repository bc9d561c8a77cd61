// Puts the simulator's faults up against the built observer, one by one and in random mixes, and holds its journal against
// the simulator's ledger: nothing missing outside declared gaps, nothing invented, nothing twice, and everything flows
// again without a human. `node test/chaos/faults.mjs [--only name,name] [--mixes 3] [--strikes 5] [--patience 120] [--seed 1]`
import { spawn, spawnSync } from "node:child_process"
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { faultNames } from "../../dist/simulator/faults/faultKinds.js"

const { values: given } = parseArgs({
  options: {
    only: { type: "string", default: "" },
    mixes: { type: "string", default: "3" },
    strikes: { type: "string", default: "5" },
    patience: { type: "string", default: "120" },
    seed: { type: "string", default: String(Date.now() % 2 ** 31) },
    symbols: { type: "string", default: "300" },
    keep: { type: "boolean", default: false }
  }
})
/** Faults strike from here on, seconds after the exchange's start, and for so long … */
const strikes_from = 4
const strikes_for = Number(given.strikes)
/** … and so long is the time to recover in: the broker holds the slot of a connection that was cut. */
const patience = Number(given.patience)
let seed = Number(given.seed)
const random = () => (seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0) / 2 ** 32

const program = (name) => fileURLToPath(new URL(`../../dist/${name}.js`, import.meta.url))
const clean = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(OBSERVER|KIS|PHASE15)_|^DATABASE_URL$/.test(name))
)
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
const ended = (child) => new Promise((resolve) => child.once("exit", (code, signal) => resolve(signal ?? code)))

const faultOf = (name) => ({
  fault: name,
  from: strikes_from,
  for: strikes_for,
  // What strikes every call or frame would leave nothing to compare.
  ...(["cut", "burst", "tokenDeskDown", "streamSilence", "pingpongStopped", "moreColumns"].includes(name)
    ? {}
    : { rate: 0.3 }),
  ...(name === "cut" ? { count: 1 } : {})
})

/** The exchange, with its first line read. */
const startExchange = async (folder, faults) => {
  const script = join(folder, "faults.json")
  writeFileSync(script, JSON.stringify({ faults }))
  const child = spawn(
    process.execPath,
    [program("simulator"), "--port", "0", "--ledger", join(folder, "ledger"), "--faults", script, "--seed", "7"],
    { stdio: ["ignore", "pipe", "inherit"] }
  )
  const line = await new Promise((resolve) => {
    let text = ""
    child.stdout.on("data", (part) => {
      text += part
      if (text.includes("\n")) resolve(text.slice(0, text.indexOf("\n")))
    })
  })
  return { child, ...JSON.parse(line) }
}

const fresh_ms = 1_500

/** Seconds since the newest record of sweep and stream; both must be young again. */
const silences = (records) =>
  Object.entries({ sweep: "quote", stream: "trade" }).map(([what, kind]) => {
    const last = records.findLast((record) => record.kind === kind)
    return [what, Date.now() - Date.parse(last?.receivedAt ?? 0)]
  })

const recordsOf = (dataDir) =>
  readdirSync(dataDir, { recursive: true })
    .filter((name) => /-\d{12,}\.jsonl(\.open)?$/.test(name))
    .flatMap((name) => readFileSync(join(dataDir, name), "utf8").split("\n").filter(Boolean))
    .map((line) => JSON.parse(line))

/** One life of the observer under these faults; gives what is wrong with it. */
const trial = async (faults) => {
  const folder = mkdtempSync(join(tmpdir(), "observer-faults-"))
  const problems = []
  const exchange = await startExchange(folder, faults)
  const env = {
    ...clean,
    OBSERVER_NODE: "faults",
    OBSERVER_DATA_DIR: join(folder, "data"),
    OBSERVER_LOG_DIR: join(folder, "log"),
    OBSERVER_STATE_DIR: join(folder, "state"),
    OBSERVER_HTTP_PORT: "0",
    OBSERVER_SQL: "off",
    OBSERVER_SYMBOLS: `top:${given.symbols}`,
    KIS_REST_URL: exchange.restUrl,
    KIS_WS_URL: exchange.wsUrl
  }
  const observer = spawn(process.execPath, [program("main")], { env, stdio: ["ignore", "ignore", "pipe"] })
  let said = ""
  observer.stderr.on("data", (text) => (said += text))
  const exit = ended(observer)
  let early = await Promise.race([wait((strikes_from + strikes_for + 1) * 1_000), exit])
  const began = Date.now()
  let silent = silences(recordsOf(env.OBSERVER_DATA_DIR))
  while (early === undefined && silent.some(([, ms]) => ms > fresh_ms) && Date.now() - began < patience * 1_000) {
    early = await Promise.race([wait(500), exit])
    silent = silences(recordsOf(env.OBSERVER_DATA_DIR))
  }
  if (early !== undefined) problems.push(`it ended by itself with ${early}: ${said.slice(0, 300)}`)
  for (const [what, ms] of silent) {
    if (ms > fresh_ms) problems.push(`the ${what} has not come back: silent for ${Math.round(ms / 1_000)} s`)
  }
  const recovery_seconds = Math.round((Date.now() - began) / 1_000)
  observer.kill("SIGTERM")
  const code = await exit
  if (early === undefined && code !== 0) problems.push(`it ended with ${code}: ${said.slice(0, 300)}`)
  const gone = ended(exchange.child)
  exchange.child.kill("SIGTERM")
  await gone
  const audit = spawnSync(
    process.execPath,
    [program("cli"), "audit-ledger", "--ledger", join(folder, "ledger"), "--journal", env.OBSERVER_DATA_DIR, "--json"],
    { env, encoding: "utf8", maxBuffer: 1 << 28 }
  )
  const report = JSON.parse(audit.stdout || "{}")
  if (!report.clean) problems.push(`the audit: ${JSON.stringify(report.total ?? audit.stderr)}`)
  const records = recordsOf(env.OBSERVER_DATA_DIR)
  if (problems.length === 0 || !given.keep) rmSync(folder, { recursive: true })
  else problems.push(`kept in ${folder}`)
  const gaps = records.filter(({ kind }) => kind === "gap").length
  const rejects = records.filter(({ kind }) => kind === "reject").length
  return {
    problems,
    words: `back after ${recovery_seconds} s; ${records.length} records, ${gaps} gaps, ${rejects} rejects`
  }
}

const names = given.only === "" ? faultNames : given.only.split(",").filter(Boolean)
const mixes = Array.from({ length: Number(given.mixes) }, () =>
  Array.from({ length: 3 }, () => faultNames[Math.floor(random() * faultNames.length)])
)
console.log(`${names.length} faults one by one, ${mixes.length} mixes, seed ${given.seed}`)
let failed = 0
for (const mix of [...names.map((name) => [name]), ...mixes]) {
  const { problems, words } = await trial([...new Set(mix)].map(faultOf))
  if (problems.length > 0) failed += 1
  console.log(`${problems.length === 0 ? "ok    " : "FAILED"} ${mix.join(" + ")}: ${words}`)
  for (const problem of problems) console.log(`       ${problem}`)
}
console.log(`${names.length + mixes.length - failed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
