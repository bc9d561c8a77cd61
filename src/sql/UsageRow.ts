import type { JournalRecord } from "../domain/JournalRecord.ts"
import { minuteMarkerOf } from "../domain/MinuteMarker.ts"
import { table } from "./Rows.ts"

/** A line of `usage_metrics`: one source in one minute, as one marker of the journal tells it. */
export interface UsageRow {
  readonly minuteMs: number
  readonly source: string
  readonly seq: number
  readonly received: number
  readonly stored: number
  readonly rejected: number
  readonly deduplicated: number
  readonly inFlight: number
  readonly remainder: number
  readonly calls: number
  readonly refused: number
  readonly tokens: number
  readonly frames: number
  readonly bytes: number
  readonly lag_seconds: number | undefined
}

const nothing = { received: 0, stored: 0, rejected: 0, deduplicated: 0, inFlight: 0 }
const unspent = { calls: 0, refused: 0, tokens: 0, frames: 0, bytes: 0 }

/**
 * The rows of a minute's marker, and none of any other record. Calls and tokens are spent on `kis-rest`, frames and bytes
 * come with `kis-ws`; these two have a row when anything of that was.
 */
export const usageRows = (record: JournalRecord): ReadonlyArray<UsageRow> => {
  const marker = minuteMarkerOf(record)
  const minuteMs = Date.parse(marker?.minute ?? "")
  if (marker === undefined || Number.isNaN(minuteMs)) return []
  const { bytes, frames, lag_seconds, sources, tokens } = marker
  const accounts = Object.values(marker.calls)
  const refused = accounts.reduce((sum, each) => sum + each.refused, 0)
  const calls = accounts.reduce((sum, { answered }) => sum + answered, refused)
  const spent: Readonly<Record<string, Partial<typeof unspent>>> = {
    ...(calls + tokens > 0 ? { "kis-rest": { calls, refused, tokens } } : {}),
    ...(frames + bytes > 0 ? { "kis-ws": { frames, bytes } } : {})
  }
  return [...new Set([...Object.keys(sources), ...Object.keys(spent)])].map((source) => ({
    minuteMs,
    source,
    seq: record.seq,
    ...nothing,
    ...sources[source],
    remainder: marker.remainder?.[source] ?? 0,
    ...unspent,
    ...spent[source],
    lag_seconds
  }))
}

const whole = (value: number) => BigInt(value)

export const usageTable = table<UsageRow>("usage_metrics", [
  { name: "minute", type: "timestamptz", value: (row) => row.minuteMs },
  { name: "node", type: "text", value: (_, node) => node },
  { name: "source", type: "text", value: (row) => row.source },
  { name: "seq", type: "int8", value: (row) => whole(row.seq) },
  { name: "received", type: "int8", value: (row) => whole(row.received) },
  { name: "records", type: "int8", value: (row) => whole(row.stored) },
  { name: "rejected", type: "int8", value: (row) => whole(row.rejected) },
  { name: "deduplicated", type: "int8", value: (row) => whole(row.deduplicated) },
  { name: "in_flight", type: "int8", value: (row) => whole(row.inFlight) },
  { name: "remainder", type: "int8", value: (row) => whole(row.remainder) },
  { name: "calls", type: "int8", value: (row) => whole(row.calls) },
  { name: "refused", type: "int8", value: (row) => whole(row.refused) },
  { name: "tokens", type: "int8", value: (row) => whole(row.tokens) },
  { name: "frames", type: "int8", value: (row) => whole(row.frames) },
  { name: "bytes", type: "int8", value: (row) => whole(row.bytes) },
  { name: "lag_seconds", type: "float8", value: (row) => row.lag_seconds ?? null }
])
