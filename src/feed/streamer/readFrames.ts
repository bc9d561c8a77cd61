import type { RecordDraft } from "../../domain/JournalRecord.ts"
import type { RejectReason } from "../../domain/Reject.ts"
import type { Sighting } from "../../domain/Sighting.ts"
import { decodeFrame } from "../../kis/Frame.ts"
import type { StreamMessage } from "../../kis/StreamSocket.ts"
import { reject } from "../FeedRecord.ts"
import { bookColumns_min, bookSighting } from "../KisBook.ts"
import { type MarketStatus, marketStatus, statusColumns_min } from "../KisMarketStatus.ts"
import { tradeSighting } from "../KisTrade.ts"

/** The streams that are read. */
export const streamIds = { trades: "H0STCNT0", book: "H0STASP0", status: "H0STMKO0" } as const

/** How a record of each stream that carries data becomes a sighting. */
const dataStreams: Readonly<
  Record<
    string,
    {
      readonly columns_min: number
      readonly read: (values: ReadonlyArray<string>, receivedAtMs: number, extraColumns: number) => Sighting
    }
  >
> = {
  [streamIds.trades]: { columns_min: 46, read: tradeSighting },
  [streamIds.book]: { columns_min: bookColumns_min, read: bookSighting }
}

/** Whether a stream carries data of symbols: these have holes, and a rhythm. */
export const carriesData = (trId: string): boolean => trId === streamIds.trades || trId === streamIds.book

const isRead = (trId: string): boolean => Object.hasOwn(dataStreams, trId) || trId === streamIds.status

/** What a frame of data that could be read says of one symbol; a frame may hold records of several. */
export interface HeardFrame {
  readonly trId: string
  readonly receivedAtMs: number
  /** The newest of its records. */
  readonly last: Sighting
}

/** What a chunk of frames holds. Every record received is in exactly one of `sightings`, `statuses` and `refused`. */
export interface ReadFrames {
  readonly sightings: ReadonlyArray<Sighting>
  readonly statuses: ReadonlyArray<{ readonly status: MarketStatus; readonly values: ReadonlyArray<string> }>
  /** Frames that could not be read, whole, as the records of their refusal. */
  readonly refused: ReadonlyArray<RecordDraft>
  readonly heard: ReadonlyArray<HeardFrame>
  /** Streams whose records have more values than are known, by stream and width. */
  readonly drifts: ReadonlyMap<string, Drift>
}

/** A layout that is wider than the ones known of a stream. */
export interface Drift {
  readonly stream: string
  readonly columns: number
  readonly known: number
}

/** Reads a chunk of frames. A frame that cannot be split costs its own records only, and is kept whole. */
export const readFrames = (
  frames: ReadonlyArray<StreamMessage>,
  account: string,
  marketAt: (wallMs: number) => number
): ReadFrames => {
  const sightings: Array<Sighting> = []
  const statuses: Array<{ readonly status: MarketStatus; readonly values: ReadonlyArray<string> }> = []
  const refused: Array<RecordDraft> = []
  const heard: Array<HeardFrame> = []
  const drifts = new Map<string, Drift>()
  for (const { receivedAtMs, text } of frames) {
    const atMs = marketAt(receivedAtMs)
    const refuse = (reason: RejectReason) => refused.push(reject("kis-ws", account, atMs, reason, text))
    const frame = decodeFrame(text)
    if (frame._tag !== "Records") {
      // What is encrypted still could not be opened.
      refuse(frame._tag === "Encrypted" && !isRead(frame.trId) ? "unknownStream" : "frameShape")
      continue
    }
    const { extraColumns, records, trId } = frame
    const data = Object.hasOwn(dataStreams, trId) ? dataStreams[trId] : undefined
    const columns = records[0]?.length ?? 0
    if (data !== undefined && columns >= data.columns_min) {
      let last: Sighting | undefined
      for (const values of records) {
        const sighting = data.read(values, atMs, extraColumns)
        if (last !== undefined && last.symbol !== sighting.symbol) heard.push({ trId, receivedAtMs, last })
        sightings.push(sighting)
        last = sighting
      }
      if (last !== undefined) heard.push({ trId, receivedAtMs, last })
    } else if (trId === streamIds.status && columns >= statusColumns_min) {
      for (const values of records) statuses.push({ status: marketStatus(values, atMs), values })
    } else {
      refuse(isRead(trId) ? "frameShape" : "unknownStream")
      continue
    }
    if (extraColumns > 0) drifts.set(`${trId} ${columns}`, { stream: trId, columns, known: columns - extraColumns })
  }
  return { sightings, statuses, refused, heard, drifts }
}
