import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema, Stream } from "effect"
import { execFileSync, spawnSync } from "node:child_process"
import { randomBytes } from "node:crypto"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { gunzipSync, gzipSync } from "node:zlib"
import { TestClock } from "effect/testing"
import { Disk } from "../../src/journal/Disk.ts"
import { gzipContentBytes, readGzip } from "../../src/journal/GzipFile.ts"
import { makeMember } from "../../src/journal/GzipMember.ts"
import { origin, type Position } from "../../src/journal/Position.ts"
import { listArchive, readArchive, readLines } from "../../src/journal/Reader.ts"
import { MemoryDisk } from "../support/memoryDisk.ts"
import { chunk, line, numberOf, openJournal, openMs, recordsAfter, seen, tempFolder } from "./fixtures.ts"

const file = "2026/11/24/09/seoul-1-000000000001.jsonl"

/** Lines of the first `count` things seen, cut into members of `linesPerMember`. */
const membersOf = Effect.fnUntraced(function* (count: number, linesPerMember: number) {
  const lines = chunk(1, count).map((draft, index) => `${line(draft, index + 1)}\n`)
  const members: Array<Buffer> = []
  for (let at = 0; at < lines.length; at += linesPerMember) {
    const content = Buffer.from(lines.slice(at, at + linesPerMember).join(""))
    members.push(yield* Effect.promise(() => makeMember(content)))
  }
  return { content: lines.join(""), members, gzip: Buffer.concat(members) }
})

const onDisk = <A, E>(
  files: Readonly<Record<string, Uint8Array>>,
  use: (disk: MemoryDisk, reads: Array<number>) => Effect.Effect<A, E, Disk>
) =>
  Effect.gen(function* () {
    const disk = new MemoryDisk(yield* tempFolder)
    for (const [path, bytes] of Object.entries(files)) disk.put(path, bytes)
    const reads: Array<number> = []
    const counted = Effect.map(Disk, (real) => ({
      ...real,
      readAt: (path: string, at: number, length: number) =>
        Effect.tap(real.readAt(path, at, length), (bytes) => Effect.sync(() => reads.push(bytes.length)))
    }))
    return yield* use(disk, reads).pipe(Effect.provideServiceEffect(Disk, counted), Effect.provide(disk.layer))
  })

/** All there is of a file's content, read from an offset on as a follower does. */
const readAll = Effect.fnUntraced(function* (root: string, from: Position) {
  const numbers: Array<number | undefined> = []
  const places: Array<Position> = []
  let at = from
  while (true) {
    const next = yield* readLines(root, at, undefined)
    if (next === undefined) return { numbers, places }
    numbers.push(...next.records.map(numberOf))
    at = next.end
    places.push(at)
  }
})

const upTo = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, index) => first + index)

