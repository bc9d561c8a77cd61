import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import type { Migrator } from "effect/sql"

/** Where a database stands against the migrations of this program; names are `NNNN_name`. */
export interface MigrationState {
  readonly applied: ReadonlyArray<string>
  /** Would run now, in this order. */
  readonly pending: ReadonlyArray<string>
  /** Were run by a newer program: this one does not know what they did. */
  readonly ahead: ReadonlyArray<string>
}

export const migrationName = (id: number, name: string): string => `${String(id).padStart(4, "0")}_${name}`

/** The table of `effect/sql`'s migrator. */
const table = "effect_sql_migrations"

/** Compares the database with a folder of migrations; writes nothing, not even the table of what ran. */
export const migrationState = Effect.fn("MigrationState.read")(function* <R>(migrations: Migrator.Loader<R>) {
  const sql = yield* SqlClient.SqlClient
  const known = new Map((yield* migrations).map(([id, name]) => [id, name]))
  const [found] = yield* sql<{ there: boolean }>`select to_regclass(${table}) is not null as there`
  const rows =
    found?.there === true
      ? yield* sql<{ migration_id: number; name: string }>`select migration_id, name from ${sql(table)} order by 1`
      : []
  // Like the migrator: what is older than the newest that ran is not looked for.
  const newest = Math.max(0, ...rows.map(({ migration_id }) => Number(migration_id)))
  return {
    applied: rows.map(({ migration_id, name }) => migrationName(Number(migration_id), name)),
    pending: [...known].filter(([id]) => id > newest).map(([id, name]) => migrationName(id, name)),
    ahead: rows
      .filter(({ migration_id }) => !known.has(Number(migration_id)))
      .map(({ migration_id, name }) => migrationName(Number(migration_id), name))
  } satisfies MigrationState
})
