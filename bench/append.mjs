// What an append costs, and how soon it is acknowledged: `npm run build && node bench/append.mjs [lines a round] [seconds]`.
//  1. The built journal (numbers, ids, lines, hash, the newest kept for followers, file on disk, manifest) beside a bare
//     `JSON.stringify` of each of the same finished records and one `write` per 1,000 lines into a file of the same folder.
//     Five rounds, both in turn over the same 1,000 records, which one first alternates; new records for every turn, made by
//     the real decoder and the real shard outside the measured time. A round ends with the journal's close, and that
//     is part of ours. Appended in chunks of several sizes, of each turn all at once, as shards do that do not wait for each
//     other. In the end the two files must be equal.
//  2. Appends that do not wait for each other at 5,000 records a second: from append to acknowledged, beside how late the event
//     loop's own timers are. The records are made on the same loop.
// Of ten records five are trades (46 or 47 values), three books (62 values), two quotes (rows of 29 and of 79 fields).
import { Context, Effect, Layer, Logger } from "effect"
import { closeSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from "node:fs"
import { cpus } from "node:os"
import { join } from "node:path"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { expectedPhase } from "../dist/calendar/Phases.js"
import { marketHour, marketInstant } from "../dist/calendar/MarketTime.js"
import { makeNumberer } from "../dist/domain/JournalRecord.js"
import { bookSighting } from "../dist/feed/KisBook.js"
import { multiPriceSighting, priceSighting } from "../dist/feed/KisQuote.js"
import { tradeSighting } from "../dist/feed/KisTrade.js"
import { Disk } from "../dist/journal/Disk.js"
import { Journal } from "../dist/journal/Journal.js"
import { decodeFrame } from "../dist/kis/Frame.js"
import { ShardState } from "../dist/shard/ShardState.js"

const lines_round = Number(process.argv[2] ?? 100_000)
const open_seconds = Number(process.argv[3] ?? 10)
const rounds = 5
const turn_lines = 1_000
const node = "bench"
const symbols = Array.from({ length: 40 }, (_, at) => String(5_930 + at * 110).padStart(6, "0"))
const openMs = marketInstant("20260914", "100000")

const fixture = (name) => readFileSync(new URL(`../test/fixtures/kis/${name}`, import.meta.url), "utf8")
const frames = fixture("ws-frames.jsonl")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line))
const recordsOf = (trId, ...widths) =>
  frames
    .filter(({ columns, tr }) => tr === trId && widths.includes(columns))
    .flatMap(({ columns, count, frame }) => {
      const values = frame.split("|")[3].split("^")
      return Array.from({ length: count }, (_, at) => values.slice(at * columns, (at + 1) * columns))
    })
const trades = recordsOf("H0STCNT0", 46, 47)
const books = recordsOf("H0STASP0", 62)
const [multiPrice] = JSON.parse(fixture("rest/portal_intstock_multprice.json")).body.output
const singlePrice = JSON.parse(fixture("rest/portal_inquire_price.json")).body.output

/** The same numbers in every run. */
let seed = 20_260_914
const upTo = (limit) => {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
  return seed % limit
}

/** Texts off the wire, each its own and none of them seen before; `made` is how many there were. */
let made = 0
let volume = 1_000_000

/** What each symbol has traded so far: counters as the exchange keeps them, for trades that do not follow from each other are losses. */
const traded = new Map(symbols.map((symbol) => [symbol, { shares: 0, buys: 0, bought: 0 }]))
const nextTrade = (symbol) => {
  const day = traded.get(symbol)
  const shares = upTo(500) + 1
  day.shares += shares
  day.buys += 1
  day.bought += shares
  return { 12: shares, 13: day.shares, 15: 0, 16: day.buys, 19: 0, 20: day.bought, 21: "1" }
}
const frameOf = (trId, values, changes) =>
  Buffer.from(`0|${trId}|001|${values.map((value, column) => changes[column] ?? value).join("^")}`).toString()
const replyOf = (row, changes) => Buffer.from(JSON.stringify({ ...row, ...changes })).toString()
const recordOf = (text) => decodeFrame(text).records[0]

