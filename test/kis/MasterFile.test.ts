import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { zipSync } from "fflate"
import { readFileSync } from "node:fs"
import { gunzipSync } from "node:zlib"
import { parseUniverse, type UniverseEntry, universeUrl } from "../../src/domain/UniverseFile.ts"
import { type MasterBook, type MasterIssue, type MasterName, readMasterFile } from "../../src/kis/MasterFile.ts"
import { unzipped } from "../../src/kis/masterFile/unzip.ts"

const fixture = (name: string) => readFileSync(new URL(`../fixtures/kis/master/${name}`, import.meta.url))
const shipped = (name: string) => readFileSync(new URL(name, universeUrl), "utf8")
const universe = parseUniverse(shipped("universe.csv"))

const kospiZip = fixture("kospi_code_20260722.mst.zip")
const kosdaqZip = fixture("kosdaq_code_20260722.mst.zip")
const kospiBytes = Result.getOrThrow(unzipped(kospiZip, "kospi_code.mst"))
const zipOf = (name: string, bytes: Uint8Array) => zipSync({ [name]: bytes })

const read = (name: MasterName, zip: Uint8Array): MasterBook => Result.getOrThrow(readMasterFile(name, zip))
const refusal = (name: MasterName, zip: Uint8Array) => {
  const result = readMasterFile(name, zip)
  assert(Result.isFailure(result), "this file should have been refused")
  return result.failure
}

/** The columns of the universe that a master file knows; Nextrade has files of its own. */
const row = (issue: MasterIssue): UniverseEntry => {
  const { rebased, ...entry } = issue
  return rebased === undefined ? issue : entry
}
const expected = (market: string) =>
  universe.filter((entry) => entry.market === market).map((entry) => ({ ...entry, nxt: false }))

/** The file with so many of its first lines changed by a function. */
const edited = (change: (line: Buffer) => void, lines: number): Uint8Array => {
  const bytes = Buffer.from(kospiBytes)
  for (let at = 0; at < lines; at++) change(bytes.subarray(at * 289, at * 289 + 288))
  return bytes
}

describe("the captured master files", () => {
  it("of 2026-07-22 are the captured universe, row by row", () => {
    assert.deepStrictEqual(read("kospi_code.mst", kospiZip).issues.map(row), expected("KOSPI"))
    assert.deepStrictEqual(read("kosdaq_code.mst", kosdaqZip).issues.map(row), expected("KOSDAQ"))
  })

  it("are understood to the last line, and say on what day they were made", () => {
    for (const book of [read("kospi_code.mst", kospiZip), read("kosdaq_code.mst", kosdaqZip)]) {
      assert.strictEqual(book.passedOver, 0)
      assert.strictEqual(book.madeOn, "20260722")
      assert.match(book.sha256, /^[0-9a-f]{64}$/)
    }
  })

  it("show the one share whose base price is not its last close", () => {
    const rebased = [...read("kospi_code.mst", kospiZip).issues, ...read("kosdaq_code.mst", kosdaqZip).issues].filter(
      (issue) => issue.rebased !== undefined
    )
    assert.deepStrictEqual(
      rebased.map(({ code, rebased: because }) => [code, because]),
      [["008470", "exRights"]]
    )
  })

  it("tell a base price that is not the last close even where no column says why", () => {
    const line = universe.findIndex(({ code }) => code === "005930")
    const halved = Buffer.from(kospiBytes)
    const field = halved.subarray(line * 289 + 61 + 41, line * 289 + 61 + 50)
    field.write(String(Math.round(Number(field.toString()) / 2)).padStart(9, "0"))
    const issue = read("kospi_code.mst", zipOf("kospi_code.mst", halved)).issues[line]
    assert.deepInclude(issue, { code: "005930", rebased: "notLastClose" })
  })

  it("of KONEX, of the indices and of Nextrade read as the shipped lists do", () => {
    const konex = read("konex_code.mst", zipOf("konex_code.mst", gunzipSync(fixture("konex_code_202604.mst.gz"))))
    assert.deepStrictEqual(konex.issues.map(row), parseUniverse(shipped("konex.csv")))
    const { indices } = read("idxcode.mst", zipOf("idxcode.mst", gunzipSync(fixture("idxcode_20260722.mst.gz"))))
    const [, ...lines] = shipped("indices.csv").trimEnd().split("\n")
    assert.deepStrictEqual(
      indices.map(({ code, name }) => `${code},${name}`),
      lines.map((line) => line.slice(1))
    )
    const listed = new Set(
      (["kospi", "kosdaq"] as const).flatMap((board) => {
        const name = `nxt_${board}_code.mst` as const
        return read(name, zipOf(name, gunzipSync(fixture(`nxt_${board}_code_202604.mst.gz`)))).issues.map((i) => i.code)
      })
    )
    assert.deepStrictEqual(
      universe.filter(({ code }) => listed.has(code)).map(({ code }) => code),
      universe.filter(({ nxt }) => nxt).map(({ code }) => code)
    )
  })
})

