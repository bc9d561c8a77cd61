// How many stream records a second the simulator makes and sends, from its market to the sockets of clients in a process of
// their own that count them, against a bare `ws` server that sends the same frames ready-made.
// `node bench/simulatorStream.mjs [seconds]` after `npm run build`; five rounds, the median and the spread.
import { fork, spawn } from "node:child_process"
import { readFileSync } from "node:fs"
import { cpus } from "node:os"
import { fileURLToPath } from "node:url"
import { WebSocket, WebSocketServer } from "ws"

const [role = "bench", given] = process.argv.slice(2)
const seconds = Number(given ?? (Number(role) || 3))
const rounds = 5
const sessions = 48
const slots = 41
const backlogMax = 1_048_576
const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
const cpu_seconds = (pid) => {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(" ")
  return (Number(fields[13]) + Number(fields[14])) / 100
}
/** The three digits behind `0|H0STCNT0|`. */
const recordsOf = (data) => (data[11] - 48) * 100 + (data[12] - 48) * 10 + (data[13] - 48)

/** Counts what comes on every socket it is told to open, and says so when asked. */
const client = () => {
  let seen = 0
  const frames = []
  const open = (url, keys, codes) => {
    const socket = new WebSocket(url, { perMessageDeflate: false, skipUTF8Validation: true })
    socket.on("message", (data) => {
      if (data[0] !== 0x30) return
      seen += recordsOf(data)
      if (frames.length < 500) frames.push(data.toString("latin1"))
    })
    socket.on("open", () => {
      for (const trKey of codes) {
        const header = { approval_key: keys, custtype: "P", tr_type: "1", "content-type": "utf-8" }
        socket.send(JSON.stringify({ header, body: { input: { tr_id: "H0STCNT0", tr_key: trKey } } }))
      }
    })
  }
  process.on("message", ({ lines, what }) => {
    if (what === "open") for (const { codes, key, url } of lines) open(url, key, codes)
    if (what === "frames") process.send(frames)
    if (what === "seen") process.send(seen)
  })
}

/** Sends the same frames to whoever connects, as fast as the socket takes them. */
const bare = () => {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: false }, () =>
    process.send(server.address().port)
  )
  process.on("message", (frames) => {
    const ready = frames.map((text) => Buffer.from(text, "latin1"))
    server.on("connection", (socket, request) => {
      const more = () => {
        if (socket.readyState !== socket.OPEN) return
        while (request.socket.writableLength < backlogMax)
          for (const frame of ready) socket.send(frame, { binary: false })
        setImmediate(more)
      }
      more()
    })
  })
}

const bench = async () => {
  const self = fileURLToPath(import.meta.url)
  const program = fileURLToPath(new URL("../dist/simulator.js", import.meta.url))
  const ask = (child, message) =>
    new Promise((resolve) => {
      child.once("message", resolve)
      child.send(message)
    })
  const { parseUniverse, universeUrl } = await import("../dist/domain/UniverseFile.js")
  const codes = parseUniverse(readFileSync(universeUrl, "utf8"))
    .filter(({ basePrice, flags }) => basePrice !== undefined && !flags.includes("H"))
    .sort((a, b) => b.basePrice * b.previousVolume - a.basePrice * a.previousVolume)
    .map(({ code }) => code)

  const measure = async (counter, pid) => {
    const results = []
    for (let round = 0; round < rounds; round++) {
      const before = { seen: await ask(counter, { what: "seen" }), cpu: cpu_seconds(pid), at: performance.now() }
      await wait(seconds * 1_000)
      const seen = (await ask(counter, { what: "seen" })) - before.seen
      const took = (performance.now() - before.at) / 1_000
      results.push({ wall: seen / took, core: seen / (cpu_seconds(pid) - before.cpu) })
    }
    return results
  }
  /** A simulator of its own, its sessions registered for what `codesOf` says. */
  const run = async (tradesPerSecond, codesOf) => {
    const flags = ["--port", "0", "--trades-per-second", String(tradesPerSecond), "--until-stdin-closes"]
    const started = [process.execPath, ["--max-semi-space-size=64", program, ...flags]]
    const simulator = spawn(...started, { stdio: ["pipe", "pipe", "inherit"] })
    const ready = await new Promise((resolve) => simulator.stdout.once("data", (line) => resolve(JSON.parse(line))))
    const lines = []
    for (let session = 0; session < sessions; session++) {
      const body = { grant_type: "client_credentials", appkey: `BENCH${session}`, secretkey: "SECRET" }
      const reply = await fetch(`${ready.restUrl}/oauth2/Approval`, { method: "POST", body: JSON.stringify(body) })
      const { approval_key: key } = await reply.json()
      lines.push({ url: ready.wsUrl, key, codes: codesOf(session) })
    }
    const counter = fork(self, ["client"])
    counter.send({ what: "open", lines })
    await wait(4_000)
    const made = await measure(counter, simulator.pid)
    const frames = await ask(counter, { what: "frames" })
    counter.kill()
    simulator.stdin.end()
    return { made, frames }
  }
  const own = await run(130_000, (session) => codes.slice(session * slots, (session + 1) * slots))
  const same = await run(40_000, () => codes.slice(0, slots))
  const { frames } = own

  const server = fork(self, ["bare"])
  const port = await new Promise((resolve) => server.once("message", resolve))
  server.send(frames)
  const other = fork(self, ["client"])
  other.send({ what: "open", lines: [{ url: `ws://127.0.0.1:${port}`, codes: [] }] })
  await wait(1_000)
  const limit = await measure(other, server.pid)
  other.kill()
  server.kill()

  const line = (what, values) => {
    const [least, most] = [Math.min(...values), Math.max(...values)].map(Math.round)
    console.log(`${what.padEnd(78)} ${Math.round(median(values))} (${least} – ${most})`)
  }
  console.log(`${cpus().length} cores, Node ${process.version}, ${new Date().toISOString().slice(0, 10)}`)
  console.log(
    `${sessions} sessions of ${slots} symbols; ${rounds} rounds of ${seconds} s, records a second, median (least – most)`
  )
  for (const [what, { made }] of Object.entries({
    "each session its own symbols": own,
    "all the same symbols": same
  })) {
    line(
      `${what}: as the clients counted them`,
      made.map(({ wall }) => wall)
    )
    line(
      `${what}: per second of processor time, market included`,
      made.map(({ core }) => core)
    )
    const ratio = median(made.map(({ core }) => core)) / median(limit.map(({ core }) => core))
    console.log(`${"  ratio to bare ws".padEnd(78)} ${ratio.toFixed(2)}`)
  }
  line(
    "bare ws, ready-made frames: per second of processor time",
    limit.map(({ core }) => core)
  )
}

await { bench, client, bare }[role in { bench, client, bare } ? role : "bench"]()
