import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Redacted } from "effect"
import { HttpRouter, HttpServerResponse } from "effect/http"
import { request } from "node:http"
import * as Server from "../../src/http/Server.ts"
import { Health } from "../../src/ops/Health.ts"

let changes = 0
const changing = HttpRouter.use((router) =>
  router.add(
    "POST",
    "/change",
    Effect.sync(() => {
      changes += 1
      return HttpServerResponse.text("changed")
    })
  )
)

const serving = (host: string, token?: string) =>
  Server.layer({ host, port: 0, token: token === undefined ? undefined : Redacted.make(token) }, changing).pipe(
    Layer.provide(Layer.succeed(Health, { report: Effect.die("not asked") })),
    Layer.fresh
  )

/** Asks with headers as they are given, `host` included, which `fetch` does not let one say. */
const ask = Effect.fnUntraced(function* (method: string, path: string, headers: Record<string, string> = {}) {
  const { port } = new URL((yield* Server.ServerAddress).url)
  const named = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, value.replace("PORT", port)] as const)
  )
  return yield* Effect.callback<{ readonly status: number | undefined; readonly text: string }>((resume) => {
    const asked = request({ host: "127.0.0.1", port, method, path, headers: named }, (response) => {
      let text = ""
      response.setEncoding("utf8").on("data", (part: string) => (text += part))
      response.on("end", () => resume(Effect.succeed({ status: response.statusCode, text })))
    })
    asked.end()
  })
})

const statuses = (method: string, path: string, all: ReadonlyArray<Record<string, string>>) =>
  Effect.forEach(all, (headers) => Effect.map(ask(method, path, headers), ({ status }) => status))

describe("a web page", () => {
  it.live("of another site changes nothing, whichever way its browser tells", () =>
    Effect.gen(function* () {
      const before = changes
      const foreign = [
        { origin: "https://evil.example" },
        { origin: "null" },
        { origin: "http://127.0.0.1:1" },
        { "sec-fetch-site": "cross-site" },
        { "sec-fetch-site": "same-site" },
        { origin: "http://127.0.0.1:PORT", "sec-fetch-site": "cross-site" }
      ]
      assert.deepStrictEqual(
        yield* statuses("POST", "/change", foreign),
        foreign.map(() => 403)
      )
      assert.strictEqual(changes, before)
      const { text } = yield* ask("POST", "/change", { origin: "https://evil.example" })
      assert.deepStrictEqual(JSON.parse(text), {
        error: "a page of another site may not change anything (Origin: https://evil.example)"
      })
    }).pipe(Effect.provide(serving("127.0.0.1")))
  )

  it.live("of another site has nothing read for it", () =>
    Effect.gen(function* () {
      const foreign = { "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image" }
      for (const path of ["/livez", "/metrics", "/api/v1/gaps?day=2026-11-20", "/certificates/2026-11-20"]) {
        assert.deepStrictEqual([path, (yield* ask("GET", path, foreign)).status], [path, 403])
        assert.deepStrictEqual([path, (yield* ask("HEAD", path, foreign)).status], [path, 403])
      }
      const { text } = yield* ask("GET", "/livez", foreign)
      assert.include(text, "Sec-Fetch-Site: cross-site")
      const own = [{}, { "sec-fetch-site": "none" }, { "sec-fetch-site": "same-origin" }]
      assert.deepStrictEqual(
        yield* statuses("GET", "/livez", own),
        own.map(() => 200)
      )
    }).pipe(Effect.provide(serving("127.0.0.1")))
  )

  it.live("of our own, and a program, may", () =>
    Effect.gen(function* () {
      const own = [
        {},
        { origin: "http://127.0.0.1:PORT", "sec-fetch-site": "same-origin" },
        { origin: "http://localhost:PORT", host: "localhost:PORT" },
        { "sec-fetch-site": "none" }
      ]
      assert.deepStrictEqual(
        yield* statuses("POST", "/change", own),
        own.map(() => 200)
      )
    }).pipe(Effect.provide(serving("127.0.0.1")))
  )

  it.live("whose name was made to lead to loopback reads nothing and changes nothing", () =>
    Effect.gen(function* () {
      const rebound = [
        { host: "evil.example" },
        { host: "evil.example:PORT", origin: "http://evil.example:PORT", "sec-fetch-site": "same-origin" },
        { host: "127.0.0.1.evil.example" },
        { host: "10.0.0.1:PORT" },
        { host: "@" }
      ]
      for (const [method, path] of [["GET", "/livez"] as const, ["POST", "/change"] as const]) {
        assert.deepStrictEqual(
          yield* statuses(method, path, rebound),
          rebound.map(() => 403)
        )
      }
      const { text } = yield* ask("GET", "/livez", { host: "evil.example" })
      assert.include(text, "not as evil.example")
      const here = [{ host: "localhost" }, { host: "LOCALHOST:PORT" }, { host: "[::1]:PORT" }, { host: "127.0.0.9" }]
      assert.deepStrictEqual(
        yield* statuses("GET", "/livez", here),
        here.map(() => 200)
      )
    }).pipe(Effect.provide(serving("127.0.0.1")))
  )

  it.live("is no matter of names where a token is asked for, or where the server is not on loopback", () =>
    Effect.gen(function* () {
      const headers = { host: "observer.example", authorization: "Bearer a-token-of-sixteen" }
      const behindProxy = ask("POST", "/change", headers).pipe(
        Effect.provide(serving("127.0.0.1", "a-token-of-sixteen"))
      )
      assert.strictEqual((yield* behindProxy).status, 200)
      const open = ask("POST", "/change", headers).pipe(Effect.provide(serving("0.0.0.0", "a-token-of-sixteen")))
      assert.strictEqual((yield* open).status, 200)
    })
  )
})
