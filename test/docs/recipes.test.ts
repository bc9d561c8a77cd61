import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { spawnSync } from "node:child_process"
import { join } from "node:path"
import { Disk } from "../../src/journal/Disk.ts"
import { readArchive } from "../../src/journal/Reader.ts"
import { bookFields, tradeFields } from "../../src/kis/StreamFields.ts"
import { replay } from "../../src/sql/Replay.ts"
import { exported } from "../ops/exportFixtures.ts"
import { databases } from "../sql/fixtures.ts"
import { duckdb, duckdbMissing } from "../support/duckdb.ts"
import { scratchFolder } from "../support/virtualTime.ts"
import { blocksOf, textOf } from "./blocks.ts"
import { layRecipesJournal } from "./recipesJournal.ts"

/** The values of each row, in the order of the columns. */
type Rows = ReadonlyArray<ReadonlyArray<unknown>>

const blocks = blocksOf("docs/recipes.md")
const sqlOf = (server: boolean) =>
  blocks.filter(({ heading, language }) => language === "sql" && heading.startsWith("psql: ") === server)
const pythonOf = (library: string) =>
  blocks.filter(({ heading, language }) => language === "python" && heading.startsWith(`${library}: `))

/** No block is left without an expectation, and no expectation without its block. */
const sameHeadings = (
  found: ReadonlyArray<{ readonly heading: string }>,
  expected: Readonly<Record<string, unknown>>
) =>
  assert.deepStrictEqual(
    found.map(({ heading }) => heading),
    Object.keys(expected)
  )

/** `var/` as the page has it, with the exports that it reads. */
const stage = Effect.gen(function* () {
  const folder = yield* scratchFolder
  const data = join(folder, "plain")
  layRecipesJournal(join(folder, "var", "data"), "compressed")
  layRecipesJournal(data, "compressed")
  yield* exported(data, join(folder, "var", "export"))
  yield* exported(data, join(folder, "var", "export"), { format: "csv" })
  yield* exported(data, join(folder, "var", "raw"), { withBrokerColumns: true })
  return { folder, data }
})

const at = (time: string) => `2026-11-20 ${time}+00`
const kinds: Rows = [
  ["book", "4"],
  ["gap", "8"],
  ["quote", "2"],
  ["reject", "3"],
  ["trade", "10"]
]
const sides: Rows = [
  ["000660", "5", "2"],
  ["005930", "1", "16"],
  ["005930", "5", "20"]
]
/** Symbol, minute, open, high, low, close, volume. */
const bars: ReadonlyArray<readonly [string, string, number, number, number, number, number]> = [
  ["000660", "00:02", 182_000, 182_000, 181_500, 181_500, 4],
  ["005930", "00:00", 70_000, 70_200, 70_000, 70_200, 15],
  ["005930", "00:01", 69_900, 70_000, 69_900, 70_000, 30],
  ["005930", "00:02", 70_050, 70_100, 70_050, 70_100, 5]
]
/** Price times volume, over volume. */
const vwaps = [181_750, 70_066.67, 69_933.33, 70_060]
const trades_counts = ["3", "2", "2", "2"]
const depth = (time: string) => ["005930", at(time), "150", "15"]

const duckdbRows: Readonly<Record<string, Rows>> = {
  "The journal as a table": [],
  "What is there": [
    ["book", "4", "1", at("00:00:01"), at("00:01:12")],
    ["gap", "8", "2", at("00:00:00"), at("00:02:20")],
    ["quote", "2", "2", at("00:00:00"), at("00:00:00.5")],
    ["reject", "3", "0", at("00:01:15"), at("00:02:13")],
    ["trade", "10", "2", at("00:00:01.08"), at("00:02:14")]
  ],
  "Last price per symbol": [
    ["000660", 181_500, at("00:02:14")],
    ["005930", 70_100, at("00:02:10.08")]
  ],
  "Trades of stream and lists, none of them twice": [],
  "Trades in their order": [
    [at("00:00:01"), "kis-ws", 70_000, "10", "10"],
    [at("00:00:30"), "kis-ws", 70_200, "5", "15"],
    [at("00:01:10"), "kis-ws", 69_900, "20", "35"],
    [at("00:01:30"), "backfill", 70_000, "10", "45"],
    [at("00:02:00"), "backfill", 70_050, "4", "49"],
    [at("00:02:10"), "kis-ws", 70_100, "1", "50"]
  ],
  "Bars of one minute": bars.map(([symbol, minute, ...values], index) => [
    symbol,
    at(`${minute}:00`),
    ...values.slice(0, 4),
    String(values[4]),
    vwaps[index],
    trades_counts[index]
  ]),
  // 14.28 for 30 s and 28.53 for 40 s; nobody knows how long the last book stood.
  "Spread from the books": [["005930", "3", 22.42]],
  "How late the records are": [["kis-ws", "9", 80, 100, 100]],
  "Holes of a day": [
    ["all", "downtime", "2026-11-19 23:59:00+00", "2026-11-19 23:59:30+00", "0", "0", "0", "0", false],
    ["005930", "disconnect", at("00:01:20"), at("00:02:05"), "0", "0", "0", "0", true],
    ["000660", "continuity", at("00:02:15"), at("00:02:16"), "3", "10", "1", "4", false],
    ["000660", "continuity", at("00:02:15"), at("00:02:18"), "1", "2", "1", "2", true]
  ],
  "Rejects by reason": [
    ["kis-rest", "zeroPrice", "2", "one"],
    ["kis-rest", "frameShape", "1", "0|H0STCNT0|002|a^b"]
  ],
  "Files against their manifest": [["09/seoul-1-000000000009.jsonl", "8", "7"]],
  "Records against their numbers": [["seoul-1", "0", "0"]],
  "Symbols that were wanted and not seen": [["035420", "name of 035420", "KOSPI"]],
  "Volume by the side that began the trade": sides,
  "Depth of the book": [depth("00:00:01"), depth("00:00:31"), depth("00:01:11"), depth("00:01:12")],
  "The broker's names in a quote": [
    ["000660", 'SK"하이닉스"', "7"],
    ["005930", "삼성전자", "0"]
  ],
  "Parquet: a week of last prices": [
    ["2026-11-20", "000660", 181_500],
    ["2026-11-20", "005930", 70_100]
  ],
  "Parquet: the broker's columns": sides,
  "CSV: prices": [
    ["000660", "3", "182000"],
    ["005930", "7", "70200"]
  ]
}

