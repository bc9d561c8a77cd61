import { Effect, Layer } from "effect"
import type { RecordDraft } from "../../src/domain/JournalRecord.ts"
import { Journal, origin } from "../../src/journal/Journal.ts"

const recovered = { head: origin, lastReceivedAt: undefined, unclean: false, quarantined: [] }

/** A journal that keeps what is appended in memory and needs no time of its own, so that whole days pass in a moment. */
export const recordingJournal = () => {
  const records: Array<RecordDraft> = []
  const append = (drafts: ReadonlyArray<RecordDraft>) =>
    Effect.sync(() => {
      records.push(...drafts)
      return { first: records.length - drafts.length + 1, last: records.length }
    })
  return { records, journal: Layer.mock(Journal, { append, recovered }) }
}
