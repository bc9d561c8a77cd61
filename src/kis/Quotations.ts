import { Effect, Redacted, Schedule } from "effect"
import { isIndexCode } from "../domain/SymbolCode.ts"
import type { KisAccount } from "./Account.ts"
import { type KisError, KisReplyMalformed, type KisTokenInvalid } from "./KisError.ts"
import type { KisCall } from "./KisHttp.ts"
import type { ReplyBody } from "./Reply.ts"
import type { Token } from "./Token.ts"

/** A row as the broker sent it: every value is text. */
export type QuotationRow = Readonly<Record<string, string>>

export interface Quotations {
  /**
   * Up to 30 symbols in one call (`intstock-multprice`, live only). Rows come in any order and unknown symbols are left
   * out without a word, so they must be joined by `inter_shrn_iscd`, never by place.
   */
  multiPrice(symbols: ReadonlyArray<string>): Effect.Effect<ReadonlyArray<QuotationRow>, KisError>
  /** One symbol (`inquire-price`), also in the mock. The row has no name and no time. */
  price(symbol: string): Effect.Effect<QuotationRow, KisError>
}

/** Symbols a multi-price call takes; more are dropped by the broker with `rt_cd` 0 (captured 2026-09-14). */
export const multiPriceSymbols_max = 30

export const quotationsPath = "/uapi/domestic-stock/v1/quotations"

/** Refusals and broken connections are tried again after 100–300 ms; the budget still spaces every try. */
const again = Schedule.spaced("200 millis").pipe(Schedule.jittered, Schedule.upTo({ times: 8 }))

const passing = (error: KisError): boolean => error._tag === "KisThrottled" || error._tag === "KisUnreachable"

/** One quotation call of an account by its TR and name: token, headers, retries. */
export const makeQuotationCall = (account: KisAccount, call: KisCall, token: Token) =>
  Effect.fnUntraced(function* (trId: string, name: string, query: ReadonlyArray<readonly [string, string]>) {
    const attempt = Effect.gen(function* () {
      const bearer = yield* token.current
      return yield* call({
        operation: name,
        method: "GET",
        path: `${quotationsPath}/${name}`,
        headers: authorized(account, bearer, trId),
        query
      }).pipe(Effect.tapError((error) => (error._tag === "KisTokenInvalid" ? token.drop(bearer) : Effect.void)))
    })
    return yield* attempt.pipe(
      Effect.retry({ while: passing, schedule: again }),
      Effect.retry({ while: (error): error is KisTokenInvalid => error._tag === "KisTokenInvalid", times: 1 })
    )
  })

/** The price calls of one account. */
export const makeQuotations = (account: KisAccount, call: KisCall, token: Token): Quotations => {
  const get = makeQuotationCall(account, call, token)
  return {
    multiPrice: Effect.fn("Quotations.multiPrice")(function* (symbols) {
      const query = symbols
        .slice(0, multiPriceSymbols_max)
        .flatMap((symbol, index): Array<readonly [string, string]> => [
          [`FID_COND_MRKT_DIV_CODE_${index + 1}`, isIndexCode(symbol) ? "U" : "J"],
          [`FID_INPUT_ISCD_${index + 1}`, symbol]
        ])
      return yield* rowsOf("intstock-multprice", yield* get("FHKST11300006", "intstock-multprice", query))
    }),
    price: Effect.fn("Quotations.price")(function* (symbol) {
      const query = [
        ["FID_COND_MRKT_DIV_CODE", "J"],
        ["FID_INPUT_ISCD", symbol]
      ] as const
      const rows = yield* rowsOf("inquire-price", yield* get("FHKST01010100", "inquire-price", query))
      return rows[0] ?? {}
    })
  }
}

/** The headers of every quotation call; the secret travels in each (kis/rest.md §3). */
export const authorized = ({ appKey, appSecret }: KisAccount, bearer: Redacted.Redacted, trId: string) => ({
  authorization: Redacted.make(`Bearer ${Redacted.value(bearer)}`),
  appkey: appKey,
  appsecret: appSecret,
  tr_id: trId,
  tr_cont: "",
  custtype: "P"
})

const isRow = (value: unknown): value is QuotationRow =>
  typeof value === "object" && value !== null && Object.values(value).every((field) => typeof field === "string")

/** `output` is a list for some endpoints and a lone object for others, whatever the documents say (kis/rest.md §4). */
export const rowsOf = (
  operation: string,
  body: ReplyBody,
  block = "output"
): Effect.Effect<ReadonlyArray<QuotationRow>, KisReplyMalformed> => {
  const output = body[block]
  const rows: ReadonlyArray<unknown> = Array.isArray(output) ? output : output === undefined ? [] : [output]
  if (output !== undefined && rows.every(isRow)) return Effect.succeed(rows)
  const detail = output === undefined ? `it has no ${block}` : `${block} holds something else than rows of text`
  return Effect.fail(new KisReplyMalformed({ operation, detail, raw: JSON.stringify(body).slice(0, 2_000) }))
}
