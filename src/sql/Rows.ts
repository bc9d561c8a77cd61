import * as PgTypes from "@effect/sql-pg/PgTypes"
import { Result } from "effect"
import type { JournalRecord } from "../domain/JournalRecord.ts"
import { payloadBytes } from "../journal/QuickLine.ts"
import type { ErrorRow } from "./ErrorRow.ts"

interface Column<Row> {
  readonly name: string
  readonly type: keyof typeof PgTypes.OID
  readonly value: (row: Row, node: string) => unknown
}

/** A table, and the value of each of its columns for a row. */
export interface Table<Row> {
  /** Leaves rows that are there as they are. */
  readonly insert: string
  /** Fails with a unique violation when one is there, and is an eighth cheaper for that. */
  readonly insertNew: string
  readonly columns: ReadonlyArray<Column<Row>>
}

/** The columns in order. `insert` leaves what is there already as it is; `insertNew` takes all of it for new. */
export const table = <Row>(name: string, columns: ReadonlyArray<Column<Row>>): Table<Row> => {
  // One parameter a column, whatever the number of rows: the statement is prepared once. The arrays are unnested in the
  // list of what is selected, side by side: in the `from` each would be copied first.
  const insertNew = `insert into ${name} (${columns.map((column) => column.name).join(", ")})
    select ${columns.map((column, index) => `unnest($${index + 1}::${column.type}[])`).join(", ")}`
  return { columns, insertNew, insert: `${insertNew} on conflict do nothing` }
}

/** The parameters of a table's `insert` for some rows of one node: an array for each column. */
export const columnArrays = <Row>(
  { columns }: Table<Row>,
  rows: ReadonlyArray<Row>,
  node: string
): ReadonlyArray<PgTypes.Parameter> =>
  columns.map(({ type, value }) =>
    Result.getOrThrow(
      PgTypes.array(
        rows.map((row) => value(row, node)),
        PgTypes.OID[type]
      )
    )
  )

/** A number that is not whole is left as it is, for the codec of `bigint` to refuse by name. */
const shares = (value: number | undefined) =>
  value === undefined ? null : Number.isInteger(value) ? BigInt(value) : value

export const recordTable = table<JournalRecord>("pattern_records", [
  { name: "id", type: "uuid", value: (row) => row.id },
  { name: "symbol", type: "text", value: (row) => row.symbol ?? null },
  { name: "kind", type: "text", value: (row) => row.kind },
  { name: "received_at", type: "timestamptz", value: (row) => Date.parse(row.receivedAt) },
  { name: "exchange_at", type: "timestamptz", value: (row) => (row.exchangeAt ? Date.parse(row.exchangeAt) : null) },
  { name: "phase", type: "text", value: (row) => row.phase ?? null },
  { name: "price", type: "float8", value: (row) => row.price ?? null },
  { name: "volume", type: "int8", value: (row) => shares(row.volume) },
  { name: "cum_volume", type: "int8", value: (row) => shares(row.cumVolume) },
  { name: "payload_raw", type: "jsonb", value: (row) => payloadBytes(row) ?? row.payload },
  { name: "quality", type: "jsonb", value: (row) => row.quality ?? null },
  { name: "ingest_source", type: "text", value: (row) => row.source },
  { name: "node", type: "text", value: (_, node) => node },
  { name: "seq", type: "int8", value: (row) => BigInt(row.seq) }
])

export const errorTable = table<ErrorRow>("ingest_errors", [
  { name: "id", type: "uuid", value: (row) => row.id },
  { name: "kind", type: "text", value: (row) => row.kind },
  { name: "reason", type: "text", value: (row) => row.reason },
  { name: "symbol", type: "text", value: (row) => row.symbol },
  { name: "received_at", type: "timestamptz", value: (row) => row.receivedAtMs },
  { name: "raw", type: "text", value: (row) => row.raw },
  { name: "detail", type: "jsonb", value: (row) => row.detail },
  { name: "repair", type: "text", value: (row) => row.repair },
  { name: "node", type: "text", value: (_, node) => node },
  { name: "seq", type: "int8", value: (row) => BigInt(row.seq) }
])
