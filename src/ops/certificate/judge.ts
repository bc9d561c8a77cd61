import { marketHour } from "../../calendar/MarketTime.ts"
import { count, plural } from "../countWords.ts"
import type { Certificate, RowsApart, SqlDay, Verdict } from "./Certificate.ts"

/** Less than this of what was expected, repairs included, is no complete day with holes any more. */
export const share_min = 0.99

/** Sentences that name single symbols or times name so many. */
const named_max = 5

type Judged = Pick<
  Certificate,
  "conservation" | "coverage" | "gaps" | "isOver" | "problems" | "record" | "sql" | "symbols" | "universe"
>

const hour = (at: string) => marketHour(Date.parse(at)).replace(/(..)(..)(..)/, "$1:$2:$3")
const percent = (share: number) => `${(Math.floor(share * 100_000) / 1_000).toFixed(3)} %`

const listed = (names: ReadonlyArray<string>): string =>
  names.length > named_max
    ? `${names.slice(0, named_max).join(", ")} and ${count(names.length - named_max)} more`
    : names.join(", ")

const causeWords: Readonly<Record<string, string>> = {
  disconnect: "the stream was cut",
  silence: "a stream was silent",
  downtime: "the observer did not run",
  continuity: "trades are missing in a live stream",
  overflow: "records came faster than they could be taken",
  diskFull: "the disk could not be written",
  notCovered: "the broker does not answer for a symbol"
}

const damage = ({ problems }: Judged): ReadonlyArray<string> =>
  problems.map(({ file, problem, remedy }) => `${file}: ${problem} (${remedy}).`)

/** What makes a day incomplete rather than complete with holes that are named. */
const unknowns = ({ conservation, coverage, isOver, record, universe }: Judged): ReadonlyArray<string> => {
  const reasons: Array<string> = []
  if (!isOver) reasons.push("The day was not over when this was made.")
  if (record.records === 0) reasons.push("There is no record of this day.")
  if (universe.symbols === 0) reasons.push("No dated universe says what was to be observed.")
  for (const { from, to } of record.unrecorded) {
    reasons.push(`Nothing was written from ${hour(from)} to ${hour(to)}, and no gap says why.`)
  }
  if (universe.symbols > 0 && coverage.expected_seconds > 0 && coverage.share < share_min) {
    reasons.push(`Only ${percent(coverage.share)} of what was to be observed was, repairs included.`)
  }
  if (conservation.recorded) {
    for (const [source, { remainder }] of Object.entries(conservation.sources)) {
      if (remainder > 0) reasons.push(`${plural(remainder, "record")} of ${source} were received and are nowhere.`)
      if (remainder < 0) reasons.push(`${plural(-remainder, "record")} more of ${source} were settled than received.`)
    }
    const isEven = Object.values(conservation.sources).every(({ remainder }) => remainder === 0)
    if (!conservation.holds && isEven) reasons.push("The counts of the minutes do not follow from each other.")
  }
  return reasons
}

const rowHoles = ({
  differing_hours,
  missing,
  surplus,
  waiting
}: Extract<SqlDay, { compared: true }>): ReadonlyArray<string> => {
  const named = ({ incidents, rows }: RowsApart) =>
    [
      ...(rows === 0 ? [] : [plural(rows, "row")]),
      ...(incidents === 0 ? [] : [plural(incidents, "gap or reject", "gaps and rejects")])
    ].join(" and ")
  const lacks = named(missing)
  const has = named(surplus)
  return [
    ...(lacks === "" ? [] : [`The database lacks ${lacks} that the files have (observer replay adds them).`]),
    ...(has === "" ? [] : [`The database has ${has} that no line is for.`]),
    ...(differing_hours === 0
      ? []
      : [
          `The database has rows of other records than the files' in ${plural(differing_hours, "hour")} (observer replay adds the right ones).`
        ]),
    ...(waiting === 0 ? [] : [`${plural(waiting, "line")} had yet to be stored in the database when this was made.`])
  ]
}

/** What is missing and named. */
const holes = ({ gaps, sql, symbols, universe }: Judged): ReadonlyArray<string> => {
  const reasons: Array<string> = []
  for (const { cause, missing, partlyRepaired } of gaps.causes) {
    if (missing.gaps === 0) continue
    const who = missing.symbols === undefined ? "all symbols" : plural(missing.symbols, "symbol")
    const partly = partlyRepaired === 0 ? "" : `, ${count(partlyRepaired)} of them partly filled`
    const words = causeWords[cause] ?? cause
    reasons.push(
      `${plural(missing.gaps, "hole")} because ${words}: ${who}, ${count(missing.seconds)} s in all${partly}.`
    )
  }
  const trades = gaps.lostTrades - gaps.foundTrades
  const volume = gaps.lostVolume - gaps.foundVolume
  if (trades > 0 || volume > 0) {
    reasons.push(
      `${plural(Math.max(0, trades), "trade")} and ${plural(Math.max(0, volume), "share")} are known to be lost.`
    )
  }
  if (universe.unseen > 0) {
    const names = symbols.flatMap(({ isUnseen, symbol }) => (isUnseen ? [symbol] : []))
    reasons.push(`Nothing at all is recorded of ${plural(universe.unseen, "symbol")}: ${listed(names)}.`)
  }
  if (sql.compared) reasons.push(...rowHoles(sql))
  return reasons
}

const sound = ({ coverage, gaps, universe }: Judged): ReadonlyArray<string> => {
  const repaired = gaps.causes.reduce((sum, each) => sum + each.repaired, 0)
  return [
    `All of ${plural(universe.symbols, "symbol")} was observed in every phase.`,
    ...(repaired > 0
      ? [
          `${plural(repaired, "hole")} were filled afterwards, ${count(coverage.repaired_seconds)} symbol-seconds in all.`
        ]
      : [])
  ]
}

/** What a day's record is worth, and the sentences that say why. */
export const judge = (day: Judged): { readonly verdict: Verdict; readonly reasons: ReadonlyArray<string> } => {
  const damaged = damage(day)
  const unknown = unknowns(day)
  const named = holes(day)
  const reasons = [...damaged, ...unknown, ...named]
  if (damaged.length > 0) return { verdict: "damaged", reasons }
  if (unknown.length > 0) return { verdict: "incomplete", reasons }
  if (named.length > 0) return { verdict: "completeButFor", reasons }
  return { verdict: "complete", reasons: sound(day) }
}
