import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { mkdirSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { marketAt } from "../../src/calendar/ClockLine.ts"
import { encodeLine, type JournalRecord, makeNumberer, type RecordDraft } from "../../src/domain/JournalRecord.ts"
import { rowDigest } from "../../src/domain/RowDigest.ts"
import { Disk } from "../../src/journal/Disk.ts"
import { segmentFile } from "../../src/journal/SegmentName.ts"
import { auditLedger } from "../../src/ops/LedgerAudit.ts"
import { makeComparison } from "../../src/ops/ledgerAudit/comparison.ts"
import { renderAudit } from "../../src/ops/ledgerAudit/renderAudit.ts"
import { scratchFolder } from "../support/virtualTime.ts"

const symbol = "005930"
const begin = Date.UTC(2026, 10, 24, 1)
const iso = (atMs: number) => new Date(atMs).toISOString()
const slack_ms = 100

const trade = (volume: number) => [symbol, "100000", "71000", String(volume)]
const frame = (volumes: ReadonlyArray<number>) =>
  `0|H0STCNT0|${String(volumes.length).padStart(3, "0")}|${volumes.flatMap(trade).join("^")}`

const numberer = makeNumberer("node")
let seq = 0
const record = (
  draft: Omit<RecordDraft, "receivedAtMs" | "source">,
  atMs: number,
  source: RecordDraft["source"] = "kis-ws"
) => numberer({ ...draft, receivedAtMs: atMs, source }, ++seq)
const tradeRecord = (volume: number, atMs: number) => record({ kind: "trade", symbol, payload: trade(volume) }, atMs)
const gapRecord = (fromMs: number, toMs: number, of: string | undefined = symbol) =>
  record(
    { kind: "gap", symbol: of, payload: { from: iso(fromMs), to: iso(toMs), cause: "disconnect" } },
    toMs,
    "observer"
  )
const marker = (atMs: number) => record({ kind: "marker", payload: { event: "start" } }, atMs, "observer")

const sentFrame = (volumes: ReadonlyArray<number>, atMs: number, text = frame(volumes)) =>
  ({ kind: "frame", at: iso(atMs), key: "aa", symbol, records: volumes.length, text }) as const
const sentRow = (price: number, atMs: number) =>
  ({
    kind: "call",
    at: iso(atMs),
    tr: "FHKST11300006",
    outcome: "answered",
    rows: [[symbol, rowDigest(row(price))]]
  }) as const
const row = (price: number) => ({ inter_shrn_iscd: symbol, inter2_prpr: String(price) })
const quoteRecord = (price: number, atMs: number) =>
  record({ kind: "quote", symbol, payload: row(price) }, atMs, "kis-rest")

/** A journal that was written from the beginning until long after all that is sent here. */
const compare = (
  sent: ReadonlyArray<Parameters<ReturnType<typeof makeComparison>["sent"]>[0]>,
  journalled: ReadonlyArray<JournalRecord>,
  key?: string
) => {
  const comparison = makeComparison({ slack_ms, key })
  for (const line of sent) comparison.sent(line)
  comparison.journalled(marker(begin - 1_000))
  for (const each of journalled) comparison.journalled(each)
  comparison.journalled(marker(begin + 1_000_000))
  return comparison.report()
}

const Fates = Schema.Array(
  Schema.Literals(["journalled", "late", "twice", "rejected", "frameRejected", "covered", "missing", "repeated"])
)

describe("the audit of a stream", () => {
  it.prop(
    "finds of every record what became of it",
    [Fates, Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 5 }))],
    ([fates, inventions]) => {
      const sent: Array<ReturnType<typeof sentFrame>> = []
      const journal: Array<JournalRecord> = []
      const expected = {
        delivered: 0,
        journalled: 0,
        rejected: 0,
        deduplicated: 0,
        covered: 0,
        missing: 0,
        duplicates: 0,
        invented: inventions
      }
      fates.forEach((fate, at) => {
        const atMs = begin + at * 10_000
        sent.push(sentFrame([at], atMs))
        expected.delivered += 1
        if (fate === "repeated") {
          sent.push(sentFrame([at], atMs))
          expected.delivered += 1
          expected.deduplicated += 1
        }
        if (["journalled", "late", "twice", "repeated"].includes(fate)) {
          journal.push(tradeRecord(at, atMs + (fate === "late" ? 60_000 : 1)))
          expected.journalled += 1
        }
        if (fate === "twice") {
          journal.push(tradeRecord(at, atMs + 1))
          expected.duplicates += 1
        }
        if (fate === "rejected" || fate === "frameRejected") {
          const raw = fate === "rejected" ? JSON.stringify(trade(at)) : frame([at])
          journal.push(
            record(
              { kind: "reject", ...(fate === "rejected" && { symbol }), payload: { reason: "zeroPrice", raw } },
              atMs
            )
          )
          expected.rejected += 1
        }
        if (fate === "covered") {
          // Lost a little before the client says it heard the last.
          journal.push(gapRecord(atMs + slack_ms, atMs + 5_000))
          expected.covered += 1
        }
        if (fate === "missing") expected.missing += 1
      })
      for (let at = 0; at < inventions; at++) journal.push(tradeRecord(1_000_000 + at, begin))
      // A journal with something in it that was never sent belongs to a ledger that had begun.
      const report = compare([{ kind: "other", at: iso(begin - 5_000) }, ...sent], journal)
      assert.deepInclude(report.total, { ...expected, outside: 0 })
      assert.strictEqual(report.clean, expected.missing + expected.duplicates + expected.invented === 0)
    }
  )

  it("holds the wall's time of a ledger against the market's time of a rehearsed day", () => {
    const clock = { wallMs: begin, marketMs: begin - 5 * 86_400_000, speed: 60 }
    const market = (wallMs: number) => marketAt(clock, wallMs)
    const comparison = makeComparison({ slack_ms, clock })
    for (const at of [1, 2, 3]) comparison.sent(sentFrame([at], begin + at * 10_000))
    comparison.journalled(marker(market(begin)))
    comparison.journalled(tradeRecord(1, market(begin + 10_001)))
    comparison.journalled(gapRecord(market(begin + 20_000), market(begin + 21_000)))
    comparison.journalled(marker(market(begin + 100_000)))
    assert.deepInclude(comparison.report().total, { delivered: 3, journalled: 1, covered: 1, missing: 1, outside: 0 })
  })

  it("takes a frame apart by the records that were in it, not by what its head says", () => {
    const wrongHead = frame([1, 2]).replace("|002|", "|003|")
    const rejected = record({ kind: "reject", payload: { reason: "frameShape", raw: wrongHead } }, begin)
    assert.deepInclude(compare([sentFrame([1, 2], begin, wrongHead)], [rejected]).total, { delivered: 2, rejected: 2 })
    assert.deepInclude(compare([sentFrame([1, 2], begin)], [tradeRecord(1, begin)]).total, {
      journalled: 1,
      missing: 1
    })
  })

  it("believes a gap only of its own symbol and time", () => {
    const lost = [sentFrame([1], begin)]
    const covered = (gap: JournalRecord) => compare(lost, [gap]).total.covered
    assert.strictEqual(covered(gapRecord(begin - 10, begin + 10)), 1)
    assert.strictEqual(covered(gapRecord(begin - 10, begin + 10, undefined)), 1)
    assert.strictEqual(covered(gapRecord(begin - 10, begin + 10, "000660")), 0)
    assert.strictEqual(covered(gapRecord(begin + slack_ms + 1, begin + 9_000)), 0)
    assert.strictEqual(covered(gapRecord(begin - 9_000, begin - slack_ms - 1)), 0)
  })

  it("does not hold a client to account for what was sent while it did not run, or to another key", () => {
    const far = [sentFrame([1], begin - 60_000), sentFrame([2], begin), sentFrame([3], begin + 2_000_000)]
    assert.deepInclude(compare(far, [tradeRecord(2, begin)]).total, {
      delivered: 3,
      journalled: 1,
      outside: 2,
      missing: 0
    })
    assert.strictEqual(compare([sentFrame([1], begin)], [], "bb").total.delivered, 0)
    assert.strictEqual(compare([sentFrame([1], begin)], [], "a").total.missing, 1)
  })
})

