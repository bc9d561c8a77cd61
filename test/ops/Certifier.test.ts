import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Metric } from "effect"
import { TestClock } from "effect/testing"
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { MarketSession } from "../../src/calendar/MarketSession.ts"
import type { RecordDraft } from "../../src/domain/JournalRecord.ts"
import { Journal } from "../../src/journal/Journal.ts"
import { verifyArchive } from "../../src/journal/Verify.ts"
import { Certifier } from "../../src/ops/Certifier.ts"
import type { Certificate } from "../../src/ops/certificate/Certificate.ts"
import { certifyDay } from "../../src/ops/certificate/certifyDay.ts"
import { noRows } from "../../src/ops/certificate/rowCount.ts"
import { SqlPipeline } from "../../src/sql/SqlPipeline.ts"
import { machineDisk, node, openJournal } from "../journal/fixtures.ts"
import { sha256, writeArchive } from "../support/archive.ts"
import { clockOf, quotes, universeAt } from "../support/archivedDay.ts"
import { looked, passUntil, scratchFolder } from "../support/virtualTime.ts"

const codes = ["005930", "0001"]

/** A journal and the certifier beside it, at an instant. */
const open = Effect.fnUntraced(function* (dataDir: string, mode: "calendar" | "always" = "calendar") {
  const journal = yield* openJournal(dataDir, { fsync_ms: 3_600_000 })
  const base = Layer.mergeAll(
    Layer.succeed(Journal, journal),
    Layer.fresh(MarketSession.layer(mode)),
    SqlPipeline.layerOff
  )
  const layer = Layer.fresh(Certifier.layer({ dataDir, version: "1" })).pipe(Layer.provide(base))
  const { run } = Context.get(yield* Layer.build(layer), Certifier)
  return { journal, start: Effect.forkScoped(run) }
})

/** Runs the certifier until it has appended something, beside a journal that begins with the given records. */
const untilAppended = Effect.fnUntraced(function* (dataDir: string, drafts: ReadonlyArray<RecordDraft> = []) {
  const { journal, start } = yield* open(dataDir)
  if (drafts.length > 0) yield* journal.append(drafts)
  const head = looked(journal.head)
  const before = head().seq
  yield* start
  yield* passUntil(() => head().seq > before, 1_000)
  yield* journal.close
}, Effect.scoped)

const inDay = (folder: string, day: string, name: string) =>
  join(folder, `${day.slice(0, 4)}/${day.slice(4, 6)}/${day.slice(6)}`, name)
const isCertified = (folder: string, day: string) => existsSync(inDay(folder, day, "CERTIFICATE.sha256"))
const certificateOf = (folder: string, day: string) =>
  JSON.parse(readFileSync(inDay(folder, day, "CERTIFICATE.json"), "utf8")) as Certificate

/** What `observer certify` does, which writes nothing to the journal. */
const byHand = (dataDir: string, day: string, nowMs: number) =>
  TestClock.withLive(
    certifyDay({ dataDir, day, version: "1", mode: "calendar", nowMs, rows: noRows("it is not asked") })
  )

