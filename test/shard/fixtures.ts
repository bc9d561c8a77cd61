import { marketInstant } from "../../src/calendar/MarketTime.ts"
import type { Sighting } from "../../src/domain/Sighting.ts"

/** 10:00:00 of a trading day. */
export const tenMs = marketInstant("20261124", "100000") ?? Number.NaN
export const heartbeat_ms = 300_000

export const quote = (says: string, receivedAtMs: number, changes: Partial<Sighting> = {}): Sighting => ({
  symbol: "005930",
  kind: "quote",
  venue: "KRX",
  receivedAtMs,
  price: 100,
  flags: [],
  sameness: says,
  payload: { says },
  ...changes
})

/** The trade that brought the day's volume to `cumVolume`. */
export const trade = (cumVolume: number, changes: Partial<Sighting> = {}): Sighting => ({
  symbol: "005930",
  kind: "trade",
  venue: "KRX",
  receivedAtMs: tenMs,
  exchangeAtMs: tenMs,
  price: 100,
  volume: 1,
  cumVolume,
  flags: [],
  payload: [String(cumVolume)],
  ...changes
})
