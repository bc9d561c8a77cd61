import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { encodeLine, makeNumberer, type RecordDraft, recordKinds } from "../../src/domain/JournalRecord.ts"
import { LineEncoder } from "../../src/domain/LineEncoder.ts"
import { phases } from "../../src/domain/Phase.ts"
import { venues } from "../../src/domain/Venue.ts"

const number = makeNumberer("node")
const receivedAtMs = Date.UTC(2026, 10, 24, 0, 0, 0, 123)
const seen: RecordDraft = {
  kind: "trade",
  symbol: "005930",
  receivedAtMs,
  exchangeAtMs: receivedAtMs - 123,
  source: "kis-ws",
  account: "main",
  venue: "KRX",
  phase: "continuous",
  price: 70_000,
  payload: ["005930", "090000", "70000"]
}

const expected = (drafts: ReadonlyArray<RecordDraft>, firstSeq: number) =>
  drafts.map((draft, index) => `${encodeLine(number(draft, firstSeq + index))}\n`).join("")
const encoded = (encoder: LineEncoder, drafts: ReadonlyArray<RecordDraft>, firstSeq: number) =>
  Buffer.from(encoder.encode(drafts, firstSeq).bytes).toString("utf8")

/** What a text may be made of: what stands in JSON as it is, what has to be escaped, and what takes more than one byte. */
const units = [
  ..."0123456789.-+ AZaz~^|/<>&",
  ...`"\\\b\f\n\r\t\0\u0001\u001f\u007f\u0080\u00ff\u2028\u2029\ufeff\uffff`,
  ..."삼성전자é€😀",
  "\ud800",
  "\udbff",
  "\udc00",
  "\udfff"
]
const oddText = Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: units.length - 1 })))
const textOf = (picked: ReadonlyArray<number>) => picked.map((at) => units[at]).join("")

/** What may stand in a payload beside texts: nested, without a value in JSON, or with one of its own making. */
const oddValues: ReadonlyArray<unknown> = [
  0,
  -0,
  0.1,
  -1,
  2 ** 31,
  1e21,
  Number.NaN,
  Number.NEGATIVE_INFINITY,
  true,
  null,
  undefined,
  Symbol("none"),
  () => 1,
  new Date(receivedAtMs),
  { toJSON: (key: string) => `under ${key}` },
  { toJSON: () => undefined },
  Object.assign(["own"], { toJSON: (key: string) => `array under ${key}` }),
  { b: "2", a: ["1", { 값: undefined }], 7: "seven first" },
  [],
  {},
  Object.assign([], { length: 2 }),
  new Map([["a", 1]]),
  new String("boxed")
]
const OddValue = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: oddValues.length - 1 }))
const Whole = Schema.Int.check(Schema.isBetween({ minimum: -5, maximum: Number.MAX_SAFE_INTEGER }))
const Amount = Schema.Union([
  Schema.Finite,
  Whole,
  Schema.Literals([-1, -2]),
  Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 9_999 }))
])
const Instant = Schema.Int.check(Schema.isBetween({ minimum: receivedAtMs, maximum: receivedAtMs + 2 }))

const Part = Schema.Struct({
  kind: Schema.Literals(recordKinds),
  symbol: Schema.optionalKey(oddText),
  receivedAtMs: Instant,
  exchangeAtMs: Schema.optionalKey(Schema.Union([Instant, Schema.Literals([8.64e15 + 1, -1]), Schema.Finite])),
  source: Schema.Literals(["kis-ws", "kis-rest", "backfill", "observer"]),
  account: Schema.optionalKey(oddText),
  venue: Schema.optionalKey(Schema.Literals(venues)),
  phase: Schema.optionalKey(Schema.Literals(phases)),
  price: Schema.optionalKey(Amount),
  volume: Schema.optionalKey(Amount),
  cumVolume: Schema.optionalKey(Amount),
  ask: Schema.optionalKey(Amount),
  bid: Schema.optionalKey(Amount),
  flags: Schema.optionalKey(Schema.Array(oddText)),
  lagMs: Schema.optionalKey(Amount),
  isLagFirst: Schema.Boolean,
  values: Schema.Array(oddText),
  odd: Schema.Array(OddValue),
  shape: Schema.Literals(["texts", "mixed", "object", "value"])
})

/** Some amounts stand for those that are none. */
const oddAmount = (amount: number) => (amount === -1 ? Number.NaN : amount === -2 ? Number.POSITIVE_INFINITY : amount)

