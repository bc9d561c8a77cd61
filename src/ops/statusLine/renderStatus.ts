import { visible } from "../logging/humanLine.ts"
import { count } from "../countWords.ts"

/** What the terminal shows of the whole program at one moment. */
export interface StatusSnapshot {
  /** The market's wall clock, `HH:MM:SS`. */
  readonly marketTime: string
  readonly phase: string
  readonly symbolsTotal: number
  readonly symbolsSeen: number
  readonly symbolsStale: number
  readonly recordsPerSecond: number
  readonly records: number
  readonly sqlLagRecords: number
  readonly sqlLagSeconds: number
  readonly sqlState: "ok" | "degraded" | "off"
  /** Calls of the last second, and how many a second are allowed. */
  readonly callsUsed: number
  readonly callsBudget: number
  readonly refusals: number
  readonly slotsUsed: number
  readonly slots: number
  readonly headSeq: number
  /** Alarms that fire. */
  readonly alarms: number
  readonly url: string
  /** In plain words, the worst first. */
  readonly problems: ReadonlyArray<string>
}

const gap = "  ·  "
const problems_max = 3
const sentence_length_max = 400

/** The block under the log lines: facts wrapped between, never inside, as many to a line as fit, then problems. */
export const renderStatus = (snapshot: StatusSnapshot, width: number): string => {
  const shown = snapshot.problems.slice(0, problems_max).map((problem) => `! ${visible(problem)}`)
  const more = snapshot.problems.length - shown.length
  const rule = "─".repeat(Math.max(0, Math.min(width - 1, 100)))
  const lines = [rule, ...wrap(facts(snapshot), width), ...shown, ...(more > 0 ? [`! and ${more} more`] : [])]
  return lines.map((line) => cut(line, width)).join("\n")
}

/** The same in one line, for where there is only one: problems first, for they are what it is read for. */
export const statusSentence = (snapshot: StatusSnapshot): string =>
  [...snapshot.problems.slice(0, problems_max).map((problem) => `! ${visible(problem)}`), ...facts(snapshot)]
    .join(" · ")
    .slice(0, sentence_length_max)

const facts = (s: StatusSnapshot): ReadonlyArray<string> => [
  `${s.marketTime} KST ${s.phase}`,
  `symbols ${count(s.symbolsSeen)}/${count(s.symbolsTotal)} seen${s.symbolsStale > 0 ? `, ${count(s.symbolsStale)} stale` : ""}`,
  `records ${count(Math.round(s.recordsPerSecond))}/s, ${count(s.records)} in all`,
  `SQL ${sql(s)}`,
  `calls ${count(s.callsUsed)}/${count(s.callsBudget)} per s${s.refusals > 0 ? `, ${count(s.refusals)} refused` : ""}`,
  `streams ${count(s.slotsUsed)}/${count(s.slots)}`,
  `journal #${count(s.headSeq)}`,
  ...(s.alarms > 0 ? [`ALARMS ${count(s.alarms)}`] : []),
  s.url
]

const sql = (s: StatusSnapshot): string => {
  if (s.sqlState === "off") return "off"
  const lag = `${count(s.sqlLagRecords)} behind, ${s.sqlLagSeconds < 10 ? s.sqlLagSeconds.toFixed(1) : count(Math.round(s.sqlLagSeconds))} s`
  return s.sqlState === "ok" ? lag : `DOWN, ${lag}`
}

const wrap = (parts: ReadonlyArray<string>, width: number): ReadonlyArray<string> => {
  const lines: Array<string> = []
  for (const part of parts) {
    const last = lines.at(-1)
    // A terminal wraps when its last column is filled, so that one stays free.
    if (last !== undefined && last.length + gap.length + part.length < width)
      lines[lines.length - 1] = last + gap + part
    else lines.push(part)
  }
  return lines
}

const cut = (line: string, width: number): string =>
  line.length < width ? line : `${line.slice(0, Math.max(0, width - 2))}…`
