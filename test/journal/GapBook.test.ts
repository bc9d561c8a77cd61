import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { marketMidnight } from "../../src/calendar/MarketTime.ts"
import type { GapPayload } from "../../src/domain/Gap.ts"
import { makeOwners } from "../../src/journal/gapBook/owners.ts"
import { type DayHole, GapBook } from "../../src/journal/GapBook.ts"
import { gapReport } from "../../src/ops/GapReport.ts"

const day = "20261124"
const midnightMs = marketMidnight(day)
const tenMs = midnightMs + 10 * 3_600_000
const day_ms = 86_400_000
const utc = (atMs: number) => new Date(atMs).toISOString()

/** Seconds after ten o'clock. */
const gap = (
  from: number,
  to: number,
  cause: GapPayload["cause"],
  more: Partial<GapPayload> = {}
): { readonly kind: "gap"; readonly payload: Record<string, unknown> } => ({
  kind: "gap",
  payload: { from: utc(tenMs + from * 1_000), to: utc(tenMs + to * 1_000), cause, ...more }
})
const filled = (trades: number, volume: number, complete: boolean): Partial<GapPayload> => ({
  repairedBy: { source: "backfill", call: "inquire-ccnl", trades, volume, complete }
})
const late = (trades: number, volume: number): Partial<GapPayload> => ({
  repairedBy: { source: "late", trades, volume, complete: false }
})

const bookOf = (...records: ReadonlyArray<ReturnType<typeof gap>>): ReadonlyArray<DayHole> => {
  const book = new GapBook(day)
  for (const record of records) book.add(record)
  return book.holes()
}
const brief = ({
  cause,
  foundShares,
  foundTrades,
  fromMs,
  leftFromMs,
  lostShares,
  lostTrades,
  repair,
  symbol,
  toMs
}: DayHole) => {
  const at = (ms: number) => (ms - tenMs) / 1_000
  return `${symbol ?? "all"} ${cause} ${at(fromMs)}-${at(toMs)} ${repair} left ${at(leftFromMs)} lost ${lostTrades}/${lostShares} found ${foundTrades}/${foundShares}`
}
const a = { symbol: "005930" }

