import { Effect, Random, Redacted, Schedule } from "effect"
import type { KisAccount } from "./Account.ts"
import { type KisError, KisReplyMalformed, type KisTokenInvalid } from "./KisError.ts"
import type { KisCall, Query } from "./KisHttp.ts"
import type { ReplyBody } from "./Reply.ts"
import type { Token } from "./Token.ts"

/** A row as the broker sent it. Its values are text in every capture; one that is not spoils nothing but itself. */
export type QuotationRow = Readonly<Record<string, unknown>>

/** A value of a row as text: empty when it is absent or `null`, and a number as its digits. */
export const fieldOf = (row: QuotationRow, name: string): string => {
  const value = row[name]
  if (typeof value === "string") return value
  if (value === undefined || value === null) return ""
  return typeof value === "object" ? JSON.stringify(value) : String(value)
}

export interface QuotationRequest {
  /** The last part of its path. */
  readonly name: string
  readonly trId: string
  readonly query: Query | (() => Query)
  /** Asks for what follows the page before (kis/rest.md §3). */
  readonly isNextPage?: boolean
  /** How often it is made at the most, when it is refused for the number of calls or gets no answer. */
  readonly tries?: number
}

const tries_max = 9

const prefix = "/uapi/domestic-stock/v1/quotations"

const passing = (error: KisError): boolean => error._tag === "KisThrottled" || error._tag === "KisUnreachable"

/** A broken connection is tried again as soon as a refusal of the gateway. */
const shortly = { min_ms: 100, max_ms: 300 }

/** Tried again after as long as the broker's code asks for; the budget still spaces every try. */
const again = (tries: number) =>
  Schedule.recurs(tries - 1).pipe(
    Schedule.setInputType<KisError>(),
    Schedule.addDelay(({ input }) => {
      const { max_ms, min_ms } = (input._tag === "KisThrottled" ? input.again : undefined) ?? shortly
      return Effect.map(Random.next, (random) => min_ms + random * (max_ms - min_ms))
    })
  )

/** Any quotation call of an account: token, headers, retries. */
export const makeQuotationCall = (account: KisAccount, call: KisCall, token: Token) =>
  Effect.fnUntraced(function* ({ isNextPage = false, name, query, trId, tries = tries_max }: QuotationRequest) {
    const attempt = Effect.gen(function* () {
      const bearer = yield* token.current
      return yield* call({
        operation: name,
        method: "GET",
        path: `${prefix}/${name}`,
        headers: { ...authorized(account, bearer, trId), tr_cont: isNextPage ? "N" : "" },
        query
      }).pipe(Effect.tapError((error) => (error._tag === "KisTokenInvalid" ? token.drop(bearer) : Effect.void)))
    })
    return yield* attempt.pipe(
      Effect.retry({ while: passing, schedule: again(tries) }),
      Effect.retry({ while: (error): error is KisTokenInvalid => error._tag === "KisTokenInvalid", times: 1 })
    )
  })

/** The headers of every quotation call; the secret travels in each (kis/rest.md §3). */
const authorized = ({ appKey, appSecret }: KisAccount, bearer: Redacted.Redacted, trId: string) => ({
  authorization: Redacted.make(`Bearer ${Redacted.value(bearer)}`),
  appkey: appKey,
  appsecret: appSecret,
  tr_id: trId,
  custtype: "P"
})

const isRow = (value: unknown): value is QuotationRow =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** `output` is a list for some endpoints and a lone object for others, whatever the documents say (kis/rest.md §4). */
export const rowsOf = (
  operation: string,
  body: ReplyBody,
  block = "output"
): Effect.Effect<ReadonlyArray<QuotationRow>, KisReplyMalformed> => {
  const output = body[block]
  const rows: ReadonlyArray<unknown> = Array.isArray(output) ? output : output === undefined ? [] : [output]
  if (output !== undefined && rows.every(isRow)) return Effect.succeed(rows)
  const detail = output === undefined ? `it has no ${block}` : `${block} holds something else than rows`
  return Effect.fail(new KisReplyMalformed({ operation, detail, raw: JSON.stringify(body).slice(0, 2_000) }))
}
