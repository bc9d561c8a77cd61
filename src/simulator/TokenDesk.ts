import { Clock, Context, Effect, Layer, Schema } from "effect"
import { createHash } from "node:crypto"
import { boundedMap } from "./boundedMap.ts"
import { Counters } from "./Counters.ts"
import { judgeToken, life_seconds, mintToken } from "./desk/accessToken.ts"
import { mintApprovalKey, ownerOfApprovalKey } from "./desk/approvalKey.ts"
import { kstStamp } from "./desk/kstStamp.ts"
import { Options } from "./ExchangeOptions.ts"
import { type CallWindow, callWindow } from "./limits/callWindow.ts"
import { type Refusal, refusal } from "./Refusal.ts"

/** A key asks for a token at most once a minute. */
const minute_ms = 60_000
/** Within six hours of its issue the same token comes back. */
const sameToken_ms = 6 * 3_600_000
const keysMax = 10_000
const revokedMax = 100_000

const Body = Schema.fromJsonString(Schema.Record(Schema.String, Schema.Unknown))
const decodeBody = Schema.decodeUnknownEffect(Body)

interface Issued {
  readonly token: string
  readonly issuedAtMs: number
  readonly askedAtMs: number
}

/** Issues and checks credentials. Any key of plausible form is known; the first secret seen with it is its secret. */
export class TokenDesk extends Context.Service<
  TokenDesk,
  {
    /** `POST /oauth2/tokenP`. */
    issue(body: string): Effect.Effect<object, Refusal>
    /** `POST /oauth2/revokeP`. */
    revoke(body: string): Effect.Effect<object, Refusal>
    /** `POST /oauth2/Approval`. */
    approve(body: string): Effect.Effect<object, Refusal>
    /** The three credentials of every other call. */
    check(
      appKey: string,
      appSecret: string | undefined,
      authorization: string | undefined
    ): Effect.Effect<void, Refusal>
    /** Who an approval key belongs to; `undefined` when it is unknown or a day old. */
    ownerOf(approvalKey: string): string | undefined
    /** Makes the token of an `authorization` header worthless from now on, as `/oauth2/revokeP` does. */
    forget(authorization: string | undefined): void
  }
>()("observer/simulator/TokenDesk") {
  static readonly layer = Layer.effect(
    TokenDesk,
    Effect.gen(function* () {
      const { env, limits } = yield* Options
      const counters = yield* Counters
      const clock = yield* Clock.Clock
      const secrets = boundedMap<string>(keysMax)
      const issued = boundedMap<Issued>(keysMax)
      const revoked = boundedMap<true>(revokedMax)
      const approvals = boundedMap<CallWindow>(keysMax)

      /** What a second approval key within a second is refused with was never published; the gateway's code fits best [U]. */
      const isTooSoon = (appKey: string) => {
        const seenAtMicros = Number(clock.monotonicTimeNanosUnsafe() / 1_000n)
        const window = approvals.getOr(appKey, () => callWindow(limits.window, limits.countRefused))
        return limits.approvalsPerSecond > 0 && !window.admit(seenAtMicros, limits.approvalsPerSecond)
      }

      const identify = Effect.fnUntraced(function* (appKey: unknown, appSecret: unknown) {
        if (!isText(appKey)) return yield* refusal("EGW00102")
        if (!/^[\x21-\x7e]{1,64}$/.test(appKey)) return yield* refusal("EGW00103")
        if (!isText(appSecret)) return yield* refusal("EGW00104")
        if (!/^[\x21-\x7e]{1,256}$/.test(appSecret)) return yield* refusal("EGW00105")
        const mark = createHash("sha256").update(appSecret).digest("base64")
        if (secrets.getOr(appKey, () => mark) !== mark) return yield* refusal("EGW00105")
        return appKey
      })

      const granted = Effect.fnUntraced(function* (body: string, secretName: "appsecret" | "secretkey") {
        const fields = yield* readBody(body)
        if (!isText(fields["grant_type"])) return yield* refusal("EGW00115")
        if (fields["grant_type"] !== "client_credentials") return yield* refusal("EGW00116")
        return yield* identify(fields["appkey"], fields[secretName])
      })

      return TokenDesk.of({
        issue: Effect.fnUntraced(function* (body) {
          const appKey = yield* granted(body, "appsecret")
          const nowMs = clock.currentTimeMillisUnsafe()
          const last = issued.get(appKey)
          if (last !== undefined && nowMs - last.askedAtMs < minute_ms) return yield* refusal("EGW00133")
          const kept = last !== undefined && nowMs - last.issuedAtMs < sameToken_ms && !revoked.has(last.token)
          const issuedAtMs = kept ? last.issuedAtMs : nowMs
          const token = kept ? last.token : mintToken(appKey, env, Math.floor(nowMs / 1_000))
          issued.set(appKey, { token, issuedAtMs, askedAtMs: nowMs })
          counters.tokensIssued += 1
          const endMs = issuedAtMs + life_seconds * 1_000
          return {
            access_token: token,
            access_token_token_expired: kstStamp(endMs),
            token_type: "Bearer",
            // What a token given out again says here is not known; the time it has left is the safe answer [U].
            expires_in: Math.floor((endMs - nowMs) / 1_000)
          }
        }),
        revoke: Effect.fnUntraced(function* (body) {
          const fields = yield* readBody(body)
          yield* identify(fields["appkey"], fields["appsecret"])
          const token = fields["token"]
          if (!isText(token)) return yield* refusal("EGW00122")
          revoked.set(token, true)
          return { code: 200, message: "접근토큰 폐기에 성공하였습니다" }
        }),
        approve: Effect.fnUntraced(function* (body) {
          const appKey = yield* granted(body, "secretkey")
          if (isTooSoon(appKey)) return yield* refusal("EGW00201")
          counters.approvals += 1
          return { approval_key: mintApprovalKey(appKey, clock.currentTimeMillisUnsafe() / 1_000) }
        }),
        check: Effect.fnUntraced(function* (appKey, appSecret, authorization) {
          yield* identify(appKey, appSecret)
          if (!isText(authorization)) return yield* refusal("EGW00122")
          const token = tokenOf(authorization)
          if (token === undefined) return yield* refusal("EGW00205")
          const verdict = judgeToken(token, appKey, env, clock.currentTimeMillisUnsafe() / 1_000)
          if (verdict === "invalid" || revoked.has(token)) return yield* refusal("EGW00121")
          if (verdict === "expired") return yield* refusal("EGW00123")
        }),
        forget: (authorization) => {
          const token = tokenOf(authorization ?? "")
          if (token !== undefined) revoked.set(token, true)
        },
        ownerOf: (approvalKey) => ownerOfApprovalKey(approvalKey, clock.currentTimeMillisUnsafe() / 1_000)
      })
    })
  )
}

const tokenOf = (authorization: string) => /^Bearer +(\S+)$/i.exec(authorization)?.[1]

const isText = (value: unknown): value is string => typeof value === "string" && value.trim() !== ""

const readBody = (body: string) =>
  decodeBody(body).pipe(Effect.mapError(() => refusal("EGW00101", "(the body must be a JSON object)")))
