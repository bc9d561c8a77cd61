import type { HealthReport } from "../Health.ts"
import type { Totals } from "./Increases.ts"

const sum = (values: ReadonlyArray<number>) => values.reduce((total, value) => total + value, 0)

/** What of health only ever rises, and is judged by how much it has risen of late. */
export const totalsOf = ({ actors, conservation, feed, lost }: HealthReport, logLost_lines: number): Totals => {
  const sources = Object.entries(conservation).flatMap(([source, balance]) => (source === "observer" ? [] : [balance]))
  return {
    calls: sum(feed.accounts.map(({ budget }) => budget.calls)),
    refusals: sum(feed.accounts.map(({ budget }) => budget.refusals)),
    received: sum(sources.map(({ received }) => received)),
    rejected: sum(sources.map(({ rejected }) => rejected)),
    lostTrades: lost.trades,
    foundTrades: lost.foundTrades,
    logLost_lines,
    ...Object.fromEntries(actors.map(({ name, restarts }) => [`restarts of ${name}`, restarts]))
  }
}
