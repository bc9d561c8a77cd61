import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { TestClock } from "effect/testing"
import { join } from "node:path"
import { MarketClock, type MarketClockShape } from "../../src/calendar/MarketClock.ts"
import { BootId } from "../../src/journal/BootId.ts"
import { Disk } from "../../src/journal/Disk.ts"
import { recover } from "../../src/journal/Recovery.ts"
import { type Call, MemoryDisk, type Tail } from "../support/memoryDisk.ts"
import { chunk, line, node, openJournal, openMs, recordsAfter, seen, settled, tempFolder } from "./fixtures.ts"
import { origin } from "../../src/journal/Position.ts"

const day_ms = 86_400_000
const hintFile = `.head-${node}`
const tails: ReadonlyArray<Tail> = [
  () => Buffer.alloc(0),
  (unsynced) => unsynced,
  (unsynced) => Buffer.alloc(unsynced.length)
]

/** Market time that is set by hand, while the time in which things wait stands still. */
class HandClock implements MarketClockShape {
  marketMs = openMs
  readonly beginsMs = undefined
  at = () => this.marketMs
  wallAt = (marketMs: number) => marketMs
}

/** A disk with the same files, but for some. */
const copyOf = (disk: MemoryDisk, without: RegExp) => {
  const copy = new MemoryDisk(disk.root)
  for (const [path, bytes] of disk.files()) if (!without.test(path)) copy.put(path, bytes)
  return copy
}

/** What a start finds that looks into every folder. */
const foundByListing = Effect.fnUntraced(function* (disk: MemoryDisk) {
  const copy = copyOf(disk, /(^|\/)\.(head|next)-/)
  const { head } = yield* Effect.provide(recover(copy.root, node, openMs), copy.layer)
  return head
})

const removeFile = (disk: MemoryDisk, path: string) =>
  Effect.flatMap(Disk, (real) => real.remove(join(disk.root, path))).pipe(Effect.provide(disk.layer))

const Day = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 9 }))
const Run = Schema.Struct({
  /** The days, from some day on, in which the run appends; its clock is set in between. */
  days: Schema.Array(Day),
  ends: Schema.Literals(["close", "kill", "powerCut"]),
  tail: Schema.Literals([0, 1, 2]),
  /** What befalls the hint afterwards: nothing, it is lost, an older one is put back, or the run was one of a version without it. */
  hint: Schema.Literals(["nothing", "lost", "olderBack", "olderBack", "withoutHint"]),
  which: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 6 })),
  removedDay: Schema.Literals([-1, -1, -1, 0, 3, 6])
})

