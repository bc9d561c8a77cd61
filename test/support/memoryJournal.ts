import { Effect, Layer, Stream } from "effect"
import type { RecordDraft } from "../../src/domain/JournalRecord.ts"
import { Journal, origin } from "../../src/journal/Journal.ts"

/** A journal that keeps what is appended in memory; its next appends can be made to crash. */
export const memoryJournal = (crashes: { left: number } = { left: 0 }) => {
  const drafts: Array<RecordDraft> = []
  const layer = Layer.succeed(Journal, {
    append: (chunk, _origin, tell) =>
      Effect.suspend(() => {
        if (crashes.left > 0) {
          crashes.left -= 1
          return Effect.die(new Error("the append crashed"))
        }
        drafts.push(...chunk)
        tell?.(true)
        return Effect.succeed({ first: drafts.length - chunk.length + 1, last: drafts.length })
      }),
    next: () => Effect.undefined,
    hasAfter: () => Effect.never,
    bytesAfter: () => Effect.succeed(0),
    enterCompressed: () => Effect.never,
    read: () => Stream.empty,
    head: Effect.succeed(origin),
    status: Effect.die("not asked"),
    recovered: { head: origin, lastReceivedAt: undefined, unclean: false, quarantined: [] },
    run: Effect.void,
    overtaken: Effect.never,
    turn: Effect.void,
    hold: () => Effect.void,
    rotate: Effect.void,
    close: Effect.void
  })
  return { drafts, layer }
}
