import { NodeHttpClient } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Logger } from "effect"
import { exchange } from "../../src/kis/KisHttp.ts"
import { accountAt, leakIn, secrets } from "../support/accounts.ts"
import { json, makeKisServer } from "../support/kisServer.ts"

/** What is said, with its level, while a broker answers with these codes one after the other. */
const said = (codes: ReadonlyArray<string>, words = "잘못된 요청") => {
  const lines: Array<string> = []
  const logger = Logger.make(({ logLevel, message }) => void lines.push(`${logLevel} ${JSON.stringify(message)}`))
  return Effect.gen(function* () {
    const server = yield* makeKisServer
    const account = accountAt(server)
    const { appKey: appkey, appSecret: appsecret } = account
    for (const code of codes) {
      server.answer(() => json({ rt_cd: "1", msg_cd: code, msg1: words }, 500))
      const headers = { appkey, appsecret }
      yield* Effect.flip(exchange(account, { operation: "price", method: "GET", path: "/price", headers }))
    }
    return lines
  }).pipe(Effect.provide([NodeHttpClient.layerUndici, Logger.layer([logger])]))
}

describe("what is said of a refusal", () => {
  it.effect("is said once for each code, loudly when the request is wrong, as it came when the code is not known", () =>
    Effect.gen(function* () {
      const lines = yield* said(["OPSQ2001", "EGW77777", "OPSQ2001", "EGW77777", "OPSQ2001", "EGW02006"])
      assert.deepStrictEqual(
        lines.map((line) => line.split(" ")[0]),
        ["Error", "Warn", "Error"]
      )
      for (const [index, code] of ["OPSQ2001", "EGW77777", "EGW02006"].entries()) {
        assert.include(lines[index], `"code":"${code}"`)
        assert.include(lines[index], '"text":"잘못된 요청"')
        assert.include(lines[index], '"account":"main"')
      }
    })
  )

  it.effect("is nothing for what passes or has its own reaction", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* said(["EGW00201", "EGW00215", "EGW00123", "EGW00133", "EGW00103", "EGW00202"]), [])
    })
  )

  it.effect("repeats no secret that the broker repeats, and only the head of a long text", () =>
    Effect.gen(function* () {
      const lines = yield* said(["EGW77777"], `${secrets.appKey} ${secrets.appSecret} ${"x".repeat(10_000)}`)
      assert.strictEqual(lines.length, 1)
      assert.isUndefined(leakIn(lines.join("\n")))
      assert.include(lines[0], "<redacted> <redacted>")
      assert.isBelow(lines[0]?.length ?? 0, 1_000)
    })
  )
})
