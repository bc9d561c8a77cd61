import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import type { Sighting } from "../../src/domain/Sighting.ts"
import { next, type SymbolState, type Verdict } from "../../src/shard/SymbolState.ts"
import { heartbeat_ms, quote, tenMs, trade } from "./fixtures.ts"

const day_ms = 86_400_000

/** Judges them one after the other, and gives the last state too. */
const judge = (...sightings: ReadonlyArray<Sighting>) => {
  let state: SymbolState | undefined
  const verdicts: Array<Verdict> = []
  for (const sighting of sightings) {
    const after = next(state, sighting, heartbeat_ms)
    state = after.state
    verdicts.push(after.verdict)
  }
  return { state, verdicts }
}
const words = (...sightings: ReadonlyArray<Sighting>) =>
  judge(...sightings).verdicts.map((verdict) =>
    verdict._tag === "Store"
      ? ["Store", ...verdict.flags].join(" ")
      : verdict._tag === "Reject"
        ? verdict.reason
        : verdict._tag
  )

describe("a quote", () => {
  it("is a duplicate while it says the same, and is stored again exactly when the heartbeat is over", () => {
    assert.deepStrictEqual(
      words(
        quote("a", tenMs),
        quote("a", tenMs + 1),
        quote("a", tenMs + heartbeat_ms - 1),
        quote("a", tenMs + heartbeat_ms),
        quote("a", tenMs + heartbeat_ms + 1),
        quote("a", tenMs + 2 * heartbeat_ms)
      ),
      ["Store", "Duplicate", "Duplicate", "Store", "Duplicate", "Store"]
    )
  })

  it("is stored whenever it says something else, what it said before too", () => {
    assert.deepStrictEqual(words(...["a", "b", "a", "a"].map((says, at) => quote(says, tenMs + at))), [
      "Store",
      "Store",
      "Store",
      "Duplicate"
    ])
  })

  it("keeps its own flags", () => {
    assert.deepStrictEqual(words(quote("a", tenMs, { flags: ["outlier"] })), ["Store outlier"])
  })

  it("that is refused is refused once, not at every sweep", () => {
    const zero = { price: 0 }
    assert.deepStrictEqual(
      words(
        quote("z", tenMs, zero),
        quote("z", tenMs + 1, zero),
        quote("z", tenMs + heartbeat_ms, zero),
        quote("a", tenMs + heartbeat_ms + 1)
      ),
      ["zeroPrice", "Duplicate", "zeroPrice", "Store"]
    )
  })

  const Says = Schema.Struct({
    says: Schema.Literals(["a", "b", "c"]),
    after_ms: Schema.Literals([0, 1, 1_000, heartbeat_ms / 3, heartbeat_ms - 1, heartbeat_ms, heartbeat_ms + 1])
  })
  it.prop(
    "is stored if and only if it says something new or the heartbeat is over",
    [Schema.Array(Says)],
    ([steps]) => {
      let now = tenMs
      let state: SymbolState | undefined
      let written: { says: string; atMs: number } | undefined
      for (const { after_ms, says } of steps) {
        now += after_ms
        const after = next(state, quote(says, now), heartbeat_ms)
        const due = written === undefined || written.says !== says || now - written.atMs >= heartbeat_ms
        assert.strictEqual(after.verdict._tag, due ? "Store" : "Duplicate")
        if (due) written = { says, atMs: now }
        state = after.state
      }
    },
    { arbitrary: { runs: 300, size: 40 } }
  )
})

