import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Redacted } from "effect"
import { TestClock } from "effect/testing"
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { makeApprovalKey } from "../../src/kis/ApprovalKey.ts"
import { KisUnreachable } from "../../src/kis/KisError.ts"
import type { KisCall, KisRequest } from "../../src/kis/KisHttp.ts"
import type { ReplyBody } from "../../src/kis/Reply.ts"
import { accountAt, leakIn, secrets } from "../support/accounts.ts"
import { passUntil, scratchFolder } from "../support/virtualTime.ts"

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
const scene = Effect.andThen(TestClock.setTime(Date.UTC(2026, 9, 1)), scratchFolder)

/** Runs to the end, with virtual time passing beside it. */
const settled = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkScoped(Effect.exit(effect))
    yield* passUntil(() => fiber.pollUnsafe() !== undefined, 2)
    const done = fiber.pollUnsafe()
    return done !== undefined && Exit.isSuccess(done) ? yield* done.value : yield* Effect.die("it was interrupted")
  })
const cacheFile = (folder: string) => {
  const files = readdirSync(folder)
  assert.strictEqual(files.length, 1, files.join(", "))
  return join(folder, files[0] ?? "")
}

describe("the approval key", () => {
  it.effect("is asked for once by many, with the secret under the name that only this call gives it", () =>
    Effect.gen(function* () {
      const folder = yield* scene
      const { asked, call } = makeDesk(numbered)
      const approval = yield* makeApprovalKey(account, folder, call)
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

  it.effect("is kept over reconnects for half its life, so that no connection begins with one that ends soon", () =>
    Effect.gen(function* () {
      const folder = yield* scene
      const { asked, call } = makeDesk(numbered)
      const approval = yield* makeApprovalKey(account, folder, call)
      yield* approval.current
      yield* TestClock.adjust("9 hours")
      assert.strictEqual(textOf(yield* approval.current), `${secrets.approvalKey}1`)
      yield* TestClock.adjust("2 hours")
      assert.strictEqual(textOf(yield* approval.current), `${secrets.approvalKey}2`)
      assert.strictEqual(asked.length, 2)
    })
  )

  it.effect("is the old one while it is valid, when the broker gives no other", () =>
    Effect.gen(function* () {
      const folder = yield* scene
      const { call } = makeDesk((number) =>
        number === 1 ? numbered(1) : Effect.fail(new KisUnreachable({ operation: "approval key", detail: "cut" }))
      )
      const approval = yield* makeApprovalKey(account, folder, call)
      yield* approval.current
      yield* TestClock.adjust("11 hours")
      assert.strictEqual(textOf(yield* settled(approval.current)), `${secrets.approvalKey}1`)
      yield* TestClock.adjust("10 hours")
      assert.strictEqual((yield* Effect.flip(settled(approval.current)))._tag, "KisUnreachable")
    })
  )

  it.effect("is asked for anew once it has been dropped", () =>
    Effect.gen(function* () {
      const folder = yield* scene
      const { call } = makeDesk(numbered)
      const approval = yield* makeApprovalKey(account, folder, call)
      yield* approval.current
      yield* approval.drop
      assert.strictEqual(textOf(yield* settled(approval.current)), `${secrets.approvalKey}2`)
    })
  )

  it.effect("is kept for the next run, for its owner alone, without any other secret", () =>
    Effect.gen(function* () {
      const folder = yield* scene
      const { asked, call } = makeDesk(numbered)
      yield* (yield* makeApprovalKey(account, folder, call)).current
      for (let start = 0; start < 100; start++) {
        const again = yield* makeApprovalKey(account, folder, call)
        assert.strictEqual(textOf(yield* again.current), `${secrets.approvalKey}1`)
      }
      assert.strictEqual(asked.length, 1)
      const file = cacheFile(folder)
      assert.strictEqual(statSync(file).mode & 0o777, 0o600)
      const text = readFileSync(file, "utf8") + file
      for (const secret of [secrets.appKey, secrets.appSecret]) assert.notInclude(text, secret)
    })
  )

  it.effect("is dropped once for a broker that knows none of them: the further ones come after growing waits", () =>
    Effect.gen(function* () {
      const folder = yield* scene
      const { asked, call } = makeDesk(numbered)
      const approval = yield* makeApprovalKey(account, folder, call)
      yield* approval.current
      yield* approval.drop
      yield* settled(approval.current)
      yield* approval.drop
      const restarted = yield* makeApprovalKey(account, folder, call)
      const withheld = yield* Effect.flip(restarted.current)
      assert.strictEqual(withheld._tag, "KisIssueWithheld")
      assert.include(withheld.message, 'did not accept the last 2 issues of the approval key of account "main"')
      yield* TestClock.adjust("3 minutes")
      yield* restarted.current
      assert.strictEqual(asked.length, 3)
    })
  )

  it.effect("is asked for anew when its file is broken", () =>
    Effect.gen(function* () {
      const folder = yield* scene
      const { asked, call } = makeDesk(numbered)
      yield* (yield* makeApprovalKey(account, folder, call)).current
      writeFileSync(cacheFile(folder), "{")
      const key = yield* settled((yield* makeApprovalKey(account, folder, call)).current)
      assert.strictEqual(textOf(key), `${secrets.approvalKey}2`)
      assert.strictEqual(asked.length, 2)
    })
  )

  it.effect("is not kept from a failure, which is passed on", () =>
    Effect.gen(function* () {
      const folder = yield* scene
      const { call } = makeDesk((number) =>
        number === 1 ? Effect.fail(new KisUnreachable({ operation: "approval key", detail: "cut" })) : numbered(number)
      )
      const approval = yield* makeApprovalKey(account, folder, call)
      assert.strictEqual((yield* Effect.flip(approval.current))._tag, "KisUnreachable")
      assert.strictEqual(textOf(yield* settled(approval.current)), `${secrets.approvalKey}2`)
    })
  )

  for (const body of [{}, { approval_key: "" }, { approval_key: 7 }, { approvalkey: secrets.approvalKey }]) {
    it.effect(
      `is not made of ${Object.keys(body).join()}:${typeof Object.values(body)[0]}, and nothing of it shows`,
      () =>
        Effect.gen(function* () {
          const folder = yield* scene
          const { call } = makeDesk(() => Effect.succeed(body))
          const error = yield* Effect.flip((yield* makeApprovalKey(account, folder, call)).current)
          assert.strictEqual(error._tag, "KisReplyMalformed")
          assert.isUndefined(leakIn(JSON.stringify(error) + String(error)))
        })
    )
  }
})
