import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Redacted } from "effect"
import type { AddressInfo } from "node:net"
import { headers_max, makeNodeServer, type ServerLimits, serverLimits } from "../../src/http/nodeServer.ts"
import { url_length_max } from "../../src/http/RequestLimits.ts"
import { securityHeaders } from "../../src/http/securityHeaders.ts"
import * as Server from "../../src/http/Server.ts"
import { Health } from "../../src/ops/Health.ts"
import { openRawSocket, sayRaw } from "../support/rawSocket.ts"
import { until } from "../support/virtualTime.ts"

const serving = (token?: string) =>
  Server.layer({ host: "127.0.0.1", port: 0, token: token === undefined ? undefined : Redacted.make(token) }).pipe(
    Layer.provide(Layer.succeed(Health, { report: Effect.die(new Error("words of a defect")) })),
    Layer.fresh
  )

const head = (first: string, ...headers: ReadonlyArray<string>) =>
  [first, "Host: 127.0.0.1", "Connection: close", ...headers, "", ""].join("\r\n")

const statusOf = (answer: string) => Number(/^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1])

const headersOf = (answer: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    (answer.split("\r\n\r\n")[0] ?? "")
      .split("\r\n")
      .slice(1)
      .map((line) => [line.slice(0, line.indexOf(":")).toLowerCase(), line.slice(line.indexOf(":") + 2)])
  )

/** What is said, and the status of the answer; 0 where the connection is cut without one. */
const said: ReadonlyArray<readonly [what: string, status: number, text: string]> = [
  ["a plain request", 200, head("GET /livez HTTP/1.1")],
  ["a path that is not there", 404, head("GET /nowhere HTTP/1.1")],
  ["a route with a defect", 500, head("GET /health HTTP/1.1")],
  ["no HTTP", 400, "hello\r\n\r\n"],
  ["line feeds alone", 400, "GET /livez HTTP/1.1\nHost: 127.0.0.1\n\n"],
  ["no host", 400, "GET /livez HTTP/1.1\r\n\r\n"],
  ["another host", 403, "GET /livez HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n"],
  ["the whole address of another host", 403, head("GET http://evil.example/livez HTTP/1.1")],
  ["two lengths", 400, head("POST /livez HTTP/1.1", "Content-Length: 4", "Transfer-Encoding: chunked")],
  ["a length that is none", 400, head("POST /livez HTTP/1.1", "Content-Length: 4x")],
  ["an expectation", 417, head("POST /livez HTTP/1.1", "Expect: tea", "Content-Length: 4")],
  ["TRACE", 404, head("TRACE /livez HTTP/1.1", "X-Mine: it comes back")],
  ["CONNECT", 0, "CONNECT 10.0.0.1:22 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"],
  ["a method that is none", 400, head("BREW /livez HTTP/1.1")],
  ["a path out of the tree", 404, head("GET /certificates/../../../../etc/passwd HTTP/1.1")],
  ["a hidden path out of the tree", 404, head("GET /certificates/%2e%2e%2f%2e%2e%2fetc%2fpasswd HTTP/1.1")],
  ["a null in the path", 404, head("GET /certificates/2026-11-24%00 HTTP/1.1")],
  ["a broken escape", 404, head("GET /certificates/%E0%A4%A HTTP/1.1")],
  ["too long an address", 414, head(`GET /livez?${"x".repeat(url_length_max)} HTTP/1.1`)],
  ["too many headers", 431, head("GET /livez HTTP/1.1", ...Array.from({ length: 200 }, (_, at) => `x${at}: y`))],
  ["too long a head", 431, head("GET /livez HTTP/1.1", `x: ${"y".repeat(17_000)}`)],
  ["an upgrade", 200, "GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade, close\r\nUpgrade: h2c\r\n\r\n"]
]

