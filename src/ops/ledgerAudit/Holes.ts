import type { JournalRecord } from "../../domain/JournalRecord.ts"

interface Hole {
  readonly symbol: string | undefined
  readonly fromMs: number
  readonly toMs: number
}

const textOf = (payload: object, name: string): string | undefined => {
  const value: unknown = Object.entries(payload).find(([key]) => key === name)?.[1]
  return typeof value === "string" ? value : undefined
}

/**
 * The holes a journal owns up to, and when it was being written. The broker stamps what it sends a little before the
 * journal hears of it, or does not: `slack_ms` is allowed at both ends of a hole and before the journal's end.
 */
export const makeHoles = (slack_ms: number) => {
  const holes: Array<Hole> = []
  let firstMs = Number.POSITIVE_INFINITY
  let lastMs = Number.NEGATIVE_INFINITY

  return {
    see: (record: JournalRecord): void => {
      const atMs = Date.parse(record.receivedAt)
      firstMs = Math.min(firstMs, atMs)
      lastMs = Math.max(lastMs, atMs)
      if (record.kind !== "gap") return
      const fromMs = Date.parse(textOf(record.payload, "from") ?? "")
      const toMs = Date.parse(textOf(record.payload, "to") ?? "")
      holes.push({ symbol: record.symbol ?? textOf(record.payload, "symbol"), fromMs, toMs })
    },
    /** Whether a gap record says that this symbol was not heard at this time. */
    covers: (symbol: string, atMs: number): boolean =>
      holes.some(
        (hole) =>
          (hole.symbol === undefined || hole.symbol === symbol) &&
          atMs >= hole.fromMs - slack_ms &&
          atMs <= hole.toMs + slack_ms
      ),
    /** Whether the journal was not being written then, or was just about to end. */
    isOutside: (atMs: number): boolean => atMs < firstMs || atMs > lastMs - slack_ms
  }
}

export type Holes = ReturnType<typeof makeHoles>
