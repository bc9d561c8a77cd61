import type { Problem } from "../../journal/Verify.ts"
import type { Signature, SignedLine } from "../../journal/Signature.ts"
import type { RowComparison } from "../../sql/HourRows.ts"
import type { ConservationDay } from "./conservationDay.ts"
import type { SymbolDay, TimelineBin } from "./coverageOf.ts"
import type { CauseDay, CauseLane, NamedHole } from "./gapSummary.ts"

/** `complete`: nothing is missing. `completeButFor`: what is missing is named. `incomplete`: too much is, or nobody knows what. `damaged`: the files are not what was written. */
export const verdicts = ["complete", "completeButFor", "incomplete", "damaged"] as const
export type Verdict = (typeof verdicts)[number]

/** A phase over all symbols; times of several symbols add up. */
export interface PhaseDay {
  readonly phase: string
  readonly from: string
  readonly to: string
  readonly symbols: number
  /** Symbols without a hole in it. */
  readonly whole: number
  readonly expected_seconds: number
  readonly actual_seconds: number
  readonly repaired_seconds: number
  readonly records: Readonly<Record<string, number>>
}

export type SqlDay =
  | { readonly compared: false; readonly why: string }
  | ({
      readonly compared: true
      readonly lines: number
      readonly rows: number
      readonly refused: number
      /** Gaps and rejects: lines, and rows of `ingest_errors`. */
      readonly incidentLines: number
      readonly incidentRows: number
      /** What hours lack, and what others have too much: neither makes up for the other. */
      readonly missing: RowsApart
      readonly surplus: RowsApart
      /** Hours with as many rows as lines, among which are rows of other records. */
      readonly differing_hours: number
      /** Lines that had yet to be stored when it was compared. */
      readonly waiting: number
    } & RowComparison)

/** Rows of data, and of gaps and rejects. */
export interface RowsApart {
  readonly rows: number
  readonly incidents: number
}

/** What a day's record is worth, and why: `CERTIFICATE.json`. Instants are UTC, the day is the market's. */
export interface Certificate {
  readonly v: 1
  /** `YYYY-MM-DD`. */
  readonly day: string
  readonly verdict: Verdict
  readonly madeAt: string
  /** Why, a sentence each; the most telling first. */
  readonly reasons: ReadonlyArray<string>
  readonly observer: string
  readonly nodes: ReadonlyArray<string>
  /** Whether the day was over when this was made. */
  readonly isOver: boolean
  readonly record: {
    readonly records: number
    readonly firstReceivedAt?: string
    readonly lastReceivedAt?: string
    /** Times in which nothing was written and no gap says why. */
    readonly unrecorded: ReadonlyArray<{ readonly from: string; readonly to: string }>
  }
  readonly universe: { readonly symbols: number; readonly files: ReadonlyArray<string>; readonly unseen: number }
  readonly coverage: {
    readonly expected_seconds: number
    readonly actual_seconds: number
    readonly repaired_seconds: number
    /** Actual and repaired, of what was expected; 1 is all. */
    readonly share: number
    readonly phases: ReadonlyArray<PhaseDay>
  }
  /** How old quotes became against their targets, as the day's end told; its lists of symbols cut to the worst. */
  readonly staleness: { readonly recorded: false } | ({ readonly recorded: true } & Readonly<Record<string, unknown>>)
  readonly gaps: {
    readonly causes: ReadonlyArray<CauseDay>
    readonly lostVolume: number
    readonly lostTrades: number
    /** Of these, found afterwards. */
    readonly foundVolume: number
    readonly foundTrades: number
    /** The longest ones that were not repaired. */
    readonly holes: ReadonlyArray<NamedHole>
  }
  readonly rejects: Readonly<Record<string, number>>
  readonly conservation: ConservationDay
  readonly sql: SqlDay
  /** What is wrong with the files. */
  readonly problems: ReadonlyArray<Problem>
  readonly timeline: {
    readonly bin_seconds: number
    readonly bins: ReadonlyArray<TimelineBin>
    readonly lanes: ReadonlyArray<CauseLane>
  }
  readonly manifest: Signature
  readonly files: ReadonlyArray<SignedLine>
  readonly symbols: ReadonlyArray<SymbolDay>
}

/** The file's text: a line a symbol and a file, so that two certificates can be compared with `diff`. */
export const certificateText = (certificate: Certificate): string => {
  const { files, symbols, ...head } = certificate
  const rows = (list: ReadonlyArray<object>) =>
    list.length === 0 ? "[]" : `[\n${list.map((row) => JSON.stringify(row)).join(",\n")}\n]`
  return `${JSON.stringify(head, undefined, 1).slice(0, -2)},\n "files": ${rows(files)},\n "symbols": ${rows(symbols)}\n}\n`
}
