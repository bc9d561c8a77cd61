import { knownWidths } from "./StreamLayout.ts"

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
  if (text.startsWith("1")) return { _tag: "Encrypted", trId, count, body: text.slice(third + 1) }
  if (!text.startsWith("0")) return malformed(`it begins with "${text.slice(0, 1)}"`)
  return decodeRecords(trId, count, text, third + 1)
}

/**
 * Splits the values that begin at `from` of a text into `count` records, as of a plain frame or of an opened one. Only
 * the ends of the values are looked for first: the values are taken out once, straight into the record they belong to,
 * which costs less than splitting the frame and copying the records out of it (`bench/decode.mjs`).
 */
export const decodeRecords = (trId: string, count: number, text: string, from: number): RecordsFrame | MalformedFrame => {
  const values = findEnds(text, from)
  const width = values / count
  if (!Number.isInteger(width)) return malformed(`its ${values} values do not divide into ${count} records`)
  const known = knownWidths[trId]
  if (known !== undefined && width < known.min) return malformed(`its records have ${width} values, ${known.min} are known`)
  // Columns come one by one; values for another whole record mean that the count is wrong.
  if (known !== undefined && width >= 2 * known.min)
    return malformed(`its ${values} values are too many for ${count} records of ${known.max}`)
  const records = takeRecords(text, from, count, width)
  return { _tag: "Records", trId, records, extraColumns: known === undefined ? 0 : Math.max(0, width - known.max) }
}

/** Where each value of the frame in hand ends; kept from frame to frame, and as long as the longest one so far. */
let ends = new Int32Array(1_024)

/** Finds the end of every value from `from` on; gives how many there are. */
const findEnds = (text: string, from: number): number => {
  let values = 0
  for (let end = text.indexOf("^", from); end !== -1; end = text.indexOf("^", end + 1)) {
    if (values + 1 >= ends.length) ends = longer(ends)
    ends[values++] = end
  }
  ends[values++] = text.length
  return values
}

const longer = (short: Int32Array): Int32Array<ArrayBuffer> => {
  const long = new Int32Array(short.length * 2)
  long.set(short)
  return long
}

const takeRecords = (text: string, from: number, count: number, width: number) => {
  const blank = blankOf(width)
  const records: Array<ReadonlyArray<string>> = []
  let begin = from
  let value = 0
  while (records.length < count) {
    const record = blank.slice()
    for (let column = 0; column < width; column++) {
      const end = ends[value++] as number
      record[column] = text.slice(begin, end)
      begin = end + 1
    }
    records.push(record)
  }
  return records
}

/**
 * A record of the width last asked for, to make others of. A copy has its full length at once, which a list that grows has
 * not, and the engine has no opinion on how long a copy will live: arrays that are made new here are put among the old
 * ones once a large chunk has been seen to live through a collection, and a dead old array keeps all its values.
 */
let blank: ReadonlyArray<string> = []
const blankOf = (width: number): ReadonlyArray<string> => {
  if (blank.length !== width) blank = Array.from({ length: width }, () => "")
  return blank
}

/** The count between two places of a text, in digits and at least 1; `undefined` when it is none. */
const countOf = (text: string, from: number, to: number): number | undefined => {
  let count = 0
  for (let at = from; at < to; at++) {
    const digit = text.charCodeAt(at) - 48
    if (digit < 0 || digit > 9) return undefined
    count = count * 10 + digit
  }
  return count < 1 ? undefined : count
}

const malformed = (detail: string): MalformedFrame => ({ _tag: "Malformed", detail })
