// Drafts of records as a trading day has them: half of them quotes of a sweep (30 fields), two fifths trades (46 or 47
// values) and a tenth books (59 values and more), from what the broker was seen to send, with prices and times that move.
import { readFileSync } from "node:fs"

const read = (name) => readFileSync(new URL(`../../test/fixtures/kis/${name}`, import.meta.url), "utf8")

const frames = read("ws-frames.jsonl")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line))
const valuesOf = (tr) =>
  frames
    .filter((frame) => frame.tr === tr)
    .flatMap(({ columns, count, frame }) => {
      const values = frame.split("|")[3].split("^")
      return Array.from({ length: count }, (_, at) => values.slice(at * columns, (at + 1) * columns))
    })
const trades = valuesOf("H0STCNT0")
const books = valuesOf("H0STASP0")
const quotes = JSON.parse(read("rest/portal_intstock_multprice.json")).body.output
const symbols = Array.from({ length: 2_000 }, (_, at) => String(5_930 + at * 10).padStart(6, "0"))

/** @param startMs when the first is received; `perSecond` of them are received in a second. */
export const marketDrafts = (startMs, perSecond) => {
  // The same numbers in every run.
  let seed = 20_260_914
  const upTo = (limit) => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
    return seed % limit
  }
  return (index) => {
    const receivedAtMs = startMs + Math.floor((index * 1_000) / perSecond)
    const symbol = symbols[upTo(symbols.length)]
    const price = 50_000 + upTo(900) * 100
    const cumVolume = 1_000_000 + index
    const common = { symbol, receivedAtMs, venue: "KRX", phase: "continuous" }
    const seen = { price, ask: price + 100, bid: price, cumVolume }
    const die = upTo(10)
    if (die < 5) {
      const row = quotes[upTo(quotes.length)]
      const payload = { ...row, inter_shrn_iscd: symbol, inter2_prpr: String(price), acml_vol: String(cumVolume) }
      return { ...common, kind: "quote", source: "kis-rest", account: "main", ...seen, payload }
    }
    const stream = { ...common, source: "kis-ws", account: "main", exchangeAtMs: receivedAtMs - (receivedAtMs % 1_000) }
    const quality = { flags: upTo(20) === 0 ? ["late"] : [], lagMs: upTo(400) }
    if (die < 9) {
      const payload = [...trades[upTo(trades.length)]]
      payload[0] = symbol
      payload[2] = String(price)
      payload[13] = String(cumVolume)
      return { ...stream, kind: "trade", ...seen, volume: 1 + upTo(500), quality, payload }
    }
    const payload = [...books[upTo(books.length)]]
    payload[0] = symbol
    return { ...stream, kind: "book", ask: price + 100, bid: price, quality, payload }
  }
}
