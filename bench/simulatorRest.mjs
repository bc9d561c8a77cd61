// How many REST calls a second the built simulator answers with its limits off, beside a bare `node:http` server that
// sends the same bytes: `node bench/simulatorRest.mjs [seconds]`. Caller and server are two processes; five rounds, the
// two servers in turn, so that a busy machine troubles both alike. Nothing here is used by src/.
import { spawn } from "node:child_process"
import { createServer } from "node:http"
import { cpus } from "node:os"
import { fileURLToPath } from "node:url"
import { Pool } from "undici"

const seconds = Number(process.argv[2] ?? 2)
const rounds = 5
const connections = 16
const bare = process.argv[2] === "--bare"

if (bare) {
  // The other side of the comparison: this very file, as a server of one reply.
  process.once("message", ({ body, headers }) => {
    const server = createServer((_request, response) => {
      response.writeHead(200, { ...headers, "content-length": Buffer.byteLength(body) })
      response.end(body)
    })
    server.listen(0, "127.0.0.1", () => process.send(server.address().port))
  })
  process.once("disconnect", () => process.exit(0))
} else {
  const simulator = spawn(
    process.execPath,
    [
      fileURLToPath(new URL("../dist/simulator.js", import.meta.url)),
      "--port",
      "0",
      "--until-stdin-closes",
      "--calls-per-second",
      "0"
    ],
    { stdio: ["pipe", "pipe", "inherit"] }
  )
  const { restUrl } = await new Promise((resolve, reject) => {
    simulator.once("exit", (code) => reject(new Error(`the simulator ended with code ${code}; npm run build first`)))
    simulator.stdout.once("data", (line) => resolve(JSON.parse(line)))
  })
  const credentials = { appkey: "PSBENCH", appsecret: "SECRET" }
  const token = await fetch(`${restUrl}/oauth2/tokenP`, {
    method: "POST",
    body: JSON.stringify({ grant_type: "client_credentials", ...credentials })
  })
  const authorization = `Bearer ${(await token.json()).access_token}`

  const codes = ["005930", "000660", "035420", "005380", "051910", "068270", "035720", "207940", "005490", "105560"]
  const thirty = Array.from({ length: 30 }, (_, at) => codes[at % codes.length])
    .map((code, at) => `FID_COND_MRKT_DIV_CODE_${at + 1}=J&FID_INPUT_ISCD_${at + 1}=${code}`)
    .join("&")
  const quotations = "/uapi/domestic-stock/v1/quotations"
  const stock = "FID_COND_MRKT_DIV_CODE=J&FID_INPUT_ISCD=005930"
  const calls = [
    ["inquire-price", "FHKST01010100", stock],
    ["intstock-multprice, 30 issues", "FHKST11300006", thirty],
    ["inquire-asking-price-exp-ccn", "FHKST01010200", stock],
    ["inquire-ccnl", "FHKST01010300", stock],
    ["inquire-time-itemchartprice", "FHKST03010200", `${stock}&FID_INPUT_HOUR_1=153000`]
  ]

  /** Calls a second, through so many kept connections with one call under way on each. */
  const rate = async (origin, path, headers) => {
    const pool = new Pool(origin, { connections, pipelining: 1 })
    const end = performance.now() + seconds * 1_000
    let answered = 0
    const caller = async () => {
      while (performance.now() < end) {
        const { body, statusCode } = await pool.request({ path, method: "GET", headers })
        await body.dump()
        if (statusCode !== 200) throw new Error(`${path}: status ${statusCode}`)
        answered += 1
      }
    }
    const began = performance.now()
    await Promise.all(Array.from({ length: connections }, caller))
    const took_ms = performance.now() - began
    await pool.close()
    return (answered / took_ms) * 1_000
  }

  const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]
  const shown = (values) =>
    `${Math.round(median(values))} (${Math.round(Math.min(...values))} – ${Math.round(Math.max(...values))})`

  console.log(
    `${cpus().length} cores, Node ${process.version}, ${new Date().toISOString().slice(0, 10)}; ${rounds} rounds of ${seconds} s, ${connections} connections`
  )
  console.log("| call | bytes | simulator, calls/s | bare node:http, calls/s | ratio |")
  console.log("| --- | ---: | ---: | ---: | ---: |")
  for (const [what, trId, query] of calls) {
    const path = `${quotations}/${what.split(",")[0]}?${query}`
    const headers = { ...credentials, authorization, tr_id: trId, custtype: "P" }
    const reply = await fetch(restUrl + path, { headers })
    const body = await reply.text()
    if (JSON.parse(body).rt_cd !== "0") throw new Error(`${what}: ${body}`)
    const other = spawn(process.execPath, [fileURLToPath(import.meta.url), "--bare"], {
      stdio: ["ignore", "inherit", "inherit", "ipc"]
    })
    const listening = new Promise((resolve) => other.once("message", resolve))
    const sent = ["content-type", "tr_id", "tr_cont", "gt_uid"].map((name) => [name, reply.headers.get(name) ?? ""])
    other.send({ body, headers: Object.fromEntries(sent) })
    const origin = `http://127.0.0.1:${await listening}`
    const ours = []
    const theirs = []
    for (let round = 0; round < rounds; round++) {
      ours.push(await rate(restUrl, path, headers))
      theirs.push(await rate(origin, path, headers))
    }
    other.disconnect()
    const ratios = ours.map((value, round) => value / theirs[round])
    const ratio = `${median(ratios).toFixed(2)} (${Math.min(...ratios).toFixed(2)} – ${Math.max(...ratios).toFixed(2)})`
    console.log(`| ${what} | ${Buffer.byteLength(body)} | ${shown(ours)} | ${shown(theirs)} | ${ratio} |`)
  }
  simulator.stdin.end()
}
