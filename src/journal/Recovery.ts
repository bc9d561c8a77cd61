import { Effect } from "effect"
import type { JournalRecord } from "../domain/JournalRecord.ts"
import type { Disk, DiskError } from "./Disk.ts"
import { type HeadHint, type HintBasis, type Loss, readHint } from "./HeadHint.ts"
import { findEntered, type ManifestLine } from "./Manifest.ts"
import { origin, type Position } from "./Position.ts"
import { hintedSegments, newestSegments } from "./recovery/newestSegments.ts"
import { type Quarantined, settleCompressed, type Settled, settlePlain } from "./recovery/settle.ts"
import { nameInDay, type SegmentName } from "./SegmentName.ts"

/** Where the journal goes on. */
export interface Recovered {
  readonly head: Position
  /** UTC, ISO 8601: when the newest record was received; absent in a new journal. */
  readonly lastReceivedAt: string | undefined
  /** The last run did not seal its file: it was killed. */
  readonly unclean: boolean
  /** What such an end may have cost; absent after a clean one. */
  readonly loss?: Loss
  /** The newest record of each hole that was open at the end of the last run; absent where there was none. */
  readonly openGaps?: ReadonlyArray<JournalRecord>
  readonly quarantined: ReadonlyArray<Quarantined>
}

interface Newest {
  readonly file: string
  readonly line: ManifestLine
}

/** A hint is right when its file is the newest, or was never begun and follows the newest. */
const isRight = (hint: HeadHint, newest: Newest | undefined): boolean =>
  hint.firstSeq === newest?.line.firstSeq || hint.firstSeq === (newest?.line.lastSeq ?? 0) + 1

const lossOf = (hint: HeadHint | undefined, last: Partial<HintBasis>): Loss => {
  const ms_max = hint?.fsync_ms ?? last.fsync_ms ?? 0
  if (hint?.boot === undefined || last.boot === undefined) return { cause: "unknown", ms_max }
  return hint.boot === last.boot ? { cause: "kill", ms_max: 0 } : { cause: "powerCut", ms_max }
}

/**
 * Finds the head of a node's journal after any end of the last run, and finishes what that run left undone: a file
 * still open is cut to whole lines and sealed, a sealed file missing from the manifest is entered. Of the archive it
 * reads the names of days, and the files of a few of them, so its time does not grow with the record; only where the
 * hint of the last run is missing or cannot be right does it look into all of them. Of a finished file it believes the
 * manifest, so that a damaged one can never give a `seq` out a second time.
 *
 * @param run the number of this run's lock, the machine's run, and the time between two syncs
 */
export const recover = Effect.fnUntraced(function* (
  dataDir: string,
  node: string,
  nowMs: number,
  run: Partial<HintBasis> = {}
): Effect.fn.Return<Recovered, DiskError, Disk> {
  const quarantined: Array<Quarantined> = []
  let unclean = false
  const settle = Effect.fnUntraced(function* (segments: ReadonlyArray<SegmentName>) {
    let newest: Newest | undefined
    for (const segment of segments) {
      unclean ||= segment.open
      const entered = segment.open ? undefined : yield* findEntered(dataDir, segment.day, nameInDay(segment.file))
      const settleOne = segment.gzip ? settleCompressed : settlePlain
      const { line, torn }: Settled = entered ? { line: entered } : yield* settleOne(dataDir, segment, nowMs)
      if (torn) quarantined.push(torn)
      if (line) newest = { file: segment.file, line }
    }
    return newest
  })
  const hint = yield* readHint(dataDir, node)
  const near = hint && (yield* hintedSegments(dataDir, node, hint, run.lock))
  const hinted = near && (yield* settle(near))
  const isFound = hint !== undefined && near !== undefined && isRight(hint, hinted)
  const newest = isFound ? hinted : yield* settle(yield* newestSegments(dataDir, node))
  // A run that was cut off before its first line has told nobody how the one before it ended.
  const untold = hint !== undefined && (newest?.line.lastSeq ?? 0) < hint.firstSeq ? hint.untold : undefined
  const loss = untold ?? (unclean ? lossOf(hint, run) : undefined)
  return {
    head: newest ? { seq: newest.line.lastSeq, file: newest.file, byteOffset: newest.line.bytes } : origin,
    lastReceivedAt: newest?.line.lastReceivedAt,
    unclean: unclean || untold !== undefined,
    ...(loss === undefined ? {} : { loss }),
    quarantined
  }
})
