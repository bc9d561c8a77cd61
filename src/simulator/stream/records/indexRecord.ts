import { marketHour } from "../../../calendar/MarketTime.ts"
import type { IndexLevel } from "../../market/Indices.ts"
import { decimal, direction, percent } from "../../quotation/numbers.ts"
import type { StreamKind, World } from "../StreamKind.ts"

/** Against yesterday's close, and not against the level now as the names say: so in the captured frame. */
const against = (value: number, previous: number): string => {
  const change = Math.round((value - previous) * 100) / 100
  return `${decimal(change)}^${direction(change)}`
}

/** `H0UPCNT0`, 30 columns: volume in thousand shares, value in million KRW. */
export const indices = ({ view }: World): StreamKind => {
  const last = new Map<string, IndexLevel>()
  return {
    trId: "H0UPCNT0",
    keys: "index",
    offeredBy: "live",
    onIndex: (now) => {
      const { code, high, level, low, open, previous } = now
      const before = last.get(code) ?? now
      last.set(code, now)
      const breadth = view.breadth(code)
      const change = Math.round((level - previous) * 100) / 100
      const text =
        `${code}^${marketHour(view.nowMs())}^${decimal(level)}^${direction(change)}^${decimal(change)}` +
        `^${now.volume}^${now.value}^${Math.max(0, now.volume - before.volume)}^${Math.max(0, now.value - before.value)}` +
        `^${percent(change, previous)}^${decimal(open)}^${decimal(high)}^${decimal(low)}` +
        `^${against(open, previous)}^${against(high, previous)}^${against(low, previous)}` +
        `^${percent(open - previous, previous)}^${percent(high - previous, previous)}^${percent(low - previous, previous)}` +
        `^${breadth.atUpper}^${breadth.rising}^${breadth.unchanged}^${breadth.falling}^${breadth.atLower}` +
        // Neither the two "potential" counts nor the last column's unit are explained anywhere [U].
        `^0^0^${Math.abs(Math.round((level - before.level) * 100))}`
      return { text }
    }
  }
}
