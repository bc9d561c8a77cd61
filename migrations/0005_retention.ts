import { Effect } from "effect"
import { SqlClient } from "effect/sql"

/** From when on the database keeps what it was given, in its only row; older days were dropped by the observer, or may be at any time. */
export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`create table record_retention (
    is_only boolean primary key default true check (is_only),
    kept_from timestamptz not null
  )`
})
