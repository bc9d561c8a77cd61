import { assert, describe, it, layer } from "@effect/vitest"
import { Effect, Ref, Stream } from "effect"
import { SqlClient } from "effect/sql"
import { marketDay } from "../../src/calendar/MarketTime.ts"
import { origin } from "../../src/journal/Position.ts"
import type { ArchiveChunk } from "../../src/journal/Reader.ts"
import { countRows, makeHourCount } from "../../src/sql/HourRows.ts"
import { isEqual, onceReplayed, reconcile, tally } from "../../src/sql/Reconcile.ts"
import { moveKeptFrom } from "../../src/sql/KeptFrom.ts"
import { renderReconciliation } from "../../src/sql/replayText.ts"
import { makeReplayCheckpoints } from "../../src/sql/ReplayCheckpoint.ts"
import { replay, type ReplayProgress } from "../../src/sql/Replay.ts"
import { makeSqlFollower } from "../../src/sql/SqlFollower.ts"
import { databases, dayStartMs, placeOf, recordsOf } from "./fixtures.ts"

/** An archive of one node: 2,500 ticks, of which one is poison, a gap and a marker, in chunks of uneven size. */
const archiveOf = (node: string): ReadonlyArray<ArchiveChunk> => {
  const drafts = Array.from({ length: 2_500 }, (_, index) => (index === 1_234 ? { payload: ["\u0000"] } : {}))
  const records = recordsOf(node, 1, [
    { kind: "marker", symbol: undefined, payload: { event: "start" } },
    ...drafts,
    { kind: "gap", payload: { cause: "silence" }, receivedAtMs: dayStartMs + 90_000_000 }
  ])
  return [records.slice(0, 2_100), records.slice(2_100, 2_103), records.slice(2_103)].map((part, index) => ({
    node,
    file: `file-${index}`,
    records: part,
    bytes: part.length * 100
  }))
}

/** One file of 10,000 ticks, read 500 at a time. */
const longArchiveOf = (node: string): ReadonlyArray<ArchiveChunk> =>
  Array.from({ length: 20 }, (_, index) => ({
    node,
    file: "file",
    records: recordsOf(
      node,
      index * 500 + 1,
      Array.from({ length: 500 }, () => ({}))
    ),
    bytes: 50_000
  }))

const quiet = () => Effect.void

const rowsOf = (node: string) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const found = yield* sql<{ rows: bigint; seqs: bigint }>`select count(*) as rows, count(distinct seq) as seqs
      from pattern_records where node = ${node}`
    const errors = yield* sql<{ rows: bigint }>`select count(*) as rows from ingest_errors where node = ${node}`
    return [Number(found[0]?.rows), Number(found[0]?.seqs), Number(errors[0]?.rows)]
  })

describe("the tally of an archive", () => {
  it("has a sum of times a day, which stays a whole number whatever lies before it", () => {
    const before = {
      lines: 3e8,
      firstSeq: 1,
      lastSeq: 3e8,
      days: new Map([[1, { dataLines: 3e8, timeSum_ms: 2 ** 53 }]])
    }
    const records = recordsOf("long", 3e8, [{ receivedAtMs: dayStartMs + 1 }, { receivedAtMs: dayStartMs + 2 }])
    const days = tally(new Map([["long", before]]), { node: "long", records }).get("long")?.days
    assert.deepStrictEqual(days?.get(marketDay(dayStartMs)), { dataLines: 2, timeSum_ms: 3 })
  })
})

