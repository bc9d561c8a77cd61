import { Effect, Queue, type Scope } from "effect"
import { WebSocket } from "ws"
import { Exchange } from "../../src/simulator/Exchange.ts"

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: Readonly<Record<string, unknown>>
}

/** One HTTP call over a real socket. */
export const call = (url: string, init: RequestInit = {}) =>
  Effect.promise(async (signal): Promise<Answer> => {
    const response = await fetch(url, { ...init, signal })
    return { status: response.status, headers: response.headers, body: (await response.json()) as Answer["body"] }
  })

const post = (path: string, body: object) =>
  Effect.gen(function* () {
    const { restUrl } = yield* Exchange
    return yield* call(restUrl + path, { method: "POST", body: JSON.stringify(body) })
  })

/** Credentials of one app key, and a GET with them. */
export const signIn = Effect.fnUntraced(function* (appkey: string) {
  const { restUrl } = yield* Exchange
  const appsecret = "SECRET"
  const { body } = yield* post("/oauth2/tokenP", { grant_type: "client_credentials", appkey, appsecret })
  const authorization = `Bearer ${String(body["access_token"])}`
  return {
    get: (name: string, trId: string, query: string, headers: Record<string, string> = {}) =>
      call(`${restUrl}/uapi/domestic-stock/v1/quotations/${name}?${query}`, {
        headers: { authorization, appkey, appsecret, tr_id: trId, custtype: "P", ...headers }
      })
  }
})

export const approvalOf = (appkey: string) =>
  Effect.map(post("/oauth2/Approval", { grant_type: "client_credentials", appkey, secretkey: "SECRET" }), ({ body }) =>
    String(body["approval_key"])
  )

/** A stream client on a real socket; closed without a close frame when the scope ends. */
export const connect = Effect.fnUntraced(function* (path = "/tryitout"): Effect.fn.Return<
  {
    readonly socket: WebSocket
    readonly next: Effect.Effect<string>
    readonly closed: Effect.Effect<number>
    send(text: string): void
  },
  never,
  Exchange | Scope.Scope
> {
  const { wsUrl } = yield* Exchange
  const received = yield* Queue.bounded<string>(10_000)
  const closes = yield* Queue.bounded<number>(1)
  const socket = yield* Effect.acquireRelease(
    Effect.callback<WebSocket>((resume) => {
      const opening = new WebSocket(wsUrl + path, { autoPong: false })
      opening.on("message", (data) => Queue.offerUnsafe(received, String(data)))
      opening.on("close", (code) => Queue.offerUnsafe(closes, code))
      opening.on("error", (error) => resume(Effect.die(error)))
      opening.on("open", () => resume(Effect.succeed(opening)))
    }),
    (opened) => Effect.sync(() => opened.terminate())
  )
  return { socket, next: Queue.take(received), closed: Queue.take(closes), send: (text) => socket.send(text) }
})

export const registration = (approvalKey: string, trKey: string, trType = "1", trId = "H0STCNT0"): string =>
  JSON.stringify({
    header: { approval_key: approvalKey, custtype: "P", tr_type: trType, "content-type": "utf-8" },
    body: { input: { tr_id: trId, tr_key: trKey } }
  })
