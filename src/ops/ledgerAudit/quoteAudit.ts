import type { Holes } from "./Holes.ts"
import { noTally, type Tally } from "./Tally.ts"

interface SentRow {
  readonly digest: string
  readonly atMs: number
}

const countOf = (counts: ReadonlyMap<string, number>, digest: string) => counts.get(digest) ?? 0
const addOne = (counts: Map<string, number>, digest: string) => void counts.set(digest, countOf(counts, digest) + 1)

/**
 * Rows of one symbol, in the order in which they were answered. A row equal to the last one the journal took need not be
 * written again, but may be (a heartbeat); any other one must be.
 */
export const makeQuoteAudit = (symbol: string) => {
  const rows: Array<SentRow> = []
  const journal = new Map<string, number>()
  const rejects = new Map<string, number>()

  return {
    sent: (digest: string, atMs: number): void => void rows.push({ digest, atMs }),
    journalled: (digest: string): void => addOne(journal, digest),
    rejected: (digest: string): void => addOne(rejects, digest),
    tally: (holes: Holes): Tally => {
      const tally = noTally()
      const unused = new Map(journal)
      const refused = new Map(rejects)
      const repeats = new Map<string, number>()
      const sent = new Set(rows.map(({ digest }) => digest))
      let last: string | undefined
      const take = (counts: Map<string, number>, digest: string): boolean => {
        const left = countOf(counts, digest)
        if (left > 0) counts.set(digest, left - 1)
        return left > 0
      }
      for (const { atMs, digest } of rows) {
        tally.delivered += 1
        if (digest === last) {
          tally.deduplicated += 1
          addOne(repeats, digest)
        } else if (take(unused, digest)) {
          tally.journalled += 1
          last = digest
        } else if (take(refused, digest)) {
          tally.rejected += 1
          last = digest
        } else if (holes.covers(symbol, atMs)) tally.covered += 1
        else if (holes.isOutside(atMs)) tally.outside += 1
        else tally.missing += 1
      }
      for (const [digest, left] of unused) {
        if (!sent.has(digest)) tally.invented += left
        else tally.duplicates += Math.max(0, left - countOf(repeats, digest))
      }
      return tally
    }
  }
}
