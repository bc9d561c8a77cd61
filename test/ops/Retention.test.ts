import { assert, describe, it } from "@effect/vitest"
import { Context, Deferred, Effect, Layer, Schema } from "effect"
import { TestClock } from "effect/testing"
import {
  appendFileSync,
  existsSync,
  readFileSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { dirname, join } from "node:path"
import { marketInstant } from "../../src/calendar/MarketTime.ts"
import type { RecordDraft } from "../../src/domain/JournalRecord.ts"
import { Disk, DiskError } from "../../src/journal/Disk.ts"
import type { FollowerStatus } from "../../src/journal/Follower.ts"
import { Journal } from "../../src/journal/Journal.ts"
import { verifyArchive } from "../../src/journal/Verify.ts"
import { Retention, type RetentionOptions } from "../../src/ops/Retention.ts"
import { receiptsFile } from "../../src/ops/backup/Receipts.ts"
import { daysDue } from "../../src/ops/retention/daysDue.ts"
import { SqlPipeline } from "../../src/sql/SqlPipeline.ts"
import { MemoryDisk } from "../support/memoryDisk.ts"
import { memoryJournal } from "../support/memoryJournal.ts"
import { looked, passUntil, scratchFolder } from "../support/virtualTime.ts"
import { filesBelow, machineDisk, node, openJournal } from "../journal/fixtures.ts"

const at = (day: number, hour = "100000") => marketInstant(`202611${String(day).padStart(2, "0")}`, hour) ?? Number.NaN
const folderOf = (day: number) => `2026/11/${String(day).padStart(2, "0")}`

/** Days of two files each, of a run each, for virtual time has much to do where something runs. Then it is the last of them. */
const record = Effect.fnUntraced(function* (dataDir: string, days: ReadonlyArray<number>) {
  for (const day of days) {
    yield* TestClock.setTime(at(day))
    const run = Effect.gen(function* () {
      const journal = yield* openJournal(dataDir)
      for (let file = 0; file < 2; file++) {
        const receivedAtMs = at(day)
        yield* journal.append([{ kind: "marker", receivedAtMs, source: "observer", payload: { event: "phase" } }])
        yield* journal.rotate
      }
      yield* journal.close
    })
    yield* Effect.scoped(run)
  }
})

interface Sealed {
  readonly file: string
  readonly bytes: number
  readonly sha256: string
}

/** Receipts of all that is there, as the backup writes them, but for what is left out. */
const writeReceipts = (
  files: ReadonlyMap<string, Buffer>,
  stateDir: string,
  change: (receipt: Sealed) => Sealed | undefined = (receipt) => receipt
) => {
  const sealed = new Map<string, string>()
  for (const [file, bytes] of files) {
    if (!file.endsWith("MANIFEST.jsonl")) continue
    for (const line of bytes.toString().trimEnd().split("\n")) {
      const { file: name, sha256 } = JSON.parse(line) as Sealed
      sealed.set(join(dirname(file), name), sha256)
    }
  }
  const lines = [...files].flatMap(([file, bytes]) => {
    const receipt = change({ file, bytes: bytes.length, sha256: sealed.get(file) ?? "0".repeat(64) })
    return receipt === undefined
      ? []
      : [JSON.stringify({ at: "2026-11-20T00:00:00Z", target: "/mnt/backup", ...receipt })]
  })
  mkdirSync(join(stateDir, "backup"), { recursive: true })
  writeFileSync(join(stateDir, "backup", "receipts.jsonl"), lines.map((line) => `${line}\n`).join(""))
}

/** Runs the retention over a folder once, with a journal that only listens. */
const retaining = Effect.fnUntraced(function* (
  options: Partial<RetentionOptions> & Pick<RetentionOptions, "dataDir" | "stateDir">,
  sql?: Pick<FollowerStatus, "seq">,
  /** What an append waits for before it is taken. */
  taken: Effect.Effect<void> = Effect.void
) {
  const inMemory = memoryJournal()
  const waiting = Effect.map(Journal, (shape) => ({
    ...shape,
    append: (drafts: ReadonlyArray<RecordDraft>) => Effect.andThen(taken, shape.append(drafts))
  }))
  const journal = { ...inMemory, layer: Layer.effect(Journal, waiting).pipe(Layer.provide(inMemory.layer)) }
  const pipeline = Layer.succeed(SqlPipeline, {
    start: Effect.void,
    status: Effect.succeed(sql as FollowerStatus | undefined),
    client: Effect.undefined,
    unusable: Effect.never
  })
  const layer = Layer.fresh(
    Retention.layer({ node, days: 2, target: "/mnt/backup", unbacked: "keep", ...options })
  ).pipe(Layer.provide([journal.layer, pipeline]))
  const retention = Context.get(yield* Layer.build(layer), Retention)
  yield* Effect.forkScoped(retention.run)
  const status = looked(retention.status)
  yield* passUntil(() => status()?.oldestDay !== undefined)
  // What the journal is told is told last.
  yield* passUntil(() => true)
  return { retention, drafts: journal.drafts, status }
})

const recordsOf = (dataDir: string, day: number): ReadonlyArray<string> => {
  try {
    const names = readdirSync(join(dataDir, folderOf(day)), { recursive: true, encoding: "utf8" })
    return names.filter((name) => /\d{12}\.jsonl/.test(name)).map((name) => `${folderOf(day)}/${name}`)
  } catch {
    return ["a folder went while it was read"]
  }
}

/** A data folder with days 16 to 20 and receipts for all, and a state folder. */
const scene = Effect.gen(function* () {
  const scratch = yield* scratchFolder
  const [dataDir, stateDir] = [join(scratch, "data"), join(scratch, "state")]
  yield* record(dataDir, [16, 17, 18, 19, 20])
  // Days that are not certified wait for a week.
  for (const day of [16, 17, 18, 19]) writeFileSync(join(dataDir, folderOf(day), "CERTIFICATE.json"), "{}")
  writeReceipts(filesBelow(dataDir), stateDir)
  return { dataDir, stateDir }
})

describe("the days that are due", () => {
  const days = Array.from({ length: 28 }, (_, index) => folderOf(index + 1))

  it("are older than today and so many before it", () => {
    assert.deepStrictEqual(daysDue(2, at(5), days.slice(0, 5)), [folderOf(1), folderOf(2)])
    assert.deepStrictEqual(daysDue(30, at(5), days.slice(0, 5)), [])
  })

  it("are none by a clock that jumps ahead, until it has recorded a day and begun the next", () => {
    const nextYear = at(5) + 365 * 86_400_000
    assert.deepStrictEqual(daysDue(3, nextYear, days.slice(0, 5)), daysDue(3, at(6), days.slice(0, 5)))
    const begun = [...days.slice(0, 5), "2027/11/05"]
    assert.deepStrictEqual(daysDue(3, nextYear, begun), daysDue(3, at(6), days.slice(0, 5)))
  })

  const Day = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 28 }))
  it.prop(
    "are never today, the newest, or one of the last so many",
    [Schema.Array(Day), Day, Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 30 }))],
    ([recorded, today, kept]) => {
      const folders = [...new Set(recorded)].map(folderOf)
      const newest = folders.toSorted().at(-1)
      for (const day of daysDue(kept, at(today), folders)) {
        assert.include(folders, day)
        assert.notStrictEqual(day, newest)
        assert.isTrue(day < folderOf(Math.max(1, today - kept)), `${day} on ${today}, ${kept} kept`)
      }
    }
  )
})

