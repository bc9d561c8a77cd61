import { encodeLine, type JournalRecord } from "../domain/JournalRecord.ts"
import { payloadBytes } from "../journal/QuickLine.ts"
import { makeRecordId } from "../domain/RecordId.ts"
import type { Refusal } from "./DatabaseError.ts"

/** A line of `ingest_errors`: what was missed, refused by us, or refused by the server. */
export interface ErrorRow {
  readonly id: string
  readonly kind: "gap" | "reject" | "failure"
  readonly reason: string
  readonly symbol: string | null
  readonly receivedAtMs: number | null
  readonly raw: string | null
  readonly detail: object | null
  readonly repair: string | null
  readonly seq: number
}

/** Text as PostgreSQL can hold it: a NUL becomes the picture of one, half a surrogate pair the replacement character. */
export const storable = (text: string): string => text.replaceAll("\u0000", "\u2400").toWellFormed()

const storableDeep = (value: unknown): unknown =>
  typeof value === "string"
    ? storable(value)
    : Array.isArray(value)
      ? value.map(storableDeep)
      : typeof value === "object" && value !== null
        ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [storable(key), storableDeep(inner)]))
        : value

const isUuid = (text: string) => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)

/** The id of a record, or where it has none that is one, the id it should have. */
export const errorIdOf = (record: JournalRecord, node: string): string => {
  if (isUuid(record.id)) return record.id
  const atMs = Date.parse(record.receivedAt)
  return makeRecordId(node)(Number.isNaN(atMs) ? 0 : atMs, record.seq)
}

/** What every error row says of its record, made so that the server cannot refuse it in its turn. */
const identity = (record: JournalRecord, node: string) => {
  const atMs = Date.parse(record.receivedAt)
  return {
    id: errorIdOf(record, node),
    symbol: record.symbol === undefined ? null : storable(record.symbol),
    receivedAtMs: Number.isNaN(atMs) ? null : atMs,
    seq: record.seq
  }
}

const textAt = (payload: JournalRecord["payload"], key: string): string | null => {
  const value = Array.isArray(payload) ? undefined : Object.entries(payload).find(([name]) => name === key)?.[1]
  if (value === undefined || value === null) return null
  return storable(typeof value === "string" ? value : JSON.stringify(value))
}

/** The row of a `gap` or a `reject`. */
export const incidentRow = (record: JournalRecord, node: string): ErrorRow => {
  const { payload } = record
  return record.kind === "gap"
    ? {
        ...identity(record, node),
        kind: "gap",
        reason: textAt(payload, "cause") ?? "unknown",
        raw: null,
        detail: Object(storableDeep(payload)),
        repair: textAt(payload, "repairedBy")
      }
    : {
        ...identity(record, node),
        kind: "reject",
        reason: textAt(payload, "reason") ?? "unknown",
        raw: textAt(payload, "raw"),
        detail: {
          source: record.source,
          ...(record.account === undefined ? {} : { account: storable(record.account) })
        },
        repair: null
      }
}

/** The line; one whose payload is no JSON is told with its payload as a text. */
const lineOf = (record: JournalRecord): string => {
  try {
    return encodeLine(record)
  } catch {
    const payload = Buffer.from(payloadBytes(record) ?? []).toString()
    const keys = Object.keys(record)
    return JSON.stringify(
      Object.fromEntries(keys.map((key) => [key, key === "payload" ? payload : Reflect.get(record, key)]))
    )
  }
}

/** The row of a record the server refused: its line, and the server's words. */
export const failureRow = (record: JournalRecord, node: string, refusal: Refusal): ErrorRow => ({
  ...identity(record, node),
  kind: "failure",
  reason: "refusedBySql",
  raw: storable(lineOf(record)),
  detail: { kind: storable(record.kind), code: refusal.code, message: storable(refusal.message) },
  repair: null
})