const sighting = (receivedAtMs) => {
  const symbol = symbols[upTo(symbols.length)]
  const hour = marketHour(receivedAtMs)
  const price = 50_000 + upTo(900) * 100
  volume += upTo(500) + 1
  const kind = made++ % 10
  if (kind < 5) {
    const told = { 0: symbol, 33: "20260914", 1: hour, 2: price, 10: price + 100, 11: price, 43: "0" }
    const changes = { ...told, ...nextTrade(symbol) }
    return tradeSighting(recordOf(frameOf("H0STCNT0", trades[upTo(trades.length)], changes)), receivedAtMs, 0)
  }
  if (kind < 8) {
    const changes = { 0: symbol, 1: hour, 3: price + 100, 13: price, 53: volume }
    return bookSighting(recordOf(frameOf("H0STASP0", books[upTo(books.length)], changes)), receivedAtMs, 0)
  }
  if (kind < 9) {
    const changes = { inter_shrn_iscd: symbol, inter2_prpr: String(price), acml_vol: String(volume) }
    return multiPriceSighting(JSON.parse(replyOf(multiPrice, changes)), receivedAtMs)
  }
  const changes = { stck_prpr: String(price), acml_vol: String(volume) }
  return priceSighting(symbol, JSON.parse(replyOf(singlePrice, changes)), receivedAtMs)
}

/** Drafts as a shard makes them of as many things seen, several in each millisecond. */
const makeDrafts = (state, count) => {
  const sightings = Array.from({ length: count }, () => sighting(openMs + Math.floor(made / 5)))
  const judgement = state.judge([{ source: "kis-ws", account: "main", sightings }])
  state.remember(judgement)
  if (judgement.drafts.length !== count) throw new Error("a record was not stored")
  return judgement.drafts
}
const makeState = () =>
  new ShardState({ symbols: new Set(symbols), heartbeat_ms: 300_000, session: { phaseAt: expectedPhase } })

const cut = (drafts, size) =>
  Array.from({ length: Math.ceil(drafts.length / size) }, (_, at) => drafts.slice(at * size, (at + 1) * size))

mkdirSync(new URL("../var", import.meta.url), { recursive: true })
const folder = mkdtempSync(new URL("../var/bench-append-", import.meta.url).pathname)

const withJournal = (use) =>
  Effect.scoped(
    Effect.gen(function* () {
      const dataDir = mkdtempSync(join(folder, "journal-"))
      const options = { dataDir, node, segment_bytes: 128 << 20, fsync_ms: 200 }
      const journal = Context.get(yield* Layer.build(Layer.fresh(Journal.layer(options))), Journal)
      yield* Effect.forkScoped(journal.run)
      const result = yield* use(journal, dataDir)
      rmSync(dataDir, { recursive: true })
      return result
    })
  )

const cpu_ms = () => {
  const { system, user } = process.cpuUsage()
  return (system + user) / 1_000
}

/** The sealed files below a folder, the oldest first. */
const segmentsOf = (dataDir) =>
  readdirSync(dataDir, { recursive: true })
    .filter((path) => /-\d{12}\.jsonl$/.test(path))
    .sort((a, b) => a.slice(-18).localeCompare(b.slice(-18)))
    .map((path) => join(dataDir, path))

const settle = Effect.sleep("600 millis")

setFlagsFromString("--expose-gc")
const gc = runInNewContext("gc")
/** What the making of the records leaves behind is not for either to clear up: both begin with the young objects collected. */
const collected = Effect.sync(() => gc({ type: "minor" }))

/** One round of the first part. */
const round = (chunk) =>
  withJournal((journal, dataDir) =>
    Effect.gen(function* () {
      const state = makeState()
      const number = makeNumberer(node)
      const bareFile = openSync(join(dataDir, "bare"), "w")
      const took = { bare: 0, ours: 0, bareCpu: 0, oursCpu: 0, seal: 0 }
      let bytes = 0
      const bare = (records) => {
        bytes += writeSync(bareFile, `${records.map((record) => JSON.stringify(record)).join("\n")}\n`)
      }
      const ours = (chunks) =>
        Effect.forEach(chunks, (drafts) => journal.append(drafts), { concurrency: "unbounded", discard: true })
      const timed = (name, work) =>
        Effect.gen(function* () {
          const cpu = cpu_ms()
          const began = performance.now()
          yield* work
          took[name] += performance.now() - began
          took[`${name}Cpu`] += cpu_ms() - cpu
        })
      for (let done = 0; done < lines_round; done += turn_lines) {
        const drafts = makeDrafts(state, turn_lines)
        const records = drafts.map((draft, at) => number(draft, done + at + 1))
        const chunks = cut(drafts, chunk)
        const both = [
          timed(
            "bare",
            Effect.sync(() => bare(records))
          ),
          timed("ours", ours(chunks))
        ]
        if ((done / turn_lines) % 2 === 1) both.reverse()
        for (const one of both) {
          yield* collected
          yield* one
        }
      }
      closeSync(bareFile)
      // What is synced beside the appends is so by now, and not for the seal to wait for.
      yield* settle
      const began = performance.now()
      yield* journal.close
      took.seal = performance.now() - began
      took.ours += took.seal
      const written = Buffer.concat(segmentsOf(dataDir).map((path) => readFileSync(path)))
      if (!written.equals(readFileSync(join(dataDir, "bare")))) throw new Error("the two have not written the same")
      return { took, bytes }
    })
  )

