// How many stream records a second the simulator encodes and sends on one core, with a client in a process of its own that
// counts them, against a bare `ws` server that sends the same bytes ready-made. `node bench/simulatorStream.mjs [records]`
// after `npm run build`; five rounds of each in turn, the median and the spread.
import { fork } from "node:child_process"
import { readFileSync } from "node:fs"
import { createServer } from "node:http"
import { cpus } from "node:os"
import { fileURLToPath } from "node:url"
import { WebSocket, WebSocketServer } from "ws"

const rounds = 5
const symbols = 41
const burst = 4
const backlogMax = 1_048_576
const [role = "bench", given] = process.argv.slice(2)
const records = Number(Number(role) || given || 500_000)
const dist = (path) => import(new URL(`../dist/${path}`, import.meta.url))
const turn = () => new Promise((resolve) => setImmediate(resolve))
const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]

/** A market that makes trades as fast as it is asked to: bursts of four, each beat of 200 ms one burst per symbol. */
const makeMarket = async () => {
  const { parseUniverse, universeUrl } = await dist("domain/UniverseFile.js")
  const { untraded } = await dist("simulator/market/Issue.js")
  const { book } = await dist("simulator/market/trading.js")
  const { marketDate, marketHour } = await dist("calendar/MarketTime.js")
  const issues = parseUniverse(readFileSync(universeUrl, "utf8"))
    .filter(({ basePrice, flags, kind }) => kind === "common" && basePrice > 1_000 && flags === "")
    .slice(0, symbols)
    .map((entry) => untraded(entry, entry.basePrice, entry.previousVolume))
  for (const issue of issues) Object.assign(issue, { askSize: 11, bidSize: 12, totalAskSize: 130, totalBidSize: 140 })
  const byCode = new Map(issues.map((issue) => [issue.entry.code, issue]))
  let nowMs = Date.UTC(2026, 10, 24, 1)
  let date = marketDate(nowMs)
  let listener
  const unasked = () => undefined
  return {
    codes: issues.map(({ entry }) => entry.code),
    view: {
      nowMs: () => nowMs,
      date: () => date,
      phase: () => "continuous",
      issues,
      issue: (code) => byCode.get(code),
      index: unasked,
      reference: (issue) => issue.open,
      expected: unasked,
      opening: unasked
    },
    listen: (heard) => {
      listener = heard
    },
    step: () => {
      const hour = marketHour(nowMs)
      for (const issue of issues) {
        for (let made = 0; made < burst; made++) {
          const side = made % 2 === 0 ? "buy" : "sell"
          const price = side === "buy" ? issue.ask : issue.bid
          const trade = { hour, price, size: 1 + made, side, midpoint: false, venue: "KRX", session: "2" }
          Object.assign(trade, { hourClass: "0", operationCode: "20", auction: false })
          book(issue, trade)
          listener.onTrade(issue, trade)
        }
      }
      listener.onStepEnd()
      nowMs += 200
      date = marketDate(nowMs)
    }
  }
}

/** Serves the simulator's stream, and on another port a bare server that repeats one beat of its frames. */
const serve = async () => {
  const { Context, Effect, Layer } = await import("effect")
  const { Counters } = await dist("simulator/Counters.js")
  const { exchangeOptions, Options } = await dist("simulator/ExchangeOptions.js")
  const { StreamApi } = await dist("simulator/StreamApi.js")
  const { TokenDesk } = await dist("simulator/TokenDesk.js")
  const { mintApprovalKey } = await dist("simulator/desk/approvalKey.js")
  const market = await makeMarket()
  const lines = new Set()
  const program = Effect.gen(function* () {
    const layer = StreamApi.layerOf(market).pipe(
      Layer.provide(TokenDesk.layer),
      Layer.provide(Counters.layer),
      Layer.provide(Layer.succeed(Options, exchangeOptions({})))
    )
    const api = Context.get(yield* Layer.build(layer), StreamApi)
    const http = createServer().on("upgrade", (request, line, head) => {
      lines.add(line)
      line.on("close", () => lines.delete(line))
      api.upgrade(request, line, head)
    })
    const bare = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: false })
    bare.on("connection", (_socket, request) => lines.add(request.socket))
    const port = yield* Effect.promise(
      () => new Promise((resolve) => http.listen(0, "127.0.0.1", () => resolve(http.address().port)))
    )
    const drained = async () => {
      for (const line of lines) while (!line.destroyed && line.writableLength > backlogMax) await turn()
    }
    process.on("message", ({ frames, what }) => {
      const work = async () => {
        const before = process.cpuUsage()
        if (what === "simulator") {
          for (let made = 0; made < records; made += symbols * burst) {
            market.step()
            await drained()
          }
        } else {
          const ready = frames.map((text) => Buffer.from(text, "latin1"))
          const [socket] = bare.clients
          for (let made = 0; made < records; made += symbols * burst) {
            for (const frame of ready) socket.send(frame, { binary: false })
            await drained()
          }
        }
        const { system, user } = process.cpuUsage(before)
        process.send({ cpu_seconds: (system + user) / 1e6 })
      }
      void work()
    })
    const approvalKey = mintApprovalKey("BENCH", Date.now() / 1_000)
    process.send({ port, barePort: bare.address().port, codes: market.codes, approvalKey })
    yield* Effect.never
  })
  await Effect.runPromise(Effect.scoped(program))
}

