import { Effect } from "effect"
import type { KisAccount } from "./Account.ts"
import type { KisError } from "./KisError.ts"
import type { KisCall } from "./KisHttp.ts"
import { makeQuotationCall, type QuotationRow, rowsOf } from "./QuotationCall.ts"
import type { Token } from "./Token.ts"

/** The two calls that list single trades of today (kis/rest.md §6.1). Neither is lossless (kis/captured §5, 7). */
export type TradeListCall = "inquire-time-itemconclusion" | "inquire-ccnl"

/** One reply: some 30 trades, newest first in every capture. */
export interface TradePage {
  readonly call: TradeListCall
  /** As sent: `stck_cntg_hour`, `stck_prpr` and the volume as `cnqn` (with `acml_vol`, `askp`, `bidp`) or `cntg_vol`. */
  readonly rows: ReadonlyArray<QuotationRow>
  /** What the reply says of the issue as a whole; its `acml_vol` is the volume of today. */
  readonly issue: QuotationRow | undefined
}

export interface TradeLists {
  /** The newest trades at or before a market time, `HHMMSS` (`inquire-time-itemconclusion`, also in the mock). */
  until(symbol: string, hour: string): Effect.Effect<TradePage, KisError>
  /** The newest trades, without a cumulative volume to tell them apart by (`inquire-ccnl`, also in the mock). */
  latest(symbol: string): Effect.Effect<TradePage, KisError>
}

/** The trade lists of one account, of the Korea Exchange alone (`J`), as the stream `H0STCNT0` is. */
export const makeTradeLists = (account: KisAccount, call: KisCall, token: Token): TradeLists => {
  const get = makeQuotationCall(account, call, token)
  const subject = (symbol: string) =>
    [
      ["FID_COND_MRKT_DIV_CODE", "J"],
      ["FID_INPUT_ISCD", symbol]
    ] as const
  return {
    until: Effect.fn("TradeLists.until")(function* (symbol, hour) {
      const name = "inquire-time-itemconclusion"
      const body = yield* get({
        trId: "FHPST01060000",
        name,
        query: [...subject(symbol), ["FID_INPUT_HOUR_1", hour]]
      })
      const rows = yield* rowsOf(name, body, "output2")
      // The trades are what is asked for; they are not thrown away for a heading that cannot be read.
      const [issue] = yield* Effect.orElseSucceed(rowsOf(name, body, "output1"), () => [])
      return { call: name, rows, issue }
    }),
    latest: Effect.fn("TradeLists.latest")(function* (symbol) {
      const name = "inquire-ccnl"
      const rows = yield* rowsOf(name, yield* get({ trId: "FHKST01010300", name, query: subject(symbol) }))
      return { call: name, rows, issue: undefined }
    })
  }
}
