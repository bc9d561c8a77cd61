import { Context, Effect, Layer, Metric, PubSub, Stream } from "effect"
import { meterDropped } from "../actor/dropMeter.ts"
import { patient } from "../actor/RestartPolicy.ts"
import { Supervisor } from "../actor/Supervisor.ts"
import { MarketSession } from "../calendar/MarketSession.ts"
import type { LostTrades } from "../domain/LostTrades.ts"
import type { Delivery, Sighting } from "../domain/Sighting.ts"
import type { LossReport } from "./Losses.ts"
import { makeShard } from "./Shard.ts"

export interface ShardsOptions {
  readonly count: number
  readonly heartbeat_ms: number
}

/** What streams lost since the start, by the broker's counters, and what of it came after all. */
export interface LossTotals {
  readonly losses: number
  readonly trades: number
  readonly shares: number
  readonly foundTrades: number
  readonly foundShares: number
}

/** Losses that may wait for whoever fills them; then the oldest stays as it is. */
const losses_max = 1_024

const counter = (name: string, description: string) => Metric.counter(name, { description, incremental: true })
const lostTrades = counter("observer_lost_trades_total", "Trades that a stream did not bring, by the broker's counters")
const lostShares = counter(
  "observer_lost_shares_total",
  "Shares of trades and auction prints that a stream did not bring"
)
const foundTrades = counter(
  "observer_found_trades_total",
  "Lost trades that came late or were found in the broker's lists"
)
const foundShares = counter("observer_found_shares_total", "Shares that came late or were found in the broker's lists")

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
    /** What streams have lost, as it is found and once its gap is written. */
    readonly losses: Stream.Stream<LostTrades>
    readonly lossTotals: Effect.Effect<LossTotals>
  }
>()("observer/shard/Shards") {
  static readonly layer = (options: ShardsOptions) => Layer.effect(Shards, make(options))
}

const make = Effect.fnUntraced(function* ({ count, heartbeat_ms }: ShardsOptions) {
  const supervisor = yield* Supervisor
  const session = yield* MarketSession
  const owned = Array.from({ length: count }, () => new Set<string>())
  const losses = yield* PubSub.sliding<LostTrades>(losses_max)
  let totals: LossTotals = { losses: 0, trades: 0, shares: 0, foundTrades: 0, foundShares: 0 }
  const onLosses = Effect.fnUntraced(function* ({ found, losses: fresh, lost }: LossReport) {
    totals = {
      losses: totals.losses + fresh.length,
      trades: totals.trades + lost.trades,
      shares: totals.shares + lost.volume,
      foundTrades: totals.foundTrades + found.trades,
      foundShares: totals.foundShares + found.volume
    }
    yield* Metric.update(lostTrades, lost.trades)
    yield* Metric.update(lostShares, lost.volume)
    yield* Metric.update(foundTrades, found.trades)
    yield* Metric.update(foundShares, found.volume)
    yield* PubSub.publishAll(losses, fresh)
  })
  // From 0 on, the first loss is seen as one more.
  for (const metric of [lostTrades, lostShares, foundTrades, foundShares]) yield* Metric.update(metric, 0)
  const shards = yield* Effect.forEach(owned, (own, index) =>
    makeShard({ name: `shard/${index}`, symbols: own, heartbeat_ms, onLosses, session })
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
    losses: Stream.fromPubSub(losses),
    lossTotals: Effect.sync(() => totals),
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
          yield* meterDropped("drained", sightings.length)
          yield* Effect.logError("a delivery came after the shards were drained and is not stored", {
            source: delivery.source,
            records: sightings.length
          })
        }
      }
    })
  })
})
