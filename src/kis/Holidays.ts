import { Effect } from "effect"
import { marketInstant } from "../calendar/MarketTime.ts"
import type { SaidDays } from "../calendar/TradingDays.ts"
import type { KisAccount } from "./Account.ts"
import { type KisError, KisReplyMalformed } from "./KisError.ts"
import type { KisCall } from "./KisHttp.ts"
import { fieldOf, makeQuotationCall, type QuotationRow, rowsOf } from "./QuotationCall.ts"
import type { ReplyBody } from "./Reply.ts"
import type { Token } from "./Token.ts"

export interface Holidays {
  /**
   * Whether the exchange opens, by day (`YYYYMMDD`), from a date on and at least to another, if the broker says so much
   * (`chk-holiday`, live only). The broker asks for one inquiry a day: the caller keeps the answer.
   */
  openDays(from: string, to: string): Effect.Effect<SaidDays, KisError>
}

const name = "chk-holiday"
const trId = "CTCA0903R"

/** The broker asks for one inquiry a day: one that fails is not hammered at. */
const tries_max = 3
/** A page holds 24 days; so many hold more than two years. */
const pages_max = 40

/** The calendar call of one account. It belongs to the account's ledger, and is paced as such. */
export const makeHolidays = (account: KisAccount, call: KisCall, token: Token): Holidays => {
  const get = makeQuotationCall(account, call, token)
  const page = (from: string, { fk, nk }: PageKey, isNextPage: boolean) =>
    get({
      name,
      trId,
      query: [
        ["BASS_DT", from],
        ["CTX_AREA_NK", nk],
        ["CTX_AREA_FK", fk]
      ],
      isNextPage,
      tries: tries_max
    })

  return {
    openDays: Effect.fn("Holidays.openDays")(function* (from, to) {
      const said = new Map<string, boolean>()
      let key: PageKey | undefined = { nk: "", fk: "" }
      for (let pages = 0; key !== undefined && pages < pages_max; pages++) {
        const body: ReplyBody = yield* page(from, key, pages > 0)
        const before = said.size
        for (const row of yield* rowsOf(name, body)) {
          const { date, isOpen } = yield* dayOf(row)
          said.set(date, isOpen)
        }
        // A page that brings nothing new would be followed by itself for ever.
        key = said.has(to) || said.size === before ? undefined : nextKey(body)
      }
      return said
    })
  }
}

/** Where the next page begins: sent back as it came, padded to 20 characters, as the official sample does. */
interface PageKey {
  readonly nk: string
  readonly fk: string
}

/** The header `tr_cont` is F or M while more follows, D or E on the last page (kis/rest.md §4). */
const nextKey = (body: ReplyBody): PageKey | undefined => {
  const { ctx_area_fk: fk, ctx_area_nk: nk, tr_cont } = body
  if ((tr_cont !== "F" && tr_cont !== "M") || typeof nk !== "string") return undefined
  return { nk, fk: typeof fk === "string" ? fk : "" }
}

/** `opnd_yn` alone is the exchange: `bzdy_yn` is the banks', `tr_day_yn` the back office's (kis/sessions.md §4). */
const dayOf = (row: QuotationRow) => {
  const date = fieldOf(row, "bass_dt")
  const open = fieldOf(row, "opnd_yn")
  if (marketInstant(date, "000000") !== undefined && (open === "Y" || open === "N")) {
    return Effect.succeed({ date, isOpen: open === "Y" })
  }
  const detail = "a row has no day, or neither Y nor N for it"
  return Effect.fail(new KisReplyMalformed({ operation: name, detail, raw: JSON.stringify(row).slice(0, 2_000) }))
}
