import { Clock, Effect, Redacted } from "effect"
import type { KisAccount } from "./Account.ts"
import { makeCredential } from "./Credential.ts"
import type { KisCall } from "./KisHttp.ts"
import { type KisError, KisReplyMalformed } from "./KisError.ts"

/** The broker issues one token a minute per key; a second more, for its clock is not ours (kis/limits.md §3). */
const between_issues_ms = 61_000
/** Each may have told the owner on the phone of a token that we do not have. */
const lost_ms_max = 900_000
/** Of a token whose life cannot be read: it is good, and asking for another would bring the same reply. */
const unknownLife_ms = 3_600_000
/** Renewed so long before its end, off the hot path. */
const renew_ahead_ms = 600_000

export interface TokenStatus {
  readonly expiresAtMs: number | undefined
  readonly issues: number
  /** When the token at hand was asked for; absent while there is none. */
  readonly issuedAtMs?: number | undefined
}

export interface Token {
  /** A token that is valid as far as we know; asks for one when there is none, at most once a minute. */
  readonly current: Effect.Effect<Redacted.Redacted, KisError>
  /** Forgets a token that the broker did not accept, unless it has been replaced already. */
  drop(token: Redacted.Redacted): Effect.Effect<void>
  /** Renews the token before it ends, for ever; for a supervisor to run. */
  readonly keepFresh: Effect.Effect<void, KisError>
  readonly status: Effect.Effect<TokenStatus>
}

/**
 * The access token of one key. An issue is never asked for twice within a minute, crash loops and several processes
 * included, and never revoked: each one sends its owner a message on the phone.
 */
export const makeToken = Effect.fnUntraced(function* (account: KisAccount, stateDir: string, call: KisCall) {
  const obtain = Effect.gen(function* () {
    const body = yield* call({
      operation: "token",
      method: "POST",
      path: "/oauth2/tokenP",
      body: { grant_type: "client_credentials", appkey: account.appKey, appsecret: account.appSecret }
    })
    const { access_token: text, expires_in } = body
    const fields = Object.keys(body).join(", ")
    if (typeof text !== "string" || text === "") {
      return yield* new KisReplyMalformed({ operation: "token", detail: "access_token is missing", raw: fields })
    }
    const life_ms = lifeOf(expires_in)
    if (life_ms === undefined) {
      yield* Effect.logWarning("a token reply does not say how long the token lives: it is used for an hour", {
        account: account.alias,
        fields
      })
    }
    return { secret: Redacted.make(text), life_ms: life_ms ?? unknownLife_ms }
  })
  const rules = { what: "token", kind: "token", between_ms: between_issues_ms, atOnce: 2, lost_ms_max } as const
  const credential = yield* makeCredential(account, stateDir, rules, obtain)

  const keepFresh = Effect.gen(function* () {
    const held = yield* credential.held
    const now = yield* Clock.currentTimeMillis
    const dueAtMs =
      held === undefined ? now : held.endsAtMs - Math.min(renew_ahead_ms, (held.endsAtMs - held.issuedAtMs) / 2)
    yield* Effect.sleep(Math.max(between_issues_ms, dueAtMs - now))
    yield* credential.current(renew_ahead_ms)
  }).pipe(Effect.forever)

  return {
    current: credential.current(0),
    drop: credential.drop,
    keepFresh,
    status: Effect.map(credential.held, (held) => ({
      expiresAtMs: held?.endsAtMs,
      issues: credential.issues(),
      issuedAtMs: held?.issuedAtMs
    }))
  } satisfies Token
})

/**
 * `expires_in`, seconds as a number or as text, in milliseconds. `access_token_token_expired` is a Korean wall clock
 * without a zone; the seconds are the same truth without the trap.
 */
const lifeOf = (expires_in: unknown): number | undefined => {
  const seconds = typeof expires_in === "number" || typeof expires_in === "string" ? Number(expires_in) : Number.NaN
  return seconds > 0 && seconds < Number.POSITIVE_INFINITY ? seconds * 1_000 : undefined
}
