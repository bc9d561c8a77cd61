import { type ClockLine, marketAt } from "../../calendar/ClockLine.ts"
import type { JournalRecord } from "../../domain/JournalRecord.ts"
import { rowDigest } from "../../domain/RowDigest.ts"
import { makeHoles } from "./Holes.ts"
import type { LedgerLine, SentCall, SentFrame } from "./LedgerLine.ts"
import { makeQuoteAudit } from "./quoteAudit.ts"
import { makeRecordAudit } from "./recordAudit.ts"
import { addTally, isClean, noTally, type Tally } from "./Tally.ts"

/** The calls whose rows a journal keeps as quotes. */
const quoteCalls = new Set(["FHKST11300006", "FHKST01010100"])

export interface SymbolFinding extends Tally {
  readonly symbol: string
  readonly of: "stream" | "quotes"
}

export interface AuditReport {
  readonly clean: boolean
  readonly total: Tally
  /** Every symbol that was sent or journalled, stream and quotes apart. */
  readonly symbols: ReadonlyArray<SymbolFinding>
  /** Lines of the ledger, records of the journal and records of encrypted frames, which cannot be compared. */
  readonly ledgerLines: number
  readonly journalRecords: number
  readonly encrypted: number
}

export interface ComparisonOptions {
  readonly slack_ms: number
  /** Only what was sent to this app key, by its mark or the beginning of it. */
  readonly key?: string | undefined
  /** The clock of a rehearsed day: a ledger is in the wall's time, its journal in the market's. */
  readonly clock?: ClockLine | undefined
}

const getOr = <A>(map: Map<string, A>, key: string, make: (key: string) => A): A => {
  const known = map.get(key)
  if (known !== undefined) return known
  const made = make(key)
  map.set(key, made)
  return made
}

/** The records of a frame, each a text of its values. */
const recordsOf = ({ records, text }: SentFrame): ReadonlyArray<string> => {
  const values = text.split("|").slice(3).join("|").split("^")
  const width = values.length / records
  return Array.from({ length: records }, (_, at) => values.slice(at * width, (at + 1) * width).join("^"))
}

const digestOf = (text: string): string => rowDigest([text])

/** What a `reject` record holds: a record, a row, or something that could not be split. */
const refusedValues = (raw: string): object | undefined => {
  try {
    const value: unknown = JSON.parse(raw)
    return typeof value === "object" && value !== null ? value : undefined
  } catch {
    return undefined
  }
}

/**
 * Holds a ledger against a journal: feed it the lines of one and the records of the other, all of the ledger first, and
 * ask for the report. It keeps a digest of everything that was sent, about 200 bytes each.
 */
export const makeComparison = ({ clock, key, slack_ms }: ComparisonOptions) => {
  const holes = makeHoles(slack_ms * (clock?.speed ?? 1))
  const journalTime = (at: string) => (clock === undefined ? Date.parse(at) : marketAt(clock, Date.parse(at)))
  const streams = new Map<string, ReturnType<typeof makeRecordAudit>>()
  const quotes = new Map<string, ReturnType<typeof makeQuoteAudit>>()
  const rejectedFrames = new Set<string>()
  let openedMs = Number.POSITIVE_INFINITY
  let ledgerLines = 0
  let journalRecords = 0
  let encrypted = 0

  const frame = (line: SentFrame) => {
    if (!line.text.startsWith("0|")) return void (encrypted += line.records)
    const atMs = journalTime(line.at)
    const whole = digestOf(line.text)
    for (const record of recordsOf(line)) {
      getOr(streams, line.symbol, makeRecordAudit).sent(digestOf(record), whole, atMs)
    }
  }
  const call = (line: SentCall) => {
    if (line.outcome !== "answered" || !quoteCalls.has(line.tr ?? "")) return
    for (const [symbol, digest] of line.rows ?? []) {
      getOr(quotes, symbol, makeQuoteAudit).sent(digest, journalTime(line.at))
    }
  }
  const reject = ({ payload, symbol }: JournalRecord) => {
    const raw = Array.isArray(payload) ? undefined : Object.entries(payload).find(([name]) => name === "raw")?.[1]
    if (typeof raw !== "string") return
    const values = refusedValues(raw)
    if (values === undefined) rejectedFrames.add(digestOf(raw))
    else if (symbol === undefined) return
    else if (Array.isArray(values)) getOr(streams, symbol, makeRecordAudit).rejected(rowDigest(values))
    else getOr(quotes, symbol, makeQuoteAudit).rejected(rowDigest(values))
  }

  return {
    sent: (line: LedgerLine): void => {
      ledgerLines += 1
      openedMs = Math.min(openedMs, journalTime(line.at))
      if (line.kind === "other" || (key !== undefined && !line.key?.startsWith(key))) return
      if (line.kind === "frame") frame(line)
      else call(line)
    },
    journalled: (record: JournalRecord): void => {
      journalRecords += 1
      holes.see(record)
      if (record.kind === "reject") return reject(record)
      const { kind, payload, receivedAt, source, symbol } = record
      // What was journalled before the ledger began came from somewhere else.
      if (symbol === undefined || Date.parse(receivedAt) < openedMs) return
      if (source === "kis-ws") getOr(streams, symbol, makeRecordAudit).journalled(rowDigest(payload))
      else if (source === "kis-rest" && (kind === "quote" || kind === "index")) {
        getOr(quotes, symbol, makeQuoteAudit).journalled(rowDigest(payload))
      }
    },
    report: (): AuditReport => {
      const symbols: ReadonlyArray<SymbolFinding> = [
        ...[...streams].map(([symbol, audit]) => ({
          symbol,
          of: "stream" as const,
          ...audit.tally((whole) => rejectedFrames.has(whole), holes)
        })),
        ...[...quotes].map(([symbol, audit]) => ({ symbol, of: "quotes" as const, ...audit.tally(holes) }))
      ].sort((a, b) => (a.symbol === b.symbol ? (a.of < b.of ? 1 : -1) : a.symbol < b.symbol ? -1 : 1))
      const total = noTally()
      for (const each of symbols) addTally(total, each)
      return { clean: isClean(total), total, symbols, ledgerLines, journalRecords, encrypted }
    }
  }
}
