import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { encodeLine, JournalRecord } from "../../src/domain/JournalRecord.ts"
import { payloadBytes, quickRecord } from "../../src/journal/QuickLine.ts"

/** The line between other lines, as a block of a file has it. */
const read = (line: string) => {
  const [before, after] = ['{"v":1,"payload":{}}\n', '\n{"v":1,"payload":[]}\n']
  const bytes = Buffer.from(before + line + after)
  const start = Buffer.byteLength(before)
  return quickRecord(bytes, start, start + Buffer.byteLength(line))
}

const tick =
  '{"v":1,"seq":7,"id":"i","kind":"trade","symbol":"005930","receivedAt":"2026-09-14T00:00:00.000Z","source":"kis-ws","payload":["1",",\\"payload\\":"]}'

describe("a line read without its payload", () => {
  it.effect.prop(
    "is the record that parsing all of it gives, and has its payload as it stands in the line",
    [JournalRecord],
    ([{ payload, ...record }]) =>
      Effect.sync(() => {
        const line = encodeLine({ ...record, payload })
        const quick = read(line)
        const isData = ["trade", "book", "quote", "index"].includes(record.kind)
        assert.strictEqual(quick !== undefined, isData)
        if (quick === undefined) return
        assert.deepStrictEqual({ ...quick }, JSON.parse(line))
        assert.strictEqual(encodeLine(quick), line)
        assert.strictEqual(
          line,
          `${line.slice(0, line.indexOf(',"payload":'))},"payload":${Buffer.from(payloadBytes(quick) ?? []).toString()}}`
        )
      })
  )

  it("is looked for inside the line alone, and at its first place", () => {
    assert.deepStrictEqual(read(tick)?.payload, ["1", ',"payload":'])
    assert.isUndefined(read('{"v":1,"seq":7,"kind":"trade"}'))
  })

  it.each([
    ["another version", tick.replace('"v":1', '"v":2')],
    ["no seq", tick.replace('"seq":7', '"seq":"7"')],
    ["another kind", tick.replace("trade", "gap")],
    ["a torn end", tick.slice(0, -1)],
    ["a broken beginning", tick.replace('"id":', '"id"')]
  ])("is left to whoever names faults: %s", (_, line) => {
    assert.isUndefined(read(line))
  })

  it("keeps a payload that is no JSON as it is, and throws when it is looked at", () => {
    const record = read(tick.replace('["1"', '["1'))
    assert.include(Buffer.from(record === undefined ? [] : (payloadBytes(record) ?? [])).toString(), '["1,')
    assert.throws(() => record?.payload)
  })

  it("of a record that was not read has no bytes", () => {
    assert.isUndefined(payloadBytes(Schema.decodeUnknownSync(JournalRecord)(JSON.parse(tick))))
  })
})
