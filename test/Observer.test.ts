import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Latch, Layer } from "effect"
import { TestClock } from "effect/testing"
import { Supervisor } from "../src/actor/Supervisor.ts"
import { MarketClock, rehearsed } from "../src/calendar/MarketClock.ts"
import { MarketSession } from "../src/calendar/MarketSession.ts"
import { marketInstant } from "../src/calendar/MarketTime.ts"
import type { RecordDraft } from "../src/domain/JournalRecord.ts"
import { KisFeed } from "../src/feed/KisFeed.ts"
import { BootId } from "../src/journal/BootId.ts"
import { Compressor } from "../src/journal/Compressor.ts"
import { Conservation } from "../src/journal/Conservation.ts"
import { Journal } from "../src/journal/Journal.ts"
import { Observer } from "../src/Observer.ts"
import { Backup } from "../src/ops/Backup.ts"
import { ConservationWatch } from "../src/ops/ConservationWatch.ts"
import { DiskWatch } from "../src/ops/DiskWatch.ts"
import { Retention } from "../src/ops/Retention.ts"
import { MinuteMarkers } from "../src/ops/MinuteMarkers.ts"
import { Coverage } from "../src/plan/Coverage.ts"
import { makeChanger } from "../src/plan/dayUniverse/makeChanger.ts"
import { Certifier } from "../src/ops/Certifier.ts"
import { DayUniverse } from "../src/plan/DayUniverse.ts"
import { Planner } from "../src/plan/Planner.ts"
import { Shards } from "../src/shard/Shards.ts"
import { SqlPipeline } from "../src/sql/SqlPipeline.ts"
import { checkArchive, chunk, line, node, openJournal, settled, tempFolder } from "./journal/fixtures.ts"
import { MemoryDisk } from "./support/memoryDisk.ts"

const at = (date: string, hour: string) => marketInstant(date, hour) ?? Number.NaN

/** A life of the observer without shards, feed and database, from its start to its orderly end. */
const life = Effect.fnUntraced(function* (
  disk: MemoryDisk,
  lives: Effect.Effect<void>,
  {
    planned = Effect.void,
    recorded = Effect.void
  }: { planned?: Effect.Effect<void>; recorded?: Effect.Effect<void> } = {}
) {
  const started = Effect.void
  const { changer } = yield* makeChanger("universe/changes", () => Effect.never)
  const base = Layer.mergeAll(
    Layer.fresh(Supervisor.layer),
    Layer.fresh(MarketSession.layer("calendar")),
    Layer.fresh(Journal.layer({ dataDir: disk.root, node, segment_bytes: 1 << 20, fsync_ms: 3_600_000 })),
    Layer.mock(Shards, { start: started }),
    Layer.mock(KisFeed, { start: started, refused: Effect.never }),
    Layer.mock(DayUniverse, { run: Effect.never, reload: Effect.never, recorded, changer: Effect.succeed(changer) }),
    Layer.effect(
      Planner,
      Effect.map(Coverage, (coverage) => ({ start: planned, coverage }))
    ).pipe(Layer.provide(Layer.mock(Coverage, {}))),
    Compressor.layerOff,
    Conservation.layer,
    Layer.succeed(Certifier, { run: Effect.never }),
    SqlPipeline.layerOff,
    Layer.merge(DiskWatch.layerOff, Retention.layerOff),
    Backup.layerOff,
    Layer.succeed(ConservationWatch, { run: Effect.never, alarm: Effect.undefined }),
    Layer.succeed(MinuteMarkers, { run: Effect.void, end: Effect.void })
  )
  const layer = Observer.layer({ version: "1", describe: { clock: "real" }, drain_seconds: 10 })
  const context = yield* Layer.build(layer.pipe(Layer.provide(base)))
  const { run } = Context.get(context, Observer)
  yield* Effect.raceFirst(run, Effect.andThen(settled, lives))
}, Effect.scoped)

