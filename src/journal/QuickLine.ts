import { isDataKind, type JournalRecord } from "../domain/JournalRecord.ts"

/** Where the payload begins; it is the last key of a line, and no text before it can hold these bytes unescaped. */
const mark = Buffer.from(',"payload":')
const closingBrace = 0x7d

const bytesKey = Symbol("payload")

interface Quick {
  readonly [bytesKey]?: Uint8Array
}

const payload = {
  get(this: Quick): unknown {
    return JSON.parse(Buffer.from(this[bytesKey] ?? []).toString())
  },
  enumerable: true,
  configurable: true
}

/**
 * Reads a whole line of data, which lies between two places of what was read, without its payload: that is three quarters
 * of it, and SQL takes it as the text it is. `payload` is parsed whenever it is looked at. `undefined` for every other
 * line; what is wrong with it, or that it is no data, is for the caller to find.
 */
export const quickRecord = (bytes: Buffer, start: number, stop: number): JournalRecord | undefined => {
  const at = bytes.indexOf(mark, start)
  if (at === -1 || at > stop || bytes[stop - 1] !== closingBrace) return undefined
  try {
    const record = JSON.parse(`${bytes.toString("utf8", start, at)}}`) as JournalRecord
    if (record.v !== 1 || !Number.isSafeInteger(record.seq) || !isDataKind(record.kind)) return undefined
    Object.defineProperty(record, bytesKey, { value: bytes.subarray(at + mark.length, stop - 1) })
    return Object.defineProperty(record, "payload", payload)
  } catch {
    return undefined
  }
}

/** The payload as it stands in the line, in UTF-8, of a record that was read quickly. */
export const payloadBytes = (record: JournalRecord): Uint8Array | undefined => (record as Quick)[bytesKey]
