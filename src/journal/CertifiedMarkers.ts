import { Effect, Result, Schema } from "effect"
import type { JournalRecord } from "../domain/JournalRecord.ts"
import { readManifest } from "./Manifest.ts"
import { readLines } from "./Reader.ts"
import { nameInDay } from "./SegmentName.ts"
import { listDays, listSegments } from "./Segments.ts"
import { CertifiedMarker } from "./Signature.ts"

/** A certificate that was put on record: the newest marker of a day counts. */
export interface OnRecord {
  readonly marker: CertifiedMarker
  readonly receivedAt: string
}

const decode = Schema.decodeUnknownResult(CertifiedMarker)
/** Every such marker holds this, and next to nothing else does: only such lines are parsed. */
const mark = Buffer.from('"event":"certified"')

/** Keeps the newest word of the journal about each day's certificate. */
export const makeMarkers = () => {
  const newest = new Map<string, OnRecord>()
  return {
    see: ({ kind, payload, receivedAt }: JournalRecord): void => {
      if (kind !== "marker" || Array.isArray(payload) || !("event" in payload) || payload["event"] !== "certified")
        return
      const marker = Result.getOrUndefined(decode(payload))
      if (marker === undefined) return
      const known = newest.get(marker.day)
      if (known === undefined || known.receivedAt < receivedAt) newest.set(marker.day, { marker, receivedAt })
    },
    /** Of a day as its folder is called, `YYYY/MM/DD`. */
    of: (day: string): OnRecord | undefined => newest.get(day.replaceAll("/", "-"))
  }
}
export type Markers = ReturnType<typeof makeMarkers>

export interface Search {
  readonly dataDir: string
  /** The first day to look into, `YYYY/MM/DD`, and how many of those there are. */
  readonly fromDay: string
  readonly days_max: number
  /** Sealed files that end before this are passed over. */
  readonly sinceMs?: number
  readonly isDone: () => boolean
}

/** Looks for markers in the order of days and files until `isDone`. A file that cannot be read is passed over: `verify` of its own day names it. */
export const seekMarkers = Effect.fn("CertifiedMarkers.seek")(function* (
  { dataDir, days_max, fromDay, isDone, sinceMs = Number.NEGATIVE_INFINITY }: Search,
  markers: Markers
) {
  const readOn = Effect.fnUntraced(function* (file: string, firstSeq: number) {
    let at = { seq: firstSeq - 1, file, byteOffset: 0 }
    while (!isDone()) {
      const chunk = yield* readLines(dataDir, at, { holding: mark })
      if (chunk === undefined) return
      at = chunk.end
      chunk.records.forEach(markers.see)
    }
  })
  for (const day of (yield* listDays(dataDir, fromDay)).slice(0, days_max)) {
    const entered = yield* readManifest(dataDir, day)
    const isBefore = (name: string) =>
      entered.some(({ file, lastReceivedAt }) => file === name && Date.parse(lastReceivedAt) < sinceMs)
    for (const { file, firstSeq } of yield* listSegments(dataDir, day)) {
      if (isDone()) return
      if (!isBefore(nameInDay(file)))
        yield* Effect.catchTag(readOn(file, firstSeq), "JournalReadError", () => Effect.void)
    }
  }
})
