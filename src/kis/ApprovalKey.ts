import { Clock, Effect, Redacted, Semaphore } from "effect"
import type { KisAccount } from "./Account.ts"
import type { KisCall } from "./KisHttp.ts"
import { type KisError, KisReplyMalformed } from "./KisError.ts"

/** Valid for 24 h; a long-expired one was seen to be accepted and then to deliver nothing, so it is renewed well before. */
const kept_ms = 20 * 3_600_000

export interface ApprovalKey {
  readonly current: Effect.Effect<Redacted.Redacted, KisError>
  /** Forgets the key: the broker did not know it (`OPSP0011`). */
  readonly drop: Effect.Effect<void>
}

/** The key that every subscription carries. It is fetched before connecting and kept across reconnects. */
export const makeApprovalKey = Effect.fnUntraced(function* (account: KisAccount, call: KisCall) {
  const asking = yield* Semaphore.make(1)
  let known: { readonly key: Redacted.Redacted; readonly untilMs: number } | undefined
  const current = Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    if (known !== undefined && known.untilMs > now) return known.key
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
    known = { key: Redacted.make(text), untilMs: now + kept_ms }
    return known.key
  })
  return {
    current: asking.withPermits(1)(current),
    drop: Effect.sync(() => {
      known = undefined
    })
  } satisfies ApprovalKey
})
