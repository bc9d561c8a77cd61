import { assert, describe, it } from "@effect/vitest"
import {
  deadAfter_ms,
  died,
  probed,
  quietAfter_ms,
  type Quietness,
  spoke,
  unheard
} from "../../../src/kis/streamSession/ConnectionSilence.ts"
import { deafAfter_ms } from "../../../src/kis/streamSession/Deafness.ts"
import { Rhythm } from "../../../src/kis/streamSession/Rhythm.ts"
import { connected, lowered, proven, raised, type SlotCap, slotCap } from "../../../src/kis/streamSession/SlotCap.ts"
import {
  look,
  silentAfter_ms,
  type SymbolLook,
  type SymbolSilence
} from "../../../src/kis/streamSession/SymbolSilence.ts"

const hour_ms = 3_600_000

describe("the believed number of slots", () => {
  const hourly = (cap: SlotCap, hours: number): ReadonlyArray<number> => {
    let now = cap
    return Array.from({ length: hours }, (_, n) => {
      now = raised(now, (n + 1) * hour_ms)
      return now.believed
    })
  }

  it("falls to what is held, and rises again by one, two, four an hour, up to what is configured", () => {
    const cap = lowered(slotCap(41), 20, 0)
    assert.strictEqual(cap.believed, 20)
    assert.strictEqual(raised(cap, hour_ms - 1), cap)
    // The clock was set back by three hours.
    assert.strictEqual(raised(cap, -3 * hour_ms).raiseAtMs, -2 * hour_ms)
    assert.deepStrictEqual(hourly(cap, 7), [21, 23, 27, 35, 41, 41, 41])
    assert.isUndefined(raised(raised(lowered(slotCap(2), 1, 0), hour_ms), 9 * hour_ms).raiseAtMs)
  })

  it("rises by one again after it was refused again", () => {
    const once = raised(raised(lowered(slotCap(41), 20, 0), hour_ms), 2 * hour_ms)
    assert.deepInclude(lowered(once, 21, 2 * hour_ms), { believed: 21, step: 1, raiseAtMs: 3 * hour_ms })
  })

  it("is never less than one nor more than it was, and never less than what is held", () => {
    assert.strictEqual(lowered(slotCap(41), 0, 0).believed, 1)
    assert.strictEqual(lowered(slotCap(3), 8, 0).believed, 3)
    assert.strictEqual(proven(lowered(slotCap(41), 3, 0), 5).believed, 5)
    assert.strictEqual(proven(slotCap(41), 5).believed, 41)
  })

  it("that was learnt with nothing held is forgotten with the connection, any other is kept", () => {
    assert.strictEqual(connected(lowered(slotCap(41), 0, 0)).believed, 41)
    assert.strictEqual(connected(lowered(slotCap(41), 7, 0)).believed, 7)
  })
})

describe("an open connection is dead", () => {
  for (const [name, quietness, limit_ms] of [
    ["after two minutes while no probe was heard", unheard, 120_000],
    ["after two minutes when probes come every half minute", probed(unheard, 30_000), 120_000],
    ["after three times the longest quiet that ended in a probe", probed(unheard, 60_000), 180_000],
    ["after ten minutes at the most", probed(unheard, 900_000), 600_000],
    ["after four minutes when the last one died of silence", died(unheard), 240_000],
    ["after ten minutes when many died of silence", died(died(died(died(unheard)))), 600_000],
    ["after two minutes again once data was heard", spoke(died(died(unheard))), 120_000],
    ["after two minutes again once a probe was heard", probed(died(died(unheard)), 10), 120_000]
  ] as ReadonlyArray<readonly [string, Quietness, number]>) {
    it(name, () => {
      assert.strictEqual(deadAfter_ms(quietness), limit_ms)
      assert.strictEqual(quietAfter_ms(quietness), limit_ms / 2)
    })
  }
})

describe("a rhythm", () => {
  const beating = (...gaps: ReadonlyArray<number>) => {
    const rhythm = new Rhythm()
    let now = 1_000
    rhythm.heard(now)
    for (const gap of gaps) rhythm.heard((now += gap))
    return rhythm
  }

  it("is unknown until eight distances are", () => {
    assert.isUndefined(beating(1, 1, 1, 1, 1, 1, 1).usual)
    assert.deepStrictEqual(beating(1, 1, 1, 1, 1, 1, 1, 9).usual, { median_ms: 1, longest_ms: 9 })
  })

  it("is that of the newest 32 frames", () => {
    const rhythm = beating(90_000, ...Array.from({ length: 32 }, () => 10))
    assert.deepStrictEqual(rhythm.usual, { median_ms: 10, longest_ms: 10 })
  })

  it("takes no pause for a distance", () => {
    const rhythm = beating(10, 10, 10, 10, 10, 10, 10, 10)
    rhythm.pause()
    assert.isUndefined(rhythm.lastHeardMs)
    rhythm.heard(900_000)
    rhythm.heard(900_010)
    assert.deepStrictEqual(rhythm.usual, { median_ms: 10, longest_ms: 10 })
  })

  it("begins anew", () => {
    const rhythm = beating(10, 10, 10, 10, 10, 10, 10, 10)
    rhythm.begin()
    assert.isUndefined(rhythm.usual)
  })
})

