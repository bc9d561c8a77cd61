import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { TestClock } from "effect/testing"
import { makeApprovalKey } from "../../src/kis/ApprovalKey.ts"
import { KisUnreachable } from "../../src/kis/KisError.ts"
import type { KisCall, KisRequest } from "../../src/kis/KisHttp.ts"
import type { ReplyBody } from "../../src/kis/Reply.ts"
import { accountAt, leakIn, secrets } from "../support/accounts.ts"

const account = accountAt({ restUrl: "http://broker", wsUrl: "ws://broker" })

const makeDesk = (script: (number: number) => Effect.Effect<ReplyBody, KisUnreachable>) => {
  const asked: Array<KisRequest> = []
  const call: KisCall = (request) =>
    Effect.suspend(() => {
      asked.push(request)
      return Effect.andThen(Effect.yieldNow, script(asked.length))
    })
  return { asked, call }
}
const numbered = (number: number) => Effect.succeed({ approval_key: `${secrets.approvalKey}${number}` })
const textOf = (key: Redacted.Redacted) => Redacted.value(key)

describe("the approval key", () => {
  it.effect("is asked for once by many, with the secret under the name that only this call gives it", () =>
    Effect.gen(function* () {
      const { asked, call } = makeDesk(numbered)
      const approval = yield* makeApprovalKey(account, call)
      const all = yield* Effect.all(
        Array.from({ length: 20 }, () => approval.current),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(new Set(all.map(textOf)), new Set([`${secrets.approvalKey}1`]))
      const { appKey, appSecret } = account
      const body = { grant_type: "client_credentials", appkey: appKey, secretkey: appSecret }
      assert.deepStrictEqual(asked, [{ operation: "approval key", method: "POST", path: "/oauth2/Approval", body }])
    })
  )

  it.effect("is kept over reconnects, and renewed well before its day is over", () =>
    Effect.gen(function* () {
      const { asked, call } = makeDesk(numbered)
      const approval = yield* makeApprovalKey(account, call)
      yield* approval.current
      yield* TestClock.adjust("19 hours")
      assert.strictEqual(textOf(yield* approval.current), `${secrets.approvalKey}1`)
      yield* TestClock.adjust("2 hours")
      assert.strictEqual(textOf(yield* approval.current), `${secrets.approvalKey}2`)
      assert.strictEqual(asked.length, 2)
    })
  )

  it.effect("is asked for anew once it has been dropped", () =>
    Effect.gen(function* () {
      const { call } = makeDesk(numbered)
      const approval = yield* makeApprovalKey(account, call)
      yield* approval.current
      yield* approval.drop
      assert.strictEqual(textOf(yield* approval.current), `${secrets.approvalKey}2`)
    })
  )

  it.effect("is not kept from a failure, which is passed on", () =>
    Effect.gen(function* () {
      const { call } = makeDesk((number) =>
        number === 1 ? Effect.fail(new KisUnreachable({ operation: "approval key", detail: "cut" })) : numbered(number)
      )
      const approval = yield* makeApprovalKey(account, call)
      assert.strictEqual((yield* Effect.flip(approval.current))._tag, "KisUnreachable")
      assert.strictEqual(textOf(yield* approval.current), `${secrets.approvalKey}2`)
    })
  )

  for (const body of [{}, { approval_key: "" }, { approval_key: 7 }, { approvalkey: secrets.approvalKey }]) {
    it.effect(
      `is not made of ${Object.keys(body).join()}:${typeof Object.values(body)[0]}, and nothing of it shows`,
      () =>
        Effect.gen(function* () {
          const { call } = makeDesk(() => Effect.succeed(body))
          const error = yield* Effect.flip((yield* makeApprovalKey(account, call)).current)
          assert.strictEqual(error._tag, "KisReplyMalformed")
          assert.isUndefined(leakIn(JSON.stringify(error) + String(error)))
        })
    )
  }
})
