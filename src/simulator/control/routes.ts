import type { ExchangeOptions } from "../ExchangeOptions.ts"
import type { Faults } from "../Faults.ts"
import type { Ledger } from "../Ledger.ts"
import type { Market } from "../Market.ts"
import { jsonReply } from "../Reply.ts"
import type { Stats } from "../stats.ts"
import { faultRoutes } from "./faultRoutes.ts"
import { ledgerRoutes } from "./ledgerRoutes.ts"
import { marketRoutes } from "./marketRoutes.ts"
import { type Route, route } from "./Route.ts"

/** What the control API works on. */
export interface Controlled {
  readonly options: ExchangeOptions
  readonly faults: Faults["Service"]
  readonly ledger: Ledger["Service"]
  readonly market: Market["Service"]
  readonly stats: () => Stats
}

export const controlRoutes = (controlled: Controlled): ReadonlyArray<Route> => [
  route("GET", "/stats", "what the exchange has counted", () => jsonReply(controlled.stats())),
  route("GET", "/options", "how the exchange was asked to behave, its seed included", () =>
    jsonReply({ ...controlled.options, faults: controlled.options.faults.length })
  ),
  ...faultRoutes(controlled),
  ...marketRoutes(controlled),
  ...ledgerRoutes(controlled)
]
