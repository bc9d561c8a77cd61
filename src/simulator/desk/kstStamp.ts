import { marketDate, marketHour } from "../../calendar/MarketTime.ts"

/** `YYYY-MM-DD HH:MM:SS` on the Korean wall clock, without a zone, as the broker writes an expiry. */
export const kstStamp = (atMs: number): string => {
  const date = marketDate(atMs)
  const hour = marketHour(atMs)
  return `${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6)} ${hour.slice(0, 2)}:${hour.slice(2, 4)}:${hour.slice(4)}`
}
