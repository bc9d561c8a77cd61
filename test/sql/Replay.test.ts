import { assert, layer } from "@effect/vitest"
import { Effect, Ref, Stream } from "effect"
import { SqlClient } from "effect/sql"
import { origin } from "../../src/journal/Position.ts"
import type { ArchiveChunk } from "../../src/journal/Reader.ts"
import { reconcile } from "../../src/sql/Reconcile.ts"
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
  return [records.slice(0, 1_700), records.slice(1_700, 1_703), records.slice(1_703)].map((part, index) => ({
    node,
    file: `file-${index}`,
    records: part,
    bytes: part.length * 100
  }))
}

const quiet = () => Effect.void

const rowsOf = (node: string) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const found = yield* sql<{ rows: bigint; seqs: bigint }>`select count(*) as rows, count(distinct seq) as seqs
      from pattern_records where node = ${node}`
    const errors = yield* sql<{ rows: bigint }>`select count(*) as rows from ingest_errors where node = ${node}`
    return [Number(found[0]?.rows), Number(found[0]?.seqs), Number(errors[0]?.rows)]
  })

for (const database of databases) {
  layer(database.layer, { timeout: "60 seconds", excludeTestServices: true })(`replay on ${database.name}`, (it) => {
    it.effect("stores an archive, tells its progress, and adds nothing the second time", () =>
      Effect.gen(function* () {
        const archive = archiveOf("replayed")
        const progress = yield* Ref.make<ReadonlyArray<ReplayProgress>>([])
        const options = {
          chunks: Stream.fromIterable(archive),
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
            ["file-0", 1_700],
            ["file-1", 1_703],
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
        const again = replay({ chunks: Stream.fromIterable(archive), onProgress: quiet })
        const [, one, two] = yield* Effect.all([live, again, again], { concurrency: "unbounded" })
        assert.deepStrictEqual([one.inserted + one.present, two.inserted + two.present], [2_499, 2_499])
        assert.deepStrictEqual(yield* rowsOf("crowded"), [2_499, 2_499, 2])
      })
    )

    it.effect("is measured by a reconciliation of files and rows before and after", () =>
      Effect.gen(function* () {
        const archive = archiveOf("reconciled")
        const chunks = Stream.fromIterable(archive)
        yield* replay({ chunks: Stream.take(chunks, 1), onProgress: quiet })
        const counted = { node: "reconciled", lines: 2_502, dataLines: 2_500, firstSeq: 1, lastSeq: 2_502, refused: 1 }
        assert.deepStrictEqual(yield* reconcile(chunks), [{ ...counted, rows: 1_698, missing: 801 }])
        const report = yield* replay({ chunks, onProgress: quiet })
        assert.deepStrictEqual(report.nodes, [{ ...counted, rows: 2_499, missing: 0 }])
      })
    )
  })
}
