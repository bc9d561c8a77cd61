import { Effect, Stream } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { marketDate, marketDay, marketMidnight } from "../calendar/MarketTime.ts"
import { isDataKind } from "../domain/JournalRecord.ts"
import type { ArchiveChunk } from "../journal/Reader.ts"
import { readKeptFrom } from "./KeptFrom.ts"
import { countExactly, type FoundLines } from "./LineLookup.ts"
import { patiently } from "./Patience.ts"

/** The lines of a day that are rows of `pattern_records` when all is stored. */
interface DayTally {
  readonly dataLines: number
  /** Sum of their milliseconds of the UTC day: an id is made of node, `seq` and this time, so another id has another. */
  readonly timeSum_ms: number
}

/** One node's lines of an archive, or of a part of it. */
export interface Tally {
  readonly lines: number
  readonly firstSeq: number
  readonly lastSeq: number
  /** By the market days of the lines, counted since 1970; they say which partitions hold the rows. `NaN` has lines without a time. */
  readonly days: ReadonlyMap<number, DayTally>
}
export type Tallies = ReadonlyMap<string, Tally>

/** A day's lines against the rows that the database has between the same `seq`s. */
interface DayRows extends DayTally {
  readonly day: number
  readonly rows: number
  /** Lines the server refused, which are in `ingest_errors`. */
  readonly refused: number
  /** As many as there are lines, and of the same times. */
  readonly isEven: boolean
}

/** What counts alone tell of one node. */
interface Comparison {
  readonly node: string
  readonly tally: Tally
  readonly days: ReadonlyArray<DayRows>
}

/** Files against rows, for one node: `dataLines` are `rows`, `refused`, `missing` and `older` together. */
export interface Reconciliation extends Omit<Tally, "days"> {
  readonly node: string
  /** Lines that are rows of `pattern_records` when all is stored. */
  readonly dataLines: number
  /** Rows of these lines. */
  readonly rows: number
  readonly refused: number
  /** What a replay would add. */
  readonly missing: number
  /**
   * Rows of no such line: of a file that is gone, or of a journal that lost its end to a power cut, after they were
   * stored, and began again there.
   */
  readonly surplus: number
  /** The first few `seq` that are there under two ids, for the latter reason. */
  readonly doubled: ReadonlyArray<number>
  /** Lines of days that the database does not keep any more. */
  readonly older: number
  /** UTC, ISO 8601: from when on it keeps everything, where lines are older. */
  readonly keptFrom?: string
}

const day_ms = 86_400_000

/** Whether every line is stored; rows of other records beside them are no fault of this. */
export const isEqual = ({ missing }: Reconciliation): boolean => missing === 0

const doubled_named_max = 5

const none: Tally = { lines: 0, firstSeq: Number.MAX_SAFE_INTEGER, lastSeq: 0, days: new Map() }

/** Adds a chunk to what has been counted. */
export const tally = (tallies: Tallies, { node, records }: Pick<ArchiveChunk, "node" | "records">): Tallies => {
  const before = tallies.get(node) ?? none
  let { firstSeq, lastSeq, lines } = before
  const days = new Map(before.days)
  for (const record of records) {
    lines += 1
    firstSeq = Math.min(firstSeq, record.seq)
    lastSeq = Math.max(lastSeq, record.seq)
    if (!isDataKind(record.kind)) continue
    const atMs = Date.parse(record.receivedAt)
    const day = marketDay(atMs)
    const { dataLines, timeSum_ms } = days.get(day) ?? { dataLines: 0, timeSum_ms: 0 }
    days.set(day, { dataLines: dataLines + 1, timeSum_ms: timeSum_ms + (atMs % day_ms) })
  }
  return new Map(tallies).set(node, { lines, firstSeq, lastSeq, days })
}

const timeSum = `coalesce(sum((extract(epoch from received_at) * 1000)::bigint % ${day_ms}), 0)`

const beginOf = (day: number): number => marketMidnight(marketDate(day * day_ms))

const sum = <A>(list: Iterable<A>, of: (each: A) => number) => {
  let total = 0
  for (const each of list) total += of(each)
  return total
}

/** The rows of a node in a day, among the numbers of its lines. */
const rowsOf = (sql: SqlClient.SqlClient, node: string, { firstSeq, lastSeq }: Tally, day: number) => {
  const beginMs = beginOf(day)
  return sql`node = ${node} and seq between ${BigInt(firstSeq)} and ${BigInt(lastSeq)}
    and received_at >= ${new Date(beginMs)} and received_at < ${new Date(beginMs + day_ms)}`
}

/** A count of a whole archive would take longer than a statement may: days, each with its partition, are counted one by one. */
const compareNode = Effect.fnUntraced(function* (node: string, counted: Tally) {
  const sql = yield* SqlClient.SqlClient
  const days = yield* Effect.forEach(counted.days, ([day, lines]) => {
    if (Number.isNaN(day)) return Effect.succeed<DayRows>({ day, ...lines, rows: 0, refused: 0, isEven: false })
    const inDay = rowsOf(sql, node, counted, day)
    const asked = sql<{ rows: bigint; refused: bigint; sum: string }>`select rows, refused,
      (row_sum + refused_sum)::text as sum from
        (select count(*) as rows, ${sql.literal(timeSum)} as row_sum from pattern_records where ${inDay}) as of_rows,
        (select count(*) as refused, ${sql.literal(timeSum)} as refused_sum from ingest_errors
          where ${inDay} and kind = 'failure' and not exists (
            select from pattern_records stored
            where stored.id = ingest_errors.id and stored.received_at = ingest_errors.received_at)) as of_errors`
    return Effect.map(asked, ([found]): DayRows => {
      const [rows, refused] = [Number(found?.rows), Number(found?.refused)]
      const isEven = rows + refused === lines.dataLines && Number(found?.sum) === lines.timeSum_ms
      return { day, ...lines, rows, refused, isEven }
    })
  })
  return { node, tally: counted, days } satisfies Comparison
})