describe("a compressed file", () => {
  it.effect.prop(
    "gives the same lines from the offset of each of them, wherever its members end",
    [
      Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 40 })),
      Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 40 })),
      Schema.Literals(["ours", "foreign", "both"])
    ],
    ([count, linesPerMember, made]) =>
      Effect.gen(function* () {
        const { content, members } = yield* membersOf(count, linesPerMember)
        const half = Math.floor(members.length / 2)
        const ours = made === "ours" ? members.length : made === "both" ? half : 0
        const rest = gunzipSync(Buffer.concat([gzipSync(""), ...members.slice(ours)]))
        const gzip = Buffer.concat([...members.slice(0, ours), ...(ours < members.length ? [gzipSync(rest)] : [])])
        yield* onDisk({ [`${file}.gz`]: gzip }, ({ root }) =>
          Effect.gen(function* () {
            const offsets = [0, ...[...content.matchAll(/\n/g)].map(({ index }) => index + 1)]
            for (const [seq, byteOffset] of offsets.entries()) {
              const { numbers, places } = yield* readAll(root, { seq, file, byteOffset })
              assert.deepStrictEqual(numbers, seq === count ? [] : upTo(seq + 1, count))
              for (const place of places) assert.strictEqual(place.byteOffset, offsets[place.seq])
            }
            assert.strictEqual(yield* gzipContentBytes(join(root, `${file}.gz`)), content.length)
          })
        )
      }),
    { arbitrary: { runs: 40 } }
  )

  it.effect("costs one member and the headers before it, and who reads on not even those", () =>
    Effect.gen(function* () {
      const { content, gzip, members } = yield* membersOf(3_000, 100)
      const offset = Buffer.byteLength(content.split("\n").slice(0, 2_500).join("\n")) + 1
      yield* onDisk({ "x.gz": gzip }, (disk, reads) =>
        Effect.gen(function* () {
          const path = join(disk.root, "x.gz")
          const first = yield* readGzip(path, offset, 1)
          assert.strictEqual(first.toString(), content.split("\n").slice(2_500, 2_600).join("\n") + "\n")
          assert.strictEqual(reads.length, 25 + 2)
          assert.strictEqual(Math.max(...reads), members[25]?.length)
          reads.length = 0
          yield* readGzip(path, offset + first.length, 1)
          assert.strictEqual(reads.length, 3)
        })
      )
    })
  )

  it.effect("that is damaged says where, and that it ends too soon", () =>
    Effect.gen(function* () {
      const { gzip, members } = yield* membersOf(30, 10)
      const second = members[0]?.length ?? 0
      const flipped = Buffer.from(gzip)
      flipped[second + 60] = (flipped[second + 60] ?? 0) ^ 8
      for (const [spoilt, detail] of [
        [flipped, `the compressed block at byte ${second} is damaged`],
        [gzip.subarray(0, gzip.length - 30), "the file ends within it"],
        [gzipSync("half of it").subarray(0, 20), "it is no whole gzip file"],
        [Buffer.from("nothing of the kind"), "it is no whole gzip file"]
      ] as const) {
        yield* onDisk({ [`${file}.gz`]: spoilt }, ({ root }) =>
          Effect.gen(function* () {
            const error = yield* Effect.flip(readAll(root, { ...origin, file }))
            assert.include(error.message, detail)
          })
        )
      }
    })
  )

  it.effect("whose numbers a flipped bit has made huge is still read, and takes no memory for them", () =>
    Effect.gen(function* () {
      const { gzip } = yield* membersOf(10, 10)
      gzip[19] = 0x7f
      yield* onDisk({ [`${file}.gz`]: gzip }, ({ root }) =>
        Effect.gen(function* () {
          assert.deepStrictEqual((yield* readAll(root, { ...origin, file })).numbers, upTo(1, 10))
        })
      )
    })
  )

  it.effect("is one with its plain form where both are there, and counts by its content", () =>
    Effect.gen(function* () {
      const { content, gzip } = yield* membersOf(20, 5)
      const later = "2026/11/24/10/seoul-1-000000000021.jsonl"
      const files = { [file]: Buffer.from(content), [`${file}.gz`]: gzip, [`${later}.gz`]: gzip }
      yield* onDisk(files, ({ root }) =>
        Effect.gen(function* () {
          const found = yield* listArchive({ dataDir: root })
          assert.deepStrictEqual(
            found.map(({ bytes, segment }) => [segment.file, segment.gzip, bytes]),
            [
              [file, false, content.length],
              [later, true, content.length]
            ]
          )
          const chunks = yield* Stream.runCollect(readArchive({ dataDir: root }))
          assert.strictEqual(chunks.flatMap(({ records }) => records).length, 40)
          assert.strictEqual(
            chunks.reduce((sum, { bytes }) => sum + bytes, 0),
            2 * content.length
          )
        })
      )
    })
  )

  it.effect("is read by a journal that goes on after it", () =>
    onDisk({}, (disk) =>
      Effect.gen(function* () {
        yield* TestClock.setTime(openMs)
        yield* Effect.scoped(
          Effect.gen(function* () {
            const journal = yield* openJournal(disk.root)
            yield* journal.append(chunk(1, 50))
            yield* journal.close
          })
        )
        const plain = disk.files().get(file) ?? Buffer.alloc(0)
        disk.put(`${file}.gz`, gzipSync(plain))
        yield* (yield* Disk).remove(join(disk.root, file))
        const journal = yield* openJournal(disk.root)
        yield* journal.append(chunk(51, 5))
        assert.deepStrictEqual((yield* recordsAfter(journal, origin)).map(numberOf), upTo(1, 55))
      }).pipe(Effect.scoped)
    )
  )

  it.effect("is what other programs take for gzip", () =>
    Effect.gen(function* () {
      const lines = Array.from(
        { length: 200 },
        (_, index) => `${line(seen(index, randomBytes(9_000).toString("hex")), index + 1)}\n`
      )
      const members: Array<Buffer> = []
      for (let at = 0; at < lines.length; at += 50) {
        const content = Buffer.from(lines.slice(at, at + 50).join(""))
        members.push(yield* Effect.promise(() => makeMember(content)))
      }
      const path = join(yield* tempFolder, "x.jsonl.gz")
      writeFileSync(path, Buffer.concat(members))
      assert.isTrue(gunzipSync(readFileSync(path)).toString() === lines.join(""))
      const options = { maxBuffer: 1 << 26, encoding: "utf8" } as const
      assert.isTrue(execFileSync("zcat", [path], options) === lines.join(""))
      execFileSync("gzip", ["-t", path])
      const python = spawnSync(
        "python3",
        ["-c", "import gzip,sys; sys.stdout.write(gzip.open(sys.argv[1],'rt').read())", path],
        options
      )
      if (python.error !== undefined) console.log("python3 is not here: its gzip was not tried")
      else assert.isTrue(python.stdout === lines.join(""))
    })
  )
})
