import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { marketDay, marketInstant } from "../../src/calendar/MarketTime.ts"
import type { Sighting } from "../../src/domain/Sighting.ts"
import { readFrames } from "../../src/feed/streamer/readFrames.ts"
import { begun, type Continuity, next } from "../../src/shard/Continuity.ts"
import { tradeColumns } from "../../src/simulator/stream/records/tradeRecord.ts"
import { tradeSighting } from "../../src/feed/KisTrade.ts"
import { capturedFrames } from "../support/samples.ts"
import { at, openFloor, runTo } from "../simulator/market/floors.ts"
import { captured } from "./tape.ts"

interface Sums {
  readonly trades: number
  readonly volume: number
}

const dayOf = (trade: Sighting) => marketDay(trade.exchangeAtMs ?? trade.receivedAtMs)

/** Plays trades and gives what is said to be missing in the end: what was named, less what came after all. */
const missing = (trades: ReadonlyArray<Sighting>): Sums & { readonly named: number; readonly volumeOnly: number } => {
  const sums = { trades: 0, volume: 0, named: 0, volumeOnly: 0 }
  let state: Continuity | undefined
  for (const trade of trades) {
    state = next(state, trade, dayOf(trade), trade.flags.includes("backfill") ? "listed" : "streamed")
    const { told } = state
    if (told?._tag === "jump") {
      sums.volumeOnly += told.volumeOnly
      if (told.loss === undefined) continue
      sums.trades += told.loss.lostTrades ?? 0
      sums.volume += told.loss.lostVolume
      sums.named += 1
    } else if (told?._tag === "found") {
      sums.trades -= told.trades
      sums.volume -= told.volume
    }
  }
  return sums
}

const whole = { trades: 0, volume: 0, named: 0, volumeOnly: 0 }
const sumOf = (trades: ReadonlyArray<Sighting>): Sums => ({
  trades: trades.length,
  volume: trades.reduce((sum, { volume = 0 }) => sum + volume, 0)
})

for (const block of ["A", "Z"] as const) {
  const ticks = captured(block)

  describe(`the captured ticks of block ${block}`, () => {
    it("lack nothing", () => {
      assert.isAbove(ticks.length, 30)
      assert.deepStrictEqual(missing(ticks), whole)
    })

    it("lack exactly the one that is taken away, whichever it is", () => {
      for (let at = 1; at < ticks.length - 1; at++) {
        const { trades, volume } = missing(ticks.toSpliced(at, 1))
        assert.deepStrictEqual({ trades, volume }, sumOf(ticks.slice(at, at + 1)), `the tick ${at}`)
      }
    })

    it("lack nothing that is known of when the first or the last is taken away", () => {
      assert.deepStrictEqual(missing(ticks.slice(1)), whole)
      assert.deepStrictEqual(missing(ticks.slice(0, -1)), whole)
    })

    it("lack nothing in the end when any two neighbours are swapped", () => {
      for (let at = 1; at < ticks.length - 1; at++) {
        const swapped = [...ticks.slice(0, at), ...ticks.slice(at, at + 2).toReversed(), ...ticks.slice(at + 2)]
        const { trades, volume } = missing(swapped)
        assert.deepStrictEqual({ trades, volume }, { trades: 0, volume: 0 }, `the tick ${at}`)
      }
    })

    const Length = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 400 }))
    const Change = Schema.Struct({ what: Schema.Literals(["cut", "repeat", "delay", "list"]), at: Length, by: Length })
    it.prop(
      "lack what is neither there nor comes later, whatever is cut out, repeated, delayed or listed afterwards",
      [Schema.Array(Change)],
      ([changes]) => {
        const isGone = ticks.map(() => false)
        const after: Array<Sighting> = []
        const repeated = new Set<number>()
        for (const { at, by, what } of changes) {
          const from = 1 + (at % (ticks.length - 2))
          const to = Math.min(ticks.length - 1, from + 1 + (by % 20))
          for (let index = from; index < to; index++) {
            const tick = ticks[index]
            if (tick === undefined) continue
            if (what === "repeat") repeated.add(index)
            else if (!isGone[index]) {
              isGone[index] = true
              if (what === "delay") after.push(tick)
              // A list has neither counters nor sides.
              if (what === "list") after.push({ ...tick, tally: undefined, flags: ["backfill"] })
            }
          }
        }
        const came = ticks.flatMap((tick, index) => (isGone[index] ? [] : repeated.has(index) ? [tick, tick] : [tick]))
        const { trades, volume } = missing([...came, ...after, ...after])
        const brought = new Set([...came, ...after].map(({ cumVolume }) => cumVolume))
        assert.deepStrictEqual({ trades, volume }, sumOf(ticks.filter(({ cumVolume }) => !brought.has(cumVolume))))
      },
      { arbitrary: { runs: 300, size: 12 } }
    )
  })
}

