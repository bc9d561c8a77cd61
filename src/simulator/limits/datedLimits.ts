import { marketMidnight } from "../../calendar/MarketTime.ts"

/** KIS's announced calls a second per app key, from a market date on (`kis` notices of 2025-08-07 and 2026-04-20). */
const announced: ReadonlyArray<{ readonly from: string; readonly live: number; readonly mock: number }> = [
  { from: "20260420", live: 18, mock: 1 },
  { from: "00000000", live: 20, mock: 2 }
]

/** Since 2026-04-03 a new live customer has fewer calls for the first days; the mock is excluded. */
const newCustomers = { from: "20260403", callsPerSecond: 3, days: 3 }

const day_ms = 86_400_000

/** Calls a second of one app key on a market date (`YYYYMMDD`); `firstSeen` is the date of its first call where it is new. */
export const callsPerSecondOn = (date: string, env: "live" | "mock", firstSeen?: string): number => {
  const calls = announced.find(({ from }) => from <= date)?.[env] ?? 0
  if (firstSeen === undefined || env === "mock" || date < newCustomers.from) return calls
  const days = (marketMidnight(date) - marketMidnight(firstSeen)) / day_ms
  return days < newCustomers.days ? Math.min(calls, newCustomers.callsPerSecond) : calls
}
