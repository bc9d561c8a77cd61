import { Effect } from "effect"
import { Mailbox, type Origin } from "../actor/Mailbox.ts"
import type { MarketSession } from "../calendar/MarketSession.ts"
import type { Delivery } from "../domain/Sighting.ts"
import { Conservation } from "../journal/Conservation.ts"
import { meterGaps } from "../journal/gapMeters.ts"
import { Journal } from "../journal/Journal.ts"
import type { LossReport } from "./Losses.ts"
import { rejection } from "./ShardDraft.ts"
import { type Outcome, ShardState } from "./ShardState.ts"

/** Chunks that may wait for one shard; then the sources wait. */
const mailbox_chunks = 128
/** Chunks that go into one append. */
const append_chunks = 16

export interface ShardOptions {
  readonly name: string
  readonly symbols: ReadonlySet<string>
  /** An unchanged symbol is written again after so long. */
  readonly heartbeat_ms: number
  readonly session: MarketSession["Service"]
  /** Hears what trades say was lost, once that is written. Never waits. */
  readonly onLosses: (report: LossReport) => Effect.Effect<void>
}

/**
 * Owns its symbols' state and nothing else. It handles the chunks at hand together: judge, write to the journal in one
 * append, and only then remember; a crash before that leaves the state as it was, and the chunks are handed over again.
 */
export const makeShard = Effect.fnUntraced(function* ({
  heartbeat_ms,
  name,
  onLosses,
  session,
  symbols
}: ShardOptions) {
  const journal = yield* Journal
  const conservation = yield* Conservation
  const mailbox = yield* Mailbox.make<Delivery>({ actor: name, capacity: mailbox_chunks })
  const state = new ShardState({ symbols, heartbeat_ms, session })
  conservation.measure((add) => {
    for (const { sightings, source } of mailbox.held) add(source, sightings.length)
  })

  /** The newest chunks in the journal, and what was written of each: it stays so, though they be handed over again. */
  let written: { readonly deliveries: ReadonlyArray<Delivery>; readonly outcomes: ReadonlyArray<Outcome> } = {
    deliveries: [],
    outcomes: []
  }
  const writtenOf = (delivery: Delivery | undefined): Outcome | undefined =>
    delivery && written.outcomes[written.deliveries.indexOf(delivery)]

  const handle = Effect.fnUntraced(function* (deliveries: ReadonlyArray<Delivery>, origin: Origin) {
    const judgement = state.judge(deliveries)
    const { drafts, outcomes } = judgement
    const tell = (isFresh: boolean) => {
      if (isFresh) written = { deliveries, outcomes }
    }
    if (drafts.length > 0) yield* journal.append(drafts, origin, tell)
    state.remember(judgement)
    const isWritten = deliveries === written.deliveries
    const { report } = judgement
    if (isWritten && (report.lost.volume > 0 || report.found.volume + report.found.trades > 0)) {
      yield* meterGaps(drafts)
      yield* onLosses(report)
    }
    return isWritten ? outcomes : outcomes.map((outcome, at) => writtenOf(deliveries[at]) ?? outcome)
  })

  const onPoison = Effect.fnUntraced(function* (delivery: Delivery, origin: Origin) {
    const { sightings, source } = delivery
    const outcome = writtenOf(delivery)
    if (outcome !== undefined) {
      state.setAside(delivery)
      return [outcome]
    }
    yield* Effect.logError("a chunk that crashed its shard three times is set aside as poison", {
      shard: name,
      records: sightings.length
    })
    yield* journal.append(
      sightings.map((sighting) => rejection(delivery, sighting, "poison")),
      origin
    )
    // Only now: who is asked for it again has not yet seen it. What is refused is not lost.
    state.setAside(delivery)
    const refused: Outcome = { source, counted: { stored: 0, rejected: sightings.length, deduplicated: 0 } }
    return [refused]
  })

  const onDone = (outcomes: ReadonlyArray<Outcome>) => {
    for (const { counted, source } of outcomes) conservation.settle(source, counted)
  }

  return {
    name,
    mailbox,
    /** The shard's work, for a supervisor to run; ends once its mailbox has been ended and is empty. */
    run: mailbox.consume({ handle, onPoison, onDone, batch_max: append_chunks })
  }
})

export type Shard = Effect.Success<ReturnType<typeof makeShard>>
