import { Effect } from "effect"
import { Mailbox } from "../actor/Mailbox.ts"
import type { MarketSession } from "../calendar/MarketSession.ts"
import type { RecordDraft } from "../domain/JournalRecord.ts"
import type { Delivery } from "../domain/Sighting.ts"
import { Conservation } from "../journal/Conservation.ts"
import { Journal } from "../journal/Journal.ts"
import { observation, rejection } from "./ShardDraft.ts"
import { next, type SymbolState } from "./SymbolState.ts"

/** Chunks that may wait for one shard; then the sources wait. */
const mailbox_chunks = 128

export interface ShardOptions {
  readonly name: string
  readonly symbols: ReadonlySet<string>
  /** An unchanged symbol is written again after so long. */
  readonly heartbeat_ms: number
  readonly session: MarketSession["Service"]
}

/**
 * Owns its symbols' state and nothing else. It handles one chunk at a time: judge, write to the journal in one append,
 * and only then remember; a crash before the append leaves the state as it was, and the chunk is handed over again.
 */
export const makeShard = Effect.fnUntraced(function* ({ heartbeat_ms, name, session, symbols }: ShardOptions) {
  const journal = yield* Journal
  const conservation = yield* Conservation
  const mailbox = yield* Mailbox.make<Delivery>(mailbox_chunks)
  const states = new Map<string, SymbolState>()

  const handle = Effect.fnUntraced(function* (delivery: Delivery) {
    const changed = new Map<string, SymbolState>()
    const drafts: Array<RecordDraft> = []
    let stored = 0
    let rejected = 0
    for (const sighting of delivery.sightings) {
      const { symbol } = sighting
      if (!symbols.has(symbol)) {
        drafts.push(rejection(delivery, sighting, "unknownSymbol"))
        rejected += 1
        continue
      }
      const { state, verdict } = next(changed.get(symbol) ?? states.get(symbol), sighting, heartbeat_ms)
      changed.set(symbol, state)
      if (verdict._tag === "Store") {
        drafts.push(observation(delivery, sighting, verdict.flags, session.phaseAt(sighting.receivedAtMs)))
        stored += 1
      } else if (verdict._tag === "Reject") {
        drafts.push(rejection(delivery, sighting, verdict.reason))
        rejected += 1
      }
    }
    if (drafts.length > 0) yield* journal.append(drafts)
    for (const [symbol, state] of changed) states.set(symbol, state)
    const deduplicated = delivery.sightings.length - stored - rejected
    yield* conservation.add(delivery.source, { stored, rejected, deduplicated })
  })

  const onPoison = Effect.fnUntraced(function* (delivery: Delivery) {
    const { sightings, source } = delivery
    yield* Effect.logError("a chunk that crashed its shard three times is set aside as poison", {
      shard: name,
      records: sightings.length
    })
    yield* journal.append(sightings.map((sighting) => rejection(delivery, sighting, "poison")))
    yield* conservation.add(source, { rejected: sightings.length })
  })

  return {
    name,
    mailbox,
    /** The shard's work, for a supervisor to run; ends once its mailbox has been ended and is empty. */
    run: mailbox.consume(handle, onPoison),
    /** When each of its symbols was last seen. */
    lastSeen: (): ReadonlyMap<string, SymbolState> => states
  }
})

export type Shard = Effect.Success<ReturnType<typeof makeShard>>