describe("the recording between its blocks", () => {
  const [a, m, z] = [captured("A"), captured("M"), captured("Z")]
  const [last, first] = [a.at(-1), z[0]]

  it("is missed to the last trade", () => {
    const trades = (first?.tally?.trades ?? 0) - (last?.tally?.trades ?? 0) - 1
    const volume = (first?.cumVolume ?? 0) - (first?.volume ?? 0) - (last?.cumVolume ?? 0)
    assert.deepStrictEqual([trades > 4_000, volume > 200_000], [true, true])
    assert.deepStrictEqual(missing([...a, ...z]), { ...whole, trades, volume, named: 1 })
  })

  it("is missed but for the block in the middle, of which no counters were copied", () => {
    const all = missing([...a, ...z])
    const { trades, volume } = sumOf(m)
    const rest = { ...all, trades: all.trades - trades, volume: all.volume - volume }
    assert.deepStrictEqual(missing([...a, ...m, ...z]), rest)
    assert.deepStrictEqual(missing([...a, ...z, ...m]), rest)
  })
})

const only = (id: string): ReadonlyArray<Sighting> =>
  capturedFrames
    .filter((each) => each.id.startsWith(id))
    .flatMap(({ frame }) => readFrames([{ receivedAtMs: 0, text: frame }], "main", () => 0).sightings)

describe("every captured frame of trades", () => {
  it("lacks nothing in itself", () => {
    const frames = capturedFrames.filter(({ tr }) => tr === "H0STCNT0")
    assert.isAbove(frames.length, 30)
    for (const { id } of frames) assert.deepStrictEqual(missing(only(id)), whole, id)
  })
})

const [print] = only("H0STCNT0-035")
if (print === undefined) throw new Error("the opening print was not captured")

/** A trade of the day of the opening print: `counters` are buys and sells and their shares, `reference` that of interruptions. */
const trade = (
  volume: number,
  cumVolume: number,
  counters: { readonly trades: number; readonly sided: number },
  changes: Readonly<Record<number, string>> = {}
): Sighting => {
  const values = (print.payload as ReadonlyArray<string>).map((value, column) => {
    const own: Readonly<Record<number, string>> = {
      1: "100000",
      12: String(volume),
      13: String(cumVolume),
      15: "0",
      16: String(counters.trades),
      19: "0",
      20: String(counters.sided),
      21: "1",
      ...changes
    }
    return own[column] ?? value
  })
  return tradeSighting(values, marketInstant("20260908", "100000") ?? Number.NaN, 0)
}
const opened = 200_731

describe("the opening print", () => {
  it("is no gap, though the day's volume is more than its own", () =>
    assert.deepStrictEqual(missing([print, trade(5, opened + 5, { trades: 1, sided: 5 })]), whole))

  it("followed by the third trade says that two were lost", () =>
    assert.deepStrictEqual(missing([print, trade(5, opened + 12, { trades: 3, sided: 12 })]), {
      trades: 2,
      volume: 7,
      named: 1,
      volumeOnly: 0
    }))
})

describe("an auction", () => {
  const before = trade(5, opened + 5, { trades: 1, sided: 5 })
  const auction = trade(900, opened + 905, { trades: 1, sided: 5 }, { 21: "", 45: "280000" })
  const after = trade(3, opened + 908, { trades: 2, sided: 8 }, { 45: "280000" })

  it("that prints leaves the counters alone, and is no gap", () =>
    assert.deepStrictEqual(missing([before, auction, after]), whole))

  it("whose print is lost is missed by its volume alone", () =>
    assert.deepStrictEqual(missing([before, after]), { trades: 0, volume: 900, named: 1, volumeOnly: 0 }))

  it("that prints on top of shares traded off the book sets the new reference itself, and nothing is lost", () => {
    // 124 shares before it, as before the captured opening print; of an interruption and of the close.
    for (const hourClass of ["C", "A", "0"]) {
      const changes = { 21: "", 43: hourClass, 45: "280000" }
      const later = trade(900, opened + 1_029, { trades: 1, sided: 5 }, changes)
      const next = trade(3, opened + 1_032, { trades: 2, sided: 8 }, { 45: "280000" })
      assert.deepStrictEqual(missing([before, later, next]), { ...whole, volumeOnly: 124 })
    }
  })

  it("whose print comes late is missed no longer", () =>
    assert.deepStrictEqual(missing([before, after, auction]), { trades: 0, volume: 0, named: 1, volumeOnly: 0 }))
})

