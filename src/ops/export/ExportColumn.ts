import type { JournalRecord, RecordKind } from "../../domain/JournalRecord.ts"
import { bookFields, tradeFields } from "../../kis/StreamFields.ts"

/** What a column holds: UTC instants as ISO 8601 text, whole numbers and any numbers, and text. */
type ColumnType = "instant" | "whole" | "number" | "text"
/** A value of a column; absent where the record does not have it. */
export type ExportValue = string | number | undefined

export interface ExportColumn {
  readonly name: string
  readonly type: ColumnType
  /** Rises, or nearly so, from row to row. */
  readonly rising?: true
  /** Differs in nearly every row and is long. */
  readonly bulky?: true
  readonly value: (record: JournalRecord, node: string) => ExportValue
}

/** The keys of a record, flat and under their own names, and the node that wrote it: `seq` is a node's own. */
export const recordColumns: ReadonlyArray<ExportColumn> = [
  { name: "node", type: "text", value: (_, node) => node },
  { name: "seq", type: "whole", rising: true, value: ({ seq }) => seq },
  { name: "id", type: "text", value: ({ id }) => id },
  { name: "kind", type: "text", value: ({ kind }) => kind },
  { name: "symbol", type: "text", value: ({ symbol }) => symbol },
  { name: "receivedAt", type: "instant", rising: true, value: ({ receivedAt }) => receivedAt },
  { name: "exchangeAt", type: "instant", rising: true, value: ({ exchangeAt }) => exchangeAt },
  { name: "source", type: "text", value: ({ source }) => source },
  { name: "account", type: "text", value: ({ account }) => account },
  { name: "venue", type: "text", value: ({ venue }) => venue },
  { name: "phase", type: "text", value: ({ phase }) => phase },
  { name: "price", type: "number", value: ({ price }) => price },
  { name: "volume", type: "whole", value: ({ volume }) => volume },
  { name: "cumVolume", type: "whole", value: ({ cumVolume }) => cumVolume },
  { name: "ask", type: "number", value: ({ ask }) => ask },
  { name: "bid", type: "number", value: ({ bid }) => bid },
  { name: "flags", type: "text", value: ({ quality }) => quality?.flags.join(" ") || undefined },
  { name: "lagMs", type: "number", value: ({ quality }) => quality?.lagMs },
  { name: "payload", type: "text", bulky: true, value: ({ payload }) => JSON.stringify(payload) }
]

const fieldsOf: Partial<Record<RecordKind, ReadonlyArray<string>>> = { trade: tradeFields, book: bookFields }

/** The kinds whose payload is the broker's values in wire order, without names. */
export const isNameless = (kind: RecordKind): boolean => fieldsOf[kind] !== undefined

const textAt = (payload: JournalRecord["payload"], index: number): string | undefined => {
  const value: unknown = Array.isArray(payload) ? payload[index] : undefined
  return typeof value === "string" ? value : undefined
}

/** The broker's own values of a stream record under the broker's names, as text; none of other kinds. */
export const brokerColumns = (kind: RecordKind): ReadonlyArray<ExportColumn> =>
  (fieldsOf[kind] ?? []).map((name, index) => ({
    name,
    type: "text",
    value: ({ payload }) => textAt(payload, index)
  }))
