import { Result } from "effect"
import { marketDate } from "../../calendar/MarketTime.ts"
import type { SaidDays } from "../../calendar/TradingDays.ts"
import { type SymbolSelection, selectionText } from "../../domain/SymbolSelection.ts"
import { type HeldFiles, type MarketList } from "../MarketList.ts"
import { type Overlay, overlaid, withWatched } from "../Overlay.ts"
import { expectedDate } from "../RefreshTimes.ts"
import { type Resolved, select } from "../selection.ts"
import type { Universe, UniverseSource } from "../Universe.ts"
import { documentOf, type UniverseDocument } from "../UniverseDocument.ts"
import { UniverseRefused } from "../UniverseRefused.ts"

/** All that a universe follows from. */
export interface State {
  readonly held: HeldFiles
  readonly list: MarketList
  readonly resolved: Resolved
  readonly overlay: Overlay
  /** What came in the way when new files were last looked for, in words, by file. */
  readonly troubles: ReadonlyMap<string, string>
}

export interface Composed {
  readonly state: State
  readonly universe: Universe
  readonly document: UniverseDocument
}

/** When something is looked at, in market time, and what the broker has said of the calendar by then. */
export interface Moment {
  readonly nowMs: number
  readonly said: SaidDays
}

/** Whether a list tells of the newest morning there has been. */
export const isOfToday = ({ date, isShipped }: MarketList, { nowMs, said }: Moment): boolean =>
  !isShipped && date >= expectedDate(nowMs, said)

/** Where a state's list comes from, and why it is not a better one. */
export const sourceOf = ({ list, troubles }: State, moment: Moment): UniverseSource => {
  const { date, isShipped } = list
  const isToday = isOfToday(list, moment)
  const age = isShipped ? "not all master files have been had yet" : `the newest master files are of ${date}`
  const reasons = troubles.size > 0 ? [...troubles.values()] : isToday ? [] : [age]
  return {
    list: isShipped ? "shipped" : isToday ? "today" : "yesterday",
    date,
    ...(reasons.length === 0 ? {} : { reason: reasons.join("; ") })
  }
}

/** What the settings say of the choice: a rule or a list, and symbols that are watched whatever those say. */
export interface Wanted {
  readonly selection: SymbolSelection
  readonly watched: ReadonlyArray<string>
}

/** Chooses the symbols and writes them up; refuses to observe nothing. Pure. */
export const compose = (
  { selection, watched }: Wanted,
  state: State,
  moment: Moment
): Result.Result<Composed, UniverseRefused> => {
  const { list, overlay, resolved } = state
  const { entries } = list
  const isRanked = selection._tag === "All" || selection._tag === "Top"
  const issues = [...entries.values()].filter(({ kind }) => kind !== "index")
  const chosen = overlaid(select(issues, resolved), overlay, entries, isRanked)
  const { indices, rule, symbols } = withWatched(chosen, watched, entries, isRanked)
  if (symbols.length === 0) {
    return Result.fail(new UniverseRefused({ reason: "empty", detail: `no symbol would be left of: ${rule}` }))
  }
  const unlisted = symbols.filter((code) => !entries.has(code))
  const source = sourceOf(state, moment)
  const content = { date: marketDate(moment.nowMs), symbols, indices, entries, unlisted, rule, source }
  const document = documentOf(content, { selection: selectionText(selection), watched, overlay }, list)
  const { file, sha256 } = document
  return Result.succeed({ state, universe: { ...content, file, sha256 }, document })
}
