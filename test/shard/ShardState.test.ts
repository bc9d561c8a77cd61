import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import type { RecordDraft } from "../../src/domain/JournalRecord.ts"
import { expectedPhase } from "../../src/calendar/Phases.ts"
import { tradeSighting } from "../../src/feed/KisTrade.ts"
import { decodeFrame } from "../../src/kis/Frame.ts"
import { type Judgement, ShardState } from "../../src/shard/ShardState.ts"
import { frameOf, tradeValues } from "../feed/frames.ts"
import { capturedFrames } from "../support/samples.ts"
import { heartbeat_ms, quote, tenMs } from "./fixtures.ts"
import { plainJudge, plainTrade } from "./plainModel.ts"

const symbols = new Set(["005930", "000660", "000400", "000100", "005380"])
const stateOf = () => new ShardState({ symbols, heartbeat_ms, session: { phaseAt: expectedPhase } })

const sightingsOf = (text: string, receivedAtMs: number) => {
  const frame = decodeFrame(text)
  if (frame._tag !== "Records") throw new Error(`${text} is malformed`)
  return frame.records.map((values) => tradeSighting(values, receivedAtMs, frame.extraColumns))
}
const deliveryOf = (text: string, receivedAtMs: number) => ({
  source: "kis-ws" as const,
  account: "main",
  sightings: sightingsOf(text, receivedAtMs)
})

/** What only counters tell; they have tests of their own. */
const ofCounters = /^(volumeOnly|lostBefore):/
const isOfSource = ({ kind }: RecordDraft) => kind !== "gap"

/** What was written of what came, in the model's words. */
const wordsOf = ({ drafts }: Judgement): ReadonlyArray<string> =>
  drafts
    .filter(isOfSource)
    .map(({ kind, payload, quality }) =>
      kind === "reject" && "reason" in payload
        ? String(payload.reason)
        : ["store", ...(quality?.flags ?? []).filter((flag) => !ofCounters.test(flag))].join(" ")
    )

/** Holds the fast way against the plain one, record by record. */
const assertAlike = (chunks: ReadonlyArray<{ readonly text: string; readonly receivedAtMs: number }>) => {
  const state = stateOf()
  const judge = plainJudge(symbols)
  for (const { receivedAtMs, text } of chunks) {
    const [, , count, body = ""] = text.split("|")
    const values = body.split("^")
    const width = values.length / Number(count)
    const records = Array.from({ length: Number(count) }, (_, at) => values.slice(at * width, (at + 1) * width))
    const trades = records.map((record) => plainTrade(record, receivedAtMs))
    const verdicts = trades.map((trade) => judge(trade, receivedAtMs))
    const delivery = deliveryOf(text, receivedAtMs)
    for (const [at, sighting] of delivery.sightings.entries()) {
      assert.deepInclude(sighting, { ...trades[at], kind: "trade", venue: "KRX", receivedAtMs })
      assert.deepStrictEqual(sighting.payload, records[at])
    }
    const judgement = state.judge([delivery])
    const written = verdicts.filter((verdict) => verdict !== "duplicate")
    assert.deepStrictEqual(wordsOf(judgement), written)
    const kept = trades.filter((_, at) => verdicts[at]?.startsWith("store"))
    for (const [at, draft] of judgement.drafts.filter(({ kind }) => kind === "trade").entries()) {
      const found = kept[at]
      if (found === undefined) return assert.fail("a record was made of nothing")
      const { flags: _flags, phase = expectedPhase(receivedAtMs), ...trade } = found
      assert.deepInclude(draft, { ...trade, phase, source: "kis-ws", account: "main", receivedAtMs })
      const lagMs = trade.exchangeAtMs === undefined ? undefined : receivedAtMs - trade.exchangeAtMs
      assert.strictEqual(draft.quality?.lagMs, lagMs)
    }
    state.remember(judgement)
  }
}