describe("the book of a day's gaps", () => {
  it("opens a hole, extends it by a later end, and fills it", () => {
    const opened = gap(0, 60, "disconnect", { ...a, open: true })
    const extended = gap(0, 90, "disconnect", a)
    const says = (...records: ReadonlyArray<typeof opened>) => bookOf(...records).map(brief)
    assert.deepStrictEqual(says(opened), ["005930 disconnect 0-60 none left 0 lost 0/0 found 0/0"])
    assert.deepStrictEqual(says(opened, extended), ["005930 disconnect 0-90 none left 0 lost 0/0 found 0/0"])
    assert.deepStrictEqual(says(opened, extended, gap(0, 90, "disconnect", { ...a, ...filled(3, 40, true) })), [
      "005930 disconnect 0-90 whole left 90 lost 0/0 found 3/40"
    ])
    assert.deepStrictEqual(says(opened, gap(0, 60, "disconnect", { ...a, ...filled(3, 40, false) })), [
      "005930 disconnect 0-60 partly left 0 lost 0/0 found 3/40"
    ])
  })

  it("does not take a hole for filled that went on after it was", () =>
    assert.deepStrictEqual(
      bookOf(
        gap(0, 60, "silence", a),
        gap(0, 60, "silence", { ...a, repairedBy: "by hand" }),
        gap(0, 90, "silence", a)
      ).map(brief),
      ["005930 silence 0-90 partly left 60 lost 0/0 found 0/0"]
    ))

  it("keeps apart what differs in symbol, cause or beginning", () =>
    assert.strictEqual(
      bookOf(
        gap(0, 60, "disconnect", a),
        gap(0, 60, "silence", a),
        gap(1, 60, "disconnect", a),
        gap(0, 60, "disconnect", { symbol: "000660" }),
        gap(0, 60, "downtime")
      ).length,
      5
    ))

  it("cuts what goes over midnight, at either end, and leaves other days out", () => {
    const hours = 3_600
    assert.deepStrictEqual(
      bookOf(
        gap(-20 * hours, -9 * hours, "downtime"),
        gap(13 * hours, 30 * hours, "diskFull"),
        gap(-20 * hours, -10 * hours, "downtime", a),
        gap(14 * hours, 15 * hours, "downtime", a)
      ).map(({ fromMs, toMs }) => [(fromMs - midnightMs) / 3_600_000, (toMs - midnightMs) / 3_600_000]),
      [
        [0, 1],
        [23, 24]
      ]
    )
  })

  it("passes over what is no gap that can be read", () => {
    const { payload } = gap(0, 60, "disconnect", a)
    const book = new GapBook(day)
    book.add({ kind: "marker", payload })
    book.add({ kind: "gap", payload: { ...payload, cause: "weather" } })
    book.add({ kind: "gap", payload: { ...payload, from: "yesterday" } })
    book.add({ kind: "gap", payload: { ...payload, from: payload["to"], to: payload["from"] } })
    book.add({ kind: "gap", payload: ["x"] })
    assert.deepStrictEqual(book.holes(), [])
  })

  it("adds up what the counters miss between the same seconds, and what of it comes", () => {
    const lost = gap(5, 6, "continuity", { ...a, lostTrades: 2, lostVolume: 30 })
    const print = gap(5, 6, "continuity", { ...a, lostVolume: 500 })
    const found = gap(5, 6, "continuity", { ...a, ...late(2, 30) })
    assert.deepStrictEqual(bookOf(lost, lost, print).map(brief), [
      "005930 continuity 5-6 none left 5 lost 4/560 found 0/0"
    ])
    assert.deepStrictEqual(bookOf(lost, lost, found).map(brief), [
      "005930 continuity 5-6 partly left 5 lost 4/60 found 2/30"
    ])
    assert.deepStrictEqual(bookOf(lost, lost, found, found).map(brief), [
      "005930 continuity 5-6 whole left 6 lost 4/60 found 4/60"
    ])
  })

  it("gives what was lost over a hole of the stream to that hole, of several to the longest in common", () => {
    const records = [
      gap(10, 70, "disconnect", a),
      gap(100, 101, "silence", a),
      gap(10, 70, "disconnect", { symbol: "000660" }),
      gap(9, 120, "continuity", { ...a, lostTrades: 7, lostVolume: 70 }),
      gap(300, 301, "continuity", { ...a, lostTrades: 1, lostVolume: 10 })
    ]
    assert.deepStrictEqual(bookOf(...records).map(brief), [
      "005930 disconnect 10-70 none left 10 lost 7/70 found 0/0",
      "000660 disconnect 10-70 none left 10 lost 0/0 found 0/0",
      "005930 silence 100-101 none left 100 lost 0/0 found 0/0",
      "005930 continuity 300-301 none left 300 lost 1/10 found 0/0"
    ])
    // Each trade that was found is told of twice: by the backfill, and one by one by the shard.
    const both = [
      gap(10, 70, "disconnect", { ...a, ...filled(7, 70, false) }),
      gap(9, 120, "continuity", { ...a, ...late(7, 70) })
    ]
    assert.include(bookOf(...records, ...both).map(brief), "005930 disconnect 10-70 whole left 70 lost 7/70 found 7/70")
  })

  it("shares what was found of several losses together out to those that lack something, the oldest first", () => {
    const records = [
      gap(5, 6, "continuity", { ...a, lostTrades: 2, lostVolume: 30 }),
      gap(8, 9, "continuity", { ...a, lostTrades: 1, lostVolume: 10 }),
      gap(20, 21, "continuity", { ...a, lostTrades: 5, lostVolume: 50 }),
      gap(5, 9, "continuity", { symbol: "000660", lostTrades: 1, lostVolume: 10 }),
      gap(5, 9, "continuity", { ...a, ...late(2, 30) })
    ]
    assert.deepStrictEqual(bookOf(...records).map(brief), [
      "005930 continuity 5-6 whole left 6 lost 2/30 found 2/30",
      "000660 continuity 5-9 none left 5 lost 1/10 found 0/0",
      "005930 continuity 8-9 none left 8 lost 1/10 found 0/0",
      "005930 continuity 20-21 none left 20 lost 5/50 found 0/0"
    ])
    const more = [...records, gap(5, 9, "continuity", { ...a, ...late(1, 10) })]
    assert.include(bookOf(...more).map(brief), "005930 continuity 8-9 whole left 9 lost 1/10 found 1/10")
    const tooMuch = [...more, gap(5, 9, "continuity", { ...a, ...late(1, 7) })]
    assert.include(bookOf(...tooMuch).map(brief), "005930 continuity 5-9 whole left 9 lost 0/0 found 1/7")
  })

  const Timed = Schema.Struct({
    symbol: Schema.Literals(["005930", "000660"]),
    from: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 40 })),
    length: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 12 }))
  })
  it.prop(
    "finds the hole of each loss that a look at all of them finds",
    [Schema.Array(Timed), Schema.Array(Timed)],
    ([holes, losses]) => {
      const timed = ({ from, length, symbol }: typeof Timed.Type) => ({
        symbol,
        fromMs: from * 500,
        toMs: (from + length) * 500
      })
      const all = holes.map(timed)
      const ownerOf = makeOwners(all)
      for (const loss of losses.map(timed)) {
        const common_ms = (hole: typeof loss) => Math.min(hole.toMs, loss.toMs) - Math.max(hole.fromMs, loss.fromMs)
        const near = all.filter((hole) => hole.symbol === loss.symbol && common_ms(hole) >= -1_000)
        const owner = ownerOf(loss)
        assert.strictEqual(owner === undefined, near.length === 0)
        if (owner === undefined) continue
        assert.include(near, owner)
        assert.strictEqual(common_ms(owner), Math.max(...near.map(common_ms)))
      }
    },
    { arbitrary: { runs: 500, size: 30 } }
  )

  it("looks at each hole and loss of a bad day a few times, and not at every pair of them", () => {
    const looks = { of: 0 }
    const counted = (at: number) => ({
      symbol: "005930",
      get fromMs() {
        looks.of += 1
        return at * 10
      },
      toMs: at * 10 + 5
    })
    const ownerOf = makeOwners(Array.from({ length: 20_000 }, (_, at) => counted(at * 1_000)))
    for (let at = 0; at < 20_000; at++) {
      const fromMs = at * 10_000 + 1
      assert.strictEqual(ownerOf({ symbol: "005930", fromMs, toMs: fromMs + 3 })?.toMs, at * 10_000 + 5)
    }
    // Sorting and halving: some 20 looks each, where every pair would be 400 million.
    assert.isBelow(looks.of, 2_000_000)
  })

  const Second = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 30 }))
  const Step = Schema.Struct({
    symbol: Schema.Literals(["005930", "000660", "all"]),
    cause: Schema.Literals(["disconnect", "silence", "downtime"]),
    from: Schema.Literals([0, 1, 5, 10, 20]),
    length: Second,
    filled: Schema.Literals(["no", "no", "no", "partly", "whole"])
  })
  it.prop(
    "names exactly the seconds that a plain count of seconds names, and what is left of them",
    [Schema.Array(Step)],
    ([steps]) => {
      const records = steps.map(({ cause, filled: how, from, length, symbol }) =>
        gap(from, from + length, cause, {
          ...(symbol === "all" ? {} : { symbol }),
          ...(how === "no" ? {} : filled(0, 0, how === "whole"))
        })
      )
      // Every hole as the seconds it has, and those that were filled.
      const plain = new Map<string, { readonly missed: Set<number>; readonly filled: Set<number> }>()
      for (const { cause, filled: how, from, length, symbol } of steps) {
        const key = `${symbol} ${cause} ${from}`
        const known = plain.get(key) ?? { missed: new Set(), filled: new Set() }
        plain.set(key, known)
        for (let second = from; second < from + length; second++) {
          known.missed.add(second)
          if (how === "whole") known.filled.add(second)
        }
      }
      const missed = (wanted: (symbol: string, cause: string) => boolean, isLeft: boolean) => {
        const seconds = new Set<number>()
        for (const [key, hole] of plain) {
          const [symbol = "", cause = ""] = key.split(" ")
          if (!wanted(symbol, cause)) continue
          for (const second of hole.missed) if (!isLeft || !hole.filled.has(second)) seconds.add(second)
        }
        return seconds.size
      }
      const open = [{ fromMs: tenMs - 60_000, toMs: tenMs + 60_000 }]
      const report = gapReport(bookOf(...records), { day, open })
      assert.strictEqual(
        report.all_seconds,
        missed((symbol) => symbol === "all", false)
      )
      assert.strictEqual(
        report.left_all_seconds,
        missed((symbol) => symbol === "all", true)
      )
      for (const symbol of ["005930", "000660"]) {
        const own = report.symbols.find((each) => each.symbol === symbol)
        const alone = gapReport(bookOf(...records), { day, symbol, open }).total
        for (const isLeft of [false, true]) {
          const name = isLeft ? "left_symbol_seconds" : "symbol_seconds"
          assert.strictEqual(
            own?.[name] ?? 0,
            missed((each) => each === symbol, isLeft)
          )
          assert.strictEqual(
            alone[name],
            missed((each) => each === symbol || each === "all", isLeft)
          )
        }
      }
      for (const { cause, symbol_seconds } of report.causes) {
        const expected = ["005930", "000660"].map((of) =>
          missed((symbol, each) => symbol === of && each === cause, false)
        )
        assert.strictEqual(symbol_seconds, (expected[0] ?? 0) + (expected[1] ?? 0))
      }
    },
    { arbitrary: { runs: 400, size: 30 } }
  )
})

