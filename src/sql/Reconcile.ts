import { Effect, Stream } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { isDataKind } from "../domain/JournalRecord.ts"
import type { ArchiveChunk } from "../journal/Reader.ts"

/** One node's lines of an archive, or of a part of it. */
export interface Tally {
  readonly lines: number
  /** Lines that are rows of `pattern_records` when all is stored. */
  readonly dataLines: number
  readonly firstSeq: number
  readonly lastSeq: number
}
export type Tallies = ReadonlyMap<string, Tally>

/** Files against rows, for one node. `missing` is what a replay would add. */
export interface Reconciliation extends Tally {
  readonly node: string
  readonly rows: number
  /** Lines the server refused, which are in `ingest_errors`. */
  readonly refused: number
  readonly missing: number
}

/** Adds a chunk to what has been counted. */
export const tally = (tallies: Tallies, { node, records }: ArchiveChunk): Tallies => {
  let { dataLines, firstSeq, lastSeq, lines } = tallies.get(node) ?? {
    lines: 0,
    dataLines: 0,
    firstSeq: Number.MAX_SAFE_INTEGER,
    lastSeq: 0
  }
  for (const record of records) {
    lines += 1
    if (isDataKind(record.kind)) dataLines += 1
    firstSeq = Math.min(firstSeq, record.seq)
    lastSeq = Math.max(lastSeq, record.seq)
  }
  return new Map(tallies).set(node, { lines, dataLines, firstSeq, lastSeq })
}

/** Compares counted lines with the rows the same nodes have between the same `seq`s. */
export const compare = Effect.fn("Reconcile.compare")(function* (tallies: Tallies) {
  const sql = yield* SqlClient.SqlClient
  return yield* Effect.forEach(tallies, ([node, counted]) => {
    const between = sql`node = ${node} and seq between ${BigInt(counted.firstSeq)} and ${BigInt(counted.lastSeq)}`
    return Effect.map(
      sql<{ rows: bigint; refused: bigint }>`select
        (select count(*) from pattern_records where ${between}) as rows,
        (select count(*) from ingest_errors where ${between} and kind = 'failure' and not exists (
          select from pattern_records stored
          where stored.id = ingest_errors.id and stored.received_at = ingest_errors.received_at)) as refused`,
      ([found]): Reconciliation => {
        const rows = Number(found?.rows ?? 0)
        const refused = Number(found?.refused ?? 0)
        return { node, ...counted, rows, refused, missing: counted.dataLines - rows - refused }
      }
    )
  })
})

/** Counts the archive's lines and the database's rows, and changes nothing. */
export const reconcile = <E, R>(
  chunks: Stream.Stream<ArchiveChunk, E, R>
): Effect.Effect<ReadonlyArray<Reconciliation>, E | SqlError, R | SqlClient.SqlClient> =>
  chunks.pipe(
    Stream.runFold((): Tallies => new Map(), tally),
    Effect.flatMap(compare)
  )
