import type { StreamTarget } from "../../domain/Assignment.ts"
import type { Registration } from "../../kis/StreamSession.ts"
import { streamIds } from "../streamer/readFrames.ts"

/** One slot for it and one for a symbol. */
const slots_min = 2

/**
 * What an account registers: the trades of each symbol, the order book of some, and before all of them the market's own
 * word for one of the symbols. Without that nobody tells the account's listening of a circuit breaker, and a connection
 * that is quiet in one is taken for deaf. It costs a slot, which goes back to the plan where the broker does not give it.
 */
export class MarketWord {
  private readonly isOffered: boolean
  private isRefused = false
  /** Kept while it is streamed: an order that changes costs no registration. */
  private symbol: string | undefined

  /** The mock's streams are few, and this is none of them. */
  constructor(isOffered: boolean) {
    this.isOffered = isOffered
  }

  /** How many of so many slots the plan may fill. */
  leaves(slots: number): number {
    return this.isKept(slots) ? slots - 1 : slots
  }

  /** The broker does not give it; `true` when that is news. */
  refused(): boolean {
    const isNews = !this.isRefused
    this.isRefused = true
    return isNews
  }

  /** Another day begins: it is worth asking once more. `true` when that is news. */
  again(): boolean {
    const isNews = this.isRefused
    this.isRefused = false
    return isNews
  }

  /** What is to be registered with so many slots, the most important first. */
  registrations(targets: ReadonlyArray<StreamTarget>, slots: number): ReadonlyArray<Registration> {
    if (!targets.some(({ symbol }) => symbol === this.symbol)) this.symbol = targets[0]?.symbol
    return [
      ...(this.symbol !== undefined && this.isKept(slots) ? [{ trId: streamIds.status, trKey: this.symbol }] : []),
      ...targets.map(({ symbol }) => ({ trId: streamIds.trades, trKey: symbol })),
      ...targets.flatMap(({ book, symbol }) => (book ? [{ trId: streamIds.book, trKey: symbol }] : []))
    ]
  }

  private isKept(slots: number): boolean {
    return this.isOffered && !this.isRefused && slots >= slots_min
  }
}