describe("the certifier", () => {
  it.effect("certifies a day at 20:05, the file of that hour included, once, and puts the certificate on record", () =>
    Effect.gen(function* () {
      const folder = yield* scratchFolder
      const day = "20261124"
      const at = clockOf(day)
      writeArchive(folder, [universeAt(folder, day, at("0740"), codes), ...quotes(codes, at("0800"), at("2000"))], {
        node
      })
      yield* TestClock.setTime(at("200430"))
      const { journal, start } = yield* open(folder)
      yield* journal.append(quotes(["005930"], at("200430"), at("200431")))
      yield* start
      yield* TestClock.setTime(at("200459"))
      yield* Effect.yieldNow
      assert.isFalse(isCertified(folder, day))
      const before = (yield* journal.head).seq
      const head = looked(journal.head)
      yield* passUntil(() => isCertified(folder, day) && head().seq > before)

      const certificate = certificateOf(folder, day)
      assert.deepStrictEqual(
        [certificate.verdict, certificate.isOver, certificate.nodes],
        ["complete", true, ["seoul-1"]]
      )
      assert.isAtLeast(Date.parse(certificate.madeAt), at("2005"))
      assert.strictEqual(certificate.manifest.throughSeq, before)
      assert.strictEqual(certificate.files.at(-1)?.lastSeq, before)
      assert.deepStrictEqual(certificate.sql, { compared: false, why: "OBSERVER_SQL is off" })

      const madeMs = statSync(inDay(folder, day, "CERTIFICATE.json")).mtimeMs
      yield* TestClock.setTime(at("2030"))
      yield* Effect.yieldNow
      assert.strictEqual((yield* journal.head).seq, before + 1)
      assert.strictEqual(statSync(inDay(folder, day, "CERTIFICATE.json")).mtimeMs, madeMs)
      yield* journal.close
      yield* TestClock.withLive(
        Effect.gen(function* () {
          const { certified, problems } = yield* verifyArchive({ dataDir: folder })
          assert.deepStrictEqual([problems, certified], [[], [{ day: "2026-11-24", isOnRecord: true }]])
        })
      )
    }).pipe(Effect.provide(machineDisk), Effect.scoped)
  )

  it.effect("makes at its start the certificates that were missed, of trading days that have files and none yet", () =>
    Effect.gen(function* () {
      const folder = yield* scratchFolder
      const days = ["20261118", "20261120", "20261121", "20261123"]
      const drafts = days.flatMap((day) => quotes(codes, clockOf(day)("1000"), clockOf(day)("1010")))
      writeArchive(folder, drafts, { node })
      yield* TestClock.setTime(clockOf("20261127")("1200"))
      const { start } = yield* open(folder)
      yield* start
      yield* passUntil(() => isCertified(folder, "20261123"))
      // The 18th is more than a week ago, the 21st a Saturday.
      assert.deepStrictEqual(
        days.map((day) => isCertified(folder, day)),
        [false, true, false, true]
      )
      assert.strictEqual(certificateOf(folder, "20261120").verdict, "incomplete")
    }).pipe(Effect.provide(machineDisk), Effect.scoped)
  )

  it.effect("certifies a day anew that was certified by hand before it was over", () =>
    Effect.gen(function* () {
      const folder = yield* scratchFolder
      const day = "20261124"
      const at = clockOf(day)
      const drafts = [universeAt(folder, day, at("0740"), codes), ...quotes(codes, at("0800"), at("2000"))]
      writeArchive(folder, drafts, { node })
      // At 20:01 everything is closed, and the last records are on their way.
      for (const hour of ["1200", "2001"]) {
        yield* byHand(folder, day, at(hour))
        yield* TestClock.setTime(at("2006"))
        yield* untilAppended(folder)
        const { isOver, madeAt } = certificateOf(folder, day)
        assert.deepStrictEqual([isOver, Date.parse(madeAt) >= at("2005")], [true, true])
      }
    }).pipe(Effect.provide(machineDisk), Effect.scoped)
  )

  it.effect("puts a finished certificate on record, once, that was left without a word of the journal", () =>
    Effect.gen(function* () {
      const folder = yield* scratchFolder
      const day = "20261124"
      const at = clockOf(day)
      const drafts = [universeAt(folder, day, at("0740"), codes), ...quotes(codes, at("0800"), at("2000"))]
      writeArchive(folder, drafts, { node })
      yield* byHand(folder, day, at("2006"))
      const made = readFileSync(inDay(folder, day, "CERTIFICATE.json"), "utf8")
      yield* TestClock.setTime(at("2010"))
      const registry: typeof Metric.MetricRegistry.Service = new Map()
      yield* Effect.provideService(untilAppended(folder), Metric.MetricRegistry, registry)
      const metered = yield* Effect.provideService(Metric.snapshot, Metric.MetricRegistry, registry)
      // An alarm by what is metered must not end because the program was started again.
      const told = metered.filter(
        ({ id, state }) => id.startsWith("observer_certificate_verdict") && "value" in state && state.value === 1
      )
      assert.deepStrictEqual(
        told.map(({ attributes }) => attributes),
        [{ verdict: "complete" }]
      )
      // Looked at again before the next day is certified, it is left as it is.
      yield* TestClock.setTime(clockOf("20261125")("2010"))
      yield* untilAppended(folder, quotes(codes, clockOf("20261125")("0800"), clockOf("20261125")("0801")))
      assert.isTrue(isCertified(folder, "20261125"))

      assert.strictEqual(readFileSync(inDay(folder, day, "CERTIFICATE.json"), "utf8"), made)
      const said: Array<unknown> = []
      const report = verifyArchive({
        dataDir: folder,
        onRecord: ({ payload }) =>
          void ("event" in payload && payload["event"] === "certified" && said.push(payload["day"]))
      })
      const { certified, problems } = yield* TestClock.withLive(report)
      assert.deepStrictEqual([problems, said], [[], ["2026-11-24", "2026-11-25"]])
      assert.deepInclude(certified, { day: "2026-11-24", isOnRecord: true })
    }).pipe(Effect.provide(machineDisk), Effect.scoped)
  )

  it.effect("ends the day of a market that never closes at midnight", () =>
    Effect.gen(function* () {
      const folder = yield* scratchFolder
      const day = "20261121"
      const at = clockOf(day)
      writeArchive(
        folder,
        [universeAt(folder, day, at("0000"), codes), ...quotes(codes, at("0000"), at("2359") + 60_000)],
        { node }
      )
      yield* TestClock.setTime(clockOf("20261122")("000430"))
      const { journal, start } = yield* open(folder, "always")
      yield* start
      yield* TestClock.setTime(clockOf("20261122")("000459"))
      yield* Effect.yieldNow
      assert.isFalse(isCertified(folder, day))
      const head = looked(journal.head)
      const before = head().seq
      yield* passUntil(() => isCertified(folder, day) && head().seq > before, 1_000)
      assert.strictEqual(certificateOf(folder, day).verdict, "complete")

      // The journal's word on it is in the folder of the next day.
      yield* journal.close
      const verified = TestClock.withLive(verifyArchive({ dataDir: folder, fromDay: day, toDay: day }))
      const { certified, problems } = yield* verified
      assert.deepStrictEqual([problems, certified], [[], [{ day: "2026-11-21", isOnRecord: true }]])
      const json = inDay(folder, day, "CERTIFICATE.json")
      const changed = readFileSync(json, "utf8").replace('"reasons": [', '"reasons": ["", ')
      writeFileSync(json, changed)
      const sums = inDay(folder, day, "CERTIFICATE.sha256")
      writeFileSync(sums, readFileSync(sums, "utf8").replace(/^[0-9a-f]{64}(?=  CERTIFICATE.json)/, sha256(changed)))
      assert.deepStrictEqual(
        (yield* verified).problems.map(({ problem }) => problem),
        ["it is not the one that the journal has on record"]
      )
    }).pipe(Effect.provide(machineDisk), Effect.scoped)
  )
})