describe("a trade", () => {
  it("is stored, and dropped when it is repeated", () => {
    assert.deepStrictEqual(words(trade(1), trade(2), trade(2), trade(1), trade(3)), [
      "Store",
      "Store",
      "Duplicate",
      "Duplicate",
      "Store"
    ])
  })

  it("behind the volume already reached is kept and called late", () => {
    assert.deepStrictEqual(words(trade(10), trade(7), trade(7), trade(11)), [
      "Store",
      "Store late",
      "Duplicate",
      "Store"
    ])
  })

  it("of the same volume but another price is kept and called late", () => {
    assert.deepStrictEqual(words(trade(10), trade(10, { price: 101 })), ["Store", "Store late"])
  })

  it("is recognised as repeated among the newest 64, which are three frames and more", () => {
    const many = Array.from({ length: 64 }, (_, at) => trade(at + 1))
    assert.strictEqual(words(...many, trade(1)).at(-1), "Duplicate")
    assert.strictEqual(words(...many, trade(65), trade(1)).at(-1), "Store late")
  })

  it("of a new day begins anew, for its volume does", () => {
    const tomorrow = { exchangeAtMs: tenMs + day_ms, receivedAtMs: tenMs + day_ms }
    assert.deepStrictEqual(words(trade(1_000), trade(5, tomorrow), trade(5, tomorrow), trade(4, tomorrow)), [
      "Store",
      "Store",
      "Duplicate",
      "Store late"
    ])
  })

  it("that differs from another in its time, its size or its price alone is another trade", () => {
    for (const changes of [
      { exchangeAtMs: tenMs + 1_000 },
      { exchangeAtMs: undefined },
      { volume: 2 },
      { volume: undefined },
      { price: 101 }
    ]) {
      assert.deepStrictEqual(words(trade(10), trade(10, changes), trade(10, changes), trade(10)), [
        "Store",
        "Store late",
        "Duplicate",
        "Duplicate"
      ])
    }
  })

  it("that is the same on another day is another trade", () => {
    const tomorrow = { exchangeAtMs: tenMs + day_ms, receivedAtMs: tenMs + day_ms }
    assert.deepStrictEqual(words(trade(1), trade(1, tomorrow)), ["Store", "Store"])
  })

  it("of a day that is still to come does not make those of today late", () => {
    const ahead = { exchangeAtMs: tenMs + 400 * day_ms }
    const tomorrow = { exchangeAtMs: tenMs + day_ms, receivedAtMs: tenMs + day_ms }
    assert.deepStrictEqual(
      words(trade(1), trade(2, ahead), trade(3), trade(4), trade(1, tomorrow), trade(2, tomorrow)),
      ["Store", "Store", "Store", "Store", "Store", "Store"]
    )
  })

  it("of a day that is over is late, and takes nothing from the day that runs", () => {
    const yesterday = { exchangeAtMs: tenMs - day_ms }
    assert.deepStrictEqual(
      words(trade(1), trade(2), trade(900, yesterday), trade(900, yesterday), trade(2), trade(3), trade(1)),
      ["Store", "Store", "Store late", "Duplicate", "Duplicate", "Store", "Duplicate"]
    )
  })

  it("without a time of the exchange is of the day on which it came, in market time", () => {
    const lateEvening = Date.UTC(2026, 10, 24, 14, 59, 59)
    const at = (receivedAtMs: number) => ({ exchangeAtMs: undefined, receivedAtMs })
    assert.deepStrictEqual(
      words(trade(10, at(lateEvening)), trade(5, at(lateEvening)), trade(5, at(lateEvening + 1_000))),
      ["Store", "Store late", "Store"]
    )
  })

  it("that is refused leaves no trace in the volume", () => {
    assert.deepStrictEqual(
      words(trade(1), trade(900, { price: 0 }), trade(900, { price: 0 }), trade(2), trade(Number.NaN), trade(3)),
      ["Store", "zeroPrice", "zeroPrice", "Store", "badNumber", "Store"]
    )
  })

  it("and a quote of the same symbol know nothing of each other", () => {
    assert.deepStrictEqual(words(trade(1), quote("1", tenMs), trade(1), quote("1", tenMs + 1)), [
      "Store",
      "Store",
      "Duplicate",
      "Duplicate"
    ])
  })

  const counted = (cumVolume: number, trades: number, changes: Partial<Sighting> = {}) =>
    trade(cumVolume, { ...changes, tally: { trades, sidedVolume: cumVolume, isSided: true, reference: 100 } })
  /** The states after a stream of trades of one share, some left out, and then what is said of each as a list has it. */
  const listedAfter = (stream: ReadonlyArray<Sighting>, listed: ReadonlyArray<number>) => {
    let { state } = judge(...stream)
    return listed.map((cumVolume) => {
      const judged = next(state, trade(cumVolume, { flags: ["backfill"] }), heartbeat_ms, true)
      state = judged.state
      return judged.verdict._tag
    })
  }
  const all = Array.from({ length: 200 }, (_, at) => counted(at + 1, at + 1))
  const lacking = (...lost: ReadonlyArray<number>) => all.filter(({ cumVolume = 0 }) => !lost.includes(cumVolume))

  it("that a list has once more is a duplicate where all was heard, however long ago that was", () => {
    assert.deepStrictEqual(listedAfter(all, [1, 2, 100, 200]), ["Duplicate", "Duplicate", "Duplicate", "Duplicate"])
    const late = [...lacking(10), counted(10, 10), ...all.slice(100)]
    assert.deepStrictEqual(listedAfter(late, [10]), ["Duplicate"], "it came late, long before the list")
  })

  it("that a list has is stored where something is missing, and once only", () =>
    assert.deepStrictEqual(listedAfter(lacking(10, 50), [10, 10, 49, 50, 51, 10, 50]), [
      "Store",
      "Duplicate",
      "Duplicate",
      "Store",
      "Duplicate",
      "Duplicate",
      "Duplicate"
    ]))

  it("that a list has is stored where it is not known what was heard", () => {
    assert.deepStrictEqual(listedAfter(all.slice(50), [50, 51]), ["Store", "Duplicate"], "before the first trade")
    const contradiction = [
      ...all.slice(0, 50),
      ...all.slice(60).map(({ cumVolume = 0 }) => counted(cumVolume, cumVolume - 20))
    ]
    assert.deepStrictEqual(listedAfter(contradiction, [20, 55]), ["Store", "Store"], "where the counters made no sense")
    const offBook = [
      ...all.slice(0, 50),
      ...all.slice(60).map(({ cumVolume = 0 }) =>
        trade(cumVolume, {
          tally: { trades: cumVolume - 10, sidedVolume: cumVolume - 10, isSided: true, reference: 100 }
        })
      )
    ]
    assert.deepStrictEqual(listedAfter(offBook, [20, 55]), ["Duplicate", "Store"], "where no counter knew of shares")
    const refused = [...all.slice(0, 50), counted(51, 51, { price: 0 }), ...all.slice(51)]
    assert.deepStrictEqual(listedAfter(refused, [51, 52]), ["Store", "Duplicate"], "where it was refused")
  })

  const Step = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 12 }))
  it.prop(
    "of a stream with repeats and delays is stored once, and is late exactly when it is behind",
    [Schema.Array(Step)],
    ([volumes]) => {
      let state: SymbolState | undefined
      const stored = new Set<number>()
      let highest: number | undefined
      for (const volume of volumes) {
        const { state: after, verdict } = next(state, trade(volume), heartbeat_ms)
        state = after
        if (stored.has(volume)) assert.strictEqual(verdict._tag, "Duplicate")
        else
          assert.deepStrictEqual(verdict, {
            _tag: "Store",
            flags: highest !== undefined && volume <= highest ? ["late"] : []
          })
        stored.add(volume)
        highest = Math.max(highest ?? 0, volume)
        assert.isAtMost(state.trades?.recent.length ?? 0, 64)
      }
    },
    { arbitrary: { runs: 300, size: 40 } }
  )
})
