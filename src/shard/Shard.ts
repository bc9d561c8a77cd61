import { Effect } from "effect"
import { Mailbox, type Origin } from "../actor/Mailbox.ts"
import type { MarketSession } from "../calendar/MarketSession.ts"
import type { RecordDraft } from "../domain/JournalRecord.ts"
import type { RejectReason } from "../domain/Reject.ts"
import type { Delivery, Sighting } from "../domain/Sighting.ts"
import { Conservation } from "../journal/Conservation.ts"
import { Journal } from "../journal/Journal.ts"
import { observation, rejection } from "./ShardDraft.ts"
import { next, type SymbolState } from "./SymbolState.ts"

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
}

/**
 * Owns its symbols' state and nothing else. It handles the chunks at hand together: judge, write to the journal in one
 * append, and only then remember; a crash before that leaves the state as it was, and the chunks are handed over again.
 */
export const makeShard = Effect.fnUntraced(function* ({ heartbeat_ms, name, session, symbols }: ShardOptions) {
  const journal = yield* Journal
  const conservation = yield* Conservation
  const mailbox = yield* Mailbox.make<Delivery>({ actor: name, capacity: mailbox_chunks })
  const states = new Map<string, SymbolState>()

  /** Judges one chunk; what it would store or reject is added to `drafts`, what it learnt to `changed`. */
  const judge = (delivery: Delivery, drafts: Array<RecordDraft>, changed: Map<string, SymbolState>) => {
    const counted = { stored: 0, rejected: 0, deduplicated: 0 }
    const refuse = (sighting: Sighting, reason: RejectReason) => {
      drafts.push(rejection(delivery, sighting, reason))
      counted.rejected += 1
    }
    for (const sighting of delivery.sightings) {
      const { symbol } = sighting
      if (!symbols.has(symbol)) {
        refuse(sighting, "unknownSymbol")
        continue
      }
      const { state, verdict } = next(changed.get(symbol) ?? states.get(symbol), sighting, heartbeat_ms)
      changed.set(symbol, state)
      if (verdict._tag === "Store") {
        drafts.push(observation(delivery, sighting, verdict.flags, session.phaseAt(sighting.receivedAtMs)))
        counted.stored += 1
      } else if (verdict._tag === "Reject") refuse(sighting, verdict.reason)
      else counted.deduplicated += 1
    }
    return { source: delivery.source, counted }
  }

  const handle = Effect.fnUntraced(function* (deliveries: ReadonlyArray<Delivery>, origin: Origin) {
    const changed = new Map<string, SymbolState>()
    const drafts: Array<RecordDraft> = []
    const tallies = deliveries.map((delivery) => judge(delivery, drafts, changed))
    if (drafts.length > 0) yield* journal.append(drafts, origin)
    for (const [symbol, state] of changed) states.set(symbol, state)
    for (const { counted, source } of tallies) yield* conservation.add(source, counted)
  })

  const onPoison = Effect.fnUntraced(function* (delivery: Delivery, origin: Origin) {
    const { sightings, source } = delivery
    yield* Effect.logError("a chunk that crashed its shard three times is set aside as poison", {
      shard: name,
      records: sightings.length
    })
    yield* journal.append(
      sightings.map((sighting) => rejection(delivery, sighting, "poison")),
      origin
    )
    yield* conservation.add(source, { rejected: sightings.length })
  })

  return {
    name,
    mailbox,
    /** The shard's work, for a supervisor to run; ends once its mailbox has been ended and is empty. */
    run: mailbox.consume({ handle, onPoison, batch_max: append_chunks }),
    /** When each of its symbols was last seen. */
    lastSeen: (): ReadonlyMap<string, SymbolState> => states
  }
})

export type Shard = Effect.Success<ReturnType<typeof makeShard>>