for (const database of databases) {
  layer(database.layer, { timeout: "60 seconds", excludeTestServices: true })(`replay on ${database.name}`, (it) => {
    it.effect("stores an archive, tells its progress, and adds nothing the second time", () =>
      Effect.gen(function* () {
        const archive = archiveOf("replayed")
        const progress = yield* Ref.make<ReadonlyArray<ReplayProgress>>([])
        const options = {
          chunks: Stream.fromIterable(archive),
          range: "stored",
          onProgress: (next: ReplayProgress) => Ref.update(progress, (told) => [...told, next])
        }
        const first = yield* replay(options)
        assert.deepStrictEqual(
          [first.lines, first.bytes, first.inserted, first.present, first.incidents, first.refused],
          [2_502, 250_200, 2_499, 0, 1, 1]
        )
        assert.deepStrictEqual(
          (yield* Ref.get(progress)).map(({ file, lines }) => [file, lines]),
          [
            ["file-0", 2_100],
            ["file-2", 2_502]
          ]
        )
        const second = yield* replay(options)
        assert.deepStrictEqual([second.inserted, second.present, second.incidents, second.refused], [0, 2_499, 0, 1])
        assert.deepStrictEqual(yield* rowsOf("replayed"), [2_499, 2_499, 2])
      })
    )

    it.effect("twice at once and beside the live follower ends in the rows of one clean replay", () =>
      Effect.gen(function* () {
        const archive = archiveOf("crowded")
        const follower = yield* makeSqlFollower({
          node: "crowded",
          batchSize: 500,
          linger: "1 milli",
          prepare: Effect.void
        })
        const records = archive.flatMap((chunk) => chunk.records)
        const live = Effect.forEach([0, 1, 2, 3, 4, 5], (index) => {
          const batch = records.slice(index * 417, (index + 1) * 417)
          const [from, to] = [placeOf(index * 417), placeOf(index * 417 + batch.length)]
          return follower.write(batch, index === 0 ? origin : from, to)
        })
        const again = replay({ chunks: Stream.fromIterable(archive), range: "crowded", onProgress: quiet })
        const [, one, two] = yield* Effect.all([live, again, again], { concurrency: "unbounded" })
        assert.deepStrictEqual([one.inserted + one.present, two.inserted + two.present], [2_499, 2_499])
        assert.deepStrictEqual(yield* rowsOf("crowded"), [2_499, 2_499, 2])
      })
    )

    it.effect("is measured by a reconciliation of files and rows before and after", () =>
      Effect.gen(function* () {
        const archive = archiveOf("reconciled")
        const chunks = Stream.fromIterable(archive)
        yield* replay({ chunks: Stream.take(chunks, 1), range: "first", onProgress: quiet })
        const counted = {
          node: "reconciled",
          lines: 2_502,
          dataLines: 2_500,
          firstSeq: 1,
          lastSeq: 2_502,
          refused: 1,
          surplus: 0,
          doubled: [],
          older: 0
        }
        assert.deepStrictEqual(yield* reconcile(chunks), [{ ...counted, rows: 2_098, missing: 401 }])
        const report = yield* replay({ chunks, range: "all", onProgress: quiet })
        assert.deepStrictEqual(report.nodes, [{ ...counted, rows: 2_499, missing: 0 }])
      })
    )

    it.effect(
      "goes on where it was ended, beside another one and the live follower, to the rows of one clean replay",
      () =>
        Effect.gen(function* () {
          const archive = longArchiveOf("ended")
          const records = archive.flatMap((chunk) => chunk.records)
          const dataLines = records.filter(({ kind }) => kind === "trade").length
          const options = { chunks: Stream.fromIterable(archive), range: "ended" }
          const checkpoints = yield* makeReplayCheckpoints("ended")
          // Killed in the middle, with the checkpoint somewhere before.
          yield* replay({ ...options, chunks: Stream.take(options.chunks, 12), range: "another", onProgress: quiet })
          yield* checkpoints.move("ended", { seq: 4_000, file: "file", byteOffset: 400_000 })
          const follower = yield* makeSqlFollower({
            node: "ended",
            batchSize: 1_000,
            linger: "1 milli",
            prepare: Effect.void
          })
          const live = follower.write(records, origin, placeOf(records.length))
          const again = replay({ ...options, onProgress: quiet })
          const [, one, two] = yield* Effect.all([live, again, again], { concurrency: "unbounded" })
          for (const { inserted, nodes, passed, present } of [one, two]) {
            assert.strictEqual(passed, 8 * 500)
            assert.strictEqual(inserted + present, dataLines - 8 * 500)
            assert.deepInclude(nodes[0], { dataLines, rows: dataLines, missing: 0, surplus: 0 })
          }
          assert.deepStrictEqual(yield* rowsOf("ended"), [dataLines, dataLines, 0])
          assert.deepStrictEqual([...(yield* checkpoints.read)], [])
        })
    )

    it.effect("begins anew when what its checkpoint promises is not stored any more", () =>
      Effect.gen(function* () {
        const archive = longArchiveOf("emptied")
        const checkpoints = yield* makeReplayCheckpoints("emptied")
        yield* checkpoints.move("emptied", { seq: 4_000, file: "file", byteOffset: 400_000 })
        const options = { chunks: Stream.fromIterable(archive), range: "emptied", onProgress: quiet }
        const report = yield* replay(options)
        assert.deepInclude(report, { passed: 0, inserted: 10_000 })
        yield* checkpoints.move("emptied", { seq: 4_000, file: "a file that was removed", byteOffset: 400_000 })
        const second = yield* replay(options)
        assert.deepInclude(second, { passed: 0, inserted: 0, present: 10_000 })
      })
    )

    it.effect("moves its checkpoint after what is stored, and never back", () =>
      Effect.gen(function* () {
        const checkpoints = yield* makeReplayCheckpoints("monotonic")
        const at = (file: string, byteOffset: number) => ({ seq: byteOffset, file, byteOffset })
        for (const place of [at("09/b-2", 10), at("09/b-1", 99), at("09/b-2", 9), at("10/a-3", 1), at("10/a-3", 0)]) {
          yield* checkpoints.move("n", place)
        }
        assert.deepStrictEqual([...(yield* checkpoints.read)], [["n", at("10/a-3", 1)]])
      })
    )

    it.effect("names rows of a journal that lost its end after they were stored, and began again there", () =>
      Effect.gen(function* () {
        const chunkOf = (records: ArchiveChunk["records"]) => ({ node: "cut", file: "f", records, bytes: 1 })
        const kept = recordsOf("cut", 1, [{}, {}, {}])
        const lost = recordsOf("cut", 4, [{}, {}])
        const again = recordsOf("cut", 4, [{ receivedAtMs: dayStartMs + 50 }, { receivedAtMs: dayStartMs + 60 }])
        yield* replay({ chunks: Stream.make(chunkOf([...kept, ...lost])), range: "before", onProgress: quiet })
        const journal = Stream.make(chunkOf([...kept, ...again]))
        const before = yield* reconcile(journal)
        assert.deepInclude(before[0], { rows: 3, missing: 2, surplus: 2, doubled: [] })
        assert.include(
          renderReconciliation("before", before)[0],
          "2 missing; 2 rows of records that are not in these files"
        )
        const { nodes } = yield* replay({ chunks: journal, range: "after", onProgress: quiet })
        assert.deepInclude(nodes[0], { rows: 5, missing: 0, surplus: 2, doubled: [4, 5] })
        assert.include(renderReconciliation("after", nodes)[0], "two rows each of seq 4, 5")
      })
    )

    it.effect("calls nothing equal because of rows that are nobody's, and says afterwards that they are there", () =>
      Effect.gen(function* () {
        const all = recordsOf(
          "lost",
          1,
          Array.from({ length: 150 }, () => ({}))
        )
        // A file that held 50 of these is lost, after they were stored.
        const kept = all.filter(({ seq }) => seq <= 50 || seq > 100)
        const stream = (records: ArchiveChunk["records"]) =>
          Stream.make({ node: "lost", file: "f", records, bytes: records.length })
        yield* replay({ chunks: stream(all.slice(0, 120)), range: "lost before", onProgress: quiet })
        const [before] = yield* reconcile(stream(kept))
        assert.deepInclude(before, { dataLines: 100, rows: 70, missing: 30, surplus: 50, doubled: [] })
        const { inserted, nodes } = yield* replay({ chunks: stream(kept), range: "lost", onProgress: quiet })
        assert.strictEqual(inserted, 30)
        assert.deepInclude(nodes[0], { rows: 100, missing: 0, surplus: 50 })
        assert.isTrue(nodes.every(isEqual))
      })
    )

    it.effect("does not miss lines older than the database keeps, and says how many there are", () =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const day_ms = 86_400_000
        const drafts = Array.from({ length: 90 }, (_, n) => ({
          receivedAtMs: dayStartMs + Math.floor(n / 30) * day_ms + n
        }))
        const chunks = Stream.make({ node: "older", file: "f", records: recordsOf("older", 1, drafts), bytes: 1 })
        const { nodes } = yield* replay({ chunks, range: "older", onProgress: quiet })
        yield* moveKeptFrom(Date.UTC(2025, 10, 25, 15))
        assert.deepStrictEqual(yield* reconcile(chunks), nodes)
        yield* sql`delete from pattern_records where node = 'older' and seq < 45`
        const found = yield* reconcile(chunks)
        assert.deepInclude(found[0], { dataLines: 90, rows: 30, missing: 0, older: 60 })
        assert.deepInclude(onceReplayed(found[0] ?? assert.fail()), { rows: 90, missing: 0, older: 0 })
        assert.match(
          renderReconciliation("before", found)[0] ?? "",
          /30 rows: 60 lines older than the database keeps, which is from 2025-11-26 on$/
        )
        yield* sql`delete from pattern_records where node = 'older' and seq = 90`
        assert.deepInclude((yield* reconcile(chunks))[0], { missing: 1, older: 60 })
        yield* sql`delete from record_retention`
        assert.deepInclude((yield* reconcile(chunks))[0], { missing: 45, older: 0 })
      })
    )

    it.effect("counts the rows of every hour", () =>
      Effect.gen(function* () {
        const hour_ms = 3_600_000
        const drafts = [0, 1, 2 * hour_ms, 2 * hour_ms + 5, 3 * hour_ms - 1, 3 * hour_ms].map((after_ms) => ({
          receivedAtMs: dayStartMs + after_ms
        }))
        const chunk = { node: "hourly", file: "f", records: recordsOf("hourly", 1, drafts), bytes: 1 }
        yield* replay({ chunks: Stream.make(chunk), range: "hours", onProgress: quiet })
        const count = makeHourCount(new Map())
        for (const record of chunk.records.slice(0, 5)) count.see(record, "hourly")
        const { hours } = yield* countRows(count, [{ node: "hourly", first: 1, last: 5 }], new Map())
        assert.deepStrictEqual(
          hours.map(({ hour, rows }) => [Date.parse(hour), rows]),
          [
            [dayStartMs, 2],
            [dayStartMs + 2 * hour_ms, 3]
          ]
        )
      })
    )
  })
}