describe("what a shard makes of records", () => {
  it("is what the plain model makes of the captured ones, and of each of them twice", () => {
    const frames = capturedFrames.filter(({ tr }) => tr === "H0STCNT0").map(({ frame }) => frame)
    assertAlike([...frames, ...frames.toReversed()].map((text, at) => ({ text, receivedAtMs: tenMs + at * 400 })))
  })

  const Text = Schema.Literals([
    "",
    " ",
    "0",
    "-0",
    "-5",
    "12",
    "0012",
    "1e5",
    "1.5",
    "n/a",
    "\u0000",
    "9999999999999999999"
  ])
  const Record = Schema.Struct({
    symbol: Schema.Literals(["005930", "005930", "005930", "000660", " 005930 ", "999999", ""]),
    hour: Schema.Literals(["100000", "100001", "235959", "246000", ""]),
    date: Schema.Literals(["20261124", "20261124", "20261124", "20261125", "20260231", ""]),
    side: Schema.Literals(["1", "5", ""]),
    hourClass: Schema.Literals(["0", "0", "A", "B", "C", ""]),
    market: Schema.Literals(["1", "2", "3", "5", "9", ""]),
    cumVolume: Schema.Union([Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 30 })), Text]),
    wrong: Schema.Struct({ column: Schema.Literals([2, 10, 11, 12, 45]), text: Text }),
    isWrong: Schema.Literals([true, false, false, false])
  })
  const valuesOf = (record: typeof Record.Type) =>
    tradeValues({
      0: record.symbol,
      1: record.hour,
      13: String(record.cumVolume),
      21: record.side,
      33: record.date,
      43: record.hourClass,
      46: record.market,
      ...(record.isWrong ? { [record.wrong.column]: record.wrong.text } : {})
    })

  it.prop(
    "is what the plain model makes of any, blank, garbled, late and repeated ones included",
    [Schema.NonEmptyArray(Schema.NonEmptyArray(Record))],
    ([frames]) =>
      assertAlike(
        frames.map((records, at) => ({
          text: frameOf(...records.slice(0, 20).map(valuesOf)),
          receivedAtMs: tenMs + at * 700
        }))
      ),
    { arbitrary: { runs: 300, size: 40 } }
  )

  const Chunk = Schema.Struct({ records: Schema.NonEmptyArray(Record), crashes: Schema.Literals([0, 0, 1, 2]) })
  it.prop(
    "is the same after judgements that were never written",
    [Schema.Array(Chunk)],
    ([chunks]) => {
      const [state, model] = [stateOf(), stateOf()]
      for (const [at, { crashes, records }] of chunks.entries()) {
        const deliveries = [deliveryOf(frameOf(...records.map(valuesOf)), tenMs + at * 700)]
        for (let crash = 0; crash < crashes; crash++) state.judge(deliveries)
        const judgement = state.judge(deliveries)
        const expected = model.judge(deliveries)
        assert.deepStrictEqual(judgement.drafts, expected.drafts)
        assert.deepStrictEqual(judgement.outcomes, expected.outcomes)
        state.remember(judgement)
        model.remember(expected)
      }
    },
    { arbitrary: { runs: 200, size: 20 } }
  )
})

describe("a judgement", () => {
  it("counts every record once, by its source", () => {
    const state = stateOf()
    const rest = {
      source: "kis-rest" as const,
      account: "main",
      sightings: [quote("a", tenMs), quote("a", tenMs + 1), quote("b", tenMs + 2, { price: 0 })]
    }
    const stream = deliveryOf(frameOf(tradeValues({ 13: "1" }), tradeValues({ 0: "999999" })), tenMs)
    assert.deepStrictEqual(state.judge([rest, stream]).outcomes, [
      { source: "kis-rest", counted: { stored: 1, rejected: 1, deduplicated: 1 } },
      { source: "kis-ws", counted: { stored: 1, rejected: 1, deduplicated: 0 } }
    ])
  })

  it("gives each record the phase of its own second, also where the phase changes within a chunk", () => {
    const state = stateOf()
    const openMs = tenMs - 3_600_000
    const sightings = [-1_000, -1, 0, 999].map((offset) => quote(`${offset}`, openMs + offset))
    const { drafts } = state.judge([{ source: "kis-rest", account: "main", sightings }])
    assert.deepStrictEqual(
      drafts.map(({ phase }) => phase),
      ["openingAuction", "openingAuction", "continuous", "continuous"]
    )
  })

  it("changes nothing until it is remembered", () => {
    const state = stateOf()
    const deliveries = [{ source: "kis-rest" as const, account: "main", sightings: [quote("a", tenMs)] }]
    const first = state.judge(deliveries)
    assert.deepStrictEqual(state.judge(deliveries), first)
    state.remember(first)
    assert.strictEqual(state.judge(deliveries).drafts.length, 0)
  })
})
