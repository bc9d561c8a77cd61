import { Effect } from "effect"
import { isIndexCode } from "../domain/SymbolCode.ts"
import type { KisAccount } from "./Account.ts"
import type { KisError } from "./KisError.ts"
import type { KisCall, Query } from "./KisHttp.ts"
import { makeQuotationCall, type QuotationRow, rowsOf } from "./QuotationCall.ts"
import type { Token } from "./Token.ts"

export interface Quotations {
  /**
   * Up to 30 symbols in one call (`intstock-multprice`, live only). Rows come in any order and unknown symbols are left
   * out without a word, so they must be joined by `inter_shrn_iscd`, never by place. Which symbols is asked when the call has
   * its place in the budget, and again when it is tried again.
   */
  multiPrice(symbols: () => ReadonlyArray<string>): Effect.Effect<ReadonlyArray<QuotationRow>, KisError>
  /** One symbol (`inquire-price`), also in the mock. The row has no name and no time. */
  price(symbol: string): Effect.Effect<QuotationRow, KisError>
}

/** Symbols a multi-price call takes; more are dropped by the broker with `rt_cd` 0 (captured 2026-09-14). */
export const multiPriceSymbols_max = 30

/** The price calls of one account. */
export const makeQuotations = (account: KisAccount, call: KisCall, token: Token): Quotations => {
  const get = makeQuotationCall(account, call, token)
  return {
    multiPrice: Effect.fn("Quotations.multiPrice")(function* (symbols) {
      const name = "intstock-multprice"
      const query = () =>
        symbols()
          .slice(0, multiPriceSymbols_max)
          .flatMap((symbol, index): Query => [
            [`FID_COND_MRKT_DIV_CODE_${index + 1}`, isIndexCode(symbol) ? "U" : "J"],
            [`FID_INPUT_ISCD_${index + 1}`, symbol]
          ])
      return yield* rowsOf(name, yield* get({ trId: "FHKST11300006", name, query }))
    }),
    price: Effect.fn("Quotations.price")(function* (symbol) {
      const name = "inquire-price"
      const query = [
        ["FID_COND_MRKT_DIV_CODE", "J"],
        ["FID_INPUT_ISCD", symbol]
      ] as const
      const rows = yield* rowsOf(name, yield* get({ trId: "FHKST01010100", name, query }))
      return rows[0] ?? {}
    })
  }
}
