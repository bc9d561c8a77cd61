import { Option, Schema } from "effect"
import type { JournalRecord } from "./JournalRecord.ts"

const { Finite, Int, Literal, optionalKey, Record, String: Text, Struct } = Schema

/** Records of one source in one minute. */
export const MinuteSource = Struct({
  received: Int,
  /** Written to the journal as data or as a marker. */
  stored: Int,
  rejected: Int,
  deduplicated: Int,
  /** On their way when the minute ended; no amount of the minute, and so the only one not to be added up. */
  inFlight: Int
})
export type MinuteSource = typeof MinuteSource.Type

/**
 * The payload of the marker that is written once a minute: what was received in it and what has become of that, what was
 * asked of the broker, and how far SQL was behind. Instants are UTC, market time.
 */
export const MinuteMarker = Struct({
  event: Literal("minute"),
  /** When the minute began; of several that are told together the last one. */
  minute: Text,
  /** When the amounts begin, where that is not `minute`: the first of a run, or one before which none could be written. */
  from: optionalKey(Text),
  /** When they end, where that is not a minute later: the last of a run. */
  to: optionalKey(Text),
  /** Since when this run of the observer counts; in flight it began with nothing. */
  since: Text,
  sources: Record(Text, MinuteSource),
  /** What the law of conservation lacked when the minute ended, by source; absent while it holds. */
  remainder: optionalKey(Record(Text, Int)),
  /** Calls to the broker by account; refused are those that it found too many. */
  calls: Record(Text, Struct({ answered: Int, refused: Int })),
  /** Access tokens asked for. */
  tokens: Int,
  /** Frames of the streams, and their bytes. */
  frames: Int,
  bytes: Int,
  /** Age of the oldest record that SQL had not stored when the minute ended; absent without SQL. */
  lag_seconds: optionalKey(Finite)
})
export type MinuteMarker = typeof MinuteMarker.Type

const decode = Schema.decodeUnknownOption(MinuteMarker)

/** What a record says of its minute; `undefined` of any other record. */
export const minuteMarkerOf = (record: Pick<JournalRecord, "kind" | "payload">): MinuteMarker | undefined => {
  // Of other records the payload may not have been parsed, and is not to be for this.
  if (record.kind !== "marker") return undefined
  const { payload } = record
  return !Array.isArray(payload) && "event" in payload && payload["event"] === "minute"
    ? Option.getOrUndefined(decode(payload))
    : undefined
}
