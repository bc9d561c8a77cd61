import { NodeHttpClient } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber } from "effect"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { AnswerBegun } from "../../src/kis/AnswerBegun.ts"
import * as KisClient from "../../src/kis/KisClient.ts"
import { exchange, laneOfRequest } from "../../src/kis/KisHttp.ts"
import { accountAt } from "../support/accounts.ts"

/** A server that sends the head of its answer at once and the body when told. */
const halfAnswering = Effect.fnUntraced(function* (status: number, body: string) {
  const answers: Array<() => void> = []
  const server = createServer((_request, response) => {
    response.writeHead(status, { "content-length": Buffer.byteLength(body) })
    response.flushHeaders()
    answers.push(() => response.end(body))
  })
  yield* Effect.acquireRelease(
    Effect.callback<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void))),
    () => Effect.sync(() => (server.closeAllConnections(), server.close()))
  )
  const { port } = server.address() as AddressInfo
  return { restUrl: `http://127.0.0.1:${port}`, finish: Effect.sync(() => answers.forEach((answer) => answer())) }
})

describe("an exchange", () => {
  it.live("says that its answer has begun when the head is there, before the body is", () =>
    Effect.gen(function* () {
      const { finish, restUrl } = yield* halfAnswering(500, '{"rt_cd":"1","msg_cd":"EGW00201"}')
      const begun = Deferred.makeUnsafe<void>()
      const account = accountAt({ restUrl, wsUrl: "ws://nowhere" })
      const fiber = yield* Effect.forkChild(
        Effect.flip(exchange(account, { operation: "price", method: "GET", path: "/" })).pipe(
          Effect.provideService(AnswerBegun, () => void Deferred.doneUnsafe(begun, Exit.void))
        )
      )
      yield* Deferred.await(begun)
      assert.isUndefined(fiber.pollUnsafe())
      yield* finish
      assert.strictEqual((yield* Fiber.join(fiber))._tag, "KisThrottled")
    }).pipe(Effect.provide(NodeHttpClient.layerUndici))
  )
})

describe("a reply without an end", () => {
  it.live("is given up when it has come to more than any reply has, not when the time is over", () =>
    Effect.gen(function* () {
      let sent = 0
      const part = "x".repeat(1 << 16)
      const server = createServer((_request, response) => {
        const more = () => {
          while (!response.destroyed) {
            sent += part.length
            if (!response.write(part)) return void response.once("drain", more)
          }
        }
        more()
      })
      yield* Effect.acquireRelease(
        Effect.callback<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void))),
        () => Effect.sync(() => (server.closeAllConnections(), server.close()))
      )
      const { port } = server.address() as AddressInfo
      const account = accountAt({ restUrl: `http://127.0.0.1:${port}`, wsUrl: "ws://nowhere" })
      const error = yield* Effect.flip(exchange(account, { operation: "price", method: "GET", path: "/" }))
      assert.deepInclude(error, { _tag: "KisUnreachable", detail: "UND_ERR_RES_EXCEEDED_MAX_SIZE" })
      assert.isAbove(sent, KisClient.reply_bytes_max)
    }).pipe(Effect.provide(KisClient.layer))
  )
})

describe("the lane of a request", () => {
  const request = { operation: "x", method: "GET", path: "/" } as const
  it("is what it says, or what its TR says", () => {
    assert.strictEqual(laneOfRequest(request), "quotes")
    assert.strictEqual(laneOfRequest({ ...request, headers: { tr_id: "FHKST11300006" } }), "quotes")
    assert.strictEqual(laneOfRequest({ ...request, headers: { tr_id: "CTCA0903R" } }), "ledger")
    assert.strictEqual(laneOfRequest({ ...request, lane: "ledger" }), "ledger")
  })
})
