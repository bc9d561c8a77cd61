import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { marketDate, marketMidnight } from "../calendar/MarketTime.ts"

/** Makes the partitions of `pattern_records`, one a market day, before rows need them; a hypertable makes its own chunks. */
export interface Partitions {
  /** The days of these instants (UTC milliseconds) and the day after the last of them have their partition. */
  ensure(instantsMs: ReadonlyArray<number>): Effect.Effect<void, SqlError>
  /** Forgets what is known to exist, for when rows found no partition after all. */
  readonly forget: Effect.Effect<void>
}

const hour_ms = 3_600_000
const day_ms = 24 * hour_ms
/** Any number that other programs in the same database are unlikely to choose: "obs". */
const lock = 0x6f6273
/** A bound on days remembered, not on days: a broken clock must not fill the memory. */
const known_days_max = 10_000

/** Outside these a date is a broken clock, and gets no partition: the server refuses the row, which is then kept with its error. */
export const isPlausibleDay = (day: string): boolean => day >= "19900101" && day <= "20991231" && day.length === 8

/** The market days of a batch and the one after them, `YYYYMMDD`. */
export const daysOf = (instantsMs: ReadonlyArray<number>): ReadonlyArray<string> => {
  // Market time is whole hours from UTC, and thousands of records are of the same one.
  const hours = new Set(instantsMs.map((atMs) => Math.floor(atMs / hour_ms)))
  const days = new Set(
    [...hours]
      .filter((hour) => !Number.isNaN(hour))
      .map((hour) => marketDate(hour * hour_ms))
      .filter(isPlausibleDay)
  )
  const last = [...days].toSorted().at(-1)
  if (last !== undefined) days.add(marketDate(marketMidnight(last) + day_ms))
  return [...days]
}

const nameOf = (day: string) => `pattern_records_p${day}`

/** The market day (`YYYYMMDD`) of a partition's name; `undefined` for a table that the observer has not made. */
export const dayOfPartition = (name: string): string | undefined => /^pattern_records_p(\d{8})$/.exec(name)?.[1]

/**
 * One statement that makes a day's partition unless it is there. The table is made apart and attached, which, unlike
 * `create table … partition of`, lets readers and writers of the other days go on; the lock makes two makers take turns.
 */
const creation = (day: string) => {
  const name = nameOf(day)
  const from = marketMidnight(day)
  const [lower, upper] = [from, from + day_ms].map((atMs) => new Date(atMs).toISOString())
  return `do $$ begin
    perform pg_advisory_xact_lock(${lock});
    if to_regclass('${name}') is null and exists (
      select from pg_class where oid = 'pattern_records'::regclass and relkind = 'p'
    ) then
      create table ${name} (like pattern_records including defaults including constraints);
      alter table pattern_records attach partition ${name} for values from ('${lower}') to ('${upper}');
    end if;
  end $$`
}

export const makePartitions = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const known = new Set<string>()
  const partitions: Partitions = {
    ensure: Effect.fnUntraced(function* (instantsMs) {
      for (const day of daysOf(instantsMs)) {
        if (known.has(day)) continue
        yield* sql.unsafe(creation(day))
        if (known.size >= known_days_max) known.clear()
        known.add(day)
      }
    }),
    forget: Effect.sync(() => known.clear())
  }
  return partitions
})
