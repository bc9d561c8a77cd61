// How much of a key's limit the call budget spends: the built client (budget and HTTP) against the built simulator, with
// jittered latency, both kinds of second and weather. `node bench/budget.mjs [seconds a round] [callers] [latency] [weather]`;
// five rounds, each a budget of its own. A ratio of 1.05 says that 67 calls take 1.05 × 67 ÷ 18 s. The bound that no client
// can beat without guessing when the broker counts is 1 + the mean latency; refusals come on top.
import { NodeHttpClient } from "@effect/platform-node"
import { Effect, Layer, Redacted } from "effect"
import { HttpClient } from "effect/http"
import { spawn } from "node:child_process"
import { cpus } from "node:os"
import { fileURLToPath } from "node:url"
import { AnswerBegun } from "../dist/kis/AnswerBegun.js"
import { makeCallBudget } from "../dist/kis/CallBudget.js"
import { exchange } from "../dist/kis/KisHttp.js"

const seconds = Number(process.argv[2] ?? 60)
const callers = Number(process.argv[3] ?? 8)
const latency = process.argv[4] ?? "5-80"
const weather = process.argv[5] ?? "0.005"
const rounds = 5
const limit = 18
const sweep = 67

const flags = ["--port", "0", "--until-stdin-closes", "--calls-per-second", String(limit), "--latency", latency]
const simulator = spawn(
  process.execPath,
  [fileURLToPath(new URL("../dist/simulator.js", import.meta.url)), ...flags, "--weather", weather],
  { stdio: ["pipe", "pipe", "inherit"] }
)
const { restUrl, wsUrl } = await new Promise((resolve, reject) => {
  simulator.once("exit", (code) => reject(new Error(`the simulator ended with code ${code}; npm run build first`)))
  simulator.stdout.once("data", (line) => resolve(JSON.parse(line)))
})

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]
const shown = (values, digits) =>
  `${median(values).toFixed(digits)} (${Math.min(...values).toFixed(digits)} – ${Math.max(...values).toFixed(digits)})`

/** One round: callers that call again as soon as they have an answer, or 200 ms after a refusal. */
const round = (key) =>
  Effect.gen(function* () {
    const client = yield* HttpClient.HttpClient
    const endpoints = { env: "live", place: "bench", restUrl, wsUrl }
    const account = { alias: "bench", appKey: Redacted.make(key), appSecret: Redacted.make("SECRET"), endpoints }
    const budget = yield* makeCallBudget(limit)
    const latencies = []
    /** From sending to the head of the answer: what a place is taken for beside its second. */
    const timed = (exchanged) =>
      Effect.gen(function* () {
        const begun = yield* AnswerBegun
        const sentAt = performance.now()
        const told = () => {
          latencies.push(performance.now() - sentAt)
          begun()
        }
        return yield* Effect.provideService(exchanged, AnswerBegun, told)
      })
    const call = (request) =>
      budget.spend(timed(Effect.provideService(exchange(account, request), HttpClient.HttpClient, client)), {
        caller: "sweep"
      })
    const { access_token } = yield* call({
      operation: "token",
      method: "POST",
      path: "/oauth2/tokenP",
      body: { grant_type: "client_credentials", appkey: account.appKey, appsecret: account.appSecret }
    })
    const query = Array.from({ length: 30 }, (_, at) => [
      [`FID_COND_MRKT_DIV_CODE_${at + 1}`, "J"],
      [`FID_INPUT_ISCD_${at + 1}`, "005930"]
    ]).flat()
    const ask = call({
      operation: "multiPrice",
      method: "GET",
      path: "/uapi/domestic-stock/v1/quotations/intstock-multprice",
      headers: {
        authorization: Redacted.make(`Bearer ${access_token}`),
        appkey: account.appKey,
        appsecret: account.appSecret,
        tr_id: "FHKST11300006",
        custtype: "P"
      },
      query
    })
    const started = { wall: performance.now(), cpu: process.cpuUsage() }
    const refusedBefore = (yield* budget.status).refusals
    const callsBefore = (yield* budget.status).calls
    let answered = 0
    const caller = ask.pipe(
      Effect.matchEffect({
        onSuccess: () => Effect.sync(() => answered++),
        onFailure: (error) => (error._tag === "KisThrottled" ? Effect.sleep("200 millis") : Effect.fail(error))
      }),
      Effect.forever
    )
    yield* Effect.all(
      Array.from({ length: callers }, () => caller),
      { concurrency: "unbounded", discard: true }
    ).pipe(Effect.timeoutOption(seconds * 1_000))
    const took_seconds = (performance.now() - started.wall) / 1_000
    const { user, system } = process.cpuUsage(started.cpu)
    const { calls, learntPerSecond, refusals } = yield* budget.status
    const bound = 1 + latencies.reduce((sum, each) => sum + each, 0) / latencies.length / 1_000
    return {
      ratio: took_seconds / (answered / limit),
      bound,
      lost: took_seconds / (calls - callsBefore) / (bound / limit) - 1,
      refused: (refusals - refusedBefore) / (calls - callsBefore),
      learnt: learntPerSecond,
      cpu: (user + system) / 1e6 / took_seconds
    }
  })

const all = Effect.forEach(
  Array.from({ length: rounds }, (_, at) => at),
  (at) => round(`PSBENCH${at}`)
).pipe(
  Effect.provide(
    NodeHttpClient.layerUndiciOptions({ keepAliveTimeout: 4_000, connect: { timeout: 5_000 } }).pipe(Layer.orDie)
  )
)
const results = await Effect.runPromise(all)
simulator.stdin.end()
const stats = (what) => results.map((result) => result[what])
const seconds67 = stats("ratio").map((ratio) => (ratio * sweep) / limit)
console.log(
  `${cpus().length} cores, Node ${process.version}; ${rounds} rounds of ${seconds} s, ${callers} callers, latency ${latency} ms, weather ${weather}`
)
console.log(`time over the limit's   ${shown(stats("ratio"), 4)}`)
console.log(`a sweep of ${sweep} calls    ${shown(seconds67, 3)} s; the limit's is ${(sweep / limit).toFixed(3)} s`)
console.log(`bound by latency        ${shown(stats("bound"), 4)}`)
console.log(
  `lost beside latency     ${shown(
    stats("lost").map((share) => share * 100),
    2
  )} %`
)
console.log(`share refused           ${shown(stats("refused"), 4)}`)
console.log(`rate at the end         ${shown(stats("learnt"), 0)}`)
console.log(`processor               ${shown(stats("cpu"), 3)} of one core`)
