import { losses_max, type LostTrades } from "../../domain/LostTrades.ts"
import type { EdgedHole } from "./EdgeVolumes.ts"

/** A broker that drops trades drops many: those of a symbol are gathered for so long and asked for together. */
const gather_ms = 10_000

/**
 * Trades that were lost while the connection was up, as holes to be filled: one a symbol and turn. That a hole of the
 * connection itself covers them is for its own filling. Their gaps are the shards'.
 */
export class LostHoles {
  private readonly gathering = new Map<string, { readonly losses: Array<LostTrades>; readonly untilMs: number }>()

  /** `nowMs` is the machine's clock. */
  add(loss: LostTrades, nowMs: number): void {
    const known = this.gathering.get(loss.symbol)
    if (known === undefined) this.gathering.set(loss.symbol, { losses: [loss], untilMs: nowMs + gather_ms })
    else if (known.losses.length < losses_max) known.losses.push(loss)
  }

  /** The holes of symbols that have gathered long enough. */
  due(nowMs: number): ReadonlyArray<EdgedHole> {
    const due: Array<EdgedHole> = []
    for (const [symbol, { losses, untilMs }] of this.gathering) {
      if (untilMs > nowMs) continue
      this.gathering.delete(symbol)
      due.push(together(symbol, losses))
    }
    return due
  }

  /** All that are left: the stream has ended. */
  rest(): ReadonlyArray<EdgedHole> {
    return this.due(Number.POSITIVE_INFINITY)
  }
}

const together = (symbol: string, losses: ReadonlyArray<LostTrades>): EdgedHole => ({
  symbol,
  fromMs: Math.min(...losses.map(({ fromMs }) => fromMs)),
  toMs: Math.max(...losses.map(({ toMs }) => toMs)),
  cause: "continuity",
  cumVolumeBefore: Math.min(...losses.map((loss) => loss.cumVolumeBefore)),
  cumVolumeAfter: Math.max(...losses.map((loss) => loss.cumVolumeAfter)),
  parts: losses.map(({ cumVolumeAfter, cumVolumeBefore }) => ({ cumVolumeBefore, cumVolumeAfter }))
})
