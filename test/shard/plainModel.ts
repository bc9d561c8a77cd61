import type { Phase } from "../../src/domain/Phase.ts"

/**
 * What a record of `H0STCNT0` means and what becomes of it, in the plainest way: no sharing, no caches, texts and lists. The model
 * against which the fast way is held.
 */
export interface PlainTrade {
  readonly symbol: string
  readonly exchangeAtMs: number | undefined
  readonly phase: Phase | undefined
  readonly price: number | undefined
  readonly volume: number | undefined
  readonly cumVolume: number | undefined
  readonly ask: number | undefined
  readonly bid: number | undefined
  readonly flags: ReadonlyArray<string>
}

const nineHours_ms = 9 * 3_600_000

const dateOf = (atMs: number): string => new Date(atMs + nineHours_ms).toISOString().slice(0, 10).replaceAll("-", "")

const plainNumber = (text = ""): number | undefined => {
  const trimmed = text.trim()
  if (trimmed === "") return undefined
  return /^[+-]?\d+(\.\d+)?$/.test(trimmed) ? Number(trimmed) : Number.NaN
}

const plainInstant = (date: string, hour: string): number | undefined => {
  if (!/^\d{8}$/.test(date) || !/^([01]\d|2[0-3])[0-5]\d[0-5]\d$/.test(hour)) return undefined
  const day = `${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6)}`
  const atMs = Date.parse(`${day}T${hour.slice(0, 2)}:${hour.slice(2, 4)}:${hour.slice(4)}+09:00`)
  // Years that JavaScript does not write with four digits are no years of a market.
  return Number.isNaN(atMs) || Number(date) < 100_0000 || dateOf(atMs) !== date ? undefined : atMs
}

const phases: Readonly<Record<string, Phase>> = {
  "1": "preOpen",
  "2": "continuous",
  "3": "afterMarket",
  "5": "afterClose"
}

export const plainTrade = (values: ReadonlyArray<string>, receivedAtMs: number): PlainTrade => {
  const at = (index: number) => values[index] ?? ""
  const hourClass = at(43)
  const auction = at(21) === "" || ["A", "B", "C"].includes(hourClass)
  return {
    symbol: at(0).trim(),
    exchangeAtMs: plainInstant(at(33) || dateOf(receivedAtMs), at(1)),
    phase: hourClass === "B" ? "openingAuction" : hourClass === "A" ? "closingAuction" : phases[at(46)],
    price: plainNumber(at(2)),
    volume: plainNumber(at(12)),
    cumVolume: plainNumber(at(13)),
    ask: plainNumber(at(10)),
    bid: plainNumber(at(11)),
    flags: [...(auction ? ["auction"] : []), ...(hourClass === "C" ? ["vi"] : [])]
  }
}

const plainRefusal = ({ ask, bid, cumVolume, price, volume }: PlainTrade): string | undefined => {
  if ([price, volume, cumVolume, ask, bid].some(Number.isNaN)) return "badNumber"
  return price === undefined ? "blankPrice" : price <= 0 ? "zeroPrice" : undefined
}

/** Judges trades one after the other: `store` with its flags, `duplicate`, or the reason of the refusal. */
export const plainJudge = (symbols: ReadonlySet<string>) => {
  const days = new Map<
    string,
    { readonly day: string; readonly cumVolume: number; readonly recent: ReadonlyArray<string> }
  >()
  return (trade: PlainTrade, receivedAtMs: number): string => {
    const { cumVolume = 0, exchangeAtMs, price, symbol, volume } = trade
    if (!symbols.has(symbol)) return "unknownSymbol"
    const today = dateOf(receivedAtMs)
    const said = dateOf(exchangeAtMs ?? receivedAtMs)
    const day = said < today ? said : today
    const before = days.get(symbol)
    const known = before !== undefined && day <= before.day ? before : undefined
    const over = known !== undefined && day < known.day
    const behind = known !== undefined && (over || cumVolume <= known.cumVolume)
    const same = `${exchangeAtMs ?? day} ${price} ${volume} ${cumVolume}`
    if (behind && known.recent.includes(same)) return "duplicate"
    const reason = plainRefusal(trade)
    if (reason !== undefined) return reason
    days.set(symbol, {
      day: known?.day ?? day,
      cumVolume: Math.max(over ? 0 : cumVolume, known?.cumVolume ?? 0),
      recent: [...(known?.recent ?? []), same].slice(-64)
    })
    return ["store", ...trade.flags, ...(behind ? ["late"] : [])].join(" ")
  }
}
