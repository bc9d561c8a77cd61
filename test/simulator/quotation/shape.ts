/** What kind of text a value is: two values of one kind look alike to a client that knows neither. */
export const kindOf = (key: string, value: unknown): string => {
  if (typeof value !== "string") return `not text (${typeof value})`
  if (key.endsWith("_iscd") && /^\w+$/.test(value)) return "code"
  if (value === "") return "empty"
  if (/^ +$/.test(value)) return `${value.length} blanks`
  const padding = value.length - value.trimEnd().length
  const padded = padding === 0 ? "" : `, padded to ${byteLength(value)} bytes`
  if (/(_hour|_time)\d?$/.test(key) && /^\d{6}$/.test(value)) return "hour"
  if (/(_date|_dt)$|^date\d$|^today$/.test(key) && /^\d{8}$/.test(value)) return "date"
  if (/^[YN]$/.test(value)) return "flag"
  const decimals = /^-?\d+\.(\d+)$/.exec(value)?.[1]
  if (decimals !== undefined) return `number with ${decimals.length} decimals`
  if (/^0\d+$/.test(value)) return `${value.length} digits`
  if (/^-?\d+ *$/.test(value)) return `whole number${padded}`
  return `text${padded}`
}

/** In cp949 a Korean letter takes two bytes. */
const byteLength = (text: string) => [...text].reduce((sum, letter) => sum + (letter > "\u007f" ? 2 : 1), 0)

type Block = Readonly<Record<string, unknown>>

const isBlock = (value: unknown): value is Block => typeof value === "object" && value !== null && !Array.isArray(value)

/**
 * Where `ours` differs in shape from `theirs`, one sentence each: nesting, keys and their order, kinds of values. Of a
 * list the rows are compared one by one; keys that only we have are listed in `extra`.
 */
export const differences = (
  theirs: unknown,
  ours: unknown,
  path = ""
): { readonly found: ReadonlyArray<string>; readonly extra: ReadonlyArray<string> } => {
  if (Array.isArray(theirs)) {
    if (!Array.isArray(ours) || ours.length === 0) return { found: [`${path}: a list with rows`], extra: [] }
    const parts = theirs.map((row, at) => differences(row, ours[at] ?? ours[0], `${path}[]`))
    const [first, ...others] = parts.map(({ extra }) => extra)
    // A sample that was cut has a short last row: only what no row of it has is ours alone.
    const extra = (first ?? []).filter((key) => others.every((keys) => keys.includes(key)))
    return { found: merged(parts).found, extra }
  }
  if (!isBlock(theirs)) {
    const key = path.split(".").at(-1) ?? ""
    const [captured, made] = [kindOf(key, theirs), kindOf(key, ours)]
    return { found: captured === made ? [] : [`${path}: ${captured}, ours is ${made}`], extra: [] }
  }
  if (!isBlock(ours)) return { found: [`${path}: an object`], extra: [] }
  const keys = Object.keys(theirs)
  const shared = Object.keys(ours).filter((key) => keys.includes(key))
  const missing = keys.filter((key) => !(key in ours))
  const order = shared.join() === keys.filter((key) => key in ours).join() ? [] : [`${path}: another order of keys`]
  const inner = keys.filter((key) => key in ours).map((key) => differences(theirs[key], ours[key], `${path}.${key}`))
  const all = merged(inner)
  return {
    found: [...missing.map((key) => `${path}.${key}: missing`), ...order, ...all.found],
    extra: [
      ...Object.keys(ours)
        .filter((key) => !keys.includes(key))
        .map((key) => `${path}.${key}`),
      ...all.extra
    ]
  }
}

const merged = (parts: ReadonlyArray<ReturnType<typeof differences>>) => ({
  found: [...new Set(parts.flatMap(({ found }) => found))],
  extra: [...new Set(parts.flatMap(({ extra }) => extra))]
})
