import { Clock, Context, Effect, Layer } from "effect"
import { Options } from "./ExchangeOptions.ts"
import type { HttpCall } from "./HttpDoor.ts"
import { Limits } from "./Limits.ts"
import { Market } from "./Market.ts"
import type { Answer } from "./quotation/Endpoint.ts"
import { endpoints } from "./quotation/endpoints.ts"
import { done } from "./quotation/messages.ts"
import { QuotationRules } from "./quotation/QuotationRules.ts"
import { refusal } from "./Refusal.ts"
import { jsonReply, quotationRefusal, type Reply } from "./Reply.ts"
import { TokenDesk } from "./TokenDesk.ts"

const text = (value: string | ReadonlyArray<string> | undefined): string | undefined =>
  typeof value === "string" ? value : undefined

/** A header goes back as it came only as far as it may stand in a header. */
const echoed = (value: string | ReadonlyArray<string> | undefined): string => (text(value) ?? "").replace(/[^\w-]/g, "")

/** Every KIS path but `/oauth2`: credentials, the call limits, then the endpoint asked for. Always answers. */
export class QuotationApi extends Context.Service<
  QuotationApi,
  {
    answer(call: HttpCall): Effect.Effect<Reply>
  }
>()("observer/simulator/QuotationApi") {
  static readonly layer = Layer.effect(
    QuotationApi,
    Effect.gen(function* () {
      const { env } = yield* Options
      const { view: market } = yield* Market
      const rules = yield* QuotationRules
      const limits = yield* Limits
      const desk = yield* TokenDesk
      const clock = yield* Clock.Clock
      let answers = 0

      const answer = Effect.fnUntraced(function* (call: HttpCall) {
        const appKey = text(call.headers["appkey"])
        if (appKey === undefined || appKey === "") return yield* refusal("EGW00102")
        // A call over the limit is refused before anything else is looked at; where KIS checks credentials is not known [U].
        if (!limits.admit(appKey, call.seenAtMicros)) return yield* refusal("EGW00201")
        yield* desk.check(appKey, text(call.headers["appsecret"]), text(call.headers["authorization"]))
        const endpoint = call.method === "GET" ? endpoints.get(call.url.pathname) : undefined
        const trId = text(call.headers["tr_id"])
        // Statuses and texts of a wrong path or TR are not documented [U].
        if (endpoint === undefined) return yield* refusal("OPSQ0002", `(${call.method} ${call.url.pathname})`, 404)
        if (trId === undefined || trId === "") return yield* refusal("OPSQ9999")
        if (trId !== endpoint.trId) return yield* refusal("OPSQ0002", `(${endpoint.path}: ${endpoint.trId})`, 200)
        if (env === "mock" && !endpoint.inMock) return yield* refusal("EGW02006")
        if (endpoint.ledger && !limits.admitLedger(appKey, call.seenAtMicros)) return yield* refusal("EGW00215")
        const query = new Map([...call.url.searchParams].map(([key, value]) => [key.toUpperCase(), value.trim()]))
        return yield* endpoint.answer({ query, market, rules, isNextPage: text(call.headers["tr_cont"]) === "N" })
      })

      return QuotationApi.of({
        answer: (call) => {
          answers += 1
          const gtUid = `${clock.currentTimeMillisUnsafe()}${String(answers).padStart(19, "0")}`
          const headers = (trCont: Answer["trCont"]) => ({
            tr_id: echoed(call.headers["tr_id"]),
            tr_cont: trCont ?? "",
            gt_uid: gtUid
          })
          return Effect.match(answer(call), {
            onSuccess: ({ blocks, message = done, trCont }) =>
              jsonReply({ ...blocks, rt_cd: "0", msg_cd: message.code, msg1: message.text }, headers(trCont)),
            onFailure: (refused) => quotationRefusal(refused, headers(undefined))
          })
        }
      })
    })
  )
}
