// What telemetry costs the observer at work: `npm run build && node bench/telemetry.mjs [seconds a window] [windows] [trades/s]`.
// Three observers of one simulator, each with an app key of its own, in turn: nothing sent, the default share of traces, and every trace;
// metrics and logs go with both. They run one after another, again and again, so that the machine's moods fall on all alike. The receiver
// is another process. Processor time is that of the observer's process, all threads, by /proc.
import { spawn } from "node:child_process"
import { cpus } from "node:os"
import { fileURLToPath } from "node:url"
import { median, startObserver, startSimulator } from "./support/observed.mjs"
import { cpuSecondsOf, residentOf } from "./support/processUsage.mjs"

const [seconds = 20, rounds = 3, trades = 4_000] = process.argv.slice(2).map(Number)
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

const sink = spawn(process.execPath, [fileURLToPath(new URL("./support/otlpSink.mjs", import.meta.url))], {
  stdio: ["pipe", "pipe", "inherit"]
})
const receiver = await new Promise((resolve) => sink.stdout.once("data", (text) => resolve(String(text).trim())))

const cases = {
  "nothing sent": {},
  "default share": { OTEL_EXPORTER_OTLP_ENDPOINT: receiver },
  "every trace": {
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver,
    OTEL_TRACES_SAMPLER: "always_on",
    OTEL_BSP_MAX_QUEUE_SIZE: "65536"
  }
}

const simulator = await startSimulator(["--trades-per-second", String(trades)])

/** A key of its own for each run: one key may ask for a token once a minute. */
let keys = 0
const newKey = () => {
  keys += 1
  return {
    OBSERVER_SOURCE_MODE: "kis",
    OBSERVER_SESSION: "always",
    KIS_APP_KEY: `PSbench${String(keys).padStart(29, "0")}`,
    KIS_APP_SECRET: "bench".repeat(36)
  }
}

const measure = async (variables) => {
  const observer = await startObserver({ ...simulator.env, ...newKey(), OBSERVER_SQL: "off", ...variables })
  try {
    await wait(15_000)
    const seq = async () => (await observer.health()).journal.head.seq
    const before = { atMs: performance.now(), cpu: cpuSecondsOf(observer.pid), seq: await seq() }
    await wait(seconds * 1_000)
    const took = (performance.now() - before.atMs) / 1_000
    const cpu = cpuSecondsOf(observer.pid) - before.cpu
    const records = (await seq()) - before.seq
    const { resident_mb } = residentOf(observer.pid)
    const metrics = await observer.metrics()
    const item = (result) =>
      metrics.get(`observer_telemetry_items_total{result="${result}",signal="traces"}`) ??
      metrics.get(`observer_telemetry_items_total{signal="traces",result="${result}"}`) ??
      0
    return {
      perSecond: records / took,
      percent: (cpu / took) * 100,
      micros: (cpu / records) * 1e6,
      resident_mb,
      sent: item("sent"),
      dropped: item("dropped")
    }
  } finally {
    await observer.stop()
    observer.remove()
  }
}

const results = Object.fromEntries(Object.keys(cases).map((name) => [name, []]))
for (let round = 0; round < rounds; round += 1) {
  for (const [name, variables] of Object.entries(cases)) results[name].push(await measure(variables))
}
console.log(
  `${rounds} rounds of ${seconds} s; ${cpus().length} cores, Node ${process.version}, ${new Date().toISOString().slice(0, 10)}\n`
)
console.log(`${"".padEnd(15)}records/s  % of a core (least–most)  µs a record  resident, MB  spans sent  let go`)
for (const [name, found] of Object.entries(results)) {
  const of = (key) => found.map((each) => each[key])
  const percents = of("percent")
  console.log(
    `${name.padEnd(15)}${median(of("perSecond")).toFixed(0).padStart(9)}  ` +
      `${`${median(percents).toFixed(1)} (${Math.min(...percents).toFixed(1)}–${Math.max(...percents).toFixed(1)})`.padStart(26)}  ` +
      `${median(of("micros")).toFixed(0).padStart(11)}  ${median(of("resident_mb")).toFixed(0).padStart(12)}  ` +
      `${median(of("sent")).toFixed(0).padStart(10)}  ${median(of("dropped")).toFixed(0).padStart(6)}`
  )
}
await simulator.stop()
sink.stdin.end()
process.exit()
