import * as PgTypes from "@effect/sql-pg/PgTypes"
import { Effect, Result, Stream } from "effect"
import { SqlClient } from "effect/sql"
import { marketDay } from "../calendar/MarketTime.ts"
import { isDataKind, type JournalRecord } from "../domain/JournalRecord.ts"
import type { ArchiveChunk } from "../journal/Reader.ts"
import { errorIdOf } from "./ErrorRow.ts"
import { patiently } from "./Patience.ts"

/** Lines of one statement. */
const asked_lines = 1_000

/** Of some lines, those that are rows, and those the server refused. */
export interface FoundLines {
  readonly rows: number
  readonly refused: number
}

/** How many of some lines are stored, by their ids. */
const findRows = Effect.fnUntraced(function* (node: string, records: ReadonlyArray<JournalRecord>) {
  const sql = yield* SqlClient.SqlClient
  const times = records
    .map(({ receivedAt }) => Date.parse(receivedAt))
    .map((atMs) => (Number.isNaN(atMs) ? null : atMs))
  const known = times.filter((atMs) => atMs !== null)
  const ids = records.map((record) => errorIdOf(record, node))
  // The bounds say which partitions can be left alone.
  const [found] = yield* sql.unsafe<{ rows: bigint; refused: bigint }>(
    `select count(stored.id) as rows, count(kept.id) filter (where stored.id is null) as refused
      from unnest($1::timestamptz[], $2::uuid[]) as line (received_at, id)
      left join pattern_records stored on stored.received_at = line.received_at and stored.id = line.id
        and stored.received_at between $3 and $4
      left join ingest_errors kept on kept.id = line.id and kept.kind = 'failure'`,
    [
      Result.getOrThrow(PgTypes.array(times, PgTypes.OID.timestamptz)),
      Result.getOrThrow(PgTypes.array(ids, PgTypes.OID.uuid)),
      new Date(known.length === 0 ? 0 : Math.min(...known)),
      new Date(known.length === 0 ? 0 : Math.max(...known))
    ]
  )
  return { rows: Number(found?.rows), refused: Number(found?.refused) } satisfies FoundLines
})

/** Asks for each line of some market days of each node (counted since 1970), where counts say nothing for rows that are nobody's. */
export const countExactly = Effect.fnUntraced(function* <E, R>(
  chunks: Stream.Stream<ArchiveChunk, E, R>,
  doubtful: ReadonlyMap<string, ReadonlySet<number>>
) {
  const found = new Map<string, FoundLines>()
  yield* Stream.runForEach(chunks, ({ node, records }) => {
    const days = doubtful.get(node)
    if (days === undefined) return Effect.void
    const lines = records.filter(
      ({ kind, receivedAt }) => isDataKind(kind) && days.has(marketDay(Date.parse(receivedAt)))
    )
    const slices = Array.from({ length: Math.ceil(lines.length / asked_lines) }, (_, index) =>
      lines.slice(index * asked_lines, (index + 1) * asked_lines)
    )
    return Effect.forEach(
      slices,
      (slice) =>
        Effect.map(patiently(findRows(node, slice)), ({ refused, rows }) => {
          const before = found.get(node) ?? { rows: 0, refused: 0 }
          found.set(node, { rows: before.rows + rows, refused: before.refused + refused })
        }),
      { discard: true }
    )
  })
  return found
})
