import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { createServer, type RequestListener, type Server } from "node:http"
import { createServer as createTlsServer } from "node:https"
import { type AddressInfo, createServer as createTcpServer, type Server as TcpServer } from "node:net"
import { WebSocketServer } from "ws"
import { hostOf, timedStep } from "../../../src/ops/doctor/network/Host.ts"
import { judgeSkew } from "../../../src/ops/doctor/clockSkew.ts"
import { dnsStep } from "../../../src/ops/doctor/network/dnsStep.ts"
import { httpStep } from "../../../src/ops/doctor/network/httpStep.ts"
import { tcpStep } from "../../../src/ops/doctor/network/tcpStep.ts"
import { tlsStep } from "../../../src/ops/doctor/network/tlsStep.ts"
import { upgradeStep } from "../../../src/ops/doctor/network/upgradeStep.ts"
import { certificateFor, opensslMissing } from "../../support/certificates.ts"

if (opensslMissing !== undefined) console.warn(`certificates are not tested: ${opensslMissing}`)

/** Listens on a port of its own until the scope ends. */
const listening = <S extends TcpServer>(server: S) =>
  Effect.acquireRelease(
    Effect.callback<number>((resume) => {
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed((server.address() as AddressInfo).port)))
    }),
    () =>
      Effect.sync(() => {
        server.close()
        if ("closeAllConnections" in server) (server as unknown as Server).closeAllConnections()
      })
  )

/** A server that takes connections and says nothing, ever. */
const silent = Effect.gen(function* () {
  const sockets = new Set<{ destroy: () => void }>()
  yield* Effect.addFinalizer(() => Effect.sync(() => sockets.forEach((socket) => socket.destroy())))
  return yield* listening(createTcpServer((socket) => sockets.add(socket)))
})

const answering = (answer: RequestListener) => listening(createServer(answer))

const at = (port: number, protocol: "http" | "https" | "ws" = "http") =>
  hostOf(protocol === "ws" ? "stream" : "rest", `${protocol}://localhost:${port}`)