const instant = (time: string) => `2026-11-20T${time}.000Z`
const psqlRows: Readonly<Record<string, Rows>> = {
  "psql: last price per symbol": [
    ["000660", 181_500, "2026-11-20T00:02:14.000Z"],
    ["005930", 70_100, "2026-11-20T00:02:10.080Z"]
  ],
  "psql: bars of one minute": bars.map(([symbol, minute, ...values]) => [
    symbol,
    instant(`${minute}:00`),
    ...values.slice(0, 4),
    String(values[4])
  ]),
  // Each book as much as another.
  "psql: spread from the books": [["005930", "3", 19.03]],
  "psql: holes of a day": [
    ["downtime", null, "2026-11-19T23:59:00.000Z", "2026-11-19T23:59:30.000Z", "0", "0", "0", "0", false],
    ["disconnect", "005930", instant("00:01:20"), instant("00:02:05"), "0", "0", "0", "0", true],
    ["continuity", "000660", instant("00:02:15"), instant("00:02:16"), "3", "10", "1", "4", false],
    ["continuity", "000660", instant("00:02:15"), instant("00:02:18"), "1", "2", "1", "2", true]
  ],
  "psql: rejects by reason": [
    ["zeroPrice", "2"],
    ["frameShape", "1"]
  ]
}

/** The variable that a block ends with, and the rows in it. */
type PythonRows = Readonly<Record<string, readonly [name: string, rows: Rows]>>

const counts: Rows = kinds.map(([kind, records]) => [kind, Number(records)])
const lastPrices: Rows = [
  ["000660", 181_500],
  ["005930", 70_100]
]
const pythonBars: Rows = bars.map(([symbol, minute, ...values]) => [symbol, `2026-11-20T${minute}:00`, ...values])
const pythonRows = (library: string): PythonRows => ({
  [`${library}: the journal`]: ["counts", counts],
  [`${library}: last price per symbol`]: ["last", lastPrices],
  [`${library}: bars of one minute`]: ["bars", pythonBars],
  [`${library}: an export`]: ["closes", lastPrices]
})

/** Prints the rows of a variable of either library as JSON, instants without their zone, which is UTC. */
const printing = (name: string) => `
import json as _json
_rows = ${name}.rows() if hasattr(${name}, "rows") else ${name}.itertuples(index=False)
print(_json.dumps([[value.isoformat()[:19] if hasattr(value, "isoformat") else value for value in row] for row in _rows]))
`

const python = (code: string, folder: string) =>
  spawnSync("python3", ["-c", code], { cwd: folder, encoding: "utf8", env: { ...process.env, TZ: "America/New_York" } })

const libraries = ["polars", "pandas"].map((library) => {
  const { error, status } = python(`import ${library}`, ".")
  const missing = error !== undefined || status !== 0 ? `python3 cannot import ${library}` : undefined
  return { library, missing }
})

for (const missing of [duckdbMissing, ...libraries.map(({ missing }) => missing)]) {
  if (missing !== undefined) console.warn(`some of the recipes are not run: ${missing}`)
}

