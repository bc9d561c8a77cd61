/** Faults inside a good answer: rows that are not there, and rows that say nothing. Any TR with an `output` will do. */

type Row = Readonly<Record<string, unknown>>

const isRow = (value: unknown): value is Row => typeof value === "object" && value !== null && !Array.isArray(value)

/** The issue a row is about, where it says so. */
export const symbolOf = (row: Row): string | undefined => {
  for (const [name, value] of Object.entries(row)) {
    if (name.endsWith("shrn_iscd") && typeof value === "string") return value.trim()
  }
  return undefined
}

/** The rows of the blocks called `output…`, one after the other. */
export const rowsOf = (body: Row): ReadonlyArray<Row> =>
  Object.entries(body).flatMap(([name, block]) =>
    !name.startsWith("output") ? [] : Array.isArray(block) ? block.filter(isRow) : isRow(block) ? [block] : []
  )

const mapBlocks = (body: Row, onRows: (rows: ReadonlyArray<unknown>) => ReadonlyArray<unknown>): Row =>
  Object.fromEntries(
    Object.entries(body).map(([name, block]) => {
      if (!name.startsWith("output")) return [name, block]
      // A single row that is left out leaves an empty object, as a throttled call of the mock was seen to do.
      return [name, Array.isArray(block) ? onRows(block) : (onRows([block])[0] ?? {})]
    })
  )

const chosen = (row: unknown, symbols: ReadonlyArray<string> | undefined): row is Row =>
  isRow(row) && (symbols === undefined || symbols.includes(symbolOf(row) ?? ""))

/** Leaves out at most `count` rows of each block, of these symbols if given, beginning at the `turn`th one. */
export const withoutRows = (body: Row, count: number, turn: number, symbols: ReadonlyArray<string> | undefined): Row =>
  mapBlocks(body, (rows) => {
    const places = rows.flatMap((row, at) => (chosen(row, symbols) ? [at] : []))
    const gone = new Set(places.map((_, at) => places[(turn + at) % places.length]).slice(0, count))
    return rows.filter((_, at) => !gone.has(at))
  })

/** What a row is about stays; what it says becomes zero. */
const identity = /iscd|cls|code|date|hour|time|name|isnm|sign|_yn$/

const zero = (text: string): string =>
  text.replace(/^[+-]?\d+/, "0").replace(/\.\d+$/, (part) => part.replace(/\d/g, "0"))

const zeroed = (row: Row): Row =>
  Object.fromEntries(
    Object.entries(row).map(([name, value]) => {
      const isNumber = typeof value === "string" && /^[+-]?\d+(\.\d+)?$/.test(value)
      return [name, isNumber && !identity.test(name) ? zero(value) : value]
    })
  )

/** Makes zeroes of the rows, of these symbols if given. */
export const zeroRows = (body: Row, symbols: ReadonlyArray<string> | undefined): Row =>
  mapBlocks(body, (rows) => rows.map((row) => (chosen(row, symbols) ? zeroed(row) : row)))

/** The body of an answer that has rows; `undefined` for anything else. */
export const answeredBody = (text: string | Uint8Array): Row | undefined => {
  if (typeof text !== "string" || !text.startsWith("{")) return undefined
  const body: unknown = JSON.parse(text)
  return isRow(body) && body["rt_cd"] === "0" ? body : undefined
}
