import { assert, describe, it } from "@effect/vitest"
import { parse } from "csv-parse/sync"
import { Effect, Schema } from "effect"
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { encodeLine, type JournalRecord, type RecordDraft } from "../../src/domain/JournalRecord.ts"
import { Disk } from "../../src/journal/Disk.ts"
import { bookFields, tradeFields } from "../../src/kis/StreamFields.ts"
import { knownWidths } from "../../src/kis/StreamLayout.ts"
import { group_rows_max } from "../../src/ops/export/RowGroup.ts"
import { capturedFrame } from "../support/samples.ts"
import { duckdb, duckdbMissing } from "../support/duckdb.ts"
import { MemoryDisk } from "../support/memoryDisk.ts"
import { openOutput } from "../../src/ops/export/OutputFile.ts"
import { scratchFolder } from "../support/virtualTime.ts"
import { exported, lay, numbered, openMs, trade } from "./exportFixtures.ts"

if (duckdbMissing !== undefined) console.warn(`exports are not read back: ${duckdbMissing}`)

/** Every kind of record, keys absent and there, and texts that a file format could stumble over. */
const drafts: ReadonlyArray<RecordDraft> = [
  trade(0, {
    exchangeAtMs: openMs - 81,
    account: "main",
    venue: "KRX",
    phase: "continuous",
    price: 70_000.5,
    volume: 3,
    cumVolume: 9_007_199_254_740_991,
    ask: 70_100,
    bid: 70_000,
    quality: { flags: ["auction", "vi"], lagMs: 81 }
  }),
  trade(1, { quality: { flags: [] } }),
  { kind: "book", symbol: "005930", receivedAtMs: openMs + 2, source: "kis-ws", ask: 70_100, payload: ["005930"] },
  {
    kind: "quote",
    symbol: "0000Y0",
    receivedAtMs: openMs + 3,
    source: "kis-rest",
    price: 12,
    payload: { inter_kor_isnm: '삼성, "전자"\n우' }
  },
  { kind: "index", symbol: "0001", receivedAtMs: openMs + 4, source: "kis-rest", price: 2_500.12, payload: {} },
  { kind: "gap", symbol: "005930", receivedAtMs: openMs + 5, source: "observer", payload: { cause: "disconnect" } },
  { kind: "gap", receivedAtMs: openMs + 6, source: "observer", payload: { cause: "downtime" } },
  {
    kind: "reject",
    receivedAtMs: openMs + 7,
    source: "kis-ws",
    payload: { reason: "frameShape", raw: "a\u0000b^|\\" }
  },
  { kind: "marker", receivedAtMs: openMs + 8, source: "observer", payload: { event: "stop" } }
]

/** A record as a reader of an export sees it: flat, times as UTC, 64-bit numbers as text. */
const flat = (node: string, record: JournalRecord) => {
  const { exchangeAt, payload, quality, receivedAt, v: _, ...keys } = record
  const rest = Object.fromEntries(Object.entries(keys).filter(([, value]) => value !== undefined))
  const atMs = (instant: string | undefined) => (instant === undefined ? undefined : Date.parse(instant))
  const text = (value: number | undefined) => (value === undefined ? null : String(value))
  return {
    account: null,
    venue: null,
    phase: null,
    price: null,
    ask: null,
    bid: null,
    symbol: null,
    ...rest,
    node,
    seq: String(record.seq),
    volume: text(record.volume),
    cumVolume: text(record.cumVolume),
    receivedAt: text(atMs(receivedAt)),
    exchangeAt: text(atMs(exchangeAt)),
    flags: quality?.flags.join(" ") || null,
    lagMs: quality?.lagMs ?? null,
    payload: JSON.stringify(payload)
  }
}

const readBack = (from: string) =>
  `SELECT * REPLACE (epoch_ms(receivedAt) AS receivedAt, epoch_ms(exchangeAt) AS exchangeAt) FROM ${from} ORDER BY node DESC, seq`