describe("a connection that hears its probes is deaf", () => {
  const usual = (median_ms: number, longest_ms = median_ms) => ({ median_ms, longest_ms })
  for (const [name, listening, limit_ms] of [
    ["after half a minute when it spoke many times a second", { usual: usual(50), streams: 41, vain: 0 }, 30_000],
    ["after twenty of its usual distances", { usual: usual(3_000), streams: 3, vain: 0 }, 60_000],
    ["after five of its longest distances", { usual: usual(100, 12_000), streams: 41, vain: 0 }, 60_000],
    ["after three minutes at the most", { usual: usual(5_000, 90_000), streams: 41, vain: 0 }, 180_000],
    ["never when it speaks less than ten times a minute", { usual: usual(6_001), streams: 41, vain: 0 }, undefined],
    ["after five minutes when nothing came of five streams", { usual: undefined, streams: 5, vain: 0 }, 300_000],
    ["never when nothing came of four", { usual: undefined, streams: 4, vain: 0 }, undefined],
    ["after twice the time when that helped nothing", { usual: usual(50), streams: 41, vain: 1 }, 60_000],
    ["after half an hour when nothing ever helps", { usual: usual(50), streams: 41, vain: 20 }, 1_800_000]
  ] as const) {
    it(name, () => assert.strictEqual(deafAfter_ms(listening), limit_ms))
  }
})

describe("a symbol", () => {
  const usual = (median_ms: number, longest_ms = median_ms) => ({ median_ms, longest_ms })
  for (const [name, given, limit_ms] of [
    ["that speaks every second is silent after three minutes, longer than an interruption", usual(1_000), 180_000],
    ["that speaks every half minute is silent after ten", usual(30_000), 600_000],
    ["that is quiet for two minutes at times is silent after six", usual(100, 120_000), 360_000],
    ["that speaks every two minutes cannot be judged", usual(120_000), undefined],
    ["without a rhythm cannot be judged", undefined, undefined]
  ] as const) {
    it(name, () => assert.strictEqual(silentAfter_ms(given), limit_ms))
  }

  const hearing: SymbolSilence = { _tag: "hearing" }
  const askedAgain: SymbolSilence = { _tag: "askedAgain" }
  const silent: SymbolSilence = { _tag: "silent", sinceMs: 5 }
  const nowMs = 10_000_000
  const seen = (changes: Partial<SymbolLook>): SymbolLook => ({
    nowMs,
    quietSinceMs: nowMs - 179_999,
    usual: usual(1_000),
    volumeAheadSinceMs: undefined,
    askedAgainAtMs: undefined,
    ...changes
  })
  const quiet = { quietSinceMs: nowMs - 180_000 }
  const missed = { volumeAheadSinceMs: nowMs - 15_000 }
  for (const [name, before, changes, after, act] of [
    ["within its habit is heard", hearing, {}, hearing, undefined],
    ["silent against its habit is registered once more", hearing, quiet, askedAgain, "askAgain"],
    [
      "whose swept volume is ahead is registered once more, whatever its habit",
      hearing,
      missed,
      askedAgain,
      "askAgain"
    ],
    [
      "whose swept volume has just gone ahead is given time",
      hearing,
      { volumeAheadSinceMs: nowMs - 14_999 },
      hearing,
      undefined
    ],
    [
      "registered once more within ten minutes has to wait",
      hearing,
      { ...quiet, askedAgainAtMs: nowMs - 599_999 },
      hearing,
      undefined
    ],
    [
      "registered once more long ago may be again",
      hearing,
      { ...quiet, askedAgainAtMs: nowMs - 600_000 },
      askedAgain,
      "askAgain"
    ],
    ["registered once more has its time again", askedAgain, {}, askedAgain, undefined],
    [
      "registered once more and silent again is declared silent",
      askedAgain,
      quiet,
      { _tag: "silent", sinceMs: nowMs },
      "declare"
    ],
    ["declared silent is left alone", silent, quiet, silent, undefined]
  ] as ReadonlyArray<readonly [string, SymbolSilence, Partial<SymbolLook>, SymbolSilence, string | undefined]>) {
    it(name, () => assert.deepStrictEqual(look(before, seen(changes)), { silence: after, act } as never))
  }
})
