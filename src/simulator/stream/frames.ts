import type { Outgoing } from "./FrameTap.ts"
import type { StreamCode } from "./StreamRequest.ts"

/** The most records one frame was ever seen to hold; a longer burst goes on in the next. */
export const recordsPerFrame = 20

/** A frame of records of one symbol: `0|H0STCNT0|003|…^…`, encoded once for all who hear of it. */
export const dataFrame = (
  trId: string,
  trKey: string,
  records: ReadonlyArray<string>,
  cumVolumes: ReadonlyArray<number>
): Outgoing => {
  const count = records.length
  const text = `0|${trId}|${count < 10 ? "00" : "0"}${count}|${records.join("^")}`
  // Records are ASCII, or stray bytes: Latin-1 is both of them byte for byte.
  const untouched = [{ data: Buffer.from(text, "latin1"), records: count }]
  return { _tag: "Records", trId, trKey, records: count, text, cumVolumes, untouched }
}

/** A frame whose one record only its session can read. */
export const sealedFrame = (trId: string, trKey: string, sealed: string): Outgoing => {
  const text = `1|${trId}|001|${sealed}`
  return { _tag: "Records", trId, trKey, records: 1, text, cumVolumes: [], untouched: [{ data: text, records: 1 }] }
}

export const replyFrame = (trId: string, trKey: string, code: StreamCode, text: string): Outgoing => ({
  _tag: "Reply",
  trId,
  trKey,
  code,
  text,
  untouched: [{ data: text, records: 0 }]
})

export const pingPongFrame = (text: string): Outgoing => ({
  _tag: "PingPong",
  text,
  untouched: [{ data: text, records: 0 }]
})