describe("the head, found by a hint", () => {
  it.effect.prop(
    "is the one that a look into every folder finds, whatever clocks, kills and people do",
    [Schema.Array(Run)],
    ([runs]) =>
      Effect.gen(function* () {
        let disk = new MemoryDisk(yield* tempFolder)
        const hints: Array<Buffer> = []
        const clock = new HandClock()
        let next = 1
        for (const run of runs) {
          const expected = yield* foundByListing(disk)
          const before = disk.files()
          clock.marketMs = openMs + (run.days[0] ?? 0) * day_ms
          yield* Effect.scoped(
            Effect.gen(function* () {
              const journal = yield* openJournal(disk.root, { segment_bytes: 500, fsync_ms: 50 })
              assert.deepStrictEqual((yield* journal.head).seq, expected.seq)
              for (const day of run.days) {
                clock.marketMs = openMs + day * day_ms
                for (let n = 0; n < 1 + (next % 3); n++) {
                  const { first } = yield* journal.append([seen(next++)])
                  assert.isAbove(first, expected.seq)
                }
                const hint = disk.files().get(hintFile)
                if (hint !== undefined) hints.push(hint)
              }
              if (run.ends === "close") yield* journal.close
            })
          ).pipe(Effect.provide(disk.layer), Effect.provideService(MarketClock, clock))
          if (run.ends === "kill") disk = disk.afterKill()
          if (run.ends === "powerCut") disk = disk.afterPowerCut(tails[run.tail] ?? ((unsynced) => unsynced))
          const older = hints.at(-1 - run.which)
          if (run.hint === "lost") yield* removeFile(disk, hintFile)
          if (run.hint === "olderBack" && older !== undefined) disk.put(hintFile, older)
          if (run.hint === "withoutHint") {
            for (const path of disk.files().keys()) {
              const old = before.get(path)
              if (!/(^|\/)\.(head|next)-/.test(path)) continue
              yield* old === undefined ? removeFile(disk, path) : Effect.sync(() => disk.put(path, old))
            }
          }
          if (run.removedDay >= 0) {
            const day = new Date(openMs + run.removedDay * day_ms).toISOString().slice(0, 10).replaceAll("-", "/")
            disk = copyOf(disk, new RegExp(`^${day}/`))
          }
        }
        const journal = yield* Effect.provide(openJournal(disk.root), disk.layer)
        const seqs = (yield* Effect.provide(recordsAfter(journal, origin), disk.layer)).map(({ seq }) => seq)
        assert.deepStrictEqual(
          seqs,
          [...new Set(seqs)].sort((a, b) => a - b)
        )
      }).pipe(Effect.scoped),
    { arbitrary: { runs: 400, size: 8 }, timeout: 120_000 }
  )

  /** The calls of a start on an archive of so many days, but for those that list years and months. */
  const callsOf = Effect.fnUntraced(function* (days: number) {
    const disk = new MemoryDisk(yield* tempFolder)
    yield* TestClock.setTime(openMs)
    let seq = 1
    for (let day = 0; day < days; day++) {
      const date = new Date(openMs + day * day_ms).toISOString().slice(0, 10).replaceAll("-", "/")
      for (const hour of ["09", "10", "11"]) {
        disk.put(
          `${date}/${hour}/seoul-1-${String(seq).padStart(12, "0")}.jsonl`,
          Buffer.from(`${line(seen(seq), seq)}\n`)
        )
        seq += 1
      }
    }
    const calls: Array<Call> = []
    for (const start of ["first", "second"]) {
      yield* TestClock.setTime(openMs + (days - 1) * day_ms + 7_200_000)
      disk.fault = (call) => void (start === "second" && calls.push(call))
      yield* Effect.scoped(
        Effect.gen(function* () {
          const journal = yield* openJournal(disk.root)
          const recovering = calls.length
          if (start === "second") calls.splice(recovering)
          assert.strictEqual((yield* journal.head).seq, start === "first" ? seq - 1 : seq)
          if (start === "first") {
            yield* journal.append([seen(seq)])
            yield* journal.close
          }
        })
      ).pipe(Effect.provide(disk.layer))
    }
    const isOfNames = ({ operation, path }: Call) =>
      operation === "list" && /^(|\/\d{4}|\/\d{4}\/\d{2})$/.test(path.slice(disk.root.length))
    return calls
      .filter((call) => !isOfNames(call))
      .map(({ operation, path }) => `${operation} ${path.slice(disk.root.length + 11)}`)
  })

  it.effect("costs as many calls to the disk for 400 days as for 4, but for the names of the days", () =>
    Effect.gen(function* () {
      const few = yield* callsOf(4)
      const many = yield* callsOf(400)
      assert.strictEqual(many.length, few.length)
    })
  )

  it.effect("is looked for everywhere when the hint is spoilt, and the next start is short again", () =>
    Effect.gen(function* () {
      for (const spoilt of ["", "{", `{"v":2}`, "\0".repeat(200)]) {
        const disk = new MemoryDisk(yield* tempFolder)
        yield* TestClock.setTime(openMs + 30 * day_ms)
        for (const days of [30, 31, 32, 33]) {
          yield* TestClock.setTime(openMs + days * day_ms)
          yield* Effect.scoped(openAndClose(disk, days))
        }
        yield* TestClock.setTime(openMs)
        yield* Effect.scoped(openAndClose(disk, 1))
        disk.put(hintFile, Buffer.from(spoilt))
        yield* Effect.scoped(openAndClose(disk, 1))
        const head = yield* foundByListing(disk)
        assert.strictEqual(head.seq, 6)
        const calls: Array<string> = []
        disk.fault = ({ path }) => void calls.push(path)
        const { head: again } = yield* runUnder(disk, "boot-1", 0, true)
        assert.deepStrictEqual(again, head)
        assert.isFalse(calls.some((path) => path.endsWith("/2026/12/24/09")))
      }
    }).pipe(Effect.scoped)
  )
})

const openAndClose = (disk: MemoryDisk, n: number) =>
  Effect.gen(function* () {
    const journal = yield* openJournal(disk.root)
    yield* journal.append([seen(n)])
    yield* journal.close
  }).pipe(Effect.provide(disk.layer))