/** Connects, registers where told to, and counts the records of every frame. */
const count = async () => {
  process.on("message", ({ approvalKey, codes, url }) => {
    const socket = new WebSocket(url, { perMessageDeflate: false, skipUTF8Validation: true })
    let acks = 0
    let seen = 0
    let beganAt = 0
    const frames = []
    const total = Math.ceil(records / (symbols * burst)) * symbols * burst
    socket.on("open", () => {
      if (approvalKey === undefined) return process.send({ ready: true })
      for (const trKey of codes) {
        const header = { approval_key: approvalKey, custtype: "P", tr_type: "1", "content-type": "utf-8" }
        socket.send(JSON.stringify({ header, body: { input: { tr_id: "H0STCNT0", tr_key: trKey } } }))
      }
    })
    socket.on("message", (data) => {
      if (data[0] !== 0x30) {
        acks += 1
        if (acks === codes.length) process.send({ ready: true })
        return
      }
      if (seen === 0) beganAt = performance.now()
      // The three digits behind `0|H0STCNT0|`.
      seen += (data[11] - 48) * 100 + (data[12] - 48) * 10 + (data[13] - 48)
      if (frames.length < symbols) frames.push(data.toString("latin1"))
      if (seen < total) return
      process.send({ seen, frames, took_seconds: (performance.now() - beganAt) / 1_000 })
      socket.close(1000)
    })
  })
}

const bench = async () => {
  const self = fileURLToPath(import.meta.url)
  const server = fork(self, ["server", String(records)])
  const said = (child) => new Promise((resolve) => child.once("message", resolve))
  const { approvalKey, barePort, codes, port } = await said(server)
  let frames = []
  const round = async (what) => {
    const client = fork(self, ["client", String(records)])
    const isBare = what === "bare"
    client.send({ url: `ws://127.0.0.1:${isBare ? barePort : port}`, codes, ...(isBare ? {} : { approvalKey }) })
    await said(client)
    const spent = said(server)
    const counted = said(client)
    server.send({ what, frames })
    const { frames: some, seen, took_seconds } = await counted
    const { cpu_seconds } = await spent
    if (!isBare) frames = some
    client.kill()
    return { wall: seen / took_seconds, core: seen / cpu_seconds }
  }
  const results = { simulator: [], bare: [] }
  await round("simulator")
  for (let at = 0; at < rounds; at++) for (const what of ["simulator", "bare"]) results[what].push(await round(what))
  server.kill()

  const line = (what, values) => {
    const [least, most] = [Math.min(...values), Math.max(...values)].map(Math.round)
    console.log(`${what.padEnd(58)} ${Math.round(median(values))} (${least} – ${most})`)
  }
  console.log(`${cpus().length} cores, Node ${process.version}, ${new Date().toISOString().slice(0, 10)}`)
  console.log(`${records} records of ${symbols} symbols, ${burst} a frame; median of ${rounds} (least – most)`)
  for (const [what, values] of Object.entries(results)) {
    line(
      `${what}: records a second, as the client counted them`,
      values.map(({ wall }) => wall)
    )
    line(
      `${what}: records per second of the server's processor`,
      values.map(({ core }) => core)
    )
  }
  const ratio = (key) => median(results.simulator.map((one) => one[key])) / median(results.bare.map((one) => one[key]))
  console.log(
    `simulator against bare ws: ${ratio("wall").toFixed(2)} by the clock, ${ratio("core").toFixed(2)} by the processor`
  )
}

await (role === "server" ? serve() : role === "client" ? count() : bench())
