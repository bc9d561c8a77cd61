import { Clock, Effect, Redacted, Ref, Schedule, Semaphore } from "effect"
import type { KisAccount } from "./Account.ts"
import type { KisCall } from "./KisHttp.ts"
import { type KisError, KisReplyMalformed } from "./KisError.ts"
import { recall, remember, type TokenMemory } from "./TokenCache.ts"

/** The broker issues one token a minute per key; a second more, for its clock is not ours (kis/limits.md §3). */
const between_issues_ms = 61_000
/** Renewed so long before its end, off the hot path. */
const renew_ahead_ms = 600_000

export interface TokenStatus {
  readonly expiresAtMs: number | undefined
  readonly issues: number
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
 * The access token of one key: in a Ref, on disk between runs, one issue in flight. An issue is never asked for twice
 * within a minute, crash loops included, and never revoked: each one sends its owner a message on the phone.
 */
export const makeToken = Effect.fnUntraced(function* (account: KisAccount, stateDir: string, call: KisCall) {
  const { alias } = account
  const recalled = yield* recall(stateDir, account)
  const memory = yield* Ref.make(
    recalled !== undefined && account.endpoints.startedForUs === true ? { ...recalled, attemptedAtMs: 0 } : recalled
  )
  const issuing = yield* Semaphore.make(1)
  let issues = 0

  const storing = yield* Semaphore.make(1)
  /** Changes what is known as it is now, and writes it: one write at a time, the newest knowledge last. */
  const store = (change: (known: TokenMemory | undefined) => TokenMemory) =>
    Effect.andThen(
      Ref.update(memory, change),
      storing.withPermits(1)(
        Effect.flatMap(Ref.get(memory), (known) =>
          known === undefined ? Effect.void : remember(stateDir, account, known)
        )
      )
    )

  const attempted = Effect.flatMap(Clock.currentTimeMillis, (attemptedAtMs) =>
    store((known) => ({ ...known, attemptedAtMs }))
  )

  const usable = Effect.fnUntraced(function* (ahead_ms: number) {
    const { expiresAtMs, token } = (yield* Ref.get(memory)) ?? {}
    const now = yield* Clock.currentTimeMillis
    return token !== undefined && expiresAtMs !== undefined && expiresAtMs - ahead_ms > now ? token : undefined
  })

  const ask = Effect.gen(function* () {
    const before = yield* Ref.get(memory)
    const now = yield* Clock.currentTimeMillis
    // A clock set back must not make us wait for the difference.
    const wait_ms = Math.min(between_issues_ms, (before?.attemptedAtMs ?? 0) + between_issues_ms - now)
    if (wait_ms > 0) {
      const wait_seconds = Math.ceil(wait_ms / 1_000)
      yield* Effect.logWarning("waiting before asking for a token: one a minute per key", {
        account: alias,
        wait_seconds
      })
      yield* Effect.sleep(wait_ms)
    }
    yield* attempted
    issues += 1
    const askedAtMs = yield* Clock.currentTimeMillis
    const body = yield* call({
      operation: "token",
      method: "POST",
      path: "/oauth2/tokenP",
      body: { grant_type: "client_credentials", appkey: account.appKey, appsecret: account.appSecret }
    }).pipe(
      // What never reached the broker was no issue, and need not be waited for; else it may have counted it as late as it answered.
      Effect.tapError((error) =>
        error._tag === "KisUnreachable" && error.unsent === true
          ? store((known) => ({ ...known, attemptedAtMs: before?.attemptedAtMs ?? 0 }))
          : attempted
      )
    )
    const { access_token: text, expires_in } = body
    // `access_token_token_expired` is a Korean wall clock without a zone; the seconds are the same truth without the trap.
    const seconds = Number(expires_in)
    if (typeof text !== "string" || text === "" || !(seconds > 0)) {
      const detail = "access_token or expires_in is missing"
      return yield* new KisReplyMalformed({ operation: "token", detail, raw: Object.keys(body).join(", ") })
    }
    const token = Redacted.make(text)
    const attemptedAtMs = yield* Clock.currentTimeMillis
    yield* store(() => ({ attemptedAtMs, token, expiresAtMs: askedAtMs + seconds * 1_000 }))
    yield* Effect.logInfo("a new access token was issued", { account: alias, valid_hours: Math.round(seconds / 3_600) })
    return token
  }).pipe(Effect.retry({ while: (error) => error._tag === "KisTokenTooSoon", schedule: Schedule.recurs(3) }))

  const current = (ahead_ms: number) =>
    Effect.gen(function* () {
      const known = yield* usable(ahead_ms)
      if (known !== undefined) return known
      return yield* issuing.withPermits(1)(
        Effect.gen(function* () {
          // Whoever waited here finds the token that the one before brought.
          return (yield* usable(ahead_ms)) ?? (yield* ask)
        })
      )
    })

  const keepFresh = Effect.gen(function* () {
    const expiresAtMs = (yield* Ref.get(memory))?.expiresAtMs ?? 0
    const now = yield* Clock.currentTimeMillis
    yield* Effect.sleep(Math.max(between_issues_ms, expiresAtMs - renew_ahead_ms - now))
    yield* current(renew_ahead_ms)
  }).pipe(Effect.forever)

  return {
    current: current(0),
    drop: (token) =>
      Effect.gen(function* () {
        const known = yield* Ref.get(memory)
        if (known?.token === undefined || Redacted.value(known.token) !== Redacted.value(token)) return
        yield* store(() => ({ attemptedAtMs: known.attemptedAtMs }))
      }),
    keepFresh,
    status: Effect.map(Ref.get(memory), (known) => ({ expiresAtMs: known?.expiresAtMs, issues }))
  } satisfies Token
})
