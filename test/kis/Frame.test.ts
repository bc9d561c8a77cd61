import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { decodeFrame } from "../../src/kis/Frame.ts"
import { knownWidths } from "../../src/kis/StreamLayout.ts"
import { capturedFrame, capturedFrames } from "../support/samples.ts"

const wide = (count: number, width: number) => Array.from({ length: count * width }, (_, at) => `v${at}`).join("^")

const detailOf = (text: string): string => {
  const frame = decodeFrame(text)
  assert.strictEqual(frame._tag, "Malformed", text)
  return frame._tag === "Malformed" ? frame.detail : ""
}

describe("the captured frames", () => {
  for (const { columns, count, frame: text, id, tr } of capturedFrames) {
    it(`${id} decodes to ${count} × ${columns} values, unchanged`, () => {
      const frame = decodeFrame(text)
      assert.strictEqual(frame._tag, "Records")
      if (frame._tag !== "Records") return
      assert.strictEqual(frame.trId, tr)
      assert.deepStrictEqual(
        frame.records.map((record) => record.length),
        Array.from({ length: count }, () => columns)
      )
      assert.strictEqual(frame.records.map((record) => record.join("^")).join("^"), text.split("|").slice(3).join("|"))
      assert.strictEqual(frame.extraColumns, 0)
    })
  }

  it("are all 73 of them, with records of up to 20 in one frame", () => {
    assert.strictEqual(capturedFrames.length, 73)
    assert.strictEqual(Math.max(...capturedFrames.map(({ count }) => count)), 20)
  })
})

describe("a frame", () => {
  const real = capturedFrame("H0STCNT0-037")

  it("that has one value too many or too few goes to quarantine and shifts nothing", () => {
    assert.include(detailOf(`${real}^1`), "142 values do not divide into 3 records")
    assert.include(detailOf(real.slice(0, real.lastIndexOf("^"))), "140 values do not divide into 3 records")
  })

  it("whose records are narrower than known goes to quarantine", () => {
    assert.include(detailOf(`0|H0STCNT0|001|${wide(1, 45)}`), "45 values, 46 are known")
    assert.include(detailOf(`0|H0STCNT0|002|${wide(2, 23)}`), "23 values")
    assert.include(detailOf("0|H0STCNT0|001|"), "1 values")
  })

  it("whose records are wider than known keeps every column and says how many are new", () => {
    const frame = decodeFrame(`0|H0STCNT0|002|${wide(2, 49)}`)
    assert.strictEqual(frame._tag, "Records")
    if (frame._tag !== "Records") return
    assert.strictEqual(frame.extraColumns, 49 - (knownWidths.get("H0STCNT0")?.max ?? 0))
    assert.deepStrictEqual(
      frame.records.map((record) => [record.length, record[0], record[48]]),
      [
        [49, "v0", "v48"],
        [49, "v49", "v97"]
      ]
    )
  })

  it("of a stream that is not known is split by its own count", () => {
    const frame = decodeFrame("0|H0XXXXX0|002|a^b^c^d")
    assert.deepStrictEqual(frame, {
      _tag: "Records",
      trId: "H0XXXXX0",
      records: [
        ["a", "b"],
        ["c", "d"]
      ],
      extraColumns: 0
    })
  })

  it("keeps empty values, NUL, broken characters and further |", () => {
    const bytes = Buffer.concat([
      Buffer.from("0|H0XXXXX0|001|"),
      Buffer.from([0x00, 0x5e, 0xff, 0xfe, 0x5e, 0x5e, 0x7c, 0x61])
    ])
    const frame = decodeFrame(bytes.toString())
    assert.deepStrictEqual(frame, {
      _tag: "Records",
      trId: "H0XXXXX0",
      records: [["\u0000", "\ufffd\ufffd", "", "|a"]],
      extraColumns: 0
    })
  })

  it("that is encrypted is recognised by its head and left closed", () => {
    const frame = decodeFrame("1|H0STCNI0|001|b64+/==|x")
    assert.deepStrictEqual(frame, { _tag: "Encrypted", trId: "H0STCNI0", count: 1, body: "b64+/==|x" })
  })

  for (const text of [
    "",
    "|",
    "||",
    "|||",
    "0",
    "0|",
    "0|H0STCNT0",
    "0|H0STCNT0|001",
    "2|H0STCNT0|001|a",
    "00|H0STCNT0|001|a",
    " 0|H0STCNT0|001|a",
    "0|H0STCNT0|000|a",
    "0|H0STCNT0|-01|a",
    "0|H0STCNT0|1.5|a",
    "0|H0STCNT0||a",
    "0|H0STCNT0|1e1|a",
    "0|H0STCNT0| 1|a",
    "0|H0STCNT0|٣|a",
    "0|H0STCNT0|999999999999999999999|a",
    "<html>",
    "\u0000\u0001"
  ]) {
    it(`that is nonsense is named so: ${JSON.stringify(text)}`, () => assert.isNotEmpty(detailOf(text)))
  }

  it("with an absurd count costs nothing", () => {
    assert.include(detailOf(`0|H0XXXXX0|900000000|${wide(1, 4)}`), "do not divide")
  })

  const Values = Schema.Array(Schema.String.check(Schema.isPattern(/^[^^|]*$/)))
  const Count = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 25 }))

  it.prop("gives every value back in order, or is set aside whole", [Values, Count], ([values, count]) => {
    const body = values.join("^")
    const total = values.length === 0 ? 1 : values.length
    const frame = decodeFrame(`0|H0XXXXX0|${String(count).padStart(3, "0")}|${body}`)
    if (total % count !== 0) return assert.strictEqual(frame._tag, "Malformed")
    assert.strictEqual(frame._tag, "Records")
    if (frame._tag !== "Records") return
    assert.strictEqual(frame.records.length, count)
    assert.strictEqual(frame.records.flat().join("^"), body)
    assert.isTrue(frame.records.every((record) => record.length === total / count))
  })

  it.prop("never throws and never invents, whatever comes", [Schema.String], ([text]) => {
    for (const whole of [text, `0|${text}`, `0|H0STCNT0|${text}`, `0|H0STCNT0|001|${text}`]) {
      const frame = decodeFrame(whole)
      if (frame._tag === "Records") assert.isTrue(whole.endsWith(frame.records.flat().join("^")))
    }
  })
})