const payloadOf = ({ odd, shape, values }: typeof Part.Type): object => {
  const texts = values.map(textOf)
  const others = odd.map((at) => oddValues[at])
  if (shape === "texts") return texts
  if (shape === "mixed") return [...texts, ...others]
  if (shape === "object") return Object.fromEntries([...texts, ...others].map((value, at) => [texts[at] ?? at, value]))
  return others[0] as object
}

const draftOf = (part: typeof Part.Type): RecordDraft => {
  const { account, flags, isLagFirst, lagMs, odd: _, shape: __, symbol, values: ___, ...same } = part
  const { ask, exchangeAtMs, price } = part
  const lag = lagMs === undefined ? {} : { lagMs: oddAmount(lagMs) }
  const list = { flags: (flags ?? []).map(textOf) }
  return {
    ...same,
    ...(ask !== undefined && { ask: oddAmount(ask) }),
    ...(price !== undefined && { price: oddAmount(price) }),
    ...(exchangeAtMs !== undefined && { exchangeAtMs: oddAmount(exchangeAtMs) }),
    ...(symbol && { symbol: textOf(symbol) }),
    ...(account && { account: textOf(account) }),
    ...(flags && { quality: isLagFirst ? { ...lag, ...list } : { ...list, ...lag } }),
    payload: payloadOf(part)
  }
}

describe("the lines of a group", () => {
  it.prop(
    "are to the byte what JSON.stringify makes of the numbered records",
    [Schema.Array(Part), Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 2 ** 47 }))],
    ([parts, firstSeq]) => {
      const drafts = parts.map(draftOf)
      const encoder = new LineEncoder("node")
      // Twice: what it remembers of the first time must not show in the second.
      for (let time = 0; time < 2; time++) {
        assert.strictEqual(encoded(encoder, drafts, firstSeq), expected(drafts, firstSeq))
      }
    },
    { arbitrary: { runs: 300 } }
  )

  it("are so whatever stands in the payload, alone and among texts", () => {
    const encoder = new LineEncoder("node")
    for (const value of oddValues) {
      const payloads = [value, [value], ["1", value, "2"], { value }] as ReadonlyArray<object>
      const drafts = payloads.map((payload) => ({ ...seen, payload }))
      assert.strictEqual(encoded(encoder, drafts, 1), expected(drafts, 1), String(value))
    }
  })

  it("are so whatever the order and the number of a quality's keys", () => {
    const flags = ["late", `"`]
    const qualities = [
      { flags },
      { flags: [] },
      { flags, lagMs: 12 },
      { flags: [], lagMs: -3 },
      { lagMs: 12, flags },
      { lagMs: 12, flags: [] },
      { flags, lagMs: Number.NaN },
      { flags, lagMs: undefined },
      { flags, other: 1 },
      { flags, lagMs: 12, other: 1 }
    ] as ReadonlyArray<NonNullable<RecordDraft["quality"]>>
    for (const quality of qualities) {
      assert.strictEqual(
        encoded(new LineEncoder("node"), [{ ...seen, quality }], 1),
        expected([{ ...seen, quality }], 1)
      )
    }
  })

  it("are so when they outgrow the buffer, in texts of every kind", () => {
    const encoder = new LineEncoder("node")
    const long = ["1".repeat(700_000), "값".repeat(700_000), `"${"\u0000".repeat(200_000)}`]
    const drafts = [...long, ...long].map((text, index) => ({ ...seen, payload: index < 3 ? [text, "x"] : { text } }))
    assert.strictEqual(encoded(encoder, drafts, 1), expected(drafts, 1))
    assert.strictEqual(encoded(encoder, [seen], 7), expected([seen], 7))
  })

  it("say how many they are, and when the first and the last were received", () => {
    const drafts = [0, 5, 3].map((later) => ({ ...seen, receivedAtMs: receivedAtMs + later }))
    const { firstReceivedAt, lastReceivedAt, lines } = new LineEncoder("node").encode(drafts, 1)
    assert.deepStrictEqual(
      [lines, firstReceivedAt, lastReceivedAt],
      [3, "2026-11-24T00:00:00.123Z", "2026-11-24T00:00:00.126Z"]
    )
  })

  it("are refused when JSON cannot hold one of them, and the next ones are whole", () => {
    const encoder = new LineEncoder("node")
    const circle: Record<string, unknown> = {}
    circle["self"] = circle
    for (const wrong of [{ payload: circle }, { payload: [1n] }, { receivedAtMs: Number.NaN }]) {
      assert.throws(() => encoder.encode([seen, { ...seen, account: "other", ...wrong }], 1))
      assert.strictEqual(encoded(encoder, [seen], 1), expected([seen], 1))
    }
  })
})