const csvTypes =
  "{node: 'VARCHAR', seq: 'BIGINT', id: 'VARCHAR', kind: 'VARCHAR', symbol: 'VARCHAR', receivedAt: 'TIMESTAMPTZ', exchangeAt: 'TIMESTAMPTZ'," +
  "source: 'VARCHAR', account: 'VARCHAR', venue: 'VARCHAR', phase: 'VARCHAR', price: 'DOUBLE', volume: 'BIGINT', cumVolume: 'BIGINT'," +
  "ask: 'DOUBLE', bid: 'DOUBLE', flags: 'VARCHAR', lagMs: 'DOUBLE', payload: 'VARCHAR'}"

describe("an export", () => {
  it.live.skipIf(duckdbMissing !== undefined)("is the journal's lines, as DuckDB reads Parquet and CSV", () =>
    Effect.gen(function* () {
      const folder = yield* scratchFolder
      const data = join(folder, "data")
      const records = numbered("seoul-1", 1, drafts)
      const others = numbered("busan-1", 500, [trade(10), trade(11, { price: 1 })])
      lay(data, "seoul-1", records.slice(0, 4))
      lay(data, "seoul-1", records.slice(4), { suffix: ".open", tail: '{"v":1,"seq":10,"ki' })
      lay(data, "busan-1", others)
      const expected = [...records.map((each) => flat("seoul-1", each)), ...others.map((each) => flat("busan-1", each))]

      const { rowsOf } = yield* duckdb
      const parquet = yield* exported(data, join(folder, "parquet"))
      assert.deepStrictEqual(
        parquet.map(({ file, rows }) => [file.slice(folder.length + 1), rows]),
        [
          ["trade", 4],
          ["book", 1],
          ["quote", 1],
          ["index", 1],
          ["gap", 2],
          ["reject", 1],
          ["marker", 1]
        ].map(([kind, rows]) => [join("parquet", `2026-11-20.${kind}.parquet`), rows])
      )
      assert.deepStrictEqual(yield* rowsOf(readBack(`'${folder}/parquet/*.parquet'`)), expected)

      const [csv, ...more] = yield* exported(data, "", {
        format: "csv",
        target: { _tag: "File", path: join(folder, "csv", "all.csv") }
      })
      assert.deepInclude(csv, { rows: expected.length, notWhole: 0 })
      assert.strictEqual(csv?.bytes, readFileSync(csv?.file ?? "").length)
      assert.deepStrictEqual(more, [])
      const read = `read_csv('${folder}/csv/all.csv', header = true, auto_detect = false, quote = '"', escape = '"', columns = ${csvTypes})`
      assert.deepStrictEqual(yield* rowsOf(readBack(read)), expected)

      const types = yield* rowsOf(`DESCRIBE FROM '${folder}/parquet/2026-11-20.trade.parquet'`)
      assert.strictEqual(
        types.map((row) => `${row["column_name"]} ${row["column_type"]}`).join(", "),
        "node VARCHAR, seq BIGINT, id VARCHAR, kind VARCHAR, symbol VARCHAR, receivedAt TIMESTAMP WITH TIME ZONE, " +
          "exchangeAt TIMESTAMP WITH TIME ZONE, source VARCHAR, account VARCHAR, venue VARCHAR, phase VARCHAR, " +
          "price DOUBLE, volume BIGINT, cumVolume BIGINT, ask DOUBLE, bid DOUBLE, flags VARCHAR, lagMs DOUBLE, payload VARCHAR"
      )
    }).pipe(Effect.provide(Disk.layer))
  )

  it.live.skipIf(duckdbMissing !== undefined)("has every row of a file of several groups, once and in order", () =>
    Effect.gen(function* () {
      const folder = yield* scratchFolder
      const count = Math.round(2.5 * group_rows_max)
      const records = numbered(
        "seoul-1",
        1,
        Array.from({ length: count }, (_, n) =>
          trade(n, { price: n + 1, volume: n, ...(n % 3 === 0 && { exchangeAtMs: openMs + n }) })
        )
      )
      lay(join(folder, "data"), "seoul-1", records)
      yield* exported(join(folder, "data"), folder)
      const { rowsOf } = yield* duckdb
      const file = `'${folder}/2026-11-20.trade.parquet'`
      const [sums] = yield* rowsOf(
        `SELECT count(*) AS rows, sum(price) AS price, sum(volume)::BIGINT AS volume, sum(epoch_ms(receivedAt) - ${openMs})::BIGINT AS received,
           sum(epoch_ms(exchangeAt) - ${openMs})::BIGINT AS exchange, count(*) FILTER (seq = file_row_number + 1) AS inOrder
         FROM read_parquet(${file}, file_row_number = true)`
      )
      const total = (count * (count - 1)) / 2
      const third = Math.ceil(count / 3)
      assert.deepStrictEqual(sums, {
        rows: String(count),
        price: total + count,
        volume: String(total),
        received: String(total),
        exchange: String((3 * (third * (third - 1))) / 2),
        inOrder: String(count)
      })
      const groups = yield* rowsOf(
        `SELECT DISTINCT row_group_id, row_group_num_rows AS rows FROM parquet_metadata(${file}) ORDER BY row_group_id`
      )
      assert.isAtLeast(groups.length, 3)
      for (const { rows } of groups) assert.isAtMost(Number(rows), 1.1 * group_rows_max)
    }).pipe(Effect.provide(Disk.layer))
  )

  it.live.skipIf(duckdbMissing !== undefined)(
    "can give each of the broker's values a column under the broker's name",
    () =>
      Effect.gen(function* () {
        const folder = yield* scratchFolder
        const values = (capturedFrame("H0STCNT0-036").split("|")[3] ?? "").split("^").slice(0, 47)
        lay(
          join(folder, "data"),
          "seoul-1",
          numbered("seoul-1", 1, [
            trade(0, { payload: values }),
            trade(1, { source: "backfill", payload: { acml_vol: "1" } })
          ])
        )
        yield* exported(join(folder, "data"), folder, { withBrokerColumns: true })
        const { rowsOf } = yield* duckdb
        const rows = yield* rowsOf(
          `SELECT ${tradeFields.join(", ")} FROM '${folder}/2026-11-20.trade.parquet' ORDER BY seq`
        )
        assert.deepStrictEqual(
          rows.map((row) => Object.values(row)),
          [values, values.map(() => null)]
        )
      }).pipe(Effect.provide(Disk.layer))
  )

  it("knows as many of the broker's columns as a stream's widest record has", () => {
    assert.strictEqual(tradeFields.length, knownWidths.get("H0STCNT0")?.max)
    assert.strictEqual(bookFields.length, knownWidths.get("H0STASP0")?.max)
    for (const names of [tradeFields, bookFields]) assert.strictEqual(new Set(names).size, names.length)
  })

  it.live("is of the days, kinds and symbols that were asked for; gaps of every symbol are each symbol's", () =>
    Effect.gen(function* () {
      const folder = yield* scratchFolder
      const data = join(folder, "data")
      const day_ms = 86_400_000
      lay(data, "seoul-1", numbered("seoul-1", 1, drafts))
      lay(data, "seoul-1", numbered("seoul-1", 100, [trade(day_ms)]))
      lay(data, "seoul-1", numbered("seoul-1", 200, [trade(2 * day_ms)]))
      const names = (files: ReadonlyArray<{ readonly file: string; readonly rows: number }>) =>
        files.map(({ file, rows }) => `${file.slice(folder.length + 1)} ${rows}`)
      const two = yield* exported(data, folder, { toDay: "20261121", kinds: new Set(["trade"]), format: "csv" })
      assert.deepStrictEqual(names(two), ["2026-11-20.trade.csv 2", "2026-11-21.trade.csv 1"])
      const one = yield* exported(data, folder, { symbols: new Set(["005930"]) })
      assert.deepStrictEqual(names(one), [
        "2026-11-20.trade.parquet 1",
        "2026-11-20.book.parquet 1",
        "2026-11-20.gap.parquet 2"
      ])
      const file = join(folder, "three.csv")
      const three = yield* exported(data, "", {
        toDay: "20261122",
        format: "csv",
        kinds: new Set(["trade", "gap"]),
        target: { _tag: "File", path: file }
      })
      assert.deepStrictEqual(names(three), ["three.csv 6"])
      assert.deepStrictEqual(yield* exported(data, folder, { fromDay: "20261201", toDay: "20261231" }), [])
      assert.deepStrictEqual(
        readdirSync(folder).filter((name) => name.includes("2026-12") || name.endsWith(".part")),
        []
      )
    }).pipe(Effect.provide(Disk.layer))
  )

  it.live("leaves a number of shares empty that is not whole, and says how many there were", () =>
    Effect.gen(function* () {
      const folder = yield* scratchFolder
      lay(
        join(folder, "data"),
        "seoul-1",
        numbered("seoul-1", 1, [trade(0, { volume: 1.5 }), trade(1, { volume: 2, cumVolume: 1e300 })])
      )
      assert.deepInclude((yield* exported(join(folder, "data"), folder))[0], { rows: 2, notWhole: 2 })
    }).pipe(Effect.provide(Disk.layer))
  )

  it.live("refuses a file that is there before it reads anything, and replaces it only when told to", () =>
    Effect.gen(function* () {
      const folder = yield* scratchFolder
      const data = join(folder, "data")
      const file = join(folder, "out", "2026-11-20.trade.csv")
      lay(data, "seoul-1", numbered("seoul-1", 1, [trade(0)]))
      mkdirSync(join(folder, "out"))
      writeFileSync(file, "mine")
      const refused = yield* Effect.flip(exported(data, join(folder, "out"), { format: "csv" }))
      assert.strictEqual(refused.message, `${file}: is there already; --overwrite replaces it`)
      assert.strictEqual(readFileSync(file, "utf8"), "mine")
      yield* exported(data, join(folder, "out"), { format: "csv", overwrite: true })
      assert.match(readFileSync(file, "utf8"), /^node,seq,id,/)
      assert.deepStrictEqual(readdirSync(join(folder, "out")), ["2026-11-20.trade.csv"])
    }).pipe(Effect.provide(Disk.layer))
  )

  it.live("writes the same file as another at once without mixing the two, whatever a killed one left", () =>
    Effect.gen(function* () {
      const folder = yield* scratchFolder
      const [left, right] = [Buffer.alloc(500_000, "l"), Buffer.alloc(300_000, "r")]
      const file = join(folder, "day.csv")
      writeFileSync(`${file}.part`, "of a killed one")
      const begun = (overwrite: boolean) => openOutput(file, { overwrite })
      const [one, other] = [yield* begun(false), yield* begun(false)]
      for (let at = 0; at < 500_000; at += 100_000) {
        yield* one.append(left.subarray(at, at + 100_000))
        yield* other.append(right.subarray(at, at + 100_000))
      }
      assert.strictEqual(yield* one.finish, 500_000)
      assert.isTrue(readFileSync(file).equals(left))
      // The second comes to a file that was not there when it began.
      assert.strictEqual((yield* Effect.flip(other.finish)).detail, "is there already; --overwrite replaces it")
      assert.isTrue(readFileSync(file).equals(left))
      const third = yield* begun(true)
      yield* third.append(right)
      yield* third.finish
      assert.isTrue(readFileSync(file).equals(right))
    }).pipe(Effect.provide(Disk.layer), Effect.scoped)
  )

  it.live("leaves nothing half written, and what was there before, when a line of the journal cannot be read", () =>
    Effect.gen(function* () {
      const folder = yield* scratchFolder
      const data = join(folder, "data")
      const file = join(folder, "2026-11-20.trade.csv")
      writeFileSync(file, "of yesterday")
      lay(data, "seoul-1", numbered("seoul-1", 1, [trade(0), trade(1)]), { tail: "no record\n" })
      const failed = yield* Effect.flip(exported(data, folder, { format: "csv", overwrite: true }))
      assert.strictEqual(failed._tag, "JournalReadError")
      assert.strictEqual(readFileSync(file, "utf8"), "of yesterday")
      assert.deepStrictEqual(readdirSync(folder).sort(), ["2026-11-20.trade.csv", "data"])
    }).pipe(Effect.provide(Disk.layer))
  )

  it.effect("says that the disk is full, and leaves nothing half written wherever it fills up", () =>
    Effect.gen(function* () {
      const lines = numbered("seoul-1", 1, drafts).map((record) => `${encodeLine(record)}\n`)
      const made = () => {
        const disk = new MemoryDisk("/memory")
        disk.put("data/2026/11/20/09/seoul-1-000000000001.jsonl", Buffer.from(lines.join("")))
        disk.put("out/2026-11-20.trade.csv", Buffer.from("of yesterday"))
        return disk
      }
      const run = (disk: MemoryDisk) =>
        exported("/memory/data", "/memory/out", {
          format: "csv",
          overwrite: true,
          kinds: new Set(["trade", "gap"])
        }).pipe(Effect.provide(disk.layer))
      const outputs = (disk: MemoryDisk) => new Map([...disk.files()].filter(([path]) => path.startsWith("out/")))
      const clean = made()
      yield* run(clean)
      const whole = outputs(clean)
      assert.deepStrictEqual([...whole.keys()].sort(), ["out/2026-11-20.gap.csv", "out/2026-11-20.trade.csv"])
      for (let failing = 0; failing < clean.calls; failing++) {
        const disk = made()
        const failure = { _tag: "Refused", code: "ENOSPC", done: 0.5 } as const
        let path = ""
        disk.fault = (call) => {
          if (call.index !== failing) return undefined
          path = call.path
          return failure
        }
        const { message } = yield* Effect.flip(run(disk))
        if (path.startsWith("/memory/out")) assert.match(message, /the disk is full; free some room, or let --out name/)
        for (const [name, bytes] of outputs(disk)) {
          const before = name.includes("trade") ? "of yesterday" : undefined
          assert.include([before, whole.get(name)?.toString()], bytes.toString(), `${name} when call ${failing} fails`)
        }
      }
    })
  )

  const Text = Schema.String.check(Schema.isMaxLength(12))
  it.effect.prop(
    "keeps every text of a CSV apart from its neighbours",
    [Schema.Array(Schema.Tuple([Text, Text, Text]))],
    ([anyTexts]) =>
      Effect.gen(function* () {
        // Half of a surrogate pair cannot be written as UTF-8.
        const texts = anyTexts.map((three) => three.map((text) => Buffer.from(text).toString()))
        const disk = new MemoryDisk("/memory")
        const records = numbered(
          "seoul-1",
          1,
          texts.map(([symbol, account, raw = ""], n) =>
            trade(n, { symbol, account, quality: { flags: [raw] }, payload: { raw } })
          )
        )
        disk.put(
          "data/2026/11/20/09/seoul-1-000000000001.jsonl",
          Buffer.from(records.map((record) => `${encodeLine(record)}\n`).join(""))
        )
        yield* exported("/memory/data", "/memory/out", { format: "csv" }).pipe(Effect.provide(disk.layer))
        const csv = disk.files().get("out/2026-11-20.trade.csv") ?? ""
        const rows: ReadonlyArray<Record<string, string>> = parse(csv, { columns: true })
        assert.deepStrictEqual(
          rows.map(({ account, flags, payload, symbol }) => [symbol, account, flags, payload]),
          texts.map(([symbol, account, raw]) => [symbol, account, raw, JSON.stringify({ raw })])
        )
      })
  )
})
