/** The lines of a simulator's ledger that an audit reads, as docs/simulator.md defines them. Others are skipped. */
export interface SentFrame {
  readonly kind: "frame"
  readonly at: string
  readonly key?: string
  readonly symbol: string
  /** Records in the frame, whatever its head says. */
  readonly records: number
  readonly text: string
}

export interface SentCall {
  readonly kind: "call"
  readonly at: string
  readonly key?: string
  readonly tr?: string
  readonly outcome: string
  readonly rows?: ReadonlyArray<readonly [symbol: string, digest: string]>
}

export interface OtherLine {
  readonly kind: "other"
  readonly at: string
}

export type LedgerLine = SentFrame | SentCall | OtherLine

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const isRows = (value: unknown): value is SentCall["rows"] & {} =>
  Array.isArray(value) && value.every((row) => Array.isArray(row) && row.length === 2)

const keyOf = (key: unknown) => (typeof key === "string" ? { key } : {})

/** Reads one line; `undefined` when it is not one of a ledger. */
export const parseLedgerLine = (text: string): LedgerLine | undefined => {
  let line: unknown
  try {
    line = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!isObject(line) || typeof line["n"] !== "number" || typeof line["at"] !== "string") return undefined
  const { at, kind, outcome, records, rows, symbol, text: frame, tr } = line
  if (kind === "frame") {
    if (typeof symbol !== "string" || typeof records !== "number" || typeof frame !== "string") return undefined
    return { kind, at, ...keyOf(line["key"]), symbol, records, text: frame }
  }
  if (kind === "call") {
    if (typeof outcome !== "string") return undefined
    const named = typeof tr === "string" ? { tr } : {}
    return { kind, at, ...keyOf(line["key"]), ...named, outcome, ...(isRows(rows) ? { rows } : {}) }
  }
  return { kind: "other", at }
}
