/** Trades by which a repeated one is recognised: a frame holds 20, and repeats come within a few frames. */
export const recentTrades_max = 64

/** What makes a trade itself: two that agree in all of this are one trade that was told twice. */
export interface TradeIdentity {
  /** UTC milliseconds. */
  readonly atMs: number
  /** KRW. */
  readonly price: number | undefined
  /** Shares. */
  readonly volume: number | undefined
  readonly cumVolume: number
}

/** Numbers by which a trade is remembered. */
const width = 4
/** The shared list is cut when it is this long, so that adding copies the newest trades only once in so many times. */
const list_max = 4 * recentTrades_max * width

/** Stands for a number that is not known. Nothing the broker says is read as this; what cannot be read is `NaN`, and like nothing. */
const unknown = Number.NEGATIVE_INFINITY

/**
 * The newest trades of a symbol, at most 64. A value: adding gives another one and leaves this one as it was. All values
 * that come of each other share one list, of which each knows how far it goes; one that is added to although the list
 * goes on behind it, because its successor was given up, begins a list of its own. The list holds bare numbers: texts that
 * live on for 64 trades cost the garbage collector more than all other work on a trade (`bench/decode.mjs`).
 */
export class RecentTrades {
  static readonly none = new RecentTrades([], 0)

  private readonly list: Array<number>
  private readonly end: number

  private constructor(list: Array<number>, end: number) {
    this.list = list
    this.end = end
  }

  get length(): number {
    return (this.end - this.begin) / width
  }

  private get begin(): number {
    return Math.max(0, this.end - recentTrades_max * width)
  }

  includes({ atMs, cumVolume, price = unknown, volume = unknown }: TradeIdentity): boolean {
    const { begin, list } = this
    for (let at = this.end - width; at >= begin; at -= width) {
      if (list[at] === atMs && list[at + 1] === cumVolume && list[at + 2] === price && list[at + 3] === volume)
        return true
    }
    return false
  }

  add({ atMs, cumVolume, price = unknown, volume = unknown }: TradeIdentity): RecentTrades {
    const isNewest = this.end === this.list.length && this.end > 0 && this.end < list_max
    const list = isNewest ? this.list : this.list.slice(this.begin, this.end)
    list.push(atMs, cumVolume, price, volume)
    return new RecentTrades(list, list.length)
  }
}
