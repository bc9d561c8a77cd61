import { Effect, Stream } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { marketDate, marketDay, marketMidnight } from "../calendar/MarketTime.ts"
import { isDataKind } from "../domain/JournalRecord.ts"
import type { ArchiveChunk } from "../journal/Reader.ts"

/** One node's lines of an archive, or of a part of it. */
export interface Tally {
  readonly lines: number
  /** Lines that are rows of `pattern_records` when all is stored. */
  readonly dataLines: number
  readonly firstSeq: number
  readonly lastSeq: number
  /** The market days of the lines, counted since 1970; they say which partitions hold the rows. */
  readonly days: ReadonlySet<number>
  /** Sum of the data lines' milliseconds of the UTC day: an id is made of node, `seq` and this time, so another id has another. */
  readonly timeSum_ms: number
}
export type Tallies = ReadonlyMap<string, Tally>

/** Files against rows, for one node. `missing` is what a replay would add. */
export interface Reconciliation extends Tally {
  readonly node: string
  /** Rows of different `seq`. */
  readonly rows: number
  /** Lines the server refused, which are in `ingest_errors`. */
  readonly refused: number
  readonly missing: number
  /** Rows more than the lines allow: of a journal that lost its end to a power cut, after they were stored, and began again there. */
  readonly surplus: number
  /** The first few `seq` that are there under two ids, for the same reason. */
  readonly doubled: ReadonlyArray<number>
  /** There are as many rows as lines, but rows of other ids are among them, for the same reason; a replay adds the true ones. */
  readonly differing: boolean
}

const day_ms = 86_400_000

/** Whether every line is stored; rows of other records beside them are no fault of this. */
export const isEqual = ({ differing, missing }: Reconciliation): boolean => missing === 0 && !differing

const doubled_named_max = 5

const none: Tally = {
  lines: 0,
  dataLines: 0,
  firstSeq: Number.MAX_SAFE_INTEGER,
  lastSeq: 0,
  days: new Set(),
  timeSum_ms: 0
}

/** Adds a chunk to what has been counted. */
export const tally = (tallies: Tallies, { node, records }: Pick<ArchiveChunk, "node" | "records">): Tallies => {
  const before = tallies.get(node) ?? none
  let { dataLines, firstSeq, lastSeq, lines, timeSum_ms } = before
  const days = new Set(before.days)
  for (const record of records) {
    const atMs = Date.parse(record.receivedAt)
    lines += 1
    if (isDataKind(record.kind)) {
      dataLines += 1
      timeSum_ms += atMs % day_ms
    }
    firstSeq = Math.min(firstSeq, record.seq)
    lastSeq = Math.max(lastSeq, record.seq)
    if (!Number.isNaN(atMs)) days.add(marketDay(atMs))
  }
  return new Map(tallies).set(node, { lines, dataLines, firstSeq, lastSeq, days, timeSum_ms })
}

interface Counted {
  readonly rows: bigint
  readonly refused: bigint
  readonly sum: string
}

const timeSum = `coalesce(sum((extract(epoch from received_at) * 1000)::bigint % ${day_ms}), 0)`

/** A count of a whole archive would take longer than a statement may: days, each with its partition, are counted one by one. */
const spanOf = (day: number) => {
  const beginMs = marketMidnight(marketDate(day * day_ms))
  return [new Date(beginMs), new Date(beginMs + day_ms)] as const
}

const sumOf = (values: ReadonlyArray<unknown>) => values.reduce((sum: number, value) => sum + Number(value), 0)

const compareNode = Effect.fnUntraced(function* (node: string, counted: Tally) {
  const sql = yield* SqlClient.SqlClient
  const lines = sql`node = ${node} and seq between ${BigInt(counted.firstSeq)} and ${BigInt(counted.lastSeq)}`
  const days = [...counted.days].map(spanOf)
  const inDay = ([from, to]: (typeof days)[number]) => sql`${lines} and received_at >= ${from} and received_at < ${to}`
  const found = yield* Effect.forEach(
    days,
    (day) => sql<Counted>`select rows, refused, (row_sum + refused_sum)::text as sum from
      (select count(*) as rows, ${sql.literal(timeSum)} as row_sum from pattern_records where ${inDay(day)}) as of_rows,
      (select count(*) as refused, ${sql.literal(timeSum)} as refused_sum from ingest_errors
        where ${inDay(day)} and kind = 'failure' and not exists (
          select from pattern_records stored
          where stored.id = ingest_errors.id and stored.received_at = ingest_errors.received_at)) as of_errors`
  ).pipe(Effect.map((counts) => counts.flat()))
  const all = sumOf(found.map(({ rows }) => rows))
  const refused = sumOf(found.map((count) => count.refused))
  const isEven = all + refused === counted.dataLines && sumOf(found.map(({ sum }) => sum)) === counted.timeSum_ms
  // Which are different takes a sort of all rows: only where the sums are wrong.
  const twice = isEven
    ? []
    : yield* Effect.forEach(
        days,
        (day) => sql<{ seq: bigint; more: bigint }>`select seq, count(*) - 1 as more from pattern_records
          where ${inDay(day)} group by seq having count(*) > 1 order by seq`
      ).pipe(Effect.map((each) => each.flat()))
  const rows = all - sumOf(twice.map(({ more }) => more))
  return {
    node,
    ...counted,
    rows,
    refused,
    missing: Math.max(0, counted.dataLines - rows - refused),
    surplus: Math.max(0, all + refused - counted.dataLines),
    doubled: twice.slice(0, doubled_named_max).map(({ seq }) => Number(seq)),
    differing: !isEven && all + refused === counted.dataLines
  } satisfies Reconciliation
})

/** Compares counted lines with the rows the same nodes have between the same `seq`s and instants. */
export const compare = Effect.fn("Reconcile.compare")((tallies: Tallies) =>
  Effect.forEach(tallies, ([node, counted]) => compareNode(node, counted))
)

/** Counts the archive's lines and the database's rows, and changes nothing. */
export const reconcile = <E, R>(
  chunks: Stream.Stream<ArchiveChunk, E, R>
): Effect.Effect<ReadonlyArray<Reconciliation>, E | SqlError, R | SqlClient.SqlClient> =>
  chunks.pipe(
    Stream.runFold((): Tallies => new Map(), tally),
    Effect.flatMap(compare)
  )

/** Rows that a node has in `[fromMs, toMs)`, by the hour (UTC milliseconds of its beginning); hours without any are not in it. */
export const rowsPerHour = Effect.fn("Reconcile.rowsPerHour")(function* (node: string, fromMs: number, toMs: number) {
  const sql = yield* SqlClient.SqlClient
  const hours = yield* sql<{ hour: Date; rows: bigint }>`select date_trunc('hour', received_at, 'UTC') as hour,
    count(*) as rows from pattern_records
    where node = ${node} and received_at >= ${new Date(fromMs)} and received_at < ${new Date(toMs)} group by 1 order by 1`
  return new Map(hours.map(({ hour, rows }) => [hour.getTime(), Number(rows)]))
})
