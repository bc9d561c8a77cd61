// The built programs as users run them, each in a process of its own, with settings and folders of their own.
import { spawn } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const program = (name) => fileURLToPath(new URL(`../../dist/${name}.js`, import.meta.url))
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
const endOf = (child) => new Promise((resolve) => child.once("exit", (code, signal) => resolve(signal ?? code)))

const clean = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(OBSERVER|KIS|PHASE15|OTEL)_|^DATABASE_URL$/.test(name))
)

const freePort = () =>
  new Promise((resolve) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address()
      probe.close(() => resolve(port))
    })
  })

/** The exchange, which ends with this process; `env` are the observer's settings that lead to it. */
export const startSimulator = async (flags) => {
  const child = spawn(process.execPath, [program("simulator"), "--port", "0", "--until-stdin-closes", ...flags], {
    env: clean,
    stdio: ["pipe", "pipe", "inherit"]
  })
  const ended = endOf(child)
  const said = new Promise((resolve) => child.stdout.once("data", (line) => resolve(JSON.parse(line))))
  const ready = await Promise.race([said, ended])
  if (ready?.ready !== true) throw new Error(`the simulator ended with ${ready}`)
  return {
    pid: child.pid,
    env: { OBSERVER_SOURCE_MODE: "simulator", KIS_REST_URL: ready.restUrl, KIS_WS_URL: ready.wsUrl },
    counts: async () => (await fetch(ready.controlUrl)).json(),
    stop: () => {
      child.stdin.end()
      return ended
    }
  }
}

/** The observer with `settings`, once it is ready; its folders go with `stop`, its output is its log file's. */
export const startObserver = async (settings, { flags = [] } = {}) => {
  const folder = mkdtempSync(join(tmpdir(), "observer-bench-"))
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const env = {
    ...clean,
    OBSERVER_NODE: "bench",
    OBSERVER_DATA_DIR: join(folder, "data"),
    OBSERVER_LOG_DIR: join(folder, "log"),
    OBSERVER_STATE_DIR: join(folder, "state"),
    OBSERVER_HTTP_PORT: String(port),
    ...settings
  }
  const child = spawn(process.execPath, [...flags, program("main")], { env, stdio: ["ignore", "ignore", "inherit"] })
  const ended = endOf(child)
  process.once("exit", () => child.kill("SIGKILL"))
  const ask = async (path) => {
    const answer = await fetch(`${url}${path}`, { signal: AbortSignal.timeout(10_000) })
    return { status: answer.status, text: await answer.text() }
  }
  const deadlineMs = Date.now() + 60_000
  const isReady = () =>
    ask("/readyz").then(
      ({ status }) => status === 200,
      () => false
    )
  while (!(await isReady())) {
    if (child.exitCode !== null || Date.now() > deadlineMs) {
      child.kill("SIGKILL")
      throw new Error(
        `the observer ${child.exitCode === null ? "is not ready after 60 s" : "has ended"}; see ${folder}`
      )
    }
    await wait(100)
  }
  return {
    pid: child.pid,
    env,
    url,
    isRunning: () => child.exitCode === null && child.signalCode === null,
    /** Returns when it has answered that its loop turns. */
    alive: () => ask("/livez"),
    health: async () => JSON.parse((await ask("/health")).text),
    /** Every series with its labels as text, and its value. */
    metrics: async () =>
      new Map(
        (await ask("/metrics")).text.split("\n").flatMap((line) => {
          const [, series, value] = /^([a-zA-Z_:][^ {]*(?:\{.*\})?) (\S+)$/.exec(line) ?? []
          return series === undefined ? [] : [[series, Number(value)]]
        })
      ),
    /** Ends it in order, and gives its exit code or signal; the folders stay until `remove`. */
    stop: () => {
      child.kill("SIGTERM")
      return ended
    },
    remove: () => rmSync(folder, { recursive: true, force: true })
  }
}

/** `<program>` of dist/ with the observer's settings, to its end: its exit code and what it said. */
export const runProgram = (name, args, env) =>
  new Promise((resolve) => {
    const child = spawn(process.execPath, [program(name), ...args], { env, stdio: ["ignore", "pipe", "pipe"] })
    let said = ""
    let complained = ""
    child.stdout.on("data", (text) => (said += text))
    child.stderr.on("data", (text) => (complained += text))
    child.once("exit", (code, signal) => resolve({ code: signal ?? code, said, complained }))
  })

export const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]
