/**
 * The streaming wire format: `<0|1>|<TR>|<count>|<value>^<value>…` (kis/websocket.md §5). When `count` is more than one,
 * the records follow each other with the same `^`, so the width of a record is the number of values ÷ `count`.
 */
export type Frame =
  | {
      readonly _tag: "Records"
      readonly trId: string
      /** The values of each record, in wire order, unchanged. */
      readonly records: ReadonlyArray<ReadonlyArray<string>>
      /** Values a record has beyond those known. */
      readonly extraColumns: number
    }
  | { readonly _tag: "Encrypted"; readonly trId: string; readonly count: number; readonly body: string }
  | { readonly _tag: "Malformed"; readonly detail: string }

/** The narrowest and the widest record of each stream that is known; the broker has added columns without warning. */
export const knownWidths: Readonly<Record<string, { readonly min: number; readonly max: number }>> = {
  H0STCNT0: { min: 46, max: 47 }
}

/** Splits a data frame. Never shifts columns: what does not divide evenly is malformed, as is what is narrower than known. */
export const decodeFrame = (text: string): Frame => {
  const first = text.indexOf("|")
  const second = text.indexOf("|", first + 1)
  const third = text.indexOf("|", second + 1)
  if (first !== 1 || second === -1 || third === -1) return malformed("it does not have three | before its values")
  const trId = text.slice(2, second)
  const countText = text.slice(second + 1, third)
  const count = Number(countText)
  if (!/^\d+$/.test(countText) || count < 1) return malformed(`its count is "${countText.slice(0, 20)}"`)
  const body = text.slice(third + 1)
  if (text.startsWith("1")) return { _tag: "Encrypted", trId, count, body }
  if (!text.startsWith("0")) return malformed(`it begins with "${text.slice(0, 1)}"`)
  const values = body.split("^")
  const width = values.length / count
  if (!Number.isInteger(width)) return malformed(`its ${values.length} values do not divide into ${count} records`)
  const known = knownWidths[trId]
  if (known !== undefined && width < known.min)
    return malformed(`its records have ${width} values, ${known.min} are known`)
  const records =
    count === 1 ? [values] : Array.from({ length: count }, (_, n) => values.slice(n * width, (n + 1) * width))
  return { _tag: "Records", trId, records, extraColumns: known === undefined ? 0 : Math.max(0, width - known.max) }
}

const malformed = (detail: string): Frame => ({ _tag: "Malformed", detail })