describe("the way to a server", () => {
  it.live("a name without an address fails, an address needs none, and localhost has one", () =>
    Effect.gen(function* () {
      const lost = yield* dnsStep(hostOf("rest", "https://no-such-host.invalid"))
      assert.deepInclude(lost, { name: "rest dns", status: "fail" })
      assert.include(lost.words, "no-such-host.invalid has no address")
      assert.deepInclude(yield* dnsStep(hostOf("stream", "ws://[::1]:21000")), { name: "stream dns", status: "ok" })
      const found = yield* dnsStep(hostOf("rest", "http://localhost"))
      assert.strictEqual(found.status, "ok")
      assert.isNumber(found.ms)
    })
  )

  it.live("a port on which nothing listens is told from one that takes connections", () =>
    Effect.gen(function* () {
      const server = createTcpServer()
      const port = yield* Effect.scoped(listening(server))
      const refused = yield* tcpStep(at(port))
      assert.deepInclude(refused, { name: "rest tcp", status: "fail" })
      assert.include(refused.words, "ECONNREFUSED")
      const taken = yield* tcpStep(at(yield* silent, "ws"))
      assert.deepInclude(taken, { name: "stream tcp", status: "ok" })
    })
  )

  it.live("a server that takes connections and says nothing is given up, by every step", () =>
    Effect.gen(function* () {
      const port = yield* silent
      const steps = [
        tlsStep(at(port, "https")),
        Effect.map(httpStep(at(port)), ([answer]) => answer),
        upgradeStep(at(port, "ws"))
      ]
      const found = yield* Effect.all(steps, { concurrency: "unbounded" })
      for (const finding of found) {
        assert.strictEqual(finding?.status, "fail")
        assert.include(finding?.words, "no answer in 3 s")
      }
    })
  )

  it.live("an upgrade that is refused says how, and one that is taken costs one connect", () =>
    Effect.gen(function* () {
      const refusing = yield* answering((_, response) => response.writeHead(403).end())
      const refused = yield* upgradeStep(at(refusing, "ws"))
      assert.deepInclude(refused, { name: "stream upgrade", status: "fail" })
      assert.include(refused.words, "403")

      const http = createServer()
      let connects = 0
      const said: Array<string> = []
      new WebSocketServer({ server: http }).on("connection", (socket) => {
        connects += 1
        socket.on("message", (text) => said.push(String(text)))
      })
      const taken = yield* upgradeStep(at(yield* listening(http), "ws"))
      assert.strictEqual(taken.status, "ok")
      assert.strictEqual(connects, 1)
      assert.deepStrictEqual(said, [])
    })
  )

  it.live("a clock is held against the server's date, with half the way taken off", () =>
    Effect.gen(function* () {
      const dated = (shift_ms: number) =>
        Effect.flatMap(
          answering((_, response) => {
            response.setHeader("date", new Date(Date.now() + shift_ms).toUTCString())
            response.end()
          }),
          (port) => httpStep(at(port))
        )
      const [answer, right] = yield* dated(0)
      assert.deepInclude(answer, { name: "rest http", status: "ok" })
      assert.deepInclude(right, { name: "clock", status: "ok" })
      const [, behind] = yield* dated(3_000)
      assert.deepInclude(behind, { status: "warn" })
      assert.include(behind?.words, "behind the broker's")
      const [, ahead] = yield* dated(-3_600_000)
      assert.deepInclude(ahead, { status: "fail" })
      assert.include(ahead?.words, "60 min ahead of the broker's")
      assert.include(ahead?.advice, "receivedAt")
      const undated = yield* answering((_, response) => {
        response.sendDate = false
        response.end()
      })
      assert.deepInclude((yield* httpStep(at(undated)))[1], { name: "clock", status: "warn" })
    })
  )

  it("a skew is judged by its amount, in either direction", () => {
    const statuses = [0, 1_000, -1_000, 1_001, -4_999, 5_000, 5_001, -60_000].map((ms) => judgeSkew(ms, 10).status)
    assert.deepStrictEqual(statuses, ["ok", "ok", "ok", "warn", "warn", "warn", "fail", "fail"])
  })

  it.live("a step that throws something else than an error has it as its code", () =>
    Effect.gen(function* () {
      const { code } = yield* Effect.flip(timedStep(() => Promise.reject("odd")))
      assert.strictEqual(code, "odd")
    })
  )
})

describe.skipIf(opensslMissing !== undefined)("certificates", () => {
  const served = Effect.fnUntraced(function* (name: string, days: number) {
    const { cert, key } = yield* certificateFor(name, days)
    return yield* listening(createTlsServer({ cert, key }, (_, response) => response.end()))
  })

  it.live("one that nobody has signed is not trusted, and what it says is shown all the same", () =>
    Effect.gen(function* () {
      const unsigned = yield* tlsStep(at(yield* served("localhost", 90), "https"))
      assert.deepInclude(unsigned, { name: "rest tls", status: "fail" })
      assert.match(unsigned.words, /^TLSv1\.3, certificate of localhost until \d{4}-\d\d-\d\d, .*SELF_SIGNED/)
      assert.include(unsigned.advice, "NODE_EXTRA_CA_CERTS")
      assert.isNumber(unsigned.ms)
    })
  )

  it.live("the answer's date is read though the certificate is bad, for the clock may be why", () =>
    Effect.gen(function* () {
      const port = yield* served("localhost", 0)
      assert.strictEqual((yield* tlsStep(at(port, "https"))).status, "fail")
      const [answer, clock] = yield* httpStep(at(port, "https"))
      assert.strictEqual(answer?.status, "ok")
      assert.strictEqual(clock?.status, "ok")
    })
  )

  it.live("a server without TLS where it should have it fails at once", () =>
    Effect.gen(function* () {
      const port = yield* answering((_, response) => response.end())
      const found = yield* tlsStep(at(port, "https"))
      assert.strictEqual(found.status, "fail")
      assert.include(found.words, "no TLS with localhost")
    })
  )
})
