import { Context, Effect, Layer } from "effect"
import { patient } from "../actor/RestartPolicy.ts"
import { Supervisor } from "../actor/Supervisor.ts"
import { MarketSession } from "../calendar/MarketSession.ts"
import type { Delivery, Sighting } from "../domain/Sighting.ts"
import { makeShard } from "./Shard.ts"

export interface ShardsOptions {
  readonly count: number
  readonly heartbeat_ms: number
}

/** Which shard a symbol belongs to: always the same one, whatever else is observed (FNV-1a). */
export const shardOf = (symbol: string, count: number): number => {
  let hash = 0x811c9dc5
  for (let index = 0; index < symbol.length; index++) hash = Math.imul(hash ^ symbol.charCodeAt(index), 0x01000193)
  return (hash >>> 0) % count
}

/** All shards: every symbol belongs to exactly one, and whoever has sightings hands them in here. */
export class Shards extends Context.Service<
  Shards,
  {
    /** Starts the shards; shut down, each ends when everything handed in is in the journal. */
    readonly start: Effect.Effect<void>
    /** Sets which symbols are owned; sightings of any other are refused. Those who stay keep their state. */
    observe(symbols: ReadonlyArray<string>): Effect.Effect<void>
    /** Takes a chunk apart by shard; suspends while a mailbox is full. */
    deliver(delivery: Delivery): Effect.Effect<void>
  }
>()("observer/shard/Shards") {
  static readonly layer = (options: ShardsOptions) => Layer.effect(Shards, make(options))
}

const make = Effect.fnUntraced(function* ({ count, heartbeat_ms }: ShardsOptions) {
  const supervisor = yield* Supervisor
  const session = yield* MarketSession
  const owned = Array.from({ length: count }, () => new Set<string>())
  const shards = yield* Effect.forEach(owned, (own, index) =>
    makeShard({ name: `shard/${index}`, symbols: own, heartbeat_ms, session })
  )

  return Shards.of({
    start: Effect.forEach(
      shards,
      ({ mailbox, name, run }) =>
        supervisor.start({ name, kind: "transient", policy: patient, mailbox, run, drain: mailbox.end }),
      { discard: true }
    ),
    observe: (symbols) =>
      Effect.sync(() => {
        const parts = owned.map(() => new Set<string>())
        for (const symbol of symbols) parts[shardOf(symbol, count)]?.add(symbol)
        for (const [index, own] of owned.entries()) {
          const wanted = parts[index] ?? new Set<string>()
          for (const symbol of own) if (!wanted.has(symbol)) own.delete(symbol)
          for (const symbol of wanted) own.add(symbol)
        }
      }),
    deliver: Effect.fnUntraced(function* ({ onTaken, ...delivery }) {
      const parts = new Map<number, Array<Sighting>>()
      for (const sighting of delivery.sightings) {
        const shard = shardOf(sighting.symbol, count)
        const part = parts.get(shard)
        if (part === undefined) parts.set(shard, [sighting])
        else part.push(sighting)
      }
      for (const [shard, sightings] of parts) {
        const taken = () => onTaken?.(sightings.length)
        const isTaken = yield* shards[shard]?.mailbox.offer({ ...delivery, sightings }, taken) ?? Effect.succeed(false)
        if (!isTaken) {
          yield* Effect.logError("a delivery came after the shards were drained and is not stored", {
            source: delivery.source,
            records: sightings.length
          })
        }
      }
    })
  })
})
