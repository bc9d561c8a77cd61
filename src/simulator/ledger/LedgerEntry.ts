import type { FaultName } from "../faults/faultKinds.ts"

/** What became of one call to a KIS path. */
export interface CallEntry {
  readonly kind: "call"
  /** The mark of the app key; never the key. Absent where the call named none. */
  readonly key?: string | undefined
  readonly method: string
  readonly path: string
  readonly tr?: string | undefined
  /** `unanswered`: a fault kept the answer back, or the client had gone. */
  readonly outcome: "answered" | "refused" | "unanswered"
  readonly status: number
  /** The code of a refusal. */
  readonly code?: string | undefined
  /** Symbol and digest (`domain/RowDigest.ts`) of every row of `output` that went out whole. */
  readonly rows?: ReadonlyArray<readonly [symbol: string, digest: string]> | undefined
  readonly faults?: ReadonlyArray<FaultName> | undefined
}

/** One data frame as it was put on the wire. */
export interface FrameEntry {
  readonly kind: "frame"
  readonly session: number
  readonly key?: string | undefined
  readonly tr: string
  readonly symbol: string
  /** Records really in it, whatever its head says. */
  readonly records: number
  /** The whole frame; bytes that are not UTF-8 read as U+FFFD. */
  readonly text: string
  readonly faults?: ReadonlyArray<FaultName> | undefined
}

/** One answer to a registration, or a PINGPONG (`code` absent). */
export interface ReplyEntry {
  readonly kind: "reply" | "pingpong"
  readonly session: number
  readonly key?: string | undefined
  readonly tr?: string
  readonly symbol?: string
  readonly code?: string
}

/** A socket cut by a fault. */
export interface CutEntry {
  readonly kind: "cut"
  readonly session: number
  readonly key?: string | undefined
}

/** Something done to the exchange over its control API, or a fault of the script put up at the start. */
export interface ControlEntry {
  readonly kind: "control"
  readonly action: string
  readonly given: object
}

export type LedgerEntry = CallEntry | FrameEntry | ReplyEntry | CutEntry | ControlEntry

/** The first line of a file, and the last one of an exchange that was not killed. */
export type EdgeEntry =
  | { readonly kind: "open"; readonly v: 1; readonly env: string; readonly seed: number }
  | { readonly kind: "close"; readonly totals: LedgerTotals }

/** A line: its number from 1 on, without holes, and when it was written (UTC, ISO 8601). */
export type LedgerLine = { readonly n: number; readonly at: string } & (LedgerEntry | EdgeEntry)

export interface LedgerTotals {
  /** `calls = answered + refused + unanswered`. */
  calls: number
  answered: number
  refused: number
  unanswered: number
  rows: number
  frames: number
  records: number
  replies: number
  pingpongs: number
  cuts: number
  refusedByCode: Record<string, number>
  recordsByTr: Record<string, number>
  /** Calls and frames that a fault has touched, by its name. */
  faults: Record<string, number>
}

export const noTotals = (): LedgerTotals => ({
  calls: 0,
  answered: 0,
  refused: 0,
  unanswered: 0,
  rows: 0,
  frames: 0,
  records: 0,
  replies: 0,
  pingpongs: 0,
  cuts: 0,
  refusedByCode: {},
  recordsByTr: {},
  faults: {}
})

const increase = (counts: Record<string, number>, name: string, by: number): void => {
  counts[name] = (counts[name] ?? 0) + by
}

/** Adds one entry to the totals. The codes and TRs are the exchange's own, so their number is bounded. */
export const addTo = (totals: LedgerTotals, entry: LedgerEntry): void => {
  if (entry.kind === "call") {
    totals.calls += 1
    totals[entry.outcome] += 1
    totals.rows += entry.rows?.length ?? 0
    if (entry.outcome === "refused" && entry.code !== undefined) increase(totals.refusedByCode, entry.code, 1)
  } else if (entry.kind === "frame") {
    totals.frames += 1
    totals.records += entry.records
    increase(totals.recordsByTr, entry.tr, entry.records)
  } else if (entry.kind === "reply") totals.replies += 1
  else if (entry.kind === "pingpong") totals.pingpongs += 1
  else if (entry.kind === "cut") totals.cuts += 1
  if (entry.kind === "call" || entry.kind === "frame") {
    for (const fault of entry.faults ?? []) increase(totals.faults, fault, 1)
  }
}