const Prices = Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 3 })))

describe("the audit of quotes", () => {
  it.prop(
    "accepts what a journal does that leaves out equal neighbours, with or without heartbeats",
    [Prices, Schema.Boolean],
    ([prices, heartbeats]) => {
      const kept = prices.filter((price, at) => heartbeats || price !== prices[at - 1])
      const report = compare(
        prices.map((price, at) => sentRow(price, begin + at)),
        kept.map((price, at) => quoteRecord(price, begin + at))
      )
      assert.isTrue(report.clean)
      assert.strictEqual(report.total.delivered, report.total.journalled + report.total.deduplicated)
    }
  )

  it("finds a change that is not there, one that never was, and one that is there too often", () => {
    const rows = [1, 2, 1].map((price, at) => sentRow(price, begin + at))
    const journal = (prices: ReadonlyArray<number>) => prices.map((price, at) => quoteRecord(price, begin + at))
    assert.deepInclude(compare(rows, journal([1, 2, 1])).total, { journalled: 3, missing: 0 })
    // Without the 2, the second 1 says what the one before said.
    assert.deepInclude(compare(rows, journal([1])).total, { journalled: 1, missing: 1, deduplicated: 1 })
    assert.deepInclude(compare(rows, journal([1, 2, 1, 9])).total, { journalled: 3, invented: 1 })
    assert.deepInclude(compare(rows, journal([1, 2, 1, 2])).total, { journalled: 3, duplicates: 1 })
  })

  it("finds a row of zeroes among the rejects, and leaves out calls that were not answered or are no quotes", () => {
    const reject = record(
      { kind: "reject", symbol, payload: { reason: "zeroPrice", raw: JSON.stringify(row(0)) } },
      begin,
      "kis-rest"
    )
    assert.deepInclude(compare([sentRow(0, begin)], [reject]).total, { delivered: 1, rejected: 1 })
    const others = [
      { ...sentRow(1, begin), outcome: "unanswered" },
      { ...sentRow(1, begin), tr: "FHKST01010300" }
    ]
    assert.strictEqual(compare(others, []).total.delivered, 0)
  })
})

