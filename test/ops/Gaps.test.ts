import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import { mkdirSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { MarketSession } from "../../src/calendar/MarketSession.ts"
import { marketHour } from "../../src/calendar/MarketTime.ts"
import type { RecordDraft } from "../../src/domain/JournalRecord.ts"
import { Disk } from "../../src/journal/Disk.ts"
import { renderGaps } from "../../src/ops/gapReport/renderGaps.ts"
import { Gaps } from "../../src/ops/Gaps.ts"
import { openJournal } from "../journal/fixtures.ts"
import { scratchFolder } from "../support/virtualTime.ts"
import { lay, numbered, openMs, trade } from "./exportFixtures.ts"

const hour_ms = 3_600_000
const minute_ms = 60_000
const clockOf = (hour: number) => openMs + (hour - 9) * hour_ms

const downtime = (fromHour: number, toHour: number): RecordDraft => ({
  kind: "gap",
  receivedAtMs: clockOf(toHour),
  source: "observer",
  payload: {
    from: new Date(clockOf(fromHour)).toISOString(),
    to: new Date(clockOf(toHour)).toISOString(),
    cause: "downtime"
  }
})

/** Asks about 20 November 2026, whose market is open from eight to eight, at an hour of that day. */
const asking = Effect.fnUntraced(
  function* (_dataDir: string, at: { readonly hour: number; readonly symbol?: string }) {
    yield* TestClock.setTime(clockOf(at.hour))
    const { ask } = yield* Gaps
    const answer = yield* ask({ day: "20261120", symbol: at.symbol })
    const { firstMs, isObserved, lastMs, unrecorded } = answer.record
    return {
      first: firstMs && marketHour(firstMs),
      last: lastMs && marketHour(lastMs),
      unrecorded: unrecorded.map(({ fromMs, toMs }) => `${marketHour(fromMs)}-${marketHour(toMs)}`),
      isObserved,
      lines: renderGaps(answer)
    }
  },
  (effect, dataDir) =>
    Effect.provide(
      effect,
      Gaps.layer(dataDir).pipe(Layer.provide([Disk.layer, MarketSession.layer("calendar")]), Layer.fresh)
    )
)

/** Records from one hour to another, one every minute, in a file that is not in the manifest. */
const layHours = (dataDir: string, fromHour: number, toHour: number, more: ReadonlyArray<RecordDraft> = []) => {
  const count = Math.round(((toHour - fromHour) * hour_ms) / minute_ms) + 1
  const drafts = Array.from({ length: count }, (_, at) =>
    trade(1, { receivedAtMs: clockOf(fromHour) + at * minute_ms, payload: ["x".repeat(400)] })
  )
  return lay(dataDir, "seoul-1", numbered("seoul-1", Math.round(fromHour * 1_000), [...more, ...drafts]), {
    tail: '{"v":1,"seq":9'
  })
}

describe("what there is of a day", () => {
  it.effect("is nothing where there is no record, and every open hour so far is unrecorded", () =>
    Effect.gen(function* () {
      const folder = yield* scratchFolder
      for (const dataDir of [folder, join(folder, "nowhere")]) {
        assert.deepInclude(yield* asking(dataDir, { hour: 12 }), {
          first: undefined,
          last: undefined,
          unrecorded: ["080000-115900"]
        })
        const { lines, unrecorded } = yield* asking(dataDir, { hour: 36 })
        assert.deepStrictEqual(unrecorded, ["080000-200000"])
        assert.deepStrictEqual(lines, [
          "2026-11-20: no gap is on record; the market was open for 12:00:00.",
          "There is no record of that day.",
          "Unrecorded, and no gap says why: 12:00:00 of the open hours (08:00:00–20:00:00)."
        ])
        assert.deepStrictEqual((yield* asking(dataDir, { hour: 7 })).unrecorded, [], "it has not begun")
      }
    })
  )

  it.effect("begins with its first record and ends with its newest, whatever its files are like", () =>
    Effect.gen(function* () {
      const dataDir = yield* scratchFolder
      layHours(dataDir, 9.5, 13)
      const now = yield* asking(dataDir, { hour: 13.01 })
      assert.deepInclude(now, { first: "093000", last: "130000", unrecorded: ["080000-093000"] })
      assert.deepStrictEqual((yield* asking(dataDir, { hour: 14 })).unrecorded, ["080000-093000", "130000-135900"])
      assert.include(now.lines, "Unrecorded, and no gap says why: 1:30:00 of the open hours (08:00:00–09:30:00).")
    })
  )

  it.effect("lacks no time that a hole of every symbol names, and what of it none names is a row of its own", () =>
    Effect.gen(function* () {
      const dataDir = yield* scratchFolder
      layHours(dataDir, 8, 10)
      layHours(dataDir, 12, 13, [downtime(10, 12)])
      layHours(dataDir, 15, 20)
      const { lines, unrecorded } = yield* asking(dataDir, { hour: 21 })
      assert.deepStrictEqual(unrecorded, ["130000-150000"])
      assert.include(lines, "Records are from 08:00:00 to 20:00:00.")
      assert.isTrue(lines.some((line) => /^unrecorded +1 +0 +2:00:00 +2:00:00$/.test(line)))
    })
  )

  it.effect("is read from the manifest where a file is sealed, and from the file while it is written", () =>
    Effect.gen(function* () {
      const dataDir = yield* scratchFolder
      yield* TestClock.setTime(clockOf(8))
      const journal = yield* openJournal(dataDir).pipe(Effect.provide(Disk.layer))
      yield* journal.append([trade(1, { receivedAtMs: clockOf(8) }), trade(2, { receivedAtMs: clockOf(8.5) })])
      const open = { first: "080000", last: "083000", unrecorded: [] }
      assert.deepInclude(yield* asking(dataDir, { hour: 8.51 }), open)
      yield* journal.close
      assert.deepInclude(yield* asking(dataDir, { hour: 8.51 }), open)
    })
  )

  it.effect("says of a symbol whether it was to be observed, by the lists of the day or those before", () =>
    Effect.gen(function* () {
      const dataDir = yield* scratchFolder
      assert.isUndefined((yield* asking(dataDir, { hour: 12, symbol: "005930" })).isObserved)
      const write = (day: string, code: string) => {
        const path = join(dataDir, "2026", "11", day, "universe-0123456789ab.json")
        mkdirSync(dirname(path), { recursive: true })
        writeFileSync(path, JSON.stringify({ v: 1, symbols: [{ code }], indices: [{ code: "0001" }] }))
      }
      write("18", "005930")
      assert.isTrue((yield* asking(dataDir, { hour: 12, symbol: "005930" })).isObserved)
      assert.isTrue((yield* asking(dataDir, { hour: 12, symbol: "0001" })).isObserved)
      write("20", "000660")
      const { isObserved, lines } = yield* asking(dataDir, { hour: 12, symbol: "005930" })
      assert.isFalse(isObserved)
      assert.include(lines, "005930 was not to be observed that day.")
    })
  )
})