describe("old days that are backed up", () => {
  it.effect("lose the files of their records, keep their lists, and are told in the journal", () =>
    Effect.gen(function* () {
      const { dataDir, stateDir } = yield* scene
      const before = filesBelow(dataDir)
      const { drafts, status } = yield* retaining({ dataDir, stateDir })
      yield* passUntil(() => drafts.length === 2)
      assert.deepStrictEqual(
        [16, 17, 18, 19, 20].map((day) => recordsOf(dataDir, day).length),
        [0, 0, 2, 2, 2]
      )
      assert.deepStrictEqual(readdirSync(join(dataDir, folderOf(16))).sort(), [
        "CERTIFICATE.json",
        "MANIFEST.jsonl",
        "RETIRED.json",
        "SHA256SUMS"
      ])
      assert.deepStrictEqual(status(), { days: 2, oldestDay: "2026-11-18", waitingForBackup: 0 })
      const bytesOf = (day: number) =>
        [...before].reduce(
          (sum, [file, { length }]) => (file.startsWith(folderOf(day)) && /\d{12}/.test(file) ? sum + length : sum),
          0
        )
      assert.deepStrictEqual(
        drafts.map(({ payload }) => payload),
        [16, 17].map((day) => ({
          event: "retired",
          day: `2026-11-${day}`,
          files: 2,
          bytes: bytesOf(day),
          backedUp: true
        }))
      )
      const report = yield* verifyArchive({ dataDir })
      assert.deepStrictEqual(
        report.problems.filter(({ kind }) => kind !== "certificate"),
        []
      )
      assert.include(report.notes.join("\n"), "2 files of 2026/11/16 were deleted by the retention")
      assert.deepStrictEqual(
        report.stretches.map(({ first, last }) => [first, last]),
        [[5, 10]]
      )
    }).pipe(Effect.provide(machineDisk))
  )

  it.effect(
    "are followed by a start that finds its head, and by a reader that goes on at the first that is there",
    () =>
      Effect.gen(function* () {
        const { dataDir, stateDir } = yield* scene
        const { drafts } = yield* retaining({ dataDir, stateDir })
        yield* passUntil(() => drafts.length === 2)
        const journal = yield* openJournal(dataDir)
        assert.strictEqual(journal.recovered.head.seq, 10)
        const chunk = yield* journal.next({ seq: 0, file: "", byteOffset: 0 })
        assert.strictEqual(chunk?.records[0]?.seq, 5)
        const kept_bytes = [...filesBelow(dataDir)].reduce(
          (sum, [file, { length }]) => (/\d{12}/.test(file) ? sum + length : sum),
          0
        )
        assert.strictEqual(yield* journal.bytesAfter({ seq: 0, file: "", byteOffset: 0 }), kept_bytes)
      }).pipe(Effect.provide(machineDisk))
  )

  const obstacles: ReadonlyArray<
    readonly [string, (dataDir: string, stateDir: string) => Partial<RetentionOptions> | void, number?]
  > = [
    [
      "a receipt of one of its files is missing",
      (dataDir, stateDir) =>
        writeReceipts(filesBelow(dataDir), stateDir, (each) =>
          each.file.startsWith(`${folderOf(16)}/10`) ? undefined : each
        )
    ],
    [
      "a receipt says another hash",
      (dataDir, stateDir) =>
        writeReceipts(filesBelow(dataDir), stateDir, (each) =>
          each.file.startsWith(`${folderOf(16)}/10`) ? { ...each, sha256: "f".repeat(64) } : each
        )
    ],
    [
      "a receipt says another length",
      (dataDir, stateDir) =>
        writeReceipts(filesBelow(dataDir), stateDir, (each) =>
          each.file === `${folderOf(16)}/MANIFEST.jsonl` ? { ...each, bytes: each.bytes - 1 } : each
        )
    ],
    [
      "a copy of one of its files was found damaged since",
      (dataDir, stateDir) => {
        const file = recordsOf(dataDir, 16)[0] ?? "?"
        const line = { at: "2026-11-20T01:00:00Z", target: "/mnt/backup", file, bytes: 1, damaged: true }
        appendFileSync(receiptsFile(stateDir), `${JSON.stringify(line)}\n`)
      }
    ],
    [
      "it is at an earlier target only",
      (_, stateDir) => {
        const lines = readFileSync(receiptsFile(stateDir), "utf8")
        writeFileSync(receiptsFile(stateDir), lines.replaceAll('"/mnt/backup"', '"/mnt/old"'))
      }
    ],
    ["there are no receipts", (_, stateDir) => rmSync(join(stateDir, "backup"), { recursive: true })],
    ["the database has not stored all of it", () => undefined, 1],
    [
      "a file of it is being written",
      (dataDir) => writeFileSync(join(dataDir, folderOf(16), "10", "x.jsonl.open"), "")
    ],
    ["a file of it is being compressed", (dataDir) => writeFileSync(join(dataDir, folderOf(16), "10", "x.gz.new"), "")],
    [
      "it has a file that no manifest names",
      (dataDir) => writeFileSync(join(dataDir, folderOf(16), "10", "x-000000000099.jsonl"), "")
    ],
    ["a file of it is damaged", (dataDir) => writeFileSync(join(dataDir, recordsOf(dataDir, 16)[0] ?? "?"), "short")],
    ["a file of it is missing", (dataDir) => rmSync(join(dataDir, recordsOf(dataDir, 16)[0] ?? "?"))],
    ["it has no certificate yet", (dataDir) => rmSync(join(dataDir, folderOf(16), "CERTIFICATE.json"))],
    [
      "its folder is a link",
      (dataDir) => {
        renameSync(join(dataDir, folderOf(16)), join(dataDir, "..", "elsewhere"))
        symlinkSync(join(dataDir, "..", "elsewhere"), join(dataDir, folderOf(16)))
      }
    ],
    [
      "the folder of an hour is a link",
      (dataDir) => {
        renameSync(join(dataDir, folderOf(16), "10"), join(dataDir, "..", "elsewhere"))
        symlinkSync(join(dataDir, "..", "elsewhere"), join(dataDir, folderOf(16), "10"))
      }
    ],
    ["more days are kept", () => ({ days: 4 })]
  ]
  for (const [why, hinder, seq] of obstacles) {
    it.effect(`stay when ${why}`, () =>
      Effect.gen(function* () {
        const { dataDir, stateDir } = yield* scene
        const options = hinder(dataDir, stateDir) ?? {}
        const names = () => readdirSync(join(dataDir, folderOf(16)), { recursive: true }).sort()
        const before = names()
        yield* retaining({ dataDir, stateDir, ...options }, seq === undefined ? undefined : { seq })
        assert.deepStrictEqual(names(), before)
      }).pipe(Effect.provide(machineDisk))
    )
  }

  it.effect("that are not backed up are counted as waiting, and go where that is set", () =>
    Effect.gen(function* () {
      const { dataDir, stateDir } = yield* scene
      rmSync(join(stateDir, "backup"), { recursive: true })
      const { status } = yield* retaining({ dataDir, stateDir })
      assert.deepStrictEqual(status(), { days: 2, oldestDay: "2026-11-16", waitingForBackup: 2 })
      const { drafts } = yield* retaining({ dataDir, stateDir, unbacked: "delete" })
      yield* passUntil(() => drafts.length === 2)
      assert.include(drafts[0]?.payload, { event: "retired", backedUp: false })
      assert.deepStrictEqual(recordsOf(dataDir, 16), [])
    }).pipe(Effect.provide(machineDisk))
  )

  it.effect("go at once when room is needed, and else by the hour", () =>
    Effect.gen(function* () {
      const { dataDir, stateDir } = yield* scene
      rmSync(join(stateDir, "backup"), { recursive: true })
      const { drafts, retention } = yield* retaining({ dataDir, stateDir })
      writeReceipts(filesBelow(dataDir), stateDir)
      yield* TestClock.adjust("59 minutes")
      assert.strictEqual(drafts.length, 0)
      yield* retention.hurry
      yield* passUntil(() => drafts.length === 2, 1)
    }).pipe(Effect.provide(machineDisk))
  )

  it.effect(
    "go though the journal, for want of room, does not take that others went before, and are told once it does",
    () =>
      Effect.gen(function* () {
        const { dataDir, stateDir } = yield* scene
        const ofDay16 = (each: Sealed) => (each.file.startsWith(folderOf(16)) ? each : undefined)
        writeReceipts(filesBelow(dataDir), stateDir, ofDay16)
        const hasRoom = Deferred.makeUnsafe<void>()
        const { drafts, retention } = yield* retaining({ dataDir, stateDir }, undefined, Deferred.await(hasRoom))
        yield* passUntil(() => recordsOf(dataDir, 16).length === 0)
        writeReceipts(filesBelow(dataDir), stateDir)
        yield* retention.hurry
        yield* passUntil(() => recordsOf(dataDir, 17).length === 0)
        assert.deepStrictEqual(drafts, [])
        Deferred.doneUnsafe(hasRoom, Effect.void)
        yield* passUntil(() => drafts.length === 2)
      }).pipe(Effect.provide(machineDisk))
  )

  it.effect("go on a disk without any room, in that of a file kept for it, which is made anew afterwards", () =>
    Effect.gen(function* () {
      const { dataDir, stateDir } = yield* scene
      rmSync(join(stateDir, "backup"), { recursive: true })
      const disk = yield* Disk
      let isFull = false
      const reserve = join(dataDir, ".reserve")
      const filling = Disk.of({
        ...disk,
        writeWhole: (path, bytes) =>
          isFull && (existsSync(reserve) || path === reserve)
            ? Effect.fail(new DiskError({ operation: "write", path, code: "ENOSPC" }))
            : disk.writeWhole(path, bytes),
        remove: (path) =>
          Effect.tap(disk.remove(path), () => Effect.sync(() => (isFull &&= !/\d{12}\.jsonl$/.test(path))))
      })
      const { drafts, retention } = yield* Effect.provideService(retaining({ dataDir, stateDir }), Disk, filling)
      assert.isTrue(existsSync(reserve))
      isFull = true
      writeReceipts(filesBelow(dataDir), stateDir)
      yield* retention.hurry
      yield* passUntil(() => drafts.length === 2)
      yield* passUntil(() => existsSync(reserve))
    }).pipe(Effect.provide(machineDisk))
  )

  it.effect("whose deletion was killed at any call are no damage, and are finished by the next run", () =>
    Effect.gen(function* () {
      const scratch = yield* scratchFolder
      const built = new MemoryDisk(scratch)
      yield* Effect.provide(record(scratch, [16, 17, 18, 19, 20]), built.layer)
      for (const day of [16, 17, 18, 19]) built.put(`${folderOf(day)}/CERTIFICATE.json`, Buffer.from("{}"))
      const files = [...built.files()].filter(([file]) => !file.startsWith("."))
      const stateDir = join(scratch, "state")
      writeReceipts(new Map(files), stateDir)
      const options = { dataDir: scratch, stateDir }
      for (let kill = 0, isKilled = true; isKilled; kill++) {
        const disk = new MemoryDisk(scratch)
        for (const [file, bytes] of files) disk.put(file, bytes)
        let changes = 0
        disk.fault = ({ operation }) =>
          ["list", "look at", "read"].includes(operation) || changes++ !== kill
            ? undefined
            : { _tag: "Killed", done: 1 }
        isKilled = yield* Effect.scoped(
          Effect.gen(function* () {
            const done = Effect.gen(function* () {
              const { drafts } = yield* retaining(options)
              yield* passUntil(() => drafts.length === 2)
            })
            const killed = Effect.as(Deferred.await(disk.killed), true)
            return yield* Effect.raceFirst(Effect.as(done, false), killed)
          })
        ).pipe(Effect.provide(disk.layer))
        const next = disk.afterKill()
        const report = yield* Effect.provide(verified(scratch), next.layer)
        assert.deepStrictEqual(report, [], `killed in change ${kill}`)
        if (!isKilled) break
        yield* Effect.scoped(
          Effect.gen(function* () {
            const { status } = yield* retaining(options)
            yield* passUntil(() => status()?.oldestDay === "2026-11-18")
            yield* passUntil(() => finishedOf(next).length === 2)
          })
        ).pipe(Effect.provide(next.layer))
        const left = [...next.files().keys()].filter((file) => /\d{12}\.jsonl$/.test(file))
        assert.strictEqual(left.length, 6)
        assert.deepStrictEqual(yield* Effect.provide(verified(scratch), next.layer), [])
      }
    })
  )
})

const finishedOf = (disk: MemoryDisk) =>
  [...disk.files()].filter(([file, bytes]) => file.endsWith("RETIRED.json") && bytes.includes("finishedAt"))

/** What verify finds, but for the certificates, which are none. */
const verified = (dataDir: string) =>
  Effect.gen(function* () {
    yield* Disk
    const report = yield* Effect.raceFirst(
      verifyArchive({ dataDir }),
      Effect.andThen(
        Effect.repeat(Effect.andThen(TestClock.adjust("100 millis"), Effect.yieldNow), { while: () => true }),
        Effect.never
      )
    )
    return report.problems.filter(({ kind }) => kind !== "certificate")
  })