describe("nothing is claimed", () => {
  const before = trade(5, opened + 5, { trades: 1, sided: 5 })

  it("of shares that no counter knows of and no auction explains: they may have been traded off the book", () =>
    assert.deepStrictEqual(missing([before, trade(3, opened + 1_008, { trades: 2, sided: 8 })]), {
      ...whole,
      volumeOnly: 1_000
    }))

  it("but what the counters know, where shares were traded off the book as well", () =>
    assert.deepStrictEqual(missing([before, trade(3, opened + 1_018, { trades: 4, sided: 18 })]), {
      trades: 2,
      volume: 10,
      named: 1,
      volumeOnly: 1_000
    }))

  it("where the counters contradict the volume", () => {
    for (const counters of [
      { trades: 0, sided: 0 },
      { trades: 2, sided: 108 },
      { trades: 4, sided: 9 },
      { trades: 4, sided: 400 }
    ]) {
      assert.deepStrictEqual(
        missing([before, trade(3, opened + 108, counters)]),
        { ...whole },
        JSON.stringify(counters)
      )
    }
  })

  it("by a record whose counters cannot be read, nor because of it", () => {
    const blank = trade(3, opened + 8, { trades: 2, sided: 8 }, { 15: "" })
    const later = trade(2, opened + 10, { trades: 3, sided: 10 })
    assert.deepStrictEqual(missing([before, blank, later]), whole)
  })

  it("by a record with a side that is not known, while the one after it counts again", () => {
    const odd = trade(3, opened + 18, { trades: 4, sided: 18 }, { 21: "3" })
    const later = trade(2, opened + 25, { trades: 6, sided: 25 })
    assert.deepStrictEqual(missing([before, odd, later]), { trades: 1, volume: 5, named: 1, volumeOnly: 0 })
  })

  it("of a new day by the day before", () => {
    const tomorrow = trade(3, 3_000, { trades: 40, sided: 2_000 }, { 33: "20260909" })
    assert.deepStrictEqual(missing([before, tomorrow]), whole)
  })

  it("of a day that is over", () => {
    const yesterday = trade(3, 9_000_000, { trades: 4_000, sided: 8_000_000 }, { 33: "20260907" })
    const later = trade(2, opened + 7, { trades: 2, sided: 7 })
    assert.deepStrictEqual(missing([before, yesterday, later]), whole)
  })

  it("of one venue by another", () => {
    const other = { ...trade(3, opened + 5_000, { trades: 90, sided: 4_000 }), venue: "UN" as const }
    const tallied = Object.assign(other, { tally: { trades: 90, sidedVolume: 4_000, isSided: true, reference: 1 } })
    const later = trade(2, opened + 7, { trades: 2, sided: 7 })
    assert.deepStrictEqual(missing([before, tallied, later, tallied]), whole)
  })

  it("of the time in which nobody listened on purpose", () => {
    const state = begun(next(undefined, before, dayOf(before), "streamed"))
    const later = trade(2, opened + 700, { trades: 20, sided: 700 })
    assert.strictEqual(next(state, later, dayOf(later), "streamed").told, undefined)
  })

  it("of a trade that came and was refused", () => {
    const refused = trade(3, opened + 8, { trades: 2, sided: 8 }, { 2: "0" })
    const later = trade(2, opened + 10, { trades: 3, sided: 10 })
    const state = [before, refused, later].reduce<Continuity | undefined>(
      (known, each) => next(known, each, dayOf(each), each === refused ? "refused" : "streamed"),
      undefined
    )
    assert.strictEqual(state?.told, undefined)
  })
})

describe("a row of a list without a cumulative volume", () => {
  const before = trade(5, opened + 5, { trades: 1, sided: 5 })
  const lossy = trade(3, opened + 15, { trades: 3, sided: 15 }, { 1: "100002" })
  const rowAt = (hour: string) => ({
    ...trade(4, 0, { trades: 0, sided: 0 }, { 1: hour }),
    exchangeAtMs: marketInstant("20260908", hour),
    cumVolume: undefined,
    tally: undefined,
    flags: ["backfill"]
  })

  it("that is of a time before the newest trade hides no loss after it", () =>
    assert.deepStrictEqual(missing([before, rowAt("095959"), lossy]), {
      trades: 1,
      volume: 7,
      named: 1,
      volumeOnly: 0
    }))

  it("that may be newer than it, or be it, lets nothing be concluded", () => {
    for (const hour of ["100000", "100001"]) assert.deepStrictEqual(missing([before, rowAt(hour), lossy]), whole)
  })
})

