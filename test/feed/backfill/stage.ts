import { Context, Effect, Layer } from "effect"
import { MarketSession } from "../../../src/calendar/MarketSession.ts"
import type { Delivery } from "../../../src/domain/Sighting.ts"
import { makeBackfill } from "../../../src/feed/Backfill.ts"
import { Conservation } from "../../../src/journal/Conservation.ts"
import type { TradeLists } from "../../../src/kis/TradeList.ts"
import { memoryJournal } from "../../support/memoryJournal.ts"
import { looked } from "../../support/virtualTime.ts"

/** A backfill over given lists, with shards that store at once whatever they are handed. */
export const stageOf = Effect.fnUntraced(function* (
  tradeLists: TradeLists,
  options: { readonly mode?: "always" | "calendar"; readonly rank?: (symbol: string) => number } = {}
) {
  const { drafts: written, layer: journal } = memoryJournal()
  const deliveries: Array<Delivery> = []
  const context = yield* Layer.build(
    Layer.fresh(Layer.mergeAll(journal, Conservation.layer, MarketSession.layer(options.mode ?? "always")))
  )
  const conservation = Context.get(context, Conservation)
  const shard = { isStoring: true, isLosing: false, held: 0 }
  conservation.measure((add) => add("backfill", shard.held))
  const backfill = yield* Effect.provideContext(
    makeBackfill({
      account: "main",
      tradeLists,
      session: Context.get(context, MarketSession),
      rank: options.rank ?? (() => 0),
      deliver: (delivery) =>
        Effect.suspend(() => {
          deliveries.push(delivery)
          delivery.onTaken?.(delivery.sightings.length)
          if (shard.isLosing) return Effect.void
          if (shard.isStoring) conservation.settle(delivery.source, { stored: delivery.sightings.length })
          else shard.held += delivery.sightings.length
          return Effect.void
        })
    }),
    context
  )
  return {
    backfill,
    statusOf: looked(backfill.status),
    tally: looked(Effect.map(conservation.balances, (balances) => balances.get("backfill"))),
    written,
    deliveries,
    conservation,
    shard,
    sightings: () => deliveries.flatMap(({ sightings }) => sightings)
  }
})
