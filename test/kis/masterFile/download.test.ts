import { NodeHttpClient } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Result } from "effect"
import { downloadMaster, zip_bytes_max } from "../../../src/kis/masterFile/download.ts"
import { capturedZip, makeMasterServer, type MasterAnswer, notFound } from "../../support/masterServer.ts"
import { passUntil } from "../../support/virtualTime.ts"

/** Downloads with virtual time passing beside it; gives how it ended and how often the host was asked. */
const downloaded = Effect.fnUntraced(function* (answer: MasterAnswer) {
  const server = yield* makeMasterServer
  server.answer("kospi_code.mst", answer)
  const fiber = yield* Effect.forkChild(Effect.result(downloadMaster(`${server.url}/`, "kospi_code.mst")))
  yield* passUntil(() => fiber.pollUnsafe() !== undefined, 100)
  return { result: yield* Fiber.join(fiber), asked: server.asked }
}, Effect.provide(NodeHttpClient.layerUndici))

const failure = <A, E>(result: Result.Result<A, E>): E => {
  assert(Result.isFailure(result), "this download should have failed")
  return result.failure
}

describe("a master file's download", () => {
  it.effect("brings the bytes as they are, from the documented path", () =>
    Effect.gen(function* () {
      const { asked, result } = yield* downloaded({ bytes: capturedZip("kospi_code.mst") })
      assert.deepStrictEqual(asked, ["/common/master/kospi_code.mst.zip"])
      assert.isTrue(Buffer.from(Result.getOrThrow(result)).equals(capturedZip("kospi_code.mst")))
    })
  )

  it.effect("is not tried again where there is no such file", () =>
    Effect.gen(function* () {
      const { asked, result } = yield* downloaded(notFound)
      assert.strictEqual(failure(result).message, "kospi_code.mst: the host answered 404")
      assert.strictEqual(asked.length, 1)
    })
  )

  it.effect.each([
    ["an error of the host", { status: 503, bytes: new Uint8Array() }, /answered 503/],
    ["a connection that breaks", "cut", /kospi_code.mst: ./],
    ["a host that says nothing", "silent", /not all of it came within 20 s/],
    ["a host that stops in the middle", "dripping", /not all of it came within 20 s/]
  ] as const)("is tried three times at %s, and no more", ([, answer, words]) =>
    Effect.gen(function* () {
      const { asked, result } = yield* downloaded(answer)
      assert.match(failure(result).message, words)
      assert.strictEqual(asked.length, 3)
    })
  )

  it.effect("takes no more than 4 MB", () =>
    Effect.gen(function* () {
      const { asked, result } = yield* downloaded({ bytes: new Uint8Array(zip_bytes_max + 1) })
      assert.match(failure(result).message, /larger than 4194304 bytes/)
      assert.strictEqual(asked.length, 1)
    })
  )
})
