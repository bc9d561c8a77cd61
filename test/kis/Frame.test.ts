import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { decodeFrame, type Frame } from "../../src/kis/Frame.ts"
import { knownWidths } from "../../src/kis/StreamLayout.ts"
import { capturedFrame, capturedFrames, sampleText } from "../support/samples.ts"

const wide = (count: number, width: number) => Array.from({ length: count * width }, (_, at) => `v${at}`).join("^")

const detailOf = (text: string): string => {
  const frame = decodeFrame(text)
  assert.strictEqual(frame._tag, "Malformed", text)
  return frame._tag === "Malformed" ? frame.detail : ""
}

/** What a frame says, by the plainest way to read it; `undefined` when it says nothing. */
const plainly = (trId: string, count: number, body: string): Frame | undefined => {
  const values = body.split("^")
  const width = values.length / count
  const known = knownWidths.get(trId)
  if (!Number.isInteger(width) || (known !== undefined && (width < known.min || width >= 2 * known.min)))
    return undefined
  const records = Array.from({ length: count }, (_, n) => values.slice(n * width, (n + 1) * width))
  return { _tag: "Records", trId, records, extraColumns: known === undefined ? 0 : Math.max(0, width - known.max) }
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

describe("the captured records of market operation", () => {
  const records = sampleText("ws/H0UNMKO0-20260921-23.tsv")
    .split("\n")
    .slice(1)
    .map((line) => line.split("\t")[1] ?? "")

  it("are 17", () => assert.strictEqual(records.length, 17))

  for (const [at, body] of records.entries()) {
    it(`decode, number ${at + 1} of them too`, () => {
      const frame = decodeFrame(`0|H0UNMKO0|001|${body}`)
      assert.deepStrictEqual(frame, plainly("H0UNMKO0", 1, body))
      assert.strictEqual(frame._tag === "Records" ? frame.extraColumns : -1, 0)
    })
  }
})

describe("every known stream", () => {
  for (const [trId, { max, min }] of knownWidths) {
    it(`${trId} takes ${min} to ${max} values, keeps more, and sets fewer aside`, () => {
      const of = (width: number, count = 2) => decodeFrame(`0|${trId}|${count}|${wide(count, width)}`)
      for (let width = min; width <= max; width++) assert.deepInclude(of(width), { _tag: "Records", extraColumns: 0 })
      assert.deepInclude(of(max + 1), { _tag: "Records", extraColumns: 1 })
      assert.strictEqual(of(min - 1)._tag, "Malformed")
      assert.deepInclude(of(max), { _tag: "Records", extraColumns: 0 })
    })
  }
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

  it("whose count is too small for its values goes to quarantine: a record does not double its columns", () => {
    const values = real.split("|")[3] ?? ""
    assert.include(detailOf(`0|H0STCNT0|001|${values}`), "141 values are too many for 1 records")
    assert.include(detailOf(`0|H0STCNT0|001|${wide(1, 2 * 46)}`), "92 values are too many")
    assert.strictEqual(decodeFrame(`0|H0STCNT0|001|${wide(1, 2 * 46 - 1)}`)._tag, "Records")
  })

  it("after one of another width of its stream is split by its own", () => {
    for (const width of [47, 46, 47, 49, 46, 46, 63, 47]) {
      for (const count of [1, 20, 3]) {
        const body = wide(count, width)
        assert.deepStrictEqual(decodeFrame(`0|H0STCNT0|${count}|${body}`), plainly("H0STCNT0", count, body))
      }
    }
  })

  it("gives every record an array of its own", () => {
    const frame = decodeFrame(`0|H0STCNT0|002|${wide(2, 47)}`)
    assert.strictEqual(frame._tag, "Records")
    if (frame._tag !== "Records") return
    const [first, second] = frame.records as ReadonlyArray<Array<string>>
    first?.fill("changed")
    assert.strictEqual(second?.[0], "v47")
    assert.deepStrictEqual(decodeFrame(`0|H0STCNT0|001|${wide(1, 47)}`), plainly("H0STCNT0", 1, wide(1, 47)))
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
    assert.include(detailOf(`0|H0XXXXX0|900000|${wide(1, 4)}`), "do not divide")
    assert.include(detailOf(`0|H0XXXXX0|900000000|${wide(1, 4)}`), "count")
    // A count of so many digits is no number any more, and would divide any number of values into records of none.
    assert.include(detailOf(`0|H0XXXXX0|${"9".repeat(400)}|${wide(1, 4)}`), "count")
    assert.include(detailOf(`0|H0STCNT0|${"9".repeat(400)}|${wide(1, 46)}`), "count")
  })

  const Frames = Schema.Array(
    Schema.Struct({
      trId: Schema.Literals(["H0STCNT0", "H0STASP0", "H0STNAV0", "H0STMKO0", "H0XXXXX0"]),
      count: Schema.Literals([1, 1, 2, 3, 20, 21]),
      width: Schema.Literals([1, 8, 9, 10, 11, 16, 45, 46, 47, 48, 59, 62, 63, 64, 92, 118]),
      extra: Schema.Literals([0, 0, 0, 0, 1, -1, -46, 47])
    })
  )
  it.prop(
    "is split as by a plain split, whatever frames came before it",
    [Frames],
    ([frames]) => {
      for (const { count, extra, trId, width } of frames) {
        const body = wide(1, Math.max(1, count * width + extra))
        const frame = decodeFrame(`0|${trId}|${String(count).padStart(3, "0")}|${body}`)
        const expected = plainly(trId, count, body)
        if (expected === undefined)
          assert.strictEqual(frame._tag, "Malformed", `${trId} ${count} × ${width} + ${extra}`)
        else assert.deepStrictEqual(frame, expected)
      }
    },
    { arbitrary: { runs: 300, size: 30 } }
  )

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