describe("the audit of folders", () => {
  const ledgerLine = (line: object, n: number) => JSON.stringify({ n, ...line })
  const write = (path: string, lines: ReadonlyArray<string>, tail = "") => {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, `${lines.join("\n")}\n${tail}`)
  }

  it.effect("reads every ledger file and the whole journal, but for a last line without its end", () =>
    Effect.gen(function* () {
      const folder = yield* scratchFolder
      const ledgerDir = join(folder, "ledger")
      const dataDir = join(folder, "data")
      const many = Array.from({ length: 4_000 }, (_, at) => at)
      const lines = many.map((at) => ledgerLine(sentFrame([at], begin + at), at + 1))
      write(join(ledgerDir, "ledger-1.jsonl"), lines.slice(0, 2_500))
      write(join(ledgerDir, "ledger-2.jsonl"), lines.slice(2_500), '{"n":1,"at"')
      const kept = many.filter((at) => at !== 77).map((at) => tradeRecord(at, begin + at))
      write(join(dataDir, segmentFile("node", 1, begin)), [...kept, marker(begin + 60_000)].map(encodeLine))
      const report = yield* auditLedger({ ledgerDir, dataDir, slack_ms })
      assert.deepInclude(report.total, { delivered: 4_000, journalled: 3_999, missing: 1, invented: 0 })
      assert.deepInclude(report, { clean: false, ledgerLines: 4_000, journalRecords: 4_000 })
      const text = renderAudit(report).join("\n")
      assert.match(text, /005930 +stream +4,000 +3,999/)
      assert.match(text, /WRONG: 1 missing/)
    }).pipe(Effect.provide(Disk.layer))
  )

  it.effect("says which file and line is not a ledger's, and that a folder holds none", () =>
    Effect.gen(function* () {
      const folder = yield* scratchFolder
      const audit = auditLedger({ ledgerDir: folder, dataDir: folder, slack_ms })
      assert.match((yield* Effect.flip(audit)).message, /no ledger-\*\.jsonl/)
      write(join(folder, "ledger-1.jsonl"), [ledgerLine(sentFrame([1], begin), 1), "nonsense"])
      assert.match((yield* Effect.flip(audit)).message, /ledger-1\.jsonl.*line 2/)
    }).pipe(Effect.provide(Disk.layer))
  )
})
