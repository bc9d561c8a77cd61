import type { Rebased } from "../kis/MasterFile.ts"
import type { ListedIssue } from "./MarketList.ts"
import { observedOf, type Universe } from "./Universe.ts"

/** What another universe changes, in codes. All of it is empty when nothing has changed. */
export interface UniverseDiff {
  readonly added: ReadonlyArray<string>
  readonly removed: ReadonlyArray<string>
  /** Observed before and after, with other flags. */
  readonly flagged: ReadonlyArray<{ readonly code: string; readonly before: string; readonly after: string }>
  /** Observed, and newly with a base price that is not the close of the day before: a corporate action. KRW. */
  readonly rebased: ReadonlyArray<{
    readonly code: string
    readonly before: number | undefined
    readonly after: number | undefined
    readonly because: Rebased
  }>
}

export const noChange: UniverseDiff = { added: [], removed: [], flagged: [], rebased: [] }

type Sides = readonly [before: ListedIssue, after: ListedIssue]

/** The codes in one list and not in the other, both ways. */
export const codesBetween = (
  before: ReadonlyArray<string>,
  after: ReadonlyArray<string>
): Pick<UniverseDiff, "added" | "removed"> => {
  const were = new Set(before)
  const are = new Set(after)
  return { added: after.filter((code) => !were.has(code)), removed: before.filter((code) => !are.has(code)) }
}

/** Compares two universes, the older first. */
export const diffOf = (before: Universe, after: Universe): UniverseDiff => {
  const codes = observedOf(after)
  const { added, removed } = codesBetween(observedOf(before), codes)
  const isNew = new Set(added)
  const stayed = codes.flatMap((code): ReadonlyArray<Sides> => {
    const was = before.entries.get(code)
    const is = after.entries.get(code)
    return isNew.has(code) || was === undefined || is === undefined ? [] : [[was, is]]
  })
  return {
    added,
    removed,
    flagged: stayed.flatMap(([was, is]) =>
      was.flags === is.flags ? [] : [{ code: is.code, before: was.flags, after: is.flags }]
    ),
    // The same morning's list read twice is no second corporate action.
    rebased: stayed.flatMap(([was, is]) =>
      is.rebased === undefined || (was.rebased === is.rebased && was.basePrice === is.basePrice)
        ? []
        : [{ code: is.code, before: was.basePrice, after: is.basePrice, because: is.rebased }]
    )
  }
}