/** One run of the second part: so many appends a second, each of so many records, whether or not the last is acknowledged. */
const openLoop = (appends_second, size) =>
  withJournal((journal) =>
    Effect.gen(function* () {
      const state = makeState()
      const interval_ms = 1_000 / appends_second
      const count = open_seconds * appends_second
      const waited_ms = []
      const late_ms = []
      let acknowledged = 0
      yield* Effect.callback((resume) => {
        const began = performance.now()
        let sent = 0
        const send = () => {
          while (sent < count && performance.now() >= began + sent * interval_ms) {
            late_ms.push(performance.now() - (began + sent * interval_ms))
            const drafts = makeDrafts(state, size)
            const at = performance.now()
            const told = Effect.sync(() => {
              waited_ms.push(performance.now() - at)
              acknowledged += 1
              if (acknowledged === count) resume(Effect.void)
            })
            Effect.runFork(Effect.andThen(journal.append(drafts), told))
            sent += 1
          }
          if (sent < count) setTimeout(send, began + sent * interval_ms - performance.now())
        }
        send()
      })
      yield* journal.close
      return { waited_ms, late_ms }
    })
  )

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]
const shown = (values, digits) =>
  `${median(values).toFixed(digits)} (${Math.min(...values).toFixed(digits)}–${Math.max(...values).toFixed(digits)})`
const share = (values, part) => values[Math.min(values.length - 1, Math.floor(values.length * part))]
const quantiles = (values) => {
  values.sort((a, b) => a - b)
  return [0.5, 0.99, 0.999, 1].map((part) => share(values, part).toFixed(2).padStart(8)).join("")
}

const program = Effect.gen(function* () {
  console.log(`${cpus().length} cores, Node ${process.version}`)
  yield* round(turn_lines)
  for (const chunk of [1_000, 50, 10]) {
    const measured = []
    for (let at = 0; at < rounds; at++) measured.push(yield* round(chunk))
    const bytes = measured[0].bytes / lines_round
    const line = (title, values, digits, unit) => console.log(`  ${title.padEnd(34)}${shown(values, digits)} ${unit}`)
    console.log(
      `${lines_round} lines of ${bytes.toFixed(0)} bytes a round, appends of ${chunk}, median of ${rounds} (least–most)`
    )
    const of = (name) => measured.map(({ took }) => took[name])
    const perLine = (name) => of(name).map((ms) => (ms / lines_round) * 1_000)
    line("JSON.stringify, write per 1,000", perLine("bare"), 2, "µs a line")
    line("append, seal included", perLine("ours"), 2, "µs a line")
    line("processor: bare", perLine("bareCpu"), 2, "µs a line")
    line("processor: append", perLine("oursCpu"), 2, "µs a line")
    line("seal", of("seal"), 1, "ms")
    line(
      "speed, append ÷ bare",
      measured.map(({ took }) => took.bare / took.ours),
      2,
      "(at least 1)"
    )
  }
  console.log(`5000 records a second for ${open_seconds} s, ms      p50     p99   p99.9     max`)
  for (const [appends, size] of [
    [100, 50],
    [500, 10],
    [1_000, 5]
  ]) {
    const { late_ms, waited_ms } = yield* openLoop(appends, size)
    console.log(
      `  ${String(appends).padStart(4)}/s of ${String(size).padEnd(3)} acknowledged after ${quantiles(waited_ms)}`
    )
    console.log(`                the loop's timers late by ${quantiles(late_ms)}`)
  }
})

try {
  await Effect.runPromise(Effect.provide(program, Layer.merge(Disk.layer, Logger.layer([]))))
} finally {
  rmSync(folder, { recursive: true, force: true })
}