describe("what comes over a socket", () => {
  it.live("is answered with the headers a browser needs, whatever it is, and with no word of the inside", () =>
    Effect.gen(function* () {
      const { url } = yield* Server.ServerAddress
      for (const [what, status, text] of said) {
        const answer = yield* sayRaw(url, text)
        if (status === 0) {
          assert.strictEqual(answer, "", what)
          continue
        }
        assert.strictEqual(statusOf(answer), status, `${what}: ${answer}`)
        assert.deepInclude(headersOf(answer), { ...securityHeaders }, what)
        for (const inside of ["it comes back", "words of a defect", ".ts", ".js", "node_modules"]) {
          assert.notInclude(answer, inside, what)
        }
        assert.notMatch(answer, /^(server|x-powered-by):/im, what)
      }
      // As many as may be are read.
      const most = head("GET /livez HTTP/1.1", ...Array.from({ length: headers_max - 2 }, (_, at) => `x${at}: y`))
      assert.strictEqual(statusOf(yield* sayRaw(url, most)), 200)
    }).pipe(Effect.provide(serving()))
  )

  it.live("stays within its connections, and one more is turned away until another has ended", () =>
    Effect.gen(function* () {
      const { url } = yield* Server.ServerAddress
      const [first, ...others] = yield* Effect.forEach(
        Array.from({ length: serverLimits.connections_max }, () => url),
        openRawSocket
      )
      const last = others.at(-1)
      last?.say("GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
      yield* until(() => last?.heard().includes("ok\n") === true)
      assert.strictEqual(yield* sayRaw(url, head("GET /livez HTTP/1.1")), "")
      first?.socket.destroy()
      let answer = ""
      while (answer === "") answer = yield* sayRaw(url, head("GET /livez HTTP/1.1"))
      assert.strictEqual(statusOf(answer), 200)
    }).pipe(Effect.scoped, Effect.provide(serving()))
  )
})

/** The server by itself, with time-outs that a test can wait for. */
const hasty: ServerLimits = {
  connections_max: 8,
  head_timeout_ms: 100,
  request_timeout_ms: 200,
  keepAlive_ms: 100,
  check_ms: 20,
  quiet_ms: 300
}
const listening = (answer: "whole" | "never") =>
  Effect.acquireRelease(
    Effect.callback<{ readonly url: string; readonly close: () => void }>((resume) => {
      const server = makeNodeServer(hasty)
      server.on("request", (request, response) => {
        request.resume()
        if (answer === "whole") request.on("end", () => response.end("whole"))
      })
      server.listen(0, "127.0.0.1", () => {
        const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
        resume(Effect.succeed({ url, close: () => (server.close(), server.closeAllConnections()) }))
      })
    }),
    ({ close }) => Effect.sync(close)
  )

describe("a client that is slow on purpose", () => {
  it.live("with its head or its body is answered 408 and cut", () =>
    Effect.gen(function* () {
      const { url } = yield* listening("whole")
      for (const begun of [
        "GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\nX-",
        "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\nab"
      ]) {
        const answer = yield* sayRaw(url, begun)
        assert.strictEqual(statusOf(answer), 408, begun)
        assert.deepInclude(headersOf(answer), { ...securityHeaders })
      }
    })
  )

  it.live("that drips a byte at a time is cut all the same", () =>
    Effect.gen(function* () {
      const { url } = yield* listening("whole")
      const raw = yield* openRawSocket(url)
      raw.say("GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ")
      yield* Effect.forkScoped(
        Effect.forever(
          Effect.delay(
            Effect.sync(() => raw.say("y")),
            10
          )
        )
      )
      assert.strictEqual(statusOf(yield* raw.closed), 408)
    }).pipe(Effect.scoped)
  )

  it.live("that asks for nothing more is let go, and so is one that reads nothing and says nothing", () =>
    Effect.gen(function* () {
      const { url } = yield* listening("whole")
      const kept = yield* openRawSocket(url)
      kept.say("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
      assert.include(yield* kept.closed, "whole")
      const silent = yield* openRawSocket(url)
      assert.strictEqual(statusOf(yield* silent.closed), 408)
      const { url: mute } = yield* listening("never")
      assert.strictEqual(yield* sayRaw(mute, "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"), "")
    }).pipe(Effect.scoped)
  )
})
