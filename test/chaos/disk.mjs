// Does to the folders of a running observer what happens to folders, and then holds the record against its lists:
// `npm run build && node test/chaos/disk.mjs [--symbols N] [--sql] [--only NAME,…]`
// The real program runs with its simulator, and with `--sql` its own database, data, log and state on a small tmpfs each. The faults, one after the other:
// `full` (data filled to the last byte), `readonly` (data covered by a read-only view of itself), `hour` (the folder of the
// hour removed), `removed` (the data folder removed as a whole), `renamed` (moved away), `unmounted` (the data disk covered by an
// empty one and brought back), `logFull`, `logRemoved`, `logFile` (observer.log alone removed) and `state` (removed as a whole).
// Of each it prints after how many seconds health said so, and how many after its end all was well again. At the end the
// program is asked to stop and `observer verify` must find nothing. Where this user may not mount it says so and tries nothing.
import { spawn, spawnSync } from "node:child_process"
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"

const { values } = parseArgs({
  options: {
    symbols: { type: "string", default: "100" },
    sql: { type: "boolean", default: false },
    only: { type: "string", default: "" }
  }
})
const root = fileURLToPath(new URL("../..", import.meta.url))
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
const run = (command, ...rest) => spawnSync(command, rest, { stdio: "ignore" }).status === 0

const work = mkdtempSync(join(tmpdir(), "observer-disks-"))
const at = (name) => join(work, name)
const mount = (name, size = "24m") => run("mount", "-t", "tmpfs", "-o", `size=${size}`, "tmpfs", at(name))
const unmount = (name) => run("umount", "-l", at(name))
const disks = ["data", "log", "state"]

const children = []
const cleanUp = () => {
  for (const child of children) child.kill("SIGKILL")
  for (const name of disks) while (unmount(name));
  rmSync(work, { recursive: true, force: true })
}
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => (cleanUp(), process.exit(130)))

for (const name of disks) mkdirSync(at(name))
if (!mount("data")) {
  console.log("skipped: this user may not mount a tmpfs (root may)")
  cleanUp()
  process.exit(0)
}
mount("log")
mount("state", values.sql ? "512m" : "24m")
// A folder on the disk, not the disk itself, so that it can be removed.
const folders = { data: at("data/observer"), log: at("log/observer"), state: at("state/observer") }

const env = {
  ...Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(OBSERVER|PHASE15|KIS)_|^DATABASE_URL$/.test(name))
  ),
  OBSERVER_SOURCE_MODE: "simulator",
  OBSERVER_SYMBOLS: `top:${values.symbols}`,
  OBSERVER_NODE: "chaos",
  OBSERVER_SQL: values.sql ? "on" : "off",
  OBSERVER_HTTP_PORT: "0",
  OBSERVER_DATA_DIR: folders.data,
  OBSERVER_LOG_DIR: folders.log,
  OBSERVER_STATE_DIR: folders.state
}
let stdout = ""
let stderr = ""
const child = spawn(process.execPath, [join(root, "dist/main.js")], { cwd: work, env })
children.push(child)
child.stdout.on("data", (bytes) => (stdout += bytes))
child.stderr.on("data", (bytes) => (stderr += bytes))
const exited = new Promise((resolve) => child.once("exit", resolve))

const fail = (words) => {
  console.log(`FAILED: ${words}`)
  console.log(stderr.slice(-2_000))
  console.log(stdout.slice(-4_000))
  cleanUp()
  process.exit(1)
}

/** Waits until something is so, and gives the seconds it took; `undefined` when it never is. */
const until = async (isSo, seconds_max) => {
  const startedMs = performance.now()
  while (performance.now() - startedMs < seconds_max * 1_000) {
    if (await isSo()) return (performance.now() - startedMs) / 1_000
    await wait(50)
  }
  return undefined
}

let health
const urlOf = () => /"health":"?(http:[^"\s]+\/health)/.exec(stdout)?.[1]
if ((await until(() => urlOf() !== undefined, 30)) === undefined) fail("it did not start within 30 s")
const look = async () => {
  health = await fetch(urlOf(), { signal: AbortSignal.timeout(5_000) }).then(
    (reply) => reply.json(),
    () => health
  )
  return health
}
const isWell = async () => {
  const { parts, ready } = await look()
  const isStored = parts.sql.status === "off" || parts.sql.status === "ok"
  return ready && parts.journal.status === "ok" && parts.disk.status === "ok" && isStored
}
const isRecording = async () => {
  const { seq } = (await look()).journal.head
  return (await until(async () => (await look()).journal.head.seq > seq, 10)) !== undefined
}
const stateOf = (name) => health.disk.folders.find((folder) => folder.name === name).state
const dataIs =
  (...states) =>
  async () => {
    const { parts } = await look()
    return parts.journal.status === "down" || states.includes(stateOf("data"))
  }
