import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import { decodeLine, encodeLine, isDataKind, makeNumberer, type RecordDraft } from "../../src/domain/JournalRecord.ts"
import { phases } from "../../src/domain/Phase.ts"

const number = makeNumberer("node")
const receivedAtMs = Date.UTC(2026, 10, 24, 0, 0, 0, 123)
const bare: RecordDraft = { kind: "marker", receivedAtMs, source: "observer", payload: { event: "start" } }
const full: RecordDraft = {
  payload: ["005930", "090000", "70000"],
  quality: { flags: ["late"], lagMs: 12 },
  bid: 69_900,
  ask: 70_000,
  cumVolume: 100,
  volume: 10,
  price: 70_000,
  phase: "continuous",
  venue: "KRX",
  account: "main",
  source: "kis-ws",
  exchangeAtMs: receivedAtMs - 12,
  receivedAtMs,
  symbol: "005930",
  kind: "trade"
}

/** `DESIGN.md`, "Records": the order in which the keys of a line stand. */
const keys =
  "v seq id kind symbol receivedAt exchangeAt source account venue phase price volume cumVolume ask bid quality payload"

const Millis = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 253_402_300_799_999 }))
const Draft = Schema.Struct({
  kind: Schema.Literals(["trade", "book", "quote", "index", "gap", "reject", "marker"]),
  symbol: Schema.optionalKey(Schema.String),
  receivedAtMs: Millis,
  exchangeAtMs: Schema.optionalKey(Millis),
  source: Schema.Literals(["kis-ws", "kis-rest", "backfill", "observer"]),
  account: Schema.optionalKey(Schema.String),
  venue: Schema.optionalKey(Schema.Literals(["KRX", "NXT", "UN"])),
  phase: Schema.optionalKey(Schema.Literals(phases)),
  price: Schema.optionalKey(Schema.Finite),
  volume: Schema.optionalKey(Schema.Finite),
  cumVolume: Schema.optionalKey(Schema.Finite),
  ask: Schema.optionalKey(Schema.Finite),
  bid: Schema.optionalKey(Schema.Finite),
  quality: Schema.optionalKey(
    Schema.Struct({ flags: Schema.Array(Schema.String), lagMs: Schema.optionalKey(Schema.Finite) })
  ),
  payload: Schema.Union([Schema.Array(Schema.String), Schema.Struct({ raw: Schema.String, 값: Schema.String })])
})

const keysOf = (draft: RecordDraft) => Object.keys(JSON.parse(encodeLine(number(draft, 7))))

describe("a line of the journal", () => {
  it("has its keys in the order of the design, whatever order the draft had", () => {
    assert.strictEqual(keysOf(full).join(" "), keys)
  })

  it("leaves out what is unknown", () => {
    assert.deepStrictEqual(keysOf(bare), ["v", "seq", "id", "kind", "receivedAt", "source", "payload"])
  })

  it("is written as the design says, to the byte", () => {
    const { id } = number(full, 7)
    assert.strictEqual(
      encodeLine(number(full, 7)),
      `{"v":1,"seq":7,"id":"${id}","kind":"trade","symbol":"005930","receivedAt":"2026-11-24T00:00:00.123Z",` +
        `"exchangeAt":"2026-11-24T00:00:00.111Z","source":"kis-ws","account":"main","venue":"KRX","phase":"continuous",` +
        `"price":70000,"volume":10,"cumVolume":100,"ask":70000,"bid":69900,"quality":{"flags":["late"],"lagMs":12},` +
        `"payload":["005930","090000","70000"]}`
    )
  })

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    "never holds null: a number that is %s is unknown and therefore absent",
    (wrong) => {
      const price = { price: wrong, volume: wrong, cumVolume: wrong, ask: wrong, bid: wrong }
      const line = encodeLine(number({ ...full, ...price, quality: { flags: ["late"], lagMs: wrong } }, 7))
      assert.notInclude(line, "null")
      assert.isTrue(Result.isSuccess(decodeLine(line)))
      assert.include(line, `"quality":{"flags":["late"]},`)
    }
  )

  it("leaves out an exchange time that is no time", () => {
    for (const exchangeAtMs of [Number.NaN, 1e300]) {
      assert.notInclude(keysOf({ ...full, exchangeAtMs }), "exchangeAt")
    }
  })

  it.prop(
    "is one line, and reads back as it was written",
    [Draft, Schema.Int.check(Schema.isGreaterThan(0))],
    ([draft, seq]) => {
      const line = encodeLine(number(draft, seq))
      assert.notInclude(line, "\n")
      const decoded = Result.getOrThrow(decodeLine(line))
      assert.strictEqual(encodeLine(decoded), line)
      assert.deepStrictEqual(
        [decoded.seq, decoded.kind, decoded.symbol, decoded.source, decoded.payload],
        [seq, draft.kind, draft.symbol, draft.source, draft.payload]
      )
      assert.strictEqual(Date.parse(decoded.receivedAt), draft.receivedAtMs)
      const { exchangeAt } = decoded
      assert.strictEqual(exchangeAt === undefined ? undefined : Date.parse(exchangeAt), draft.exchangeAtMs)
    }
  )

  it("is refused in any other version, naming the key", () => {
    const line = encodeLine(number(full, 7))
    for (const other of [`{"v":2,`, `{"v":"1",`, `{`]) {
      const decoded = decodeLine(line.replace(`{"v":1,`, other))
      assert.include(Result.isFailure(decoded) ? decoded.failure.message : "accepted", `["v"]`)
    }
  })

  it.each([
    ["half a line", (line: string) => line.slice(0, -1)],
    ["no line", () => ""],
    ["null for a number", (line: string) => line.replace(`"price":70000`, `"price":null`)],
    ["a text for a number", (line: string) => line.replace(`"price":70000`, `"price":"70000"`)],
    ["a kind of its own", (line: string) => line.replace(`"trade"`, `"tick"`)],
    ["seq 0", (line: string) => line.replace(`"seq":7`, `"seq":0`)],
    ["half a seq", (line: string) => line.replace(`"seq":7`, `"seq":7.5`)],
    ["no payload", (line: string) => line.replace(/,"payload".*$/, "}")]
  ])("is refused with %s", (_, spoil) => {
    const line = encodeLine(number(full, 7))
    assert.isTrue(Result.isFailure(decodeLine(spoil(line))))
  })

  it("becomes a row of data only when it was seen of a symbol", () => {
    const kinds = ["trade", "book", "quote", "index", "gap", "reject", "marker"] as const
    assert.deepStrictEqual(kinds.filter(isDataKind), ["trade", "book", "quote", "index"])
  })
})
