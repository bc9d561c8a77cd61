import { Effect, type Types } from "effect"
import { SqlClient } from "effect/sql"
import { isDataKind, type JournalRecord } from "../domain/JournalRecord.ts"
import type { Stretch } from "../journal/Verify.ts"
import { readKeptFrom } from "./KeptFrom.ts"

/** Lines of files against rows of the database, for one node and hour of receipt. */
export interface HourRows {
  readonly node: string
  /** UTC, ISO 8601, when the hour begins. */
  readonly hour: string
  /** Lines that are rows of `pattern_records`, the rows, and those the server refused, which `ingest_errors` keeps. */
  readonly lines: number
  readonly rows: number
  readonly refused: number
  /** There are as many rows as lines, but not of the same times: rows of other records are among them. */
  readonly differing: boolean
  /** Gaps and rejects: lines, and rows of `ingest_errors`. */
  readonly incidentLines: number
  readonly incidentRows: number
}

/** Lines that are in no row (positive), or rows that no line is for. */
export const missingOf = ({ lines, refused, rows }: HourRows): number => lines - rows - refused
export const missingIncidentsOf = ({ incidentLines, incidentRows }: HourRows): number => incidentLines - incidentRows

/** How far the live follower has stored each node; a node it has never stored is not in it. */
export const followedSeqs = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const found = yield* sql<{ node: string; seq: bigint }>`select node, seq from follower_cursors where follower = 'sql'`
  return new Map(found.map(({ node, seq }) => [node, Number(seq)]))
})

/** Whether the observer has ever written to this database. */
export const hasTables = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const [found] = yield* sql<{ there: boolean }>`select to_regclass('pattern_records') is not null
    and to_regclass('ingest_errors') is not null and to_regclass('follower_cursors') is not null as there`
  return found?.there ?? false
})

const hour_ms = 3_600_000

interface HourLines {
  readonly lines: number
  readonly incidents: number
  /** Sum of the lines' milliseconds of the hour: an id is made of node, `seq` and this time, so another id has another. */
  readonly timeSum_ms: number
}

const noLines: HourLines = { lines: 0, incidents: 0, timeSum_ms: 0 }

const timeSum = `coalesce(sum((extract(epoch from received_at) * 1000)::bigint % ${hour_ms}), 0)`

/** Counts the lines that should be rows, by node and hour. Lines behind a follower are left out: it has yet to come to them. */
export const makeHourCount = (followed: ReadonlyMap<string, number>) => {
  const nodes = new Map<string, Map<number, Types.Mutable<HourLines>>>()
  let waiting = 0
  return {
    see: ({ kind, receivedAt, seq }: JournalRecord, node: string): void => {
      if (kind === "marker") return
      if (seq > (followed.get(node) ?? Number.POSITIVE_INFINITY)) return void (waiting += 1)
      const atMs = Date.parse(receivedAt)
      const hour = Math.floor(atMs / hour_ms)
      const hours = nodes.get(node) ?? new Map<number, Types.Mutable<HourLines>>()
      nodes.set(node, hours)
      const count = hours.get(hour) ?? { ...noLines }
      hours.set(hour, count)
      if (isDataKind(kind)) {
        count.lines += 1
        count.timeSum_ms += atMs % hour_ms
      } else count.incidents += 1
    },
    /** Lines that a follower has not come to. */
    waiting: () => waiting,
    nodes: (): ReadonlyMap<string, ReadonlyMap<number, HourLines>> => nodes
  }
}
export type HourCount = ReturnType<typeof makeHourCount>

const hoursOf = (count: HourCount): ReadonlyArray<number> =>
  [...new Set([...count.nodes().values()].flatMap((hours) => [...hours.keys()]))].toSorted((a, b) => a - b)

/** The first hour of some with a row of anybody; one with rows and no lines lies between hours with lines, or nowhere. */
const firstFilled = Effect.fnUntraced(function* (fromHour: number, toHour: number) {
  if (fromHour >= toHour) return undefined
  const sql = yield* SqlClient.SqlClient
  const between = sql`received_at >= ${new Date(fromHour * hour_ms)} and received_at < ${new Date(toHour * hour_ms)}
    order by received_at limit 1`
  const [first] = yield* sql<{ at: Date | null }>`select least(
    (select received_at from pattern_records where ${between}),
    (select received_at from ingest_errors where ${between})) as at`
  return first?.at ? Math.floor(first.at.getTime() / hour_ms) : undefined
})