describe("a master file", () => {
  it.each([
    ["nothing", new Uint8Array()],
    ["a page of HTML", Buffer.from("<!doctype html><title>점검 중</title>")],
    ["half a zip", kospiZip.subarray(0, kospiZip.length / 2)],
    ["a zip without its last byte", kospiZip.subarray(0, -1)],
    ["a zip of another file", kosdaqZip],
    ["an empty zip", zipSync({})]
  ])("that is %s is refused", (_, zip) => {
    assert.strictEqual(refusal("kospi_code.mst", zip).reason, "zip")
  })

  it("whose zip is a bomb is refused, whether or not the zip admits it", () => {
    const bomb = zipSync({ "kospi_code.mst": new Uint8Array(64 * 1_048_576) })
    assert.match(refusal("kospi_code.mst", bomb).message, /kospi_code.mst: it would unpack to 67108864 bytes/)
    const lying = Buffer.from(bomb)
    lying.writeUInt32LE(289, lying.indexOf("PK\u0001\u0002", 0, "latin1") + 24)
    assert.match(refusal("kospi_code.mst", lying).message, /does not unpack to the size/)
  })

  it("with a byte too many or too few is refused, with the line named", () => {
    const wrong = (bytes: Uint8Array) => refusal("kospi_code.mst", zipOf("kospi_code.mst", bytes))
    const short = Buffer.concat([kospiBytes.subarray(0, 289 * 4), kospiBytes.subarray(289 * 4 + 1)])
    assert.deepInclude(wrong(short), { reason: "width", detail: "line 5 has 287 bytes instead of 288" })
    const long = Buffer.concat([kospiBytes, Buffer.from(" ")])
    assert.match(wrong(long).message, /line 2569 has 1 bytes/)
    assert.strictEqual(refusal("kospi_code.mst", zipOf("kospi_code.mst", new Uint8Array())).reason, "lines")
  })

  it("with carriage returns, or without the last line feed, reads as without", () => {
    const lines = Array.from({ length: 3 }, (_, at) => kospiBytes.subarray(at * 289, at * 289 + 288))
    const text = (...ends: ReadonlyArray<string>) =>
      zipOf("kospi_code.mst", Buffer.concat(lines.flatMap((line, at) => [line, Buffer.from(ends[at] ?? "")])))
    const plain = read("kospi_code.mst", text("\n", "\n", "\n")).issues
    assert.deepStrictEqual(read("kospi_code.mst", text("\r\n", "\r\n", "\r\n")).issues, plain)
    assert.deepStrictEqual(read("kospi_code.mst", text("\n", "\n", "")).issues, plain)
  })

  it("is refused when more than a tenth of the group codes are unknown, and read when fewer are", () => {
    const lost = (line: Buffer) => void line.write("0Z", 61)
    const tenth = Math.floor(2_568 / 10)
    const few = read("kospi_code.mst", zipOf("kospi_code.mst", edited(lost, tenth)))
    assert.deepStrictEqual([few.issues.length, few.issues[0]?.kind], [2_568, "other"])
    const many = refusal("kospi_code.mst", zipOf("kospi_code.mst", edited(lost, tenth + 1)))
    assert.deepInclude(many, {
      reason: "groupCodes",
      detail: "only 89 % of its lines have a known group code where it should be"
    })
  })

  it("leaves out and counts lines without a code or with a number that is none", () => {
    const broken = edited((line) => void line.write("12 4", 61 + 41), 7)
    const { issues, passedOver } = read("kospi_code.mst", zipOf("kospi_code.mst", broken))
    assert.deepStrictEqual([issues.length, passedOver], [2_561, 7])
    const all = edited((line) => void line.write("         ", 0), 300)
    assert.strictEqual(refusal("kospi_code.mst", zipOf("kospi_code.mst", all)).reason, "lines")
  })
})