/** Counts the rows that the same nodes have between the same `seq`s, day by day. */
export const compare = Effect.fn("Reconcile.compare")((tallies: Tallies) =>
  Effect.forEach(tallies, ([node, counted]) => compareNode(node, counted))
)

/** Whether the counts say that each line is stored and nothing else. */
export const isEven = ({ days }: Comparison): boolean => days.every((day) => day.isEven)

/** The first numbers with two rows, of days that have rows too many. Sorts all their rows. */
const findDoubled = Effect.fnUntraced(function* ({ node, tally: counted }: Comparison, days: ReadonlyArray<DayRows>) {
  const sql = yield* SqlClient.SqlClient
  const seqs: Array<number> = []
  for (const { day } of days) {
    if (seqs.length >= doubled_named_max) break
    const found = yield* sql<{ seq: bigint }>`select seq from pattern_records where ${rowsOf(sql, node, counted, day)}
      group by seq having count(*) > 1 order by seq limit ${doubled_named_max - seqs.length}`
    seqs.push(...found.map(({ seq }) => Number(seq)))
  }
  return seqs
})

/**
 * Compares counted lines with rows. Where counts differ, the lines of those days are read once more and each is asked for:
 * as many rows as lines may be other rows.
 *
 * @param chunks what was counted, to be read again
 */
export const reconcileTallies = Effect.fn("Reconcile.tallies")(function* <E, R>(
  tallies: Tallies,
  chunks: Stream.Stream<ArchiveChunk, E, R>
) {
  const comparisons = yield* patiently(compare(tallies))
  const keptFromMs = (yield* patiently(readKeptFrom)) ?? Number.NEGATIVE_INFINITY
  const isOlder = ({ dataLines, day, isEven: even, refused, rows }: DayRows) =>
    !even && rows + refused < dataLines && beginOf(day) < keptFromMs
  const isDoubtful = (day: DayRows) =>
    !day.isEven && !isOlder(day) && (day.rows + day.refused > 0 || Number.isNaN(day.day))
  const doubtful = new Map(
    comparisons.flatMap(({ days, node }) => {
      const some = days.filter(isDoubtful).map(({ day }) => day)
      return some.length === 0 ? [] : [[node, new Set(some)] as const]
    })
  )
  const exact = doubtful.size === 0 ? new Map<string, FoundLines>() : yield* countExactly(chunks, doubtful)

  return yield* Effect.forEach(
    comparisons,
    Effect.fnUntraced(function* (comparison) {
      const { days, node, tally: counted } = comparison
      const { days: _, ...numbers } = counted
      const even = days.filter((day) => day.isEven)
      const uncertain = days.filter(isDoubtful)
      const found = exact.get(node) ?? { rows: 0, refused: 0 }
      const rows = sum(even, (day) => day.rows) + found.rows
      const refused = sum(even, (day) => day.refused) + found.refused
      const older = sum(days.filter(isOlder), ({ dataLines }) => dataLines)
      const dataLines = sum(days, (day) => day.dataLines)
      const surplus = Math.max(0, sum(uncertain, (day) => day.rows) - found.rows)
      return {
        node,
        ...numbers,
        dataLines,
        rows,
        refused,
        missing: Math.max(0, dataLines - rows - refused - older),
        surplus,
        doubled: surplus === 0 ? [] : yield* patiently(findDoubled(comparison, uncertain)),
        older,
        ...(older === 0 ? {} : { keptFrom: new Date(keptFromMs).toISOString() })
      } satisfies Reconciliation
    })
  )
})

const count = <E, R>(chunks: Stream.Stream<ArchiveChunk, E, R>) =>
  Stream.runFold(chunks, (): Tallies => new Map(), tally)

/** Counts the archive's lines and the database's rows, and changes nothing. */
export const reconcile = <E, R>(
  chunks: Stream.Stream<ArchiveChunk, E, R>
): Effect.Effect<ReadonlyArray<Reconciliation>, E | SqlError, R | SqlClient.SqlClient> =>
  Effect.flatMap(count(chunks), (tallies) => reconcileTallies(tallies, chunks))

/** The same where there is no row at all. */
export const reconcileEmpty = <E, R>(
  chunks: Stream.Stream<ArchiveChunk, E, R>
): Effect.Effect<ReadonlyArray<Reconciliation>, E, R> =>
  Effect.map(count(chunks), (tallies) =>
    [...tallies].map(([node, { days, ...numbers }]) => {
      const dataLines = sum(days.values(), (day) => day.dataLines)
      return { node, ...numbers, dataLines, rows: 0, refused: 0, missing: dataLines, surplus: 0, doubled: [], older: 0 }
    })
  )

/** What a replay would leave, if the server refused no row: days that are let go of are there again until the next turn. */
export const onceReplayed = (before: Reconciliation): Reconciliation => {
  const { keptFrom: _, ...found } = before
  return { ...found, rows: found.rows + found.missing + found.older, missing: 0, older: 0 }
}