describe("the report", () => {
  const holes = bookOf(gap(0, 60, "disconnect", a), gap(50, 100, "downtime"))

  it("counts only the hours of the market, by its calendar", () => {
    const open = [
      { fromMs: midnightMs, toMs: tenMs + 10_000 },
      { fromMs: tenMs + 40_000, toMs: tenMs + 55_000 }
    ]
    const report = gapReport(holes, { day, open })
    assert.deepInclude(report, { day: "2026-11-24", market_seconds: 36_025, all_seconds: 5 })
    assert.deepInclude(report.total, { holes: 2, symbol_seconds: 25 })
    assert.deepInclude(gapReport(holes, { day, open: [] }), { market_seconds: 0, all_seconds: 0 })
  })

  it("of one symbol counts the holes of all symbols too, and each second once", () => {
    const open = [{ fromMs: midnightMs, toMs: midnightMs + day_ms }]
    assert.deepInclude(gapReport(holes, { day, open, symbol: "005930" }).total, { holes: 2, symbol_seconds: 100 })
    assert.deepInclude(gapReport(holes, { day, open, symbol: "000660" }).total, { holes: 1, symbol_seconds: 50 })
  })

  it("counts trades that a live stream has lost in trades, not in time", () => {
    const lost = bookOf(gap(0, 60, "continuity", { ...a, lostTrades: 2, lostVolume: 30 }))
    const open = [{ fromMs: midnightMs, toMs: midnightMs + day_ms }]
    assert.deepInclude(gapReport(lost, { day, open }).total, { symbol_seconds: 0, lostTrades: 2, lostShares: 30 })
  })
})
