import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted, Result } from "effect"
import { readdirSync } from "node:fs"
import { multiPriceSighting, priceSighting } from "../../src/feed/KisQuote.ts"
import { makeQuotations } from "../../src/kis/Quotations.ts"
import { readReply } from "../../src/kis/Reply.ts"
import type { Token } from "../../src/kis/Token.ts"
import { refusal } from "../../src/shard/Guard.ts"
import { accountAt } from "../support/accounts.ts"
import { sampleJson } from "../support/samples.ts"

type Row = Readonly<Record<string, string>>
interface Captured {
  readonly tr_id: string
  readonly body?: Readonly<Record<string, unknown>>
}

const folder = new URL("../fixtures/kis/rest/", import.meta.url)
const names = readdirSync(folder).filter((name) => name !== "errors.json")
const reduced = "cap_intstock_multprice_reduced_202608.json"
const receivedAtMs = Date.UTC(2026, 8, 14, 1)

const captured = (name: string) => sampleJson<Captured>(`rest/${name}`)
const read = (name: string) => readReply("main", name, { status: 200, text: JSON.stringify(captured(name).body) })
/** Rows of every `output`, `output1` … of a reply, which is a list in some and a lone object in others. */
const rowsOf = (body: Readonly<Record<string, unknown>>): ReadonlyArray<Row> =>
  Object.entries(body)
    .filter(([key]) => key.startsWith("output"))
    .flatMap(([, output]) => (Array.isArray(output) ? output : [output]))

const token: Token = {
  current: Effect.succeed(Redacted.make("token")),
  drop: () => Effect.void,
  keepFresh: Effect.never,
  status: Effect.succeed({ expiresAtMs: undefined, issues: 0 })
}
const quotationsOf = (name: string) =>
  makeQuotations(
    accountAt({ restUrl: "http://127.0.0.1:1", wsUrl: "ws://127.0.0.1:1" }),
    () => Effect.fromResult(read(name)),
    token
  )

describe("the captured replies", () => {
  it("are all 24 of them, and four errors", () => {
    assert.strictEqual(names.length, 25)
    assert.strictEqual(sampleJson<ReadonlyArray<unknown>>("rest/errors.json").length, 4)
  })

  for (const name of names.filter((each) => each !== reduced)) {
    it(`${name} is read as a success, with every row as it was`, () => {
      const body = Result.getOrThrow(read(name))
      assert.deepStrictEqual(body, captured(name).body)
      if (name.startsWith("cap_token")) {
        assert.isString(body["access_token"])
        return
      }
      const rows = rowsOf(body)
      assert.isNotEmpty(rows)
      for (const row of rows) assert.isTrue(Object.values(row).every((value) => typeof value === "string"))
    })
  }

  for (const [at, tag] of ["KisThrottled", "KisCredentialsRejected", "KisTokenTooSoon", "KisTokenInvalid"].entries()) {
    it(`of error ${at + 1} is understood as ${tag}`, () => {
      const error = sampleJson<ReadonlyArray<{ readonly http: number; readonly body: unknown }>>("rest/errors.json")[at]
      const reply = readReply("main", "any", { status: error?.http ?? 0, text: JSON.stringify(error?.body) })
      assert.strictEqual(Result.isFailure(reply) ? reply.failure._tag : "", tag)
    })
  }
})

describe("the captured prices", () => {
  for (const name of ["cap_inquire_price_228670_2023.json", "portal_inquire_price.json"]) {
    it.effect(`of ${name} become a quote`, () =>
      Effect.gen(function* () {
        const row = yield* quotationsOf(name).price("228670")
        const sighting = priceSighting("228670", row, receivedAtMs)
        assert.isUndefined(refusal(sighting))
        assert.deepInclude(sighting, {
          kind: "quote",
          symbol: "228670",
          price: Number(row["stck_prpr"]),
          cumVolume: Number(row["acml_vol"]),
          flags: []
        })
        assert.strictEqual(sighting.payload, row)
      })
    )
  }

  it.effect("of portal_intstock_multprice.json become a quote a row, the cut one too, and an index", () =>
    Effect.gen(function* () {
      const rows = yield* quotationsOf("portal_intstock_multprice.json").multiPrice(() => [
        "005930",
        "000660",
        "035420"
      ])
      assert.strictEqual(rows.length, 3)
      for (const row of rows) {
        const sighting = multiPriceSighting(row, receivedAtMs)
        assert.isUndefined(refusal(sighting))
        assert.strictEqual(sighting.symbol, row["inter_shrn_iscd"])
        assert.strictEqual(sighting.kind, sighting.symbol.length === 4 ? "index" : "quote")
        assert.strictEqual(sighting.price, Number(row["inter2_prpr"]))
        assert.strictEqual(sighting.payload, row)
      }
    })
  )

  it("of the reduced multi-price rows are quotes of their phase", () => {
    const sample = sampleJson<{
      readonly holiday_20260817_085945: ReadonlyArray<readonly [string, string, string, string]>
      readonly preopen_20260818: ReadonlyArray<readonly [string, string, string, string]>
      readonly partial_row_20260814: Row
    }>(`rest/${reduced}`)
    const phaseOf = ([code, hour, expected, volume]: readonly [string, string, string, string]) => {
      const row = { inter_shrn_iscd: code, hour_cls_code: hour, intr_antc_vol: expected, acml_vol: volume }
      const sighting = multiPriceSighting({ ...row, inter2_prpr: "1" }, receivedAtMs)
      assert.isUndefined(refusal(sighting))
      assert.strictEqual(sighting.cumVolume, Number(volume))
      return sighting.phase
    }
    assert.isTrue(sample.holiday_20260817_085945.map(phaseOf).every((phase) => phase === undefined))
    assert.isTrue(sample.preopen_20260818.map(phaseOf).every((phase) => phase === "openingAuction"))
    assert.isUndefined(refusal(multiPriceSighting(sample.partial_row_20260814, receivedAtMs)))
  })
})
