import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Schema, Stream } from "effect"
import { TestClock } from "effect/testing"
import { encodeLine } from "../../src/domain/JournalRecord.ts"
import { Disk } from "../../src/journal/Disk.ts"
import { type JournalChunk, origin, type Position } from "../../src/journal/Position.ts"
import { readArchive } from "../../src/journal/Reader.ts"
import { MemoryDisk } from "../support/memoryDisk.ts"
import {
  chunk,
  chunksAfter,
  numberOf,
  openJournal,
  openMs,
  recordsAfter,
  seen,
  settled,
  tempFolder
} from "./fixtures.ts"

const onMemory = <A, E, R>(use: (disk: MemoryDisk) => Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    yield* TestClock.setTime(openMs)
    const disk = new MemoryDisk(yield* tempFolder)
    return yield* Effect.provide(use(disk), disk.layer)
  })

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1)

/** The place after every line of the journal, as the files themselves tell it, from the origin on. */
const places = (disk: MemoryDisk): ReadonlyArray<Position> => {
  const files = [...disk.files()].filter(([path]) => path.includes("/seoul-1-"))
  const bySeq = files.sort(([a], [b]) => (a.slice(-17) < b.slice(-17) ? -1 : 1))
  return [
    origin,
    ...bySeq.flatMap(([path, bytes]) => {
      let byteOffset = 0
      return bytes
        .toString()
        .split("\n")
        .slice(0, -1)
        .map((text): Position => {
          byteOffset += Buffer.byteLength(text) + 1
          return { seq: JSON.parse(text).seq, file: path.replace(/\.open$/, ""), byteOffset }
        })
    })
  ]
}

const Counts = Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 7 })))

describe("reading the journal", () => {
  it.effect.prop(
    "gives the same records and places from memory and from disk, from every place on",
    [Counts, Schema.Literals([300, 1_000, 1 << 20])],
    ([counts, segment_bytes]) =>
      onMemory((disk) =>
        Effect.gen(function* () {
          let sent = 0
          const whole: Array<string> = []
          yield* Effect.scoped(
            Effect.gen(function* () {
              const journal = yield* openJournal(disk.root, { segment_bytes })
              for (const count of counts) {
                yield* journal.append(chunk(sent + 1, count, "값\n\u2028".repeat(count)))
                sent += count
              }
              whole.push(...(yield* recordsAfter(journal, origin)).map(encodeLine))
              for (const place of places(disk)) {
                const chunks = yield* chunksAfter(journal, place)
                assert.deepStrictEqual(chunks.flatMap(({ records }) => records).map(encodeLine), whole.slice(place.seq))
                const ends = places(disk)
                for (const { end } of chunks) assert.deepStrictEqual(end, ends[end.seq])
              }
            })
          )
          assert.strictEqual(whole.length, sent)
          const journal = yield* openJournal(disk.root)
          const ends = places(disk)
          for (const place of ends) {
            const chunks = yield* chunksAfter(journal, place)
            assert.deepStrictEqual(chunks.flatMap(({ records }) => records).map(encodeLine), whole.slice(place.seq))
            for (const { end } of chunks) assert.deepStrictEqual(end, ends[end.seq])
          }
        })
      ),
    { arbitrary: { runs: 30, size: 12 } }
  )

  it.effect("waits at the head for more, and is told when the journal has been closed", () =>
    onMemory((disk) =>
      Effect.gen(function* () {
        const journal = yield* openJournal(disk.root)
        assert.isUndefined(yield* journal.next(origin))
        const first = yield* Effect.forkChild(journal.hasAfter(0))
        const later = yield* Effect.forkChild(journal.hasAfter(2))
        yield* settled
        assert.isUndefined(first.pollUnsafe())
        yield* journal.append(chunk(1, 2))
        assert.isTrue(yield* Fiber.join(first))
        assert.isTrue(yield* journal.hasAfter(1))
        yield* settled
        assert.isUndefined(later.pollUnsafe())
        yield* journal.close
        assert.isFalse(yield* Fiber.join(later))
        assert.isTrue(yield* journal.hasAfter(1))
      })
    )
  )

  it.effect("follows the writer across files as they are sealed, and ends once it is closed", () =>
    onMemory((disk) =>
      Effect.gen(function* () {
        const journal = yield* openJournal(disk.root, { segment_bytes: 2_000 })
        const readers = yield* Effect.forEach([1, 2, 3], () =>
          Effect.forkChild(Stream.runCollect(journal.read(origin)))
        )
        for (let n = 0; n < 60; n++) yield* journal.append(chunk(n * 3 + 1, 3))
        yield* journal.close
        const late = yield* Stream.runCollect(journal.read(origin))
        for (const chunks of [late, ...(yield* Effect.forEach(readers, Fiber.join))]) {
          assert.deepStrictEqual(chunks.flatMap(({ records }) => records).map(numberOf), upTo(180))
        }
      })
    )
  )

  it.effect("reads from disk what memory has let go, while the writer goes on and seals", () =>
    onMemory((disk) =>
      Effect.gen(function* () {
        const journal = yield* openJournal(disk.root, { segment_bytes: 400_000 })
        const numbers: Array<number | undefined> = []
        let sent = 0
        let at: Position = origin
        const write = Effect.fnUntraced(function* (count: number) {
          for (let n = 0; n < count; n += 500) {
            yield* journal.append(chunk(sent + 1, 500))
            sent += 500
          }
        })
        yield* write(9_500)
        for (let turn = 0; turn < 4; turn++) {
          const next: JournalChunk | undefined = yield* journal.next(at)
          numbers.push(...(next?.records ?? []).map(numberOf))
          at = next?.end ?? at
          yield* write(1_500)
        }
        numbers.push(...(yield* recordsAfter(journal, at)).map(numberOf))
        assert.deepStrictEqual(numbers, upTo(15_500))
      })
    )
  )

  it.effect("stops in the file being written at the head, not at what is half written", () =>
    onMemory((disk) =>
      Effect.gen(function* () {
        const journal = yield* openJournal(disk.root, { segment_bytes: 1 << 30 })
        // So long a line that what is read for it would reach beyond the head.
        yield* journal.append([seen(1, "x".repeat(4_500_000))])
        yield* journal.append(chunk(2, 8_999))
        disk.fault = ({ operation }) =>
          operation === "write" ? { _tag: "Refused", code: "ENOSPC", done: 0.9 } : undefined
        yield* Effect.forkChild(journal.append(chunk(9_001, 2)))
        yield* settled
        assert.isFalse((yield* journal.status).writable)
        const chunks = yield* chunksAfter(journal, origin)
        assert.deepStrictEqual(chunks.flatMap(({ records }) => records).map(numberOf), upTo(9_000))
        assert.deepStrictEqual(chunks.at(-1)?.end, yield* journal.head)
      })
    )
  )

  it.effect("reads lines longer than what is read at once, wherever they stand", () =>
    onMemory((disk) =>
      Effect.gen(function* () {
        const sizes = [0, 262_144, 10, 600_000, 3_000_000, 0, 262_000]
        yield* Effect.scoped(
          Effect.gen(function* () {
            const journal = yield* openJournal(disk.root, { segment_bytes: 1 << 30 })
            for (const [index, size] of sizes.entries()) yield* journal.append([seen(index + 1, "x".repeat(size))])
          })
        )
        const journal = yield* openJournal(disk.root)
        const records = yield* recordsAfter(journal, origin)
        assert.deepStrictEqual(
          records.map(({ payload }) => (Array.isArray(payload) ? String(payload[2]).length : -1)),
          sizes
        )
        assert.deepStrictEqual(records.map(numberOf), upTo(7))
      })
    )
  )

  it.effect("names the file and the byte of a line that is no record", () =>
    onMemory((disk) =>
      Effect.gen(function* () {
        yield* Effect.scoped(
          Effect.gen(function* () {
            const journal = yield* openJournal(disk.root)
            yield* journal.append(chunk(1, 3))
            yield* journal.close
          })
        )
        const [path = "", bytes = Buffer.alloc(0)] =
          [...disk.files()].find(([each]) => each.endsWith("000000000001.jsonl")) ?? []
        const second = places(disk)[1]?.byteOffset ?? 0
        for (const [spoilt, detail] of [
          ["}", "is not JSON"],
          [`{"v":2`, "is not a record of version 1"]
        ] as const) {
          const text = bytes.toString()
          const rest = spoilt === "}" ? text.slice(second + 1) : text.slice(second + `{"v":1`.length)
          disk.put(path, Buffer.from(text.slice(0, second) + spoilt + rest))
          const journal = yield* openJournal(disk.root).pipe(Effect.scoped)
          const error = yield* Effect.flip(journal.next(origin))
          assert.strictEqual(error._tag, "JournalReadError")
          assert.include(error.message, `${path}: the line at byte ${second} ${detail}`)
        }
      })
    )
  )

  it.effect("meets a missing file with an error, and not with a hole", () =>
    onMemory((disk) =>
      Effect.gen(function* () {
        const journal = yield* openJournal(disk.root)
        yield* journal.append(chunk(1, 9_000))
        yield* journal.append(chunk(9_001, 1))
        const error = yield* Effect.flip(journal.next({ seq: 1, file: "2026/11/24/08/gone.jsonl", byteOffset: 100 }))
        assert.include(error.message, "ENOENT")
      })
    )
  )
})

