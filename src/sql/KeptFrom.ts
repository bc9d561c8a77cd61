import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { marketDate } from "../calendar/MarketTime.ts"

/**
 * From when on the database keeps everything, UTC milliseconds; `undefined` where no day was ever dropped, or the tables
 * are of a version that did not say. Whoever compares rows asks after counting them: a day that was dropped meanwhile is
 * then known to be.
 */
export const readKeptFrom = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const [table] = yield* sql<{ there: boolean }>`select to_regclass('record_retention') is not null as there`
  if (table?.there !== true) return undefined
  const [kept] = yield* sql<{ at: Date }>`select kept_from as at from record_retention`
  return kept?.at.getTime()
})

/** Writes it down, in the transaction that removes what is older. It never moves back: what was dropped stays so. */
export const moveKeptFrom = Effect.fnUntraced(function* (toMs: number) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`insert into record_retention as known (kept_from) values (${new Date(toMs)})
    on conflict (is_only) do update set kept_from = excluded.kept_from where known.kept_from < excluded.kept_from`
})

/** The market day of that instant, `YYYY-MM-DD`. */
export const keptDay = (keptFromMs: number): string => marketDate(keptFromMs).replace(/(....)(..)(..)/, "$1-$2-$3")

/** Says of lines why no rows are asked for them. */
export const olderText = (lines: number, keptFrom: string): string =>
  `${lines.toLocaleString("en-US")} lines older than the database keeps, which is from ${keptDay(Date.parse(keptFrom))} on`
