import { Effect, Redacted, Result } from "effect"
import { HttpClient, HttpClientRequest } from "effect/http"
import { hidden, valuesWithoutSecrets } from "../domain/Secrets.ts"
import type { KisAccount } from "./Account.ts"
import { AnswerBegun } from "./AnswerBegun.ts"
import { type CallLane, laneOf } from "./CallLimits.ts"
import { type KisError, KisUnreachable } from "./KisError.ts"
import { noticeOnce } from "./Notice.ts"
import { readReply, type ReplyBody } from "./Reply.ts"

/** The broker's support advises a name of one's own when connections are dropped without a reply. */
export const userAgent = "observer/0.1"

/** A call that has no answer by then is given up; slow answers are common in the first minute of the day. */
const answer_timeout = "10 seconds"

export type Query = ReadonlyArray<readonly [string, string]>

export interface KisRequest {
  /** Names the call in errors and logs. */
  readonly operation: string
  readonly method: "GET" | "POST"
  readonly path: string
  readonly headers?: Readonly<Record<string, string | Redacted.Redacted>>
  /** As a function, it is decided what to ask at the moment of asking, when the budget has given its place. */
  readonly query?: Query | (() => Query)
  readonly body?: Readonly<Record<string, string | Redacted.Redacted>>
  /** Which counter of the broker's it runs into; by its TR if not given. */
  readonly lane?: CallLane
}

/** The lane of a request, so that a ledger call which does not say so is counted as one all the same. */
export const laneOfRequest = ({ headers, lane }: KisRequest): CallLane => {
  const trId = headers?.["tr_id"]
  return lane ?? (typeof trId === "string" ? laneOf(trId) : "quotes")
}

const revealed = (values: KisRequest["headers"]): Record<string, string> =>
  Object.fromEntries(
    Object.entries(values ?? {}).map(([name, value]) => [
      name,
      Redacted.isRedacted(value) ? Redacted.value(value) : value
    ])
  )

/** What the broker says may repeat what it was sent. */
const withoutOwn = (text: string, { body, headers }: KisRequest, length_min: number): string =>
  [...Object.values(headers ?? {}), ...Object.values(body ?? {})]
    .filter((value) => Redacted.isRedacted(value))
    .map((secret) => Redacted.value(secret).replace(/^Bearer /, ""))
    .filter(({ length }) => length >= length_min)
    .reduce((rest, secret) => rest.replaceAll(secret, hidden), text)

/** Of a shorter secret, which no broker issues, the letters may stand in data as well. */
const unlikely_length = 16

/** A call of one account that has passed its budget. */
export type KisCall = (request: KisRequest) => Effect.Effect<ReplyBody, KisError>

/** One HTTP exchange with an account's REST host: secrets are opened here and nowhere else, the answer is classified. */
export const exchange = Effect.fnUntraced(function* (
  account: KisAccount,
  request: KisRequest
): Effect.fn.Return<ReplyBody, KisError, HttpClient.HttpClient> {
  const { operation } = request
  const client = yield* HttpClient.HttpClient
  const answerBegun = yield* AnswerBegun
  const url = account.endpoints.restUrl.replace(/\/+$/, "") + request.path
  const base = HttpClientRequest.make(request.method)(url).pipe(
    HttpClientRequest.setHeaders({
      "content-type": "application/json; charset=utf-8",
      accept: "application/json",
      "user-agent": userAgent,
      ...revealed(request.headers)
    }),
    HttpClientRequest.setUrlParams(typeof request.query === "function" ? request.query() : (request.query ?? []))
  )
  const outgoing =
    request.body === undefined
      ? base
      : HttpClientRequest.bodyText(base, JSON.stringify(revealed(request.body)), "application/json; charset=utf-8")
  const answer = yield* client.execute(outgoing).pipe(
    Effect.tap(() => Effect.sync(answerBegun)),
    Effect.flatMap(({ headers, status, text }) =>
      Effect.map(text, (body) => ({ status, text: body, trCont: headers["tr_cont"] }))
    ),
    Effect.timeout(answer_timeout),
    // Our traces are no business of the broker's, and its key, secret and token none of theirs: `kis.call` is the span.
    Effect.provideService(HttpClient.TracerDisabledWhen, () => true),
    Effect.mapError((error) => {
      const detail = reasonOf(error)
      return new KisUnreachable({ operation, detail, unsent: neverConnected.has(detail) })
    })
  )
  const text = withoutOwn(answer.text, request, unlikely_length)
  const read = readReply(account.alias, operation, { ...answer, text })
  if (Result.isSuccess(read)) return read.success
  const shown = readReply(account.alias, operation, {
    ...answer,
    text: valuesWithoutSecrets(withoutOwn(text, request, 1))
  })
  return yield* Result.match(shown, {
    onFailure: (error) => Effect.andThen(noticeOnce(account, error), Effect.fail(error)),
    onSuccess: (body) => Effect.succeed(body)
  })
})

/** Errors of making a connection: whatever was to be sent has not been. */
const neverConnected = new Set(
  "ECONNREFUSED ENOTFOUND EAI_AGAIN EHOSTUNREACH ENETUNREACH UND_ERR_CONNECT_TIMEOUT".split(" ")
)

/** The innermost words of a transport error (`ECONNREFUSED`, `socket hang up`), which never hold a header. */
export const reasonOf = (error: unknown): string => {
  let at: unknown = error
  for (let depth = 0; depth < 8; depth++) {
    if (typeof at !== "object" || at === null) break
    if ("code" in at && typeof at.code === "string") return at.code
    const inner: unknown = "cause" in at && at.cause !== undefined ? at.cause : "reason" in at ? at.reason : undefined
    if (inner === undefined) break
    at = inner
  }
  if (typeof at === "object" && at !== null && "_tag" in at && at._tag === "TimeoutError") return "no answer in 10 s"
  return at instanceof Error ? at.message : String(at)
}
