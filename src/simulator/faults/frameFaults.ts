/**
 * Changes to one data frame, `0|TR|003|value^value…`, as a text of one character a byte. Encrypted ones (`1|…`) keep
 * their records whole.
 */

interface FrameParts {
  readonly head: string
  readonly count: string
  readonly body: string
}

const partsOf = (frame: string): FrameParts => {
  const second = frame.indexOf("|", frame.indexOf("|") + 1)
  const third = frame.indexOf("|", second + 1)
  return { head: frame.slice(0, second), count: frame.slice(second + 1, third), body: frame.slice(third + 1) }
}

const mapRecords = (frame: string, records: number, onRecord: (values: Array<string>) => Array<string>): string => {
  if (!frame.startsWith("0|")) return frame
  const { body, count, head } = partsOf(frame)
  const values = body.split("^")
  const width = values.length / records
  const changed = Array.from({ length: records }, (_, at) => onRecord(values.slice(at * width, (at + 1) * width)))
  return `${head}|${count}|${changed.flat().join("^")}`
}

export const moreColumns = (frame: string, records: number, columns: number): string =>
  mapRecords(frame, records, (values) => [...values, ...Array.from({ length: columns }, () => "0")])

export const fewerColumns = (frame: string, records: number, columns: number): string =>
  mapRecords(frame, records, (values) => values.slice(0, -columns))

/** One too many, so that the values can never be divided by it without a rest or a record too short. */
export const wrongCount = (frame: string): string => {
  const { body, count, head } = partsOf(frame)
  return `${head}|${String(Number(count) + 1).padStart(3, "0")}|${body}`
}

/** Ends in the first two of the three bytes of `가`, as a text field cut by bytes would. */
export const splitUtf8 = (frame: string): string => `${frame}\xea\xb0`