describe("reading the archive", () => {
  it.effect("gives every node's records of the days that were asked for, leaving out a torn end", () =>
    onMemory((disk) =>
      Effect.gen(function* () {
        const days = [openMs, openMs + 86_400_000, openMs + 2 * 86_400_000]
        for (const [index, atMs] of days.entries()) {
          yield* TestClock.setTime(atMs)
          for (const node of ["seoul-1", "busan"]) {
            yield* Effect.scoped(
              Effect.gen(function* () {
                const journal = yield* openJournal(disk.root, { node })
                yield* journal.append(chunk(index * 10 + 1, 2))
                if (index < 2) yield* journal.close
              })
            )
          }
        }
        const open = [...disk.files()].find(([path]) => path.endsWith(".open"))
        disk.put(open?.[0] ?? "", Buffer.concat([open?.[1] ?? Buffer.alloc(0), Buffer.from(`{"v":1,`)]))
        const read = (fromDay?: string, toDay?: string) =>
          Stream.runCollect(readArchive({ dataDir: disk.root, fromDay, toDay })).pipe(
            Effect.map((chunks) =>
              chunks.map(({ node, records }) => `${node} ${records.map(numberOf).join(" ")}`).sort()
            )
          )
        assert.deepStrictEqual(yield* read("20261125", "20261125"), ["busan 11 12", "seoul-1 11 12"])
        assert.deepStrictEqual(yield* read("20261125"), [
          "busan 11 12",
          "busan 21 22",
          "seoul-1 11 12",
          "seoul-1 21 22"
        ])
        assert.deepStrictEqual(yield* read(undefined, "20261124"), ["busan 1 2", "seoul-1 1 2"])
        assert.strictEqual((yield* read()).length, 6)
      })
    )
  )

  it.effect("of a folder that is not there is empty", () =>
    Effect.gen(function* () {
      const chunks = yield* Stream.runCollect(readArchive({ dataDir: `${yield* tempFolder}/none` }))
      assert.deepStrictEqual(chunks, [])
    }).pipe(Effect.provide(Disk.layer))
  )
})
