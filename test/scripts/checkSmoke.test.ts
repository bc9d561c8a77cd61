import { assert, describe, it } from "@effect/vitest"
import { createHash } from "node:crypto"
import { gzipSync } from "node:zlib"
import { rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { encodeLine, makeNumberer } from "../../src/domain/JournalRecord.ts"
import { put, scratch, script } from "./scratch.ts"

const { journalProblems, manifestProblems } = await script<{
  journalProblems: (dataDir: string, symbolsMin: number) => ReadonlyArray<string>
  manifestProblems: (dataDir: string) => ReadonlyArray<string>
}>("checkSmoke.mjs")

const number = makeNumberer("smoke")
const line = (seq: number, symbol: string, price = 100) =>
  encodeLine(
    number(
      { kind: "quote", symbol, receivedAtMs: 1_764_000_000_000 + seq, source: "kis-rest", price, payload: {} },
      seq
    )
  )
const first = [line(1, "005930"), line(2, "000660")].join("\n") + "\n"
const second = line(3, "035720") + "\n"

const journal = (texts: readonly [string, string] = [first, second]) => {
  const files = ["09/smoke-000000000001.jsonl", "10/smoke-000000000003.jsonl"]
  const root = scratch()
  const entries = files.map((file, index) => {
    const text = texts[index] ?? ""
    put(join(root, "2026/11/24"), { [file]: text })
    const lines = text.split("\n").length - 1
    const sha256 = createHash("sha256").update(text).digest("hex")
    const firstSeq = index === 0 ? 1 : 3
    return { file, firstSeq, lastSeq: firstSeq + lines - 1, lines, bytes: Buffer.byteLength(text), sha256 }
  })
  put(join(root, "2026/11/24"), {
    "MANIFEST.jsonl": entries.map((entry) => `${JSON.stringify(entry)}\n`).join(""),
    SHA256SUMS: entries.map(({ file, sha256 }) => `${sha256}  ${file}\n`).join("")
  })
  return root
}

describe("checkSmoke.mjs", () => {
  it("finds nothing wrong with a journal that is right, gzipped or not", () => {
    const root = journal()
    assert.deepStrictEqual([...journalProblems(root, 3), ...manifestProblems(root)], [])
    const file = join(root, "2026/11/24/09/smoke-000000000001.jsonl")
    rmSync(file)
    writeFileSync(`${file}.gz`, gzipSync(first))
    assert.deepStrictEqual([...journalProblems(root, 3), ...manifestProblems(root)], [])
  })

  it.each<readonly [string, string, string, RegExp]>([
    ["a hole in seq", first, `${line(4, "035720")}\n`, /seq 4 stands where 3 should/],
    ["a torn line", first, second.slice(0, -10), /the last line has no end/],
    ["keys in another order", first, second.replace('"v":1,"seq":3', '"seq":3,"v":1'), /its keys are seq, v/],
    ["an unknown key", first, second.replace('"v":1', '"v":1,"w":1'), /its keys are v, w/],
    ["null", first, second.replace('"price":100', '"price":null'), /it holds null/],
    ["a price of zero", first, `${line(3, "035720", 0)}\n`, /its price is 0/],
    ["a line that is not JSON", first, "{\n", /it is not JSON/],
    ["too few symbols", first, `${line(3, "005930")}\n`, /2 symbols were seen, not 3/]
  ])("finds %s", (_, one, two, expected) => {
    assert.match(journalProblems(journal([one, two]), 3).join("\n"), expected)
  })

  it("finds files that are not what was sealed, not entered, or gone", () => {
    const root = journal()
    put(root, {
      "2026/11/24/09/smoke-000000000001.jsonl": first.replace("100", "101"),
      "2026/11/24/11/smoke-000000000004.jsonl.open": `${line(4, "005930")}\n`
    })
    rmSync(join(root, "2026/11/24/10/smoke-000000000003.jsonl"))
    const found = manifestProblems(root)
    assert.strictEqual(found.length, 3)
    assert.match(found[0] ?? "", /another digest/)
    assert.match(found[1] ?? "", /10\/smoke-000000000003\.jsonl is not there/)
    assert.match(found[2] ?? "", /000000000004\.jsonl\.open: in no manifest/)
  })

  it("finds an empty folder wanting", () => {
    assert.strictEqual([...journalProblems(scratch(), 1), ...manifestProblems(scratch())].length, 3)
  })
})
