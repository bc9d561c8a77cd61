import { Effect } from "effect"
import { Exchange } from "../../../src/simulator/Exchange.ts"
import { call } from "../client.ts"

/** One signed-in app key that may call any path of the exchange. */
export const restClient = Effect.fnUntraced(function* (appkey: string) {
  const { restUrl } = yield* Exchange
  const appsecret = "SECRET"
  const { body } = yield* call(`${restUrl}/oauth2/tokenP`, {
    method: "POST",
    body: JSON.stringify({ grant_type: "client_credentials", appkey, appsecret })
  })
  const authorization = `Bearer ${String(body["access_token"])}`
  return (path: string, trId: string, query: string, headers: Record<string, string> = {}) =>
    call(`${restUrl}${path}?${query}`, {
      headers: { authorization, appkey, appsecret, tr_id: trId, custtype: "P", ...headers }
    })
})
