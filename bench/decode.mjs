// What the data plane costs without any I/O, beside a bare loop that only splits the same frames:
// `npm run build && node bench/decode.mjs [frames] [frames a chunk]`.
//  - bare: `frame.split("^")`, nothing else and nothing kept.
//  - ours: frame → records → sightings → guard, duplicates, lateness, phase → drafts for the journal, in chunks of frames
//    as a session hands them on. The state of every symbol is kept, the drafts of a chunk are let go of with the next.
// The frames are of 40 symbols whose volume rises with every trade: the captured records of 47 columns, as many in a frame
// as the captured recording of 87 frames has, bursts of 20 among them; one record in a hundred comes twice.
import { readFileSync } from "node:fs"
import { expectedPhase } from "../dist/calendar/Phases.js"
import { marketHour, marketInstant } from "../dist/calendar/MarketTime.js"
import { tradeSighting } from "../dist/feed/KisTrade.js"
import { decodeFrame } from "../dist/kis/Frame.js"
import { ShardState } from "../dist/shard/ShardState.js"

const frames_count = Number(process.argv[2] ?? 50_000)
const rounds = 5
const symbols = Array.from({ length: 40 }, (_, at) => String(5_930 + at * 110).padStart(6, "0"))
/** Frames in a chunk: a quiet socket hands on one, one that is read at full speed 512. */
const chunk_frames = Number(process.argv[3] ?? 32)
const turn_chunks = 64
const openMs = marketInstant("20260914", "100000")

const fixture = (name) =>
  readFileSync(new URL(`../test/fixtures/kis/${name}`, import.meta.url), "utf8")
    .trim()
    .split("\n")

const captured = fixture("ws-frames.jsonl")
  .map((line) => JSON.parse(line))
  .filter(({ columns, tr }) => tr === "H0STCNT0" && columns === 47)
  .flatMap(({ count, frame }) => {
    const values = frame.split("|")[3].split("^")
    return Array.from({ length: count }, (_, at) => values.slice(at * 47, (at + 1) * 47))
  })
const counts = [
  ...new Map(
    fixture("ws/ticks-005930-20260608.csv")
      .slice(1)
      .map((line) => line.split(","))
      .map(([block, frame, count]) => [`${block}${frame}`, Number(count)])
  ).values()
]

/** The same numbers in every run. */
let seed = 20_260_914
const upTo = (limit) => {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
  return seed % limit
}

/** Makes the frames, as texts off the wire: each its own, and none of them seen before. */
const makeFrames = () => {
  const issues = symbols.map((symbol) => ({
    symbol,
    price: 50_000 + upTo(900) * 100,
    volume: upTo(5_000_000),
    last: ""
  }))
  return Array.from({ length: frames_count }, (_, at) => {
    const issue = issues[upTo(issues.length)]
    const count = counts[at % counts.length]
    const hour = marketHour(openMs + at * 20)
    const records = Array.from({ length: count }, () => {
      if (upTo(100) === 0 && issue.last !== "") return issue.last
      const size = upTo(500) + 1
      issue.volume += size
      issue.price += (upTo(3) - 1) * 100
      const changes = {
        0: issue.symbol,
        33: "20260914",
        1: hour,
        2: issue.price,
        10: issue.price + 100,
        11: issue.price,
        12: size
      }
      const values = captured[upTo(captured.length)].map((value, column) => changes[column] ?? value)
      values[13] = issue.volume
      issue.last = values.join("^")
      return issue.last
    })
    return Buffer.from(`0|H0STCNT0|${String(count).padStart(3, "0")}|${records.join("^")}`).toString()
  })
}

const bare = (frames) => {
  let values = 0
  for (const frame of frames) values += frame.split("^").length
  return values
}

const makeOurs = () => {
  const state = new ShardState({
    symbols: new Set(symbols),
    heartbeat_ms: 300_000,
    session: { phaseAt: expectedPhase }
  })
  const told = { stored: 0, rejected: 0, deduplicated: 0 }
  const run = (frames, from) => {
    const sightings = []
    for (const [at, text] of frames.entries()) {
      const frame = decodeFrame(text)
      const receivedAtMs = openMs + (from + at) * 20
      for (const values of frame.records) sightings.push(tradeSighting(values, receivedAtMs, frame.extraColumns))
    }
    const judgement = state.judge([{ source: "kis-ws", account: "main", sightings }])
    state.remember(judgement)
    const [{ counted }] = judgement.outcomes
    for (const what in counted) told[what] += counted[what]
    if (judgement.drafts.length !== counted.stored + counted.rejected) throw new Error("a record was lost")
  }
  return { run, told }
}

const frames = makeFrames()
const chunks = Array.from({ length: Math.ceil(frames.length / chunk_frames) }, (_, at) =>
  frames.slice(at * chunk_frames, (at + 1) * chunk_frames)
)
const records = frames.reduce((sum, frame) => sum + Number(frame.split("|")[2]), 0)

/** One round: both over the same chunks, in turns of a few, so that what disturbs the machine disturbs both alike. */
const round = () => {
  const took_ms = { bare: 0, ours: 0 }
  const { run, told } = makeOurs()
  for (let from = 0; from < chunks.length; from += turn_chunks) {
    const turn = chunks.slice(from, from + turn_chunks)
    const began = performance.now()
    for (const chunk of turn) bare(chunk)
    const between = performance.now()
    for (const [at, chunk] of turn.entries()) run(chunk, (from + at) * chunk_frames)
    took_ms.bare += between - began
    took_ms.ours += performance.now() - between
  }
  if (told.stored + told.rejected + told.deduplicated !== records) throw new Error("the sums are wrong")
  return { told, bare: records / took_ms.bare, ours: records / took_ms.ours }
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]
const shown = (values, digits) =>
  `${median(values).toFixed(digits)} (${Math.min(...values).toFixed(digits)}–${Math.max(...values).toFixed(digits)})`

const { told } = round()
const measured = Array.from({ length: rounds }, round)
console.log(
  `${records} records in ${frames.length} frames of ${symbols.length} symbols, ${chunk_frames} frames a chunk, median of ${rounds} (least–most)`
)
console.log(`  ${told.stored} stored, ${told.deduplicated} deduplicated, ${told.rejected} rejected`)
console.log(
  `bare split           ${shown(
    measured.map(({ bare }) => bare),
    0
  )} records/ms`
)
console.log(
  `decode, guard, state ${shown(
    measured.map(({ ours }) => ours),
    0
  )} records/ms`
)
console.log(
  `ratio                ${shown(
    measured.map(({ bare, ours }) => ours / bare),
    2
  )}, at least 0.7`
)
