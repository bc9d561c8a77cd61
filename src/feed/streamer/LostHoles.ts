import { losses_max, type LostTrades } from "../../domain/LostTrades.ts"
import type { EdgedHole } from "./EdgeVolumes.ts"
import { type VolumeSpan, without } from "./VolumeSpan.ts"

/** A broker that drops trades drops many: those of a symbol are gathered for so long and asked for together. */
const gather_ms = 10_000
/** A trade may be heard before the loss is told that it was missing from: late ones are remembered so long, and so many a symbol. */
const late_ms = 30_000
const late_max = 64

/** A trade of the stream that was heard after ones that come after it in the day. */
export interface LateTrade extends VolumeSpan {
  readonly symbol: string
}

/**
 * Trades that were lost while the connection was up, as holes to be filled: one a symbol and turn. What a hole of the
 * connection itself covers is for its own filling, and what was heard late need not be asked for. Their gaps are the shards'.
 */
export class LostHoles {
  private readonly gathering = new Map<string, { readonly losses: Array<LostTrades>; readonly untilMs: number }>()
  private readonly late = new Map<string, ReadonlyArray<VolumeSpan & { readonly untilMs: number }>>()

  /** `nowMs` is the machine's clock. */
  add(loss: LostTrades, nowMs: number): void {
    const known = this.gathering.get(loss.symbol)
    if (known === undefined) this.gathering.set(loss.symbol, { losses: [loss], untilMs: nowMs + gather_ms })
    else if (known.losses.length < losses_max) known.losses.push(loss)
  }

  /** Trades came late: where they had been lost, they are no longer. */
  heard(trades: ReadonlyArray<LateTrade>, nowMs: number): void {
    for (const { symbol, ...span } of trades) {
      const known = this.late.get(symbol) ?? []
      this.late.set(symbol, [...known.slice(1 - late_max), { ...span, untilMs: nowMs + late_ms }])
    }
  }

  /** The holes of symbols that have gathered long enough. `covered` is what other holes of a symbol are filled with. */
  due(nowMs: number, covered: (symbol: string) => ReadonlyArray<VolumeSpan>): ReadonlyArray<EdgedHole> {
    const due: Array<EdgedHole> = []
    for (const [symbol, { losses, untilMs }] of this.gathering) {
      if (untilMs > nowMs) continue
      this.gathering.delete(symbol)
      due.push(...together(symbol, losses, [...covered(symbol), ...(this.late.get(symbol) ?? [])]))
    }
    for (const [symbol, trades] of this.late) {
      if ((trades.at(-1)?.untilMs ?? 0) <= nowMs) this.late.delete(symbol)
    }
    return due
  }

  /** All that are left: the stream has ended. */
  rest(covered: (symbol: string) => ReadonlyArray<VolumeSpan>): ReadonlyArray<EdgedHole> {
    return this.due(Number.POSITIVE_INFINITY, covered)
  }
}

/** What is left of the losses without what is known, as one hole; none, when nothing is. */
const together = (
  symbol: string,
  losses: ReadonlyArray<LostTrades>,
  known: ReadonlyArray<VolumeSpan>
): ReadonlyArray<EdgedHole> => {
  const left = losses.flatMap((loss) => {
    const { cumVolumeAfter, cumVolumeBefore } = loss
    const parts = without([{ cumVolumeBefore, cumVolumeAfter }], known)
    return parts.length === 0 ? [] : [{ loss, parts }]
  })
  if (left.length === 0) return []
  const parts = left.flatMap((each) => each.parts)
  return [
    {
      symbol,
      fromMs: Math.min(...left.map(({ loss }) => loss.fromMs)),
      toMs: Math.max(...left.map(({ loss }) => loss.toMs)),
      cause: "continuity",
      cumVolumeBefore: Math.min(...parts.map(({ cumVolumeBefore }) => cumVolumeBefore)),
      cumVolumeAfter: Math.max(...parts.map(({ cumVolumeAfter }) => cumVolumeAfter)),
      parts
    }
  ]
}
