import { askingPrice } from "./askingPrice.ts"
import { dailyChart } from "./dailyChart.ts"
import type { Endpoint } from "./Endpoint.ts"
import { etfPrice } from "./etfPrice.ts"
import { holidays } from "./holidays.ts"
import { indexPrice } from "./indexPrice.ts"
import { inquirePrice } from "./inquirePrice.ts"
import { inquirePrice2 } from "./inquirePrice2.ts"
import { latestTrades } from "./latestTrades.ts"
import { marketTime } from "./marketTime.ts"
import { minuteChart } from "./minuteChart.ts"
import { multiPrice } from "./multiPrice.ts"
import { productInfo } from "./productInfo.ts"
import { stockInfo } from "./stockInfo.ts"
import { tradesUntil } from "./tradesUntil.ts"
import { viStatus } from "./viStatus.ts"
import { volumeRank } from "./volumeRank.ts"

/** Every quotation call of the exchange, by its path. */
export const endpoints: ReadonlyMap<string, Endpoint> = new Map(
  [
    inquirePrice,
    inquirePrice2,
    multiPrice,
    askingPrice,
    latestTrades,
    tradesUntil,
    minuteChart,
    dailyChart,
    indexPrice,
    etfPrice,
    holidays,
    marketTime,
    viStatus,
    stockInfo,
    productInfo,
    volumeRank
  ].map((endpoint) => [endpoint.path, endpoint])
)
