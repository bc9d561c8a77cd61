import { assert, describe, it, layer } from "@effect/vitest"
import { Effect } from "effect"
import { createHash } from "node:crypto"
import { unzipSync } from "fflate"
import type { UniverseEntry } from "../../src/domain/UniverseFile.ts"
import { Exchange } from "../../src/simulator/Exchange.ts"
import { boardBytes, boardFiles } from "../../src/simulator/masterFiles/files.ts"
import { type Column, kosdaqLayout, konexLayout, kospiLayout } from "../../src/simulator/masterFiles/layouts.ts"
import { zipped } from "../../src/simulator/masterFiles/zipped.ts"
import { sample, universe } from "./fixtures.ts"
import { issueOf, stagedMarket } from "./quotation/stagedMarket.ts"

interface CapturedFile {
  readonly lineBytes: number
  readonly endsWithLineFeed: boolean
  readonly sha256?: string
  /** Lines in hex. */
  readonly sample: ReadonlyArray<string>
}

const captured = JSON.parse(sample("masters.json")) as Readonly<Record<string, CapturedFile>>
const layouts: Readonly<Record<string, ReadonlyArray<Column>>> = {
  "kospi_code.mst": kospiLayout,
  "kosdaq_code.mst": kosdaqLayout,
  "konex_code.mst": konexLayout,
  "nxt_kospi_code.mst": kospiLayout,
  "nxt_kosdaq_code.mst": kosdaqLayout
}
/** WHATWG's euc-kr is cp949. */
const decoder = new TextDecoder("euc-kr", { fatal: true })

const linesOf = (bytes: Uint8Array, lineBytes: number): ReadonlyArray<Uint8Array> =>
  Array.from({ length: bytes.length / (lineBytes + 1) }, (_, at) =>
    bytes.subarray(at * (lineBytes + 1), (at + 1) * (lineBytes + 1) - 1)
  )

/** A line as its reader sees it: the columns cut by bytes, then decoded. */
const parsed = (line: Uint8Array, layout: ReadonlyArray<Column>): Readonly<Record<string, string>> => {
  let at = 0
  return Object.fromEntries(
    layout.map(({ name, width }) => [name, decoder.decode(line.subarray(at, (at += width)))] as const)
  )
}

/** Nobody can tell two values of one pattern apart by their form. */
const patternOf = (value: string): string =>
  value.trim() === "" ? "blank" : /^[YN]$/.test(value) ? "flag" : value.replace(/^-/, "0").replace(/\d/g, "0")

const kinds: Readonly<Record<string, string>> = {
  EF: "etf",
  EN: "etn",
  BC: "bene",
  RT: "reit",
  FS: "foreign",
  DR: "dr",
  SR: "right",
  SW: "warrant",
  PF: "pubfund",
  IF: "infra",
  MF: "mutual"
}

const kindIn = (row: Readonly<Record<string, string>>): string => {
  const group = row["scrt_grp_cls_code"] ?? ""
  if (group !== "ST") return kinds[group] ?? group
  if (row["prst_cls_code"] !== "0") return "pref"
  return row["etpr_undt_objt_co_yn"] === "Y" ? "spac" : "common"
}

/** The part of a universe entry that a master line says. */
const entryIn = (row: Readonly<Record<string, string>>, market: string) => ({
  code: row["mksc_shrn_iscd"]?.trim(),
  isin: row["stnd_iscd"]?.trim(),
  name: row["hts_kor_isnm"]?.trimEnd(),
  market,
  kind: kindIn(row),
  listedShares: Number(row["lstn_stcn"]) * 1_000,
  basePrice: Number(row["stck_sdpr"]) || undefined,
  previousVolume: Number(row["prdy_vol"])
})

const shown = ({ basePrice, code, isin, kind, listedShares, market, name, previousVolume }: UniverseEntry) => ({
  code,
  isin,
  name: name.trimEnd(),
  market,
  kind,
  listedShares,
  basePrice,
  previousVolume
})

const download = Effect.fnUntraced(function* (name: string, init: RequestInit = {}) {
  const { restUrl } = yield* Exchange
  return yield* Effect.promise(async (signal) => {
    const response = await fetch(`${restUrl}/common/master/${name}`, { ...init, signal })
    return { status: response.status, headers: response.headers, bytes: new Uint8Array(await response.arrayBuffer()) }
  })
})

const fileOf = Effect.fnUntraced(function* (name: string) {
  const { bytes, headers, status } = yield* download(`${name}.zip`)
  assert.strictEqual(status, 200)
  assert.strictEqual(headers.get("content-type"), "application/zip")
  const unzipped = unzipSync(bytes)
  assert.deepStrictEqual(Object.keys(unzipped), [name])
  return unzipped[name] ?? assert.fail(`no ${name} in the zip`)
})