describe("very many losses", () => {
  /** Trades of one share, of which every second one is lost. */
  const all = (losses: number) =>
    Array.from({ length: 2 * losses + 1 }, (_, at) => trade(1, opened + at + 1, { trades: at + 1, sided: at + 1 }))
  const listed = (each: Sighting) => ({ ...each, ...tallied(each), tally: undefined, flags: ["backfill"] })
  const tallied = ({ cumVolume, volume }: Sighting) => ({ cumVolume, volume })

  it("are all found when a list brings them, be they more than are known one by one", () => {
    for (const losses of [200, 256, 1_000]) {
      const came = all(losses).filter((_, at) => at % 2 === 0)
      const gone = all(losses).filter((_, at) => at % 2 === 1)
      const lost = { trades: losses, volume: losses, named: losses, volumeOnly: 0 }
      assert.deepStrictEqual(missing(came), lost)
      assert.deepStrictEqual(missing([...came, ...gone.map(listed)]), { ...whole, named: losses })
      // What was heard is no part of it, though it lies between.
      assert.deepStrictEqual(missing([...came, ...came.map(listed)]), lost)
    }
  })

  it("are remembered in bounded memory", () => {
    let state: Continuity | undefined
    for (const [at, each] of all(4_000).entries()) if (at % 2 === 0) state = next(state, each, dayOf(each), "streamed")
    assert.strictEqual(state?.losses.length, 256)
    assert.isAtMost(state?.losses.reduce((sum, { between }) => sum + between.length, 0) ?? 0, 256 + 1_024)
    assert.strictEqual(
      state?.losses.reduce((sum, { leftTrades }) => sum + leftTrades, 0),
      4_000
    )
  })
})

describe("trades that a list brought before the stream went on", () => {
  const before = trade(5, opened + 5, { trades: 1, sided: 5 })
  const listed = (volume: number, cumVolume: number) => ({
    ...trade(volume, cumVolume, { trades: 0, sided: 0 }),
    tally: undefined,
    flags: ["backfill"]
  })

  it("are not missed", () => {
    const later = trade(2, opened + 15, { trades: 4, sided: 15 })
    assert.deepStrictEqual(missing([before, listed(3, opened + 8), listed(5, opened + 13), later]), whole)
    assert.deepStrictEqual(missing([before, listed(5, opened + 13), listed(3, opened + 8), later]), whole)
  })

  it("leave the others to be missed, until these come too", () => {
    const later = trade(2, opened + 15, { trades: 4, sided: 15 })
    const some = [before, listed(5, opened + 13), listed(5, opened + 13), later]
    assert.deepStrictEqual(missing(some), { trades: 1, volume: 3, named: 1, volumeOnly: 0 })
    assert.deepStrictEqual(missing([...some, listed(3, opened + 8)]), { ...whole, named: 1 })
  })
})

describe("a whole day of the simulator's market", () => {
  const date = "20261124"
  const tapes = new Map<string, Array<Sighting>>()
  const floor = openFloor(
    { startMs: at(date, "083000"), tradesPerSecond: 4, interruptionsPerHour: 60 },
    {
      onTrade: (issue, made) => {
        if (made.venue !== "KRX") return
        const { code } = issue.entry
        const values = tradeColumns(floor.view, issue, issue, made).split("^")
        const tape = tapes.get(code) ?? []
        tape.push(tradeSighting(values, floor.view.nowMs(), 0))
        tapes.set(code, tape)
      }
    }
  )
  runTo(floor, at(date, "200000"))
  const all = [...tapes.values()]

  it("has auctions, interruptions, a close and an evening in it", () => {
    const trades = all.flat()
    assert.isAbove(trades.length, 20_000)
    const prints = trades.filter(({ flags }) => flags.includes("auction"))
    const hours = new Set(prints.map(({ payload }) => String((payload as ReadonlyArray<string>)[1]).slice(0, 2)))
    for (const hour of ["09", "11", "15"]) assert.isTrue(hours.has(hour), `a print at ${hour}`)
    assert.isTrue(trades.some(({ phase }) => phase === "afterMarket"))
  })

  it("lacks nothing, from the opening auction to the evening", () => {
    for (const tape of all) assert.deepStrictEqual(missing(tape), whole, tape[0]?.symbol)
  })

  it("lacks exactly the trade that is taken away; a print is missed by its volume, unless no common trade shows a new reference after it", () => {
    for (const tape of all) {
      // Of a long tape every seventh, and everything that is not a common trade.
      for (const [index, gone] of tape.entries()) {
        const isPrint = gone.tally?.isSided === false
        if (index === 0 || index === tape.length - 1 || (!isPrint && index % 7 !== 0)) continue
        const found = missing(tape.slice(index - 1, index + 2).toSpliced(1, 1))
        const { volume = 0 } = gone
        if (!isPrint) assert.deepStrictEqual(found, { trades: 1, volume, named: 1, volumeOnly: 0 })
        else if (
          tape[index + 1]?.tally?.isSided === false ||
          tape[index - 1]?.tally?.reference === tape[index + 1]?.tally?.reference
        ) {
          assert.deepStrictEqual(found, { ...whole, volumeOnly: volume })
        } else assert.deepStrictEqual(found, { trades: 0, volume, named: 1, volumeOnly: 0 })
      }
    }
  })
})
