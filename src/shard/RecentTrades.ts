/** Trades by which a repeated one is recognised: a frame holds 20, and repeats come within a few frames. */
export const recentTrades_max = 64
/** The shared list is cut when it is this long, so that adding to it copies nothing but once in so many times. */
const list_max = 16 * recentTrades_max

/**
 * The newest trades of a symbol by their sameness, at most 64 of them. A value: adding gives another one and leaves this one as it
 * was. All the values that come of each other share one list, of which each knows how far it goes; one that is added to
 * although the list goes on behind it, because its successor was given up, begins a list of its own.
 */
export class RecentTrades {
  static readonly none = new RecentTrades([], 0)

  private readonly list: Array<string>
  private readonly end: number

  private constructor(list: Array<string>, end: number) {
    this.list = list
    this.end = end
  }

  get length(): number {
    return Math.min(this.end, recentTrades_max)
  }

  includes(sameness: string): boolean {
    const oldest = this.end - this.length
    for (let at = this.end - 1; at >= oldest; at--) if (this.list[at] === sameness) return true
    return false
  }

  add(sameness: string): RecentTrades {
    const isNewest = this.end === this.list.length && this.end > 0 && this.end < list_max
    const list = isNewest ? this.list : this.list.slice(this.end - this.length, this.end)
    list.push(sameness)
    return new RecentTrades(list, list.length)
  }
}