layer(Exchange.layer())("the master files", (it) => {
  it.effect("have lines of the captured widths in bytes, each ended by a line feed", () =>
    Effect.gen(function* () {
      for (const [name, { endsWithLineFeed, lineBytes }] of Object.entries(captured)) {
        const bytes = yield* fileOf(name)
        // The universe has no KONEX issue; a line of that file is tested below.
        if (name !== "konex_code.mst") assert.isAbove(bytes.length, 0, name)
        assert.strictEqual(bytes.length % (lineBytes + 1), 0, name)
        assert.isTrue(endsWithLineFeed)
        for (let at = lineBytes; at < bytes.length; at += lineBytes + 1) {
          if (bytes[at] !== 0x0a) assert.fail(`${name}: no line feed at ${at}`)
        }
        assert.strictEqual(bytes.filter((byte) => byte === 0x0a).length, bytes.length / (lineBytes + 1), name)
      }
    })
  )

  it.effect("read back are the universe, in its order", () =>
    Effect.gen(function* () {
      for (const [name, market] of [
        ["kospi_code.mst", "KOSPI"],
        ["kosdaq_code.mst", "KOSDAQ"]
      ] as const) {
        const { lineBytes = 0 } = captured[name] ?? {}
        const rows = linesOf(yield* fileOf(name), lineBytes).map((line) => parsed(line, layouts[name] ?? []))
        assert.deepStrictEqual(
          rows.map((row) => entryIn(row, market)),
          universe.filter((entry) => entry.market === market).map(shown)
        )
        const flags = new Map(universe.map((entry) => [entry.code, entry.flags]))
        for (const row of rows) {
          const expected = flags.get(row["mksc_shrn_iscd"]?.trim() ?? "") ?? ""
          assert.strictEqual(row["sltr_yn"] === "Y", expected.includes("L"))
          assert.strictEqual(row["mang_issu_yn"] === "Y", expected.includes("A"))
          assert.strictEqual(
            row["mrkt_alrm_cls_code"],
            expected.includes("W") ? "02" : expected.includes("C") ? "01" : "00"
          )
          assert.strictEqual(row["flng_cls_code"] === "01", expected.includes("X"))
          assert.strictEqual(row["trht_yn"] === "Y", expected.includes("H") && !expected.includes("L"))
        }
      }
    })
  )

  it.effect("of Nextrade have what the universe says it lists, with its own volumes", () =>
    Effect.gen(function* () {
      const listed = universe.filter(({ nxt }) => nxt).map(({ code }) => code)
      const found: Array<string> = []
      for (const name of ["nxt_kospi_code.mst", "nxt_kosdaq_code.mst"]) {
        const { lineBytes = 0 } = captured[name] ?? {}
        const rows = linesOf(yield* fileOf(name), lineBytes).map((line) => parsed(line, layouts[name] ?? []))
        for (const row of rows) {
          const entry = universe.find(({ code }) => code === row["mksc_shrn_iscd"]?.trim())
          assert.isAtMost(Number(row["prdy_vol"]), entry?.previousVolume ?? 0)
          assert.strictEqual(row["krx300_issu_yn"], "N")
          found.push(entry?.code ?? "")
        }
      }
      assert.sameMembers(found, listed)
    })
  )

  it.effect("have in every column the form that the captured lines have there", () =>
    Effect.gen(function* () {
      const unlike = new Set<string>()
      for (const [name, layout] of Object.entries(layouts)) {
        const { lineBytes = 0, sample: lines = [] } = captured[name] ?? {}
        const ours = linesOf(yield* fileOf(name), lineBytes).map((line) => parsed(line, layout))
        // Per group, since a share has columns filled that a fund has not.
        const forms = new Map<string, Set<string>>()
        for (const row of ours) {
          for (const { name: column } of layout) {
            const key = `${row["scrt_grp_cls_code"]} ${column}`
            forms.set(key, (forms.get(key) ?? new Set<string>()).add(patternOf(row[column] ?? "")))
          }
        }
        for (const line of lines) {
          const row = parsed(Buffer.from(line, "hex"), layout)
          for (const { name: column } of layout.slice(3)) {
            const known = forms.get(`${row["scrt_grp_cls_code"]} ${column}`)
            if (known !== undefined && !known.has(patternOf(row[column] ?? ""))) unlike.add(column)
          }
        }
      }
      assert.sameMembers([...unlike], Object.keys(notReproduced))
    })
  )

  it.effect("say of indices what the captured file says, to the byte", () =>
    Effect.gen(function* () {
      const bytes = yield* fileOf("idxcode.mst")
      assert.strictEqual(createHash("sha256").update(bytes).digest("hex"), captured["idxcode.mst"]?.sha256)
    })
  )

  it.effect("need no credentials, count against no limit, and can only be read", () =>
    Effect.gen(function* () {
      for (let call = 0; call < 30; call++) assert.strictEqual((yield* download("idxcode.mst.zip")).status, 200)
      assert.strictEqual((yield* download("theme_code.mst.zip")).status, 404)
      assert.strictEqual((yield* download("../../etc/passwd")).status === 200, false)
      assert.strictEqual((yield* download("kospi_code.mst.zip", { method: "POST" })).status, 405)
      const head = yield* download("kospi_code.mst.zip", { method: "HEAD" })
      assert.strictEqual(head.bytes.length, 0)
      assert.isAbove(Number(head.headers.get("content-length")), 100_000)
    })
  )
})

