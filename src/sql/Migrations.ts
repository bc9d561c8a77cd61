import { Migrator } from "effect/sql"
import { fromFileSystem } from "effect/sql/MigratorFileSystem"

const run = Migrator.make({})

/** The migrations of a folder, `NNNN_name.js` (or `.ts` where Node runs it), each with an Effect as its default export. */
export const migrationsIn = fromFileSystem

/**
 * Brings the database to the newest version and gives the migrations that ran. Safe from several processes at once: each
 * waits for the lock on the table of migrations, and finds nothing left to do. A server that cannot be reached is a
 * retryable `SqlError`.
 */
export const migrate = <R>(migrations: Migrator.Loader<R>) => run({ loader: migrations })
