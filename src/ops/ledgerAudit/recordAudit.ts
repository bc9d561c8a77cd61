import type { Holes } from "./Holes.ts"
import { noTally, type Tally } from "./Tally.ts"

/** One stream record, by its digest: how often it was sent and kept. */
interface Fate {
  sent: number
  journalled: number
  rejected: number
  sentAtMs: number
  /** The digest of a frame that carried it: a frame that cannot be split is rejected whole. */
  frame: string
}

/** Stream records of one symbol. No two trades of a day are alike, for each leaves another volume behind. */
export const makeRecordAudit = (symbol: string) => {
  const fates = new Map<string, Fate>()
  const fateOf = (digest: string): Fate => {
    const known = fates.get(digest)
    if (known !== undefined) return known
    const fate = { sent: 0, journalled: 0, rejected: 0, sentAtMs: 0, frame: "" }
    fates.set(digest, fate)
    return fate
  }

  return {
    sent: (digest: string, frame: string, atMs: number): void => {
      const fate = fateOf(digest)
      fate.sent += 1
      fate.sentAtMs = atMs
      fate.frame = frame
    },
    journalled: (digest: string): void => void (fateOf(digest).journalled += 1),
    rejected: (digest: string): void => void (fateOf(digest).rejected += 1),
    tally: (isFrameRejected: (frame: string) => boolean, holes: Holes): Tally => {
      const tally = noTally()
      for (const { frame, journalled, rejected, sent, sentAtMs } of fates.values()) {
        if (sent === 0) {
          tally.invented += journalled
          continue
        }
        tally.delivered += sent
        tally.deduplicated += sent - 1
        tally.duplicates += Math.max(0, journalled - 1)
        if (journalled > 0) tally.journalled += 1
        else if (rejected > 0 || isFrameRejected(frame)) tally.rejected += 1
        else if (holes.covers(symbol, sentAtMs)) tally.covered += 1
        else if (holes.isOutside(sentAtMs)) tally.outside += 1
        else tally.missing += 1
      }
      return tally
    }
  }
}
