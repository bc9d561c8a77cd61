import { type KnownWidth, knownWidths } from "./StreamLayout.ts"

/**
 * The streaming wire format: `<0|1>|<TR>|<count>|<value>^<value>…` (kis/websocket.md §5). When `count` is more than one,
 * the records follow each other with the same `^`, so the width of a record is the number of values ÷ `count`.
 */
export type Frame = RecordsFrame | EncryptedFrame | MalformedFrame

export interface RecordsFrame {
  readonly _tag: "Records"
  readonly trId: string
  /** The values of each record, in wire order, unchanged; each record's array is its own. */
  readonly records: ReadonlyArray<ReadonlyArray<string>>
  /** Values a record has beyond those known. */
  readonly extraColumns: number
}

export interface EncryptedFrame {
  readonly _tag: "Encrypted"
  readonly trId: string
  readonly count: number
  /** What stands behind the third `|`: base64, to be opened by `FrameCipher`. */
  readonly body: string
}

export interface MalformedFrame {
  readonly _tag: "Malformed"
  readonly detail: string
}

/** Splits a data frame. Never shifts columns: what does not divide evenly is malformed, as is what is narrower than known. */
export const decodeFrame = (text: string): Frame => {
  const first = text.indexOf("|")
  const second = text.indexOf("|", first + 1)
  const third = text.indexOf("|", second + 1)
  if (first !== 1 || second === -1 || third === -1) return malformed("it does not have three | before its values")
  const trId = text.slice(2, second)
  const count = countOf(text, second + 1, third)
  if (count === undefined) return malformed(`its count is "${text.slice(second + 1, Math.min(third, second + 21))}"`)
  if (text.startsWith("0")) return decodeRecords(trId, count, text, third + 1)
  if (text.startsWith("1")) return { _tag: "Encrypted", trId, count, body: text.slice(third + 1) }
  return malformed(`it begins with "${text.slice(0, 1)}"`)
}

/** Splits the values from a place of a text on into `count` records: of a plain frame, or of an opened one. */
export const decodeRecords = (
  trId: string,
  count: number,
  text: string,
  from: number
): RecordsFrame | MalformedFrame => {
  const stream = streams.get(trId)
  const asBefore = stream === undefined ? undefined : takeRecords(text, from, count, stream.blank)
  if (stream !== undefined && asBefore !== undefined) return recordsFrame(trId, asBefore, stream)
  const values = countValues(text, from)
  const width = values / count
  if (width < 1 || !Number.isInteger(width))
    return malformed(`its ${values} values do not divide into ${count} records`)
  if (stream !== undefined) {
    const { max, min } = stream.known
    if (width < min) return malformed(`its records have ${width} values, ${min} are known`)
    // Columns come one by one; values for another whole record mean that the count is wrong.
    if (width >= 2 * min) return malformed(`its ${values} values are too many for ${count} records of ${max}`)
  }
  const blank = Array.from({ length: width }, () => "")
  if (stream !== undefined) stream.blank = blank
  return recordsFrame(trId, takeRecords(text, from, count, blank) ?? [], stream)
}

const recordsFrame = (trId: string, records: RecordsFrame["records"], stream: Stream | undefined): RecordsFrame => ({
  _tag: "Records",
  trId,
  records,
  extraColumns: stream === undefined ? 0 : Math.max(0, stream.blank.length - stream.known.max)
})

/**
 * A stream whose widths are known, and an empty record of the width its last frame had. The next frame has the same nearly
 * always, so its values are taken out while their ends are found; only when it has not, they are counted.
 *
 * Records are copies of that empty one. A copy has its full length at once, and the engine has no opinion on how long a
 * copy will live: an array that is made new at one place is put among the old ones as soon as others of that place have
 * lived through a collection, in a burst; and a dead old array keeps all its values (`bench/decode.mjs`: a third of the
 * speed).
 */
interface Stream {
  readonly known: KnownWidth
  blank: ReadonlyArray<string>
}

const streams: ReadonlyMap<string, Stream> = new Map(
  [...knownWidths].map(([trId, known]) => [trId, { known, blank: Array.from({ length: known.max }, () => "") }])
)

/** Takes `count` records of the width of `blank` out of the text; `undefined` unless they are exactly what it holds. */
const takeRecords = (
  text: string,
  from: number,
  count: number,
  blank: ReadonlyArray<string>
): ReadonlyArray<ReadonlyArray<string>> | undefined => {
  const width = blank.length
  const records: Array<ReadonlyArray<string>> = []
  let begin = from
  for (let taken = 0; taken < count; taken++) {
    const record = blank.slice()
    for (let column = 0; column < width; column++) {
      // Behind the last value of all.
      if (begin > text.length) return undefined
      const mark = text.indexOf("^", begin)
      const end = mark === -1 ? text.length : mark
      record[column] = text.slice(begin, end)
      begin = end + 1
    }
    records.push(record)
  }
  return begin > text.length ? records : undefined
}

const countValues = (text: string, from: number): number => {
  let values = 1
  for (let mark = text.indexOf("^", from); mark !== -1; mark = text.indexOf("^", mark + 1)) values += 1
  return values
}

/** The broker writes three digits. So many that they become `Infinity` would divide any number of values into none. */
const countDigits_max = 6

/** The count between two places of a text, in digits and at least 1; `undefined` when it is none. */
const countOf = (text: string, from: number, to: number): number | undefined => {
  if (to - from > countDigits_max) return undefined
  let count = 0
  for (let at = from; at < to; at++) {
    const digit = text.charCodeAt(at) - 48
    if (digit < 0 || digit > 9) return undefined
    count = count * 10 + digit
  }
  return count < 1 ? undefined : count
}

const malformed = (detail: string): MalformedFrame => ({ _tag: "Malformed", detail })
