import { type JournalRecord, recordKinds } from "../../domain/JournalRecord.ts"
import { makeRecordId } from "../../domain/RecordId.ts"

const kinds = new Set<unknown>(recordKinds)
const sources = new Set<unknown>(["kis-ws", "kis-rest", "backfill", "observer"])

/** Reads lines of one node as records; gives a sentence for a line that is none, or not the one its id says. */
export const makeLineCheck = (node: string) => {
  const id = makeRecordId(node)
  return (text: string): JournalRecord | string => {
    let record: JournalRecord
    try {
      record = JSON.parse(text) as JournalRecord
    } catch {
      return "is not JSON"
    }
    if (typeof record !== "object" || record === null || record.v !== 1) return "is not a record of version 1"
    const { kind, payload, receivedAt, seq, source } = record
    if (!Number.isSafeInteger(seq) || seq < 1) return "has no seq"
    if (!kinds.has(kind)) return `has a kind that is none: ${String(kind)}`
    if (!sources.has(source)) return `has a source that is none: ${String(source)}`
    if (typeof payload !== "object" || payload === null) return "has no payload"
    const atMs = Date.parse(receivedAt)
    if (Number.isNaN(atMs) || new Date(atMs).toISOString() !== receivedAt) return "has no receivedAt"
    if (record.id !== id(atMs, seq)) return `has an id that is not the one of ${node}, ${seq} and ${receivedAt}`
    return record
  }
}
