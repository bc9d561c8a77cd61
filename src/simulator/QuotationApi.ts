import { Clock, Context, Effect, Layer } from "effect"
import { Options } from "./ExchangeOptions.ts"
import type { HttpCall } from "./HttpDoor.ts"
import { Limits } from "./Limits.ts"
import { Market } from "./Market.ts"
import type { Endpoint } from "./quotation/Endpoint.ts"
import { inquirePrice } from "./quotation/inquirePrice.ts"
import { multiPrice } from "./quotation/multiPrice.ts"
import { refusal } from "./Refusal.ts"
import { jsonReply, quotationRefusal, type Reply } from "./Reply.ts"
import { TokenDesk } from "./TokenDesk.ts"

const endpoints = new Map<string, Endpoint>([multiPrice, inquirePrice].map((endpoint) => [endpoint.path, endpoint]))

const text = (value: string | ReadonlyArray<string> | undefined): string | undefined =>
  typeof value === "string" ? value : undefined

/** Every KIS path but `/oauth2`: credentials, the call limit, then the endpoint asked for. Always answers. */
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
      const { floor } = yield* Market
      const limits = yield* Limits
      const desk = yield* TokenDesk
      const clock = yield* Clock.Clock
      let answers = 0

      const answer = Effect.fnUntraced(function* (call: HttpCall) {
        const appKey = text(call.headers["appkey"])
        if (appKey === undefined) return yield* refusal("EGW00102")
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
        const query = new Map([...call.url.searchParams].map(([key, value]) => [key.toUpperCase(), value.trim()]))
        return yield* endpoint.answer(query, floor)
      })

      return QuotationApi.of({
        answer: (call) => {
          answers += 1
          const headers = {
            tr_id: (text(call.headers["tr_id"]) ?? "").replace(/[^\w-]/g, ""),
            tr_cont: "",
            gt_uid: `${clock.currentTimeMillisUnsafe()}${String(answers).padStart(19, "0")}`
          }
          return Effect.match(answer(call), {
            onSuccess: (output) =>
              jsonReply({ ...output, rt_cd: "0", msg_cd: "MCA00000", msg1: "정상처리 되었습니다." }, headers),
            onFailure: (refused) => quotationRefusal(refused, headers)
          })
        }
      })
    })
  )
}
