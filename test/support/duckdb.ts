import { Effect } from "effect"

type Row = Readonly<Record<string, unknown>>

const loaded = await import("@duckdb/node-api").catch((cause: unknown) => String(cause))

/** Why the tests against DuckDB are not run here; printed by those that skip. Its binary is not there for every machine. */
export const duckdbMissing = typeof loaded === "string" ? `DuckDB cannot be loaded: ${loaded}` : undefined

/** A database in memory, whose clock is the market's whatever the machine's is. Only where `duckdbMissing` is undefined. */
export const duckdb = Effect.gen(function* () {
  if (typeof loaded === "string") return yield* Effect.die(new Error(loaded))
  const { DuckDBInstance } = loaded
  const connection = yield* Effect.acquireRelease(
    Effect.promise(async () => (await DuckDBInstance.create(":memory:")).connect()),
    (open) => Effect.sync(() => open.closeSync())
  )
  /** The rows of the last statement, as JSON has them: whole numbers of 64 bits are text. */
  const rowsOf = (sql: string): Effect.Effect<ReadonlyArray<Row>> =>
    Effect.promise(async () => (await connection.runAndReadAll(sql)).getRowObjectsJson() as Array<Row>)
  yield* rowsOf("SET TimeZone = 'UTC'")
  return { rowsOf }
})