/** Columns of which we always send the same form, though the captured lines have two. */
const notReproduced: Readonly<Record<string, string>> = {
  grp_code: "the universe does not say which business group a company belongs to: blank",
  ssts_hot_yn: "the universe does not say whose short sales are overheated: blank"
}

describe("a master line", () => {
  const fileNamed = (name: string) => boardFiles[name] ?? assert.fail(name)

  it("lays its columns end to end at the documented offsets", () => {
    const offsets = (layout: ReadonlyArray<Column>) => {
      let at = 0
      return Object.fromEntries(layout.map(({ name, width }) => [name, (at += width) - width]))
    }
    const head = 61
    assert.deepInclude(offsets(kospiLayout), {
      scrt_grp_cls_code: head,
      stck_sdpr: head + 41,
      trht_yn: head + 60,
      mrkt_alrm_cls_code: head + 63,
      flng_cls_code: head + 68,
      prdy_vol: head + 81,
      lstn_stcn: head + 113,
      prst_cls_code: head + 158,
      prdy_avls_scal: head + 212,
      stln_able_yn: 287
    })
    assert.deepInclude(offsets(kosdaqLayout), {
      scrt_grp_cls_code: head,
      stck_sdpr: head + 36,
      trht_yn: head + 55,
      mrkt_alrm_cls_code: head + 58,
      flng_cls_code: head + 63,
      prdy_vol: head + 76,
      lstn_stcn: head + 108,
      prst_cls_code: head + 153,
      prdy_avls_scal: head + 206,
      stln_able_yn: 281
    })
    assert.deepInclude(offsets(konexLayout), {
      scrt_grp_cls_code: head,
      stck_sdpr: head + 2,
      trht_yn: head + 21,
      mrkt_alrm_cls_code: head + 24,
      flng_cls_code: head + 29,
      prdy_vol: head + 42,
      lstn_stcn: head + 74,
      prst_cls_code: head + 119,
      prdy_avls_scal: head + 172,
      stln_able_yn: 244
    })
    assert.deepStrictEqual([kospiLayout.length, kosdaqLayout.length, konexLayout.length], [73, 67, 41])
  })

  it("keeps its width when the name is too long, and cuts no letter in two", () => {
    const name = `${"가".repeat(19)}A나다`
    const market = stagedMarket([issueOf({ name })])
    const [line] = linesOf(boardBytes(market, fileNamed("kospi_code.mst")), 288)
    const shownName = parsed(line ?? new Uint8Array(288), kospiLayout)["hts_kor_isnm"]
    assert.strictEqual(shownName, `${"가".repeat(19)}A `)
  })

  it("shows the base price and the halts of the day, not those of the universe", () => {
    const market = stagedMarket([
      issueOf({ basePrice: 299_000 }, { basePrice: 311_500, halted: true, previousVolume: 7 })
    ])
    const [line] = linesOf(boardBytes(market, fileNamed("kospi_code.mst")), 288)
    assert.deepInclude(parsed(line ?? new Uint8Array(288), kospiLayout), {
      stck_sdpr: "000311500",
      trht_yn: "Y",
      prdy_vol: "000000000007"
    })
  })

  it("of KONEX is written for whatever the market has there", () => {
    const market = stagedMarket([issueOf({ code: "052960", market: "KONEX", name: "태양3C", nxt: false })])
    const bytes = boardBytes(market, fileNamed("konex_code.mst"))
    assert.strictEqual(bytes.length, 246)
    assert.deepInclude(parsed(bytes.subarray(0, 245), konexLayout), {
      mksc_shrn_iscd: "052960   ",
      scrt_grp_cls_code: "ST"
    })
  })
})

describe("a zip of ours", () => {
  it("is dated 07:35:06 of the market day and says it comes from Unix, like the captured ones", () => {
    const zip = Buffer.from(zipped("kospi_code.mst", new Uint8Array(10), "20260722"))
    // The local header's DOS time and date, two bytes each.
    const time = zip.readUInt16LE(10)
    const date = zip.readUInt16LE(12)
    assert.deepStrictEqual([time >> 11, (time >> 5) & 63, (time & 31) * 2], [7, 35, 6])
    assert.deepStrictEqual([1980 + (date >> 9), (date >> 5) & 15, date & 31], [2026, 7, 22])
    const entry = zip.indexOf("PK\u0001\u0002")
    assert.strictEqual(zip[entry + 5], 3)
    assert.strictEqual(zip.readUInt32LE(entry + 38), 2_175_795_200)
    assert.isAbove(zipped("a", new Uint8Array(1), "19700101").length, 0)
  })
})