/** Lines and rows, hour by hour in their order. */
export interface RowComparison {
  readonly hours: ReadonlyArray<HourRows>
  /** Lines of hours that the database does not keep any more, which are not among these. */
  readonly older: number
  /** UTC, ISO 8601: from when on it keeps everything, where lines are older. */
  readonly keptFrom?: string
}

/**
 * Counts rows hour by hour, each in a statement of its own: no count is long, and a follower that shares the connection
 * has its turn in between. Only numbers of the given stretches, up to the follower's cursor, are asked for. Hours that
 * are older than what the database keeps count while they are whole, as after a replay.
 */
export const countRows = Effect.fn("HourRows.count")(function* (
  count: HourCount,
  stretches: ReadonlyArray<Stretch>,
  followed: ReadonlyMap<string, number>
) {
  const sql = yield* SqlClient.SqlClient
  const found: Array<HourRows> = []
  const asked = stretches.flatMap(({ first, last, node }) => {
    const upTo = Math.min(last, followed.get(node) ?? last)
    return upTo < first ? [] : [{ node, first, last: upTo }]
  })

  const countHour = Effect.fnUntraced(function* (hour: number) {
    const from = new Date(hour * hour_ms)
    const to = new Date((hour + 1) * hour_ms)
    const nodes = new Map<string, { rows: number; refused: number; incidentRows: number; timeSum_ms: number }>()
    for (const { first, last, node } of asked) {
      const between = sql`node = ${node} and seq between ${BigInt(first)} and ${BigInt(last)}
        and received_at >= ${from} and received_at < ${to}`
      const [row] = yield* sql<{ rows: bigint; refused: bigint; incidents: bigint; sum: string }>`select
        rows, refused, incidents, (row_sum + refused_sum)::text as sum from
          (select count(*) as rows, ${sql.literal(timeSum)} as row_sum from pattern_records where ${between}) as of_rows,
          (select count(*) as refused, ${sql.literal(timeSum)} as refused_sum from ingest_errors
            where ${between} and kind = 'failure' and not exists (
              select from pattern_records stored
              where stored.id = ingest_errors.id and stored.received_at = ingest_errors.received_at)) as of_errors,
          (select count(*) as incidents from ingest_errors
            where ${between} and kind in ('gap', 'reject')) as of_incidents`
      const sum = nodes.get(node) ?? { rows: 0, refused: 0, incidentRows: 0, timeSum_ms: 0 }
      nodes.set(node, {
        rows: sum.rows + Number(row?.rows ?? 0),
        refused: sum.refused + Number(row?.refused ?? 0),
        incidentRows: sum.incidentRows + Number(row?.incidents ?? 0),
        timeSum_ms: sum.timeSum_ms + Number(row?.sum ?? 0)
      })
    }
    for (const [node, { timeSum_ms, ...rows }] of nodes) {
      const counted = count.nodes().get(node)?.get(hour) ?? noLines
      const { incidents: incidentLines, lines } = counted
      const differing = lines === rows.rows + rows.refused && timeSum_ms !== counted.timeSum_ms
      if (lines + incidentLines + rows.rows + rows.refused + rows.incidentRows === 0) continue
      found.push({ node, hour: from.toISOString(), lines, incidentLines, ...rows, differing })
    }
  })

  let next: number | undefined
  for (const hour of hoursOf(count)) {
    for (;;) {
      const between: number | undefined = next === undefined ? undefined : yield* firstFilled(next, hour)
      if (between === undefined) break
      yield* countHour(between)
      next = between + 1
    }
    yield* countHour(hour)
    next = hour + 1
  }

  const keptFromMs = yield* readKeptFrom
  if (keptFromMs === undefined) return { hours: found, older: 0 } satisfies RowComparison
  const isOlder = (each: HourRows) =>
    Date.parse(each.hour) < keptFromMs && (missingOf(each) > 0 || missingIncidentsOf(each) > 0)
  const older = found.filter(isOlder).reduce((sum, { incidentLines, lines }) => sum + lines + incidentLines, 0)
  return {
    hours: found.filter((each) => !isOlder(each)),
    older,
    ...(older === 0 ? {} : { keptFrom: new Date(keptFromMs).toISOString() })
  } satisfies RowComparison
})
