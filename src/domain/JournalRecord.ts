import { Schema } from "effect"
import type { Phase } from "./Phase.ts"
import { makeRecordId } from "./RecordId.ts"
import type { Venue } from "./Venue.ts"

export const dataKinds = ["trade", "book", "quote", "index"] as const
export const recordKinds = [...dataKinds, "gap", "reject", "marker"] as const

/** What was seen of a symbol: these lines become rows of `pattern_records`. */
export type DataKind = (typeof dataKinds)[number]
export type RecordKind = (typeof recordKinds)[number]
export const recordSources = ["kis-ws", "kis-rest", "backfill", "observer"] as const

export type RecordSource = (typeof recordSources)[number]

export interface Quality {
  readonly flags: ReadonlyArray<string>
  readonly lagMs?: number
}

/** A record before the journal has given it its place. Times are UTC milliseconds since 1970. */
export interface RecordDraft {
  readonly kind: RecordKind
  readonly symbol?: string | undefined
  readonly receivedAtMs: number
  readonly exchangeAtMs?: number | undefined
  readonly source: RecordSource
  /** The alias of the account, never a key. */
  readonly account?: string | undefined
  readonly venue?: Venue | undefined
  readonly phase?: Phase | undefined
  /** KRW. */
  readonly price?: number | undefined
  /** Shares. */
  readonly volume?: number | undefined
  readonly cumVolume?: number | undefined
  readonly ask?: number | undefined
  readonly bid?: number | undefined
  readonly quality?: Quality | undefined
  /** Every value the broker sent, unchanged. */
  readonly payload: object
}

/** One line of the journal, version 1. Keys are written in this order; an absent key means unknown. */
export const JournalRecord = Schema.Struct({
  v: Schema.Literal(1),
  seq: Schema.Int.check(Schema.isGreaterThan(0)),
  id: Schema.String,
  kind: Schema.Literals(recordKinds),
  symbol: Schema.optionalKey(Schema.String),
  receivedAt: Schema.String,
  exchangeAt: Schema.optionalKey(Schema.String),
  source: Schema.Literals(recordSources),
  account: Schema.optionalKey(Schema.String),
  venue: Schema.optionalKey(Schema.Literals(["KRX", "NXT", "UN"])),
  phase: Schema.optionalKey(Schema.String),
  price: Schema.optionalKey(Schema.Finite),
  volume: Schema.optionalKey(Schema.Finite),
  cumVolume: Schema.optionalKey(Schema.Finite),
  ask: Schema.optionalKey(Schema.Finite),
  bid: Schema.optionalKey(Schema.Finite),
  quality: Schema.optionalKey(
    Schema.Struct({ flags: Schema.Array(Schema.String), lagMs: Schema.optionalKey(Schema.Finite) })
  ),
  payload: Schema.Union([Schema.Array(Schema.Unknown), Schema.Record(Schema.String, Schema.Unknown)])
})
export type JournalRecord = typeof JournalRecord.Type

export const isDataKind = (kind: RecordKind): kind is DataKind =>
  kind !== "gap" && kind !== "reject" && kind !== "marker"

/** No line holds `null`, which is what JSON makes of `NaN`: a number that is none is unknown, and so absent. */
const knownNumber = (value: number | undefined): number | undefined => (Number.isFinite(value) ? value : undefined)

const instant_ms_max = 8.64e15

/** UTC, ISO 8601; a time that is none is unknown. */
export const knownInstant = (atMs: number | undefined): string | undefined =>
  atMs !== undefined && Math.abs(atMs) <= instant_ms_max ? new Date(atMs).toISOString() : undefined

/** A lag that is no number is unknown. */
export const knownQuality = (quality: Quality): Quality =>
  quality.lagMs === undefined || Number.isFinite(quality.lagMs) ? quality : { flags: quality.flags }

/** Gives drafts their `seq`, `id` and final shape; one numberer per node, since ids are made of the node's name. */
export const makeNumberer = (node: string) => {
  const id = makeRecordId(node)
  return (draft: RecordDraft, seq: number): JournalRecord => {
    const record = {
      v: 1,
      seq,
      id: id(draft.receivedAtMs, seq),
      kind: draft.kind,
      symbol: draft.symbol,
      receivedAt: new Date(draft.receivedAtMs).toISOString(),
      exchangeAt: knownInstant(draft.exchangeAtMs),
      source: draft.source,
      account: draft.account,
      venue: draft.venue,
      phase: draft.phase,
      price: knownNumber(draft.price),
      volume: knownNumber(draft.volume),
      cumVolume: knownNumber(draft.cumVolume),
      ask: knownNumber(draft.ask),
      bid: knownNumber(draft.bid),
      quality: draft.quality && knownQuality(draft.quality),
      payload: draft.payload
    }
    // Keys holding `undefined` disappear when the line is written, which is what an absent key means.
    return record as JournalRecord
  }
}

/** One line, without its newline. */
export const encodeLine = (record: JournalRecord): string => JSON.stringify(record)

/** Reads one line back; fails with a `SchemaError` that names the key at fault. */
export const decodeLine = Schema.decodeUnknownResult(Schema.fromJsonString(JournalRecord))
