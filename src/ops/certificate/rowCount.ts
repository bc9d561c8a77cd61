import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import {
  countRows,
  followedSeqs,
  hasTables,
  type HourRows,
  makeHourCount,
  missingIncidentsOf,
  missingOf
} from "../../sql/HourRows.ts"
import type { SqlDay } from "./Certificate.ts"
import type { RowCount } from "./certifyDay.ts"

/** No database is asked, and the certificate says why. */
export const noRows = (why: string): RowCount => ({
  see: () => undefined,
  result: () => Effect.succeed({ compared: false, why })
})

const unusable = ({ reason }: SqlError) => `the database cannot be used: ${String(reason.cause)}`

/** Compares with the database as it is: a certificate is not held up by one that is down. */
export const makeRowCount: Effect.Effect<RowCount, never, SqlClient.SqlClient> = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  if (!(yield* hasTables)) return noRows("the database has no tables of the observer")
  const followed = yield* followedSeqs
  const count = makeHourCount(followed)
  const row: RowCount = {
    see: count.see,
    result: (report) =>
      countRows(count, report.stretches, followed).pipe(
        Effect.map((compared): SqlDay => {
          const sum = (of: (each: HourRows) => number) => compared.hours.reduce((total, each) => total + of(each), 0)
          const above = (of: (each: HourRows) => number) => sum((each) => Math.max(0, of(each)))
          const below = (of: (each: HourRows) => number) => above((each) => -of(each))
          return {
            compared: true,
            lines: sum(({ lines }) => lines),
            rows: sum(({ rows }) => rows),
            refused: sum(({ refused }) => refused),
            incidentLines: sum(({ incidentLines }) => incidentLines),
            incidentRows: sum(({ incidentRows }) => incidentRows),
            missing: { rows: above(missingOf), incidents: above(missingIncidentsOf) },
            surplus: { rows: below(missingOf), incidents: below(missingIncidentsOf) },
            differing_hours: sum(({ differing }) => (differing ? 1 : 0)),
            waiting: count.waiting(),
            ...compared
          }
        }),
        Effect.catch((error) => Effect.succeed<SqlDay>({ compared: false, why: unusable(error) })),
        Effect.provideService(SqlClient.SqlClient, sql)
      )
  }
  return row
}).pipe(Effect.catch((error) => Effect.succeed(noRows(unusable(error)))))
