import type { MarketListener } from "./MarketView.ts"

/** Everybody who hears of the market, as one listener. */
export const makeAudience = () => {
  const listeners: Array<Partial<MarketListener>> = []
  const listener: MarketListener = {
    onTrade: (issue, trade) => {
      for (const one of listeners) one.onTrade?.(issue, trade)
    },
    onBook: (issue) => {
      for (const one of listeners) one.onBook?.(issue)
    },
    onExpected: (issue, match) => {
      for (const one of listeners) one.onExpected?.(issue, match)
    },
    onIndex: (level) => {
      for (const one of listeners) one.onIndex?.(level)
    },
    onOperation: (operation) => {
      for (const one of listeners) one.onOperation?.(operation)
    },
    onStepEnd: () => {
      for (const one of listeners) one.onStepEnd?.()
    }
  }
  return { listener, add: (one: Partial<MarketListener>): void => void listeners.push(one) }
}