/** A run under a boot of the machine, which ends in some way after some appends; gives what its start found. */
const runUnder = (disk: MemoryDisk, boot: string | undefined, appends: number, closes: boolean, fsync_ms = 200) =>
  Effect.gen(function* () {
    const journal = yield* openJournal(disk.root, { fsync_ms })
    if (appends > 0) yield* journal.append(chunk(1, appends))
    if (closes) yield* journal.close
    return journal.recovered
  }).pipe(Effect.scoped, Effect.provide(disk.layer), Effect.provideService(BootId, boot))

describe("a start after an end that was none", () => {
  it.effect("tells a killed process from a power cut, and what each may have cost", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(openMs)
      let disk = new MemoryDisk(yield* tempFolder)
      assert.notProperty(yield* runUnder(disk, "boot-1", 3, true), "loss")
      assert.notProperty(yield* runUnder(disk, "boot-2", 3, false), "loss")
      disk = disk.afterKill()
      assert.deepStrictEqual((yield* runUnder(disk, "boot-2", 3, false, 500)).loss, { cause: "kill", ms_max: 0 })
      disk = disk.afterPowerCut((unsynced) => unsynced)
      const cut = yield* runUnder(disk, "boot-3", 3, false)
      assert.deepStrictEqual([cut.unclean, cut.loss], [true, { cause: "powerCut", ms_max: 500 }])
      disk = disk.afterKill()
      assert.deepStrictEqual((yield* runUnder(disk, undefined, 1, false)).loss, { cause: "unknown", ms_max: 200 })
      disk = disk.afterKill()
      yield* removeFile(disk, hintFile)
      assert.deepStrictEqual((yield* runUnder(disk, "boot-3", 1, true, 300)).loss, { cause: "unknown", ms_max: 300 })
      assert.notProperty(yield* runUnder(disk, "boot-3", 1, true), "loss")
    })
  )

  it.effect("says it in the next start, too, until it is on record", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(openMs)
      let disk = new MemoryDisk(yield* tempFolder)
      yield* runUnder(disk, "boot-1", 3, false)
      disk = disk.afterPowerCut(() => Buffer.alloc(0))
      for (const boot of ["boot-2", "boot-2", "boot-3"]) {
        const { loss, unclean } = yield* runUnder(disk, boot, 0, false)
        assert.deepStrictEqual([unclean, loss], [true, { cause: "powerCut", ms_max: 200 }])
        disk = disk.afterKill()
      }
      assert.strictEqual((yield* runUnder(disk, "boot-3", 1, false)).loss?.cause, "powerCut")
      disk = disk.afterKill()
      assert.deepStrictEqual((yield* runUnder(disk, "boot-3", 1, false)).loss, { cause: "kill", ms_max: 0 })
    })
  )

  it.effect.prop(
    "has lost to a power cut no more than the time between two syncs, and to a kill nothing",
    [
      Schema.Literals([20, 200, 1_000]),
      Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 300 }))),
      Schema.Literals(["boot-1", "boot-2"])
    ],
    ([fsync_ms, pauses, boot]) =>
      Effect.gen(function* () {
        yield* TestClock.setTime(openMs)
        const disk = new MemoryDisk(yield* tempFolder)
        const appendedAtMs: Array<number> = []
        let atMs = openMs
        yield* Effect.gen(function* () {
          const journal = yield* openJournal(disk.root, { fsync_ms })
          yield* settled
          for (const pause of pauses) {
            yield* journal.append([seen(atMs - openMs)])
            appendedAtMs.push(atMs)
            yield* TestClock.adjust(pause)
            yield* settled
            atMs += pause
          }
        }).pipe(Effect.scoped, Effect.provide(disk.layer), Effect.provideService(BootId, "boot-1"))
        const next = boot === "boot-1" ? disk.afterKill() : disk.afterPowerCut(() => Buffer.alloc(0))
        const { head, loss } = yield* runUnder(next, boot, 0, true)
        const lost = appendedAtMs.slice(head.seq)
        if (appendedAtMs.length === 0) return assert.isUndefined(loss)
        assert.deepStrictEqual(
          loss,
          boot === "boot-1" ? { cause: "kill", ms_max: 0 } : { cause: "powerCut", ms_max: fsync_ms }
        )
        for (const lostMs of lost) assert.isAtMost(atMs - lostMs, loss?.ms_max ?? 0)
      }).pipe(Effect.scoped),
    { arbitrary: { runs: 60, size: 12 } }
  )
})
