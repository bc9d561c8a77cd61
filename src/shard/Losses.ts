import type { GapPayload, LateRepair } from "../domain/Gap.ts"
import type { RecordDraft } from "../domain/JournalRecord.ts"
import type { Delivery, Sighting } from "../domain/Sighting.ts"
import type { LostTrades } from "../domain/LostTrades.ts"
import type { Told } from "./Continuity.ts"
import type { Loss } from "./Loss.ts"
import { flagged } from "./ShardDraft.ts"

/** Shares and trades that were lost, or came after all. */
export interface Amount {
  readonly trades: number
  readonly volume: number
}

/** What the chunks of one judgement say was lost, and what of older losses they bring. */
export interface LossReport {
  readonly losses: ReadonlyArray<LostTrades>
  readonly lost: Amount
  readonly found: Amount
}

interface Named {
  readonly delivery: Delivery
  readonly sighting: Sighting
  /** Where the draft is that it goes before. */
  readonly draftAt: number
  /** As it is once the whole judgement was seen. */
  loss: Loss
}

interface Found {
  readonly delivery: Delivery
  readonly sighting: Sighting
  readonly loss: Loss
  trades: number
  volume: number
  isOver: boolean
}

const nothing: LossReport = { losses: [], lost: { trades: 0, volume: 0 }, found: { trades: 0, volume: 0 } }

/**
 * Gathers what trades tell of the ones before them, and makes records of it when a judgement is complete: what a later
 * record of the same judgement brings was out of order, and not lost.
 */
export class Losses {
  private readonly named = new Map<string, Named>()
  private readonly found = new Map<string, Found>()

  tell(told: Told, delivery: Delivery, sighting: Sighting, draftAt: number): void {
    const { loss } = told
    if (loss === undefined) return
    // The volume it begins at names a loss of a symbol's day.
    const key = `${sighting.symbol} ${sighting.venue} ${loss.cumVolumeBefore} ${loss.fromMs} ${loss.isMerged}`
    if (told._tag === "jump") {
      this.named.set(key, { delivery, sighting, draftAt, loss })
      return
    }
    const fresh = this.named.get(key)
    if (fresh !== undefined) fresh.loss = loss
    else this.add(key, told, { delivery, sighting, loss, trades: 0, volume: 0, isOver: false })
  }

  /** Flags the records before which something is missing and adds a `gap` of each loss, and of each that was filled. */
  finish(drafts: Array<RecordDraft>): LossReport {
    if (this.named.size + this.found.size === 0) return nothing
    const lost = { trades: 0, volume: 0 }
    const losses: Array<LostTrades> = []
    for (const { delivery, draftAt, loss, sighting } of this.named.values()) {
      const { leftTrades, leftVolume } = loss
      if (leftVolume <= 0) continue
      const before = drafts[draftAt]
      // A print that no counter knows of is one trade at least.
      if (before !== undefined) drafts[draftAt] = flagged(before, `lostBefore:${Math.max(1, leftTrades)}`)
      drafts.push(
        gapOf(delivery, sighting, loss, {
          lostVolume: leftVolume,
          ...(leftTrades === 0 ? {} : { lostTrades: leftTrades })
        })
      )
      lost.trades += leftTrades
      lost.volume += leftVolume
      if (delivery.source === "kis-ws") losses.push(lostTrades(delivery, sighting, loss))
    }
    const found = { trades: 0, volume: 0 }
    for (const { delivery, isOver, loss, sighting, trades, volume } of this.found.values()) {
      const source = delivery.source === "backfill" ? "backfill" : "late"
      const repairedBy: LateRepair = { source, trades, volume, complete: isOver }
      drafts.push(gapOf(delivery, sighting, loss, { repairedBy }))
      found.trades += trades
      found.volume += volume
    }
    return { losses, lost, found }
  }

  private add(key: string, { loss, trades, volume }: Told & { readonly _tag: "found" }, fresh: Found): void {
    const found = this.found.get(key) ?? fresh
    found.trades += trades
    found.volume += volume
    found.isOver = loss.leftVolume === 0
    this.found.set(key, found)
  }
}

const gapOf = (
  { account }: Delivery,
  { receivedAtMs, symbol, venue }: Sighting,
  { fromMs, toMs }: Loss,
  what: Pick<GapPayload, "lostTrades" | "lostVolume" | "repairedBy">
): RecordDraft => ({
  kind: "gap",
  symbol,
  receivedAtMs,
  source: "observer",
  account,
  venue,
  payload: {
    from: new Date(fromMs).toISOString(),
    to: new Date(Math.max(fromMs, toMs)).toISOString(),
    cause: "continuity",
    symbol,
    ...what
  } satisfies GapPayload
})

const lostTrades = (
  { account }: Delivery,
  { symbol }: Sighting,
  { cumVolumeAfter, cumVolumeBefore, fromMs, toMs }: Loss
): LostTrades => ({ account, symbol, fromMs, toMs: Math.max(fromMs, toMs), cumVolumeBefore, cumVolumeAfter })
