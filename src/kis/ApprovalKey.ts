import { Clock, Effect, Redacted } from "effect"
import type { KisAccount } from "./Account.ts"
import { makeCredential } from "./Credential.ts"
import type { KisCall } from "./KisHttp.ts"
import { type KisError, KisReplyMalformed } from "./KisError.ts"

/** Valid for 24 h; a long-expired one was seen to be accepted and then to deliver nothing, so it is renewed well before (kis/websocket.md §6). */
const kept_ms = 20 * 3_600_000
/** One issue a second per key (kis/limits.md §3), and a little, for the broker's clock is not ours. */
const between_issues_ms = 1_200
/** Nobody is told of an approval key, and without one there is no stream. */
const lost_ms_max = 60_000

export interface ApprovalKey {
  /**
   * A key that holds for half its life yet, for a connection keeps the one it begins with and registers by it all day.
   * When no such key can be had, the one that is held is given, as long as it is valid.
   */
  readonly current: Effect.Effect<Redacted.Redacted, KisError>
  /** Forgets the key: the broker did not know it (`OPSP0011`). Its replacement is asked for at once, a further one only after a growing wait. */
  readonly drop: Effect.Effect<void>
}

/** The key that every subscription carries: fetched before connecting, kept across reconnects and, on disk, across restarts. */
export const makeApprovalKey = Effect.fnUntraced(function* (account: KisAccount, stateDir: string, call: KisCall) {
  const obtain = Effect.gen(function* () {
    const body = yield* call({
      operation: "approval key",
      method: "POST",
      path: "/oauth2/Approval",
      // Here, and only here, the secret is called `secretkey`.
      body: { grant_type: "client_credentials", appkey: account.appKey, secretkey: account.appSecret }
    })
    const text = body["approval_key"]
    if (typeof text !== "string" || text === "") {
      const detail = "approval_key is missing"
      return yield* new KisReplyMalformed({ operation: "approval key", detail, raw: Object.keys(body).join(", ") })
    }
    return { secret: Redacted.make(text), life_ms: kept_ms }
  })
  const rules = {
    what: "approval key",
    kind: "approval",
    between_ms: between_issues_ms,
    atOnce: 1,
    lost_ms_max
  } as const
  const credential = yield* makeCredential(account, stateDir, rules, obtain)
  const unlessValid = Effect.fnUntraced(function* (error: KisError) {
    const held = yield* credential.held
    return held !== undefined && held.endsAtMs > (yield* Clock.currentTimeMillis) ? held.secret : yield* error
  })
  return {
    current: Effect.catch(credential.current(kept_ms), unlessValid),
    drop: Effect.flatMap(credential.held, (held) => (held === undefined ? Effect.void : credential.drop(held.secret)))
  } satisfies ApprovalKey
})