const recordsOf = (disk: MemoryDisk) => checkArchive(disk.files())
const told = (disk: MemoryDisk) =>
  recordsOf(disk).map(({ kind, payload, receivedAt }) => {
    const { cause, event, from, phase, setBack_ms, to } = payload as Readonly<Record<string, unknown>>
    return kind === "gap"
      ? `gap ${cause} ${from} ${to}`
      : [receivedAt, event, phase, setBack_ms].filter(Boolean).join(" ")
  })

const onMemory = <A, E, R>(use: (disk: MemoryDisk) => Effect.Effect<A, E, R>) =>
  Effect.flatMap(tempFolder, (folder) => {
    const disk = new MemoryDisk(folder)
    return Effect.provide(use(disk), disk.layer)
  })

describe("the observer's record of itself", () => {
  it.effect("tells downtime for what was open between two lives, and none for a night", () =>
    onMemory((disk) =>
      Effect.gen(function* () {
        yield* TestClock.setTime(at("20261123", "190000"))
        yield* life(disk, Effect.void)
        yield* TestClock.setTime(at("20261124", "080500"))
        yield* life(disk, TestClock.setTime(at("20261124", "200100")))
        yield* TestClock.setTime(at("20261125", "075000"))
        yield* life(disk, Effect.void)
        assert.deepStrictEqual(told(disk), [
          "2026-11-23T10:00:00.000Z start afterMarket",
          "2026-11-23T10:00:00.000Z stop",
          "2026-11-23T23:05:00.000Z start preOpen",
          "gap downtime 2026-11-23T10:00:00.000Z 2026-11-23T11:00:00.000Z",
          "gap downtime 2026-11-23T23:00:00.000Z 2026-11-23T23:05:00.000Z",
          "2026-11-24T11:01:00.000Z stop",
          "2026-11-24T22:50:00.000Z start closed",
          "2026-11-24T22:50:00.000Z stop"
        ])
      })
    )
  )

  it.effect("ends the holes that a killed run left open where that run ends, and begins its downtime there", () =>
    onMemory((disk) =>
      Effect.gen(function* () {
        const opened = at("20261124", "100000")
        const utc = (atMs: number) => new Date(atMs).toISOString()
        const hole = (symbol: string, fromMs: number, toMs: number, more: object = { open: true }): RecordDraft => ({
          kind: "gap",
          symbol,
          receivedAtMs: toMs,
          source: "observer",
          account: "main",
          payload: { from: utc(fromMs), to: utc(toMs), cause: "disconnect", symbol, ...more }
        })
        const quote = (atMs: number): RecordDraft => ({
          kind: "quote",
          symbol: "005930",
          receivedAtMs: atMs,
          source: "kis-rest",
          payload: {}
        })
        const minute_ms = 60_000
        yield* TestClock.setTime(opened)
        const killed = [
          quote(opened),
          hole("005930", opened, opened + 1_000),
          hole("000660", opened, opened + 1_000),
          hole("005930", opened, opened + 5 * minute_ms),
          hole("000660", opened, opened + 5 * minute_ms),
          hole("000660", opened, opened + 5 * minute_ms + 500, {}),
          quote(opened + 5 * minute_ms + 40_000)
        ]
        disk.put(
          `2026/11/24/10/${node}-000000000001.jsonl.open`,
          Buffer.from(killed.map((draft, index) => `${line(draft, index + 1)}\n`).join(""))
        )
        yield* TestClock.setTime(opened + 30 * minute_ms)
        yield* life(disk, Effect.void)
        yield* life(disk, Effect.void)
        assert.deepStrictEqual(told(disk).slice(killed.length), [
          "2026-11-24T01:30:00.000Z start continuous",
          "gap downtime 2026-11-24T01:05:39.000Z 2026-11-24T01:30:00.000Z",
          "gap disconnect 2026-11-24T01:00:00.000Z 2026-11-24T01:05:40.000Z",
          "2026-11-24T01:30:00.000Z stop",
          "2026-11-24T01:30:00.000Z start continuous",
          "2026-11-24T01:30:00.000Z stop"
        ])
        const [ended] = recordsOf(disk)
          .slice(killed.length)
          .filter(({ symbol }) => symbol !== undefined)
        assert.deepInclude(ended, { symbol: "005930", account: "main" })
        assert.isFalse("open" in (ended?.payload ?? {}))
      })
    )
  )

  it.effect(
    "is in market time in a rehearsal, of a day in the past, and says that the clock is behind the record",
    () =>
      onMemory((disk) =>
        Effect.gen(function* () {
          yield* TestClock.setTime(at("20261124", "100000"))
          yield* life(disk, Effect.void)
          const wallMs = at("20261124", "110000")
          yield* TestClock.setTime(wallMs)
          const clock = rehearsed({ wallMs, marketMs: at("20261119", "100000"), speed: 60 })
          yield* Effect.provideService(life(disk, TestClock.adjust("1 minute")), MarketClock, clock)
          assert.deepStrictEqual(told(disk).slice(2), [
            `2026-11-19T01:00:00.000Z start continuous ${5 * 86_400_000}`,
            "2026-11-19T02:00:00.000Z stop"
          ])
          assert.deepStrictEqual(
            [...disk.files().keys()]
              .filter((path) => path.includes("/seoul-1-"))
              .map((path) => path.slice(0, 13))
              .sort(),
            ["2026/11/19/10", "2026/11/19/11", "2026/11/24/10"]
          )
        })
      )
  )

  it.effect("of a rehearsed day in the future holds no downtime of the days between", () =>
    onMemory((disk) =>
      Effect.gen(function* () {
        yield* TestClock.setTime(at("20261124", "100000"))
        yield* life(disk, Effect.void)
        const wallMs = at("20261124", "110000")
        const clock = rehearsed({ wallMs, marketMs: at("20270302", "082000"), speed: 60 })
        yield* TestClock.setTime(wallMs + 10_000)
        yield* Effect.provideService(life(disk, Effect.void), MarketClock, clock)
        assert.deepStrictEqual(told(disk).slice(2, 4), [
          "2027-03-01T23:30:00.000Z start openingAuction",
          "gap downtime 2027-03-01T23:20:00.000Z 2027-03-01T23:30:00.000Z"
        ])
      })
    )
  )

  it.effect("says in the start marker how the last run ended, and what that may have cost", () =>
    onMemory((disk) =>
      Effect.gen(function* () {
        yield* TestClock.setTime(at("20261124", "100000"))
        const killed = Effect.gen(function* () {
          const journal = yield* openJournal(disk.root, { fsync_ms: 250 })
          yield* journal.append(chunk(1, 3))
        }).pipe(Effect.scoped, Effect.provideService(BootId, "boot-1"))
        const losses: Array<unknown> = []
        for (const boot of ["boot-1", "boot-2"]) {
          yield* killed
          yield* Effect.provideService(life(disk, Effect.void), BootId, boot)
          const start = recordsOf(disk).findLast(({ payload }) => "event" in payload && payload["event"] === "start")
          losses.push(start?.payload && "loss" in start.payload ? start.payload["loss"] : undefined)
        }
        assert.deepStrictEqual(losses, [
          { cause: "kill", ms_max: 0 },
          { cause: "powerCut", ms_max: 250 }
        ])
      })
    )
  )
})

describe("the observer's start", () => {
  it.effect("plans nothing before the record says what is observed, but waits no longer than half a minute", () =>
    onMemory((disk) =>
      Effect.gen(function* () {
        yield* TestClock.setTime(at("20261124", "100000"))
        let plans = 0
        const planned = Effect.sync(() => void (plans += 1))
        const latch = Latch.makeUnsafe(false)
        const recorded = latch.await
        const late = Effect.gen(function* () {
          yield* TestClock.adjust("29 seconds")
          assert.strictEqual(plans, 0)
          yield* TestClock.adjust("1 second")
          yield* settled
          assert.strictEqual(plans, 1)
        })
        yield* life(disk, late, { planned, recorded })
        const inTime = Effect.gen(function* () {
          assert.strictEqual(plans, 1)
          yield* latch.open
          yield* settled
          assert.strictEqual(plans, 2)
        })
        yield* life(disk, inTime, { planned, recorded })
      })
    )
  )
})
