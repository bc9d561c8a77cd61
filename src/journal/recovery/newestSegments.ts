import { Effect } from "effect"
import { daysOnward, type HeadHint } from "../HeadHint.ts"
import type { SegmentName } from "../SegmentName.ts"
import { listDays, listSegments, segmentsSince } from "../Segments.ts"

/** How many days that hold the newest files are looked at; a crash can leave work undone only in the newest ones. */
const daysLookedAt = 3

/**
 * One node's segments in the days of its newest files, by first `seq`. What is newest `seq` says and no date: a rehearsed
 * day, or a clock that was set wrong, has put newer files among older ones.
 */
export const newestSegments = Effect.fnUntraced(function* (dataDir: string, node: string) {
  const all = yield* segmentsSince(dataDir, node)
  const days = new Set<string>()
  for (const { day } of all.toReversed()) {
    if (days.size < daysLookedAt) days.add(day)
  }
  return all.filter(({ day }) => days.has(day))
})

/**
 * The same by a hint, without a look into other days than its own and the latest. `undefined` when the hint
 * cannot be the newest: another run has come between, there are days or files that it does not know, or a day of its is gone.
 */
export const hintedSegments = Effect.fnUntraced(function* (
  dataDir: string,
  node: string,
  hint: HeadHint,
  lock: number | undefined
) {
  if (lock !== undefined && hint.lock !== lock - 1) return undefined
  const days = yield* listDays(dataDir)
  const known = new Set(hint.known)
  // A day that was removed may have held what leads on from an older hint.
  if (days.length !== known.size || days.some((day) => !known.has(day))) return undefined
  const found: Array<SegmentName> = []
  for (const day of yield* daysOnward(dataDir, node, [...days.slice(-daysLookedAt), ...hint.days])) {
    for (const segment of yield* listSegments(dataDir, day)) if (segment.node === node) found.push(segment)
  }
  found.sort((a, b) => a.firstSeq - b.firstSeq)
  return (found.at(-1)?.firstSeq ?? 0) > hint.firstSeq ? undefined : found
})