const folderIs = (name, state) => async () => (await look()) && stateOf(name) === state
const fill = (disk) => spawnSync("dd", ["if=/dev/zero", `of=${at(disk)}/filler`, "bs=64k"], { stdio: "ignore" })
const recordText = () =>
  readdirSync(folders.data, { recursive: true })
    .filter((name) => /-\d{12}\.jsonl(\.open)?$/.test(name))
    .map((name) => readFileSync(join(folders.data, name), "utf8"))
    .join("")
const hourOf = () => {
  const name = readdirSync(folders.data, { recursive: true }).find((each) => each.endsWith(".open"))
  return name === undefined ? undefined : join(folders.data, name, "..")
}
const logLines = () =>
  existsSync(join(folders.log, "observer.log")) ? readFileSync(join(folders.log, "observer.log"), "utf8") : ""

/** What is done, how it is noticed, how it ends, and whether what is lost of the past is meant to be lost. */
const faults = {
  full: {
    begin: () => fill("data"),
    noticed: dataIs("full"),
    end: () => rmSync(at("data/filler")),
    check: () => recordText().includes('"cause":"diskFull"')
  },
  readonly: {
    begin: () => run("mount", "--bind", at("data"), at("data")) && run("mount", "-o", "remount,ro,bind", at("data")),
    noticed: dataIs("readOnly"),
    end: () => unmount("data")
  },
  hour: {
    begin: () => rmSync(hourOf() ?? fail("no file is being written"), { recursive: true }),
    noticed: () => stdout.includes("the file being written was removed by somebody"),
    end: () => undefined
  },
  unmounted: {
    begin: () => mount("data"),
    noticed: dataIs("missing"),
    end: () => unmount("data"),
    check: () => readdirSync(folders.data).length > 0
  },
  removed: { begin: () => rmSync(folders.data, { recursive: true }), noticed: dataIs("missing"), end: () => undefined },
  renamed: {
    begin: () => renameSync(folders.data, `${folders.data}.away`),
    noticed: dataIs("missing"),
    end: () => undefined
  },
  logFull: { begin: () => fill("log"), noticed: folderIs("log", "full"), end: () => rmSync(at("log/filler")) },
  logRemoved: {
    begin: () => rmSync(folders.log, { recursive: true }),
    noticed: folderIs("log", "missing"),
    end: () => undefined,
    check: () => logLines() !== ""
  },
  logFile: {
    begin: () => rmSync(join(folders.log, "observer.log")),
    noticed: () => stderr.includes("was removed or renamed by somebody"),
    end: () => undefined,
    check: () => until(() => existsSync(join(folders.log, "observer.log")), 5)
  },
  state: {
    begin: () => rmSync(folders.state, { recursive: true }),
    noticed: folderIs("state", "missing"),
    end: () => undefined
  }
}

/** Beside the running program, too. */
const verify = () => {
  const cli = join(root, "dist/cli.js")
  const said = spawnSync(process.execPath, [cli, "verify", "--no-sql"], { cwd: work, env, encoding: "utf8" })
  if (said.status !== 0) fail(`verify ends with ${said.status}: ${said.stdout} ${said.stderr}`)
  return said.stdout
}

if ((await until(isWell, values.sql ? 60 : 30)) === undefined || !(await isRecording())) fail("it does not record")
const asked = values.only === "" ? Object.keys(faults) : values.only.split(",")
const noticed_seconds_max = 5
const rows = []
for (const name of asked) {
  const { begin, check, end, noticed } = faults[name] ?? fail(`there is no fault ${name}`)
  stderr = ""
  begin()
  const noticed_seconds = await until(noticed, noticed_seconds_max + 5)
  if (noticed_seconds === undefined) fail(`${name} was not noticed: ${JSON.stringify(health.disk)}`)
  if (noticed_seconds > noticed_seconds_max) fail(`${name} was noticed after ${noticed_seconds.toFixed(1)} s`)
  end()
  const well_seconds = await until(isWell, values.sql ? 90 : 30)
  if (well_seconds === undefined) fail(`${name}: it is not well again: ${JSON.stringify([health.parts, health.disk])}`)
  if (!(await isRecording())) fail(`${name}: nothing is recorded afterwards`)
  if (check !== undefined && !(await check())) fail(`${name}: what was to be there again is not`)
  verify()
  rows.push({ name, noticed_seconds, well_seconds })
  console.log(
    `${name.padEnd(12)} noticed after ${noticed_seconds.toFixed(1)} s, well again ${well_seconds.toFixed(1)} s after its end`
  )
}

child.kill("SIGTERM")
const code = await exited
if (code !== 0) fail(`it ended with ${code}`)
console.log(verify().trim())
cleanUp()
const slowest = Math.max(...rows.map(({ noticed_seconds }) => noticed_seconds))
console.log(
  `${rows.length} faults of folders: noticed within ${slowest.toFixed(1)} s, recovered without a restart, nothing is wrong with the record`
)
process.exit(0)
