import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import type { MinuteMarker } from "../../src/domain/MinuteMarker.ts"
import { conservationOf } from "../../src/journal/dayConservation.ts"

const Amount = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 20 }))
const Minute = Schema.Struct({
  received: Amount,
  stored: Amount,
  rejected: Amount,
  /** Beyond that the run was killed. */
  isLast: Schema.Literals([false, false, false, true])
})
const Day = Schema.Array(Minute).check(Schema.isMaxLength(30))

const instant = (minute: number) => new Date(Date.UTC(2026, 10, 24) + minute * 60_000).toISOString()

/** Markers of one source, as runs that lose nothing write them; what is settled is never more than there is. */
const markersOf = (minutes: typeof Day.Type): ReadonlyArray<MinuteMarker> => {
  let inFlight = 0
  let since = instant(0)
  return minutes.map(({ isLast, received, ...wanted }, at) => {
    const stored = Math.min(wanted.stored, inFlight + received)
    const rejected = Math.min(wanted.rejected, inFlight + received - stored)
    inFlight += received - stored - rejected
    const marker = {
      event: "minute" as const,
      minute: instant(at),
      since,
      sources: { "kis-ws": { received, stored, rejected, deduplicated: 0, inFlight } },
      calls: {},
      tokens: 0,
      frames: 0,
      bytes: 0
    }
    if (isLast) {
      inFlight = 0
      since = instant(at + 1)
    }
    return marker
  })
}

const own = ({ sources }: MinuteMarker) => sources["kis-ws"] ?? assert.fail("the source is missing")
const changed = (markers: ReadonlyArray<MinuteMarker>, at: number, by: Partial<ReturnType<typeof own>>) =>
  markers.map((marker, index) =>
    index === at ? { ...marker, sources: { "kis-ws": { ...own(marker), ...by } } } : marker
  )

describe("the conservation of a day, from its minutes' markers", () => {
  it.prop("adds up what runs that lost nothing have written, and holds", [Day], ([minutes]) => {
    const markers = markersOf(minutes)
    const { sources, ...day } = conservationOf(markers)
    const runs = new Set(markers.map(({ since }) => since)).size
    assert.deepStrictEqual(day, { markers: markers.length, runs, holds: true })
    if (markers.length === 0) return assert.deepStrictEqual(sources, {})
    const { inFlight, untold, ...sums } = sources["kis-ws"] ?? assert.fail("the source is missing")
    const sum = (of: "received" | "stored" | "rejected") =>
      markers.reduce((total, marker) => total + own(marker)[of], 0)
    const [received, stored, rejected] = [sum("received"), sum("stored"), sum("rejected")]
    assert.deepStrictEqual(sums, { received, stored, rejected, deduplicated: 0, remainder: 0 })
    assert.strictEqual(inFlight + untold, received - stored - rejected)
    assert.strictEqual(inFlight, own(markers.at(-1) ?? assert.fail()).inFlight)
  })

  it.prop(
    "does not hold when a number of a marker is another one, whichever it is",
    [
      Day.check(Schema.isMinLength(1)),
      Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 29 })),
      Schema.Literals(["received", "stored", "rejected", "deduplicated", "inFlight"])
    ],
    ([minutes, which, name]) => {
      const markers = markersOf(minutes)
      const at = which % markers.length
      const altered = changed(markers, at, { [name]: own(markers[at] ?? assert.fail())[name] + 1 })
      assert.isFalse(conservationOf(altered).holds)
    }
  )

  it("takes up a run that began the day before where its first marker leaves it", () => {
    const since = "2026-11-23T00:00:00.000Z"
    const markers = markersOf([
      { received: 5, stored: 2, rejected: 0, isLast: false },
      { received: 1, stored: 4, rejected: 0, isLast: false }
    ]).map((marker) => ({ ...marker, since }))
    assert.isTrue(conservationOf(changed(markers, 0, { stored: 9 })).holds, "more was stored than the day received")
    assert.isFalse(conservationOf(changed(markers, 1, { stored: 5 })).holds)
  })

  it("says what is nowhere at the end of each run, and forgives what was found again", () => {
    const lost = { received: 3, stored: 3, rejected: 0, isLast: false }
    const markers = changed(markersOf([lost, lost, { ...lost, isLast: true }, lost]), 0, { stored: 1 })
    const amiss = (which: ReadonlyArray<number>) =>
      markers.map((marker, at) => (which.includes(at) ? { ...marker, remainder: { "kis-ws": 2 } } : marker))
    assert.deepInclude(conservationOf(amiss([0, 1, 2])), { holds: false, runs: 2 })
    assert.strictEqual(conservationOf(amiss([0, 1, 2])).sources["kis-ws"]?.remainder, 2)
    const found = changed(amiss([0, 1]), 2, { stored: 5 })
    assert.isTrue(conservationOf(found).holds)
    assert.strictEqual(conservationOf(found).sources["kis-ws"]?.remainder, 0)
  })
})