describe("the recipes", () => {
  it.live.skipIf(duckdbMissing !== undefined)("are right of a journal as it lies, in DuckDB", () =>
    Effect.gen(function* () {
      const { folder } = yield* stage
      const { rowsOf } = yield* duckdb
      sameHeadings(sqlOf(false), duckdbRows)
      for (const { code, heading } of sqlOf(false)) {
        const rows = yield* rowsOf(code.replaceAll("'var/", `'${folder}/var/`))
        assert.deepStrictEqual(rows.map(Object.values), duckdbRows[heading], heading)
      }
      for (const page of ["README.md", "README.ko.md"]) {
        const [block] = blocksOf(page).filter(({ language }) => language === "sql")
        const ofTheDay = block?.code.replace("'var/data/2026/11/24", `'${folder}/var/data/2026/11/20`) ?? ""
        const rows = (yield* rowsOf(ofTheDay)).map(Object.values)
        assert.deepStrictEqual(rows.sort(), lastPrices, page)
      }
    }).pipe(Effect.provide(Disk.layer))
  )

  it.live.skipIf(duckdbMissing !== undefined)("are right of what half a line does to them", () =>
    Effect.gen(function* () {
      const { folder } = yield* stage
      const { rowsOf } = yield* duckdb
      const counted = (files: string, options = "") =>
        rowsOf(`SELECT count(*)::INTEGER AS lines, count(seq)::INTEGER AS records
          FROM read_json('${folder}/var/data/2026/11/20/*/${files}', format = 'newline_delimited', columns = {seq: 'BIGINT'}${options})`)
      assert.deepStrictEqual(yield* counted("*.json*[lnz]", ", ignore_errors = true"), [{ lines: 28, records: 27 }])
      assert.deepStrictEqual(yield* counted("*.jsonl"), [{ lines: 8, records: 8 }])
      assert.deepStrictEqual(yield* counted("*.jsonl.gz"), [{ lines: 7, records: 7 }])
      assert.match(
        String(yield* Effect.sandbox(counted("*.json*[lnz]")).pipe(Effect.flip)),
        /Malformed JSON in file .*\.open/
      )
    }).pipe(Effect.provide(Disk.layer))
  )

  for (const { library, missing } of libraries) {
    it.live.skipIf(missing !== undefined)(`are right of a journal as it lies, in ${library}`, () =>
      Effect.gen(function* () {
        const { folder } = yield* stage
        const expected = pythonRows(library)
        sameHeadings(pythonOf(library), expected)
        const code = pythonOf(library).map((block) => block.code + printing(expected[block.heading]?.[0] ?? ""))
        const { stderr, stdout } = python(code.join("\n"), folder)
        assert.deepStrictEqual(
          stdout
            .trim()
            .split("\n")
            .map((line) => JSON.parse(line || "null") as unknown),
          Object.values(expected).map(([, rows]) => rows),
          stderr
        )
      }).pipe(Effect.provide(Disk.layer))
    )
  }

  for (const { layer, name } of databases) {
    const ofTheTables = Effect.gen(function* () {
      const { data } = yield* stage
      yield* replay({ chunks: readArchive({ dataDir: data }), range: "*-*", onProgress: () => Effect.void })
      const sql = yield* SqlClient.SqlClient
      yield* sql`set time zone 'UTC'`
      sameHeadings(sqlOf(true), psqlRows)
      for (const { code, heading } of sqlOf(true)) {
        const rows = yield* sql.unsafe<Record<string, unknown>>(code.trim().replace(/;$/, ""))
        const texts = JSON.stringify(rows.map(Object.values), (_, value: unknown) =>
          typeof value === "bigint" ? String(value) : value
        )
        assert.deepStrictEqual(JSON.parse(texts), psqlRows[heading], heading)
      }
    }).pipe(Effect.provide([layer, Disk.layer]))
    it.live(`are right of the tables, in ${name}`, () => ofTheTables, 120_000)
  }

  it("ask the database for holes as the page on gaps does", () => {
    const [ofThePage] = blocksOf("docs/gaps.md").filter(({ language }) => language === "sql")
    const ofTheRecipe = sqlOf(true).find(({ heading }) => heading === "psql: holes of a day")
    assert.strictEqual(ofTheRecipe?.code.trim(), ofThePage?.code.trim())
  })

  it("name every value of a trade, and those of a book that they name, at their places", () => {
    const page = textOf("docs/recipes.md")
    const [, table = ""] = /<!-- fields H0STCNT0 -->([\s\S]*)<!-- \/fields -->/.exec(page) ?? []
    const places = [...table.matchAll(/\| (\d+) \| `(\w+)`/g)].map(
      ([, index, field]) => [Number(index), field] as const
    )
    assert.deepStrictEqual(
      places.sort(([a], [b]) => a - b),
      tradeFields.map((field, index) => [index, field] as const)
    )
    const [, book = ""] = /A record of `H0STASP0`([\s\S]*)$/.exec(page) ?? []
    const named = [...book.matchAll(/(\d+)(?:–\d+)? `([A-Z_0-9]+)`/g)]
    assert.isAtLeast(named.length, 15)
    for (const [, index, field] of named) assert.strictEqual(bookFields[Number(index)], field)
  })
})
