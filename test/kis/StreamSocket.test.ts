import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Metric, Scope } from "effect"
import { connect, type StreamSocket } from "../../src/kis/StreamSocket.ts"
import type { Socket } from "node:net"
import { makeKisServer } from "../support/kisServer.ts"
import { passUntil, until } from "../support/virtualTime.ts"

const probe = '{"header":{"tr_id":"PINGPONG","datetime":"20260710171541"}}'
let nowMs = 0
const clock = () => nowMs

const opened = Effect.gen(function* () {
  const server = yield* makeKisServer
  const socket = yield* connect(server.wsUrl, clock)
  yield* until(() => server.connections.length === 1)
  const [connection] = server.connections
  if (connection === undefined) throw new Error("no connection")
  return { server, socket, connection }
})

const takeTexts = (socket: StreamSocket, count: number) =>
  Effect.gen(function* () {
    const texts: Array<string> = []
    while (texts.length < count) texts.push(...(yield* socket.take).map(({ text }) => text))
    return texts
  })

describe("a stream socket", () => {
  it.effect("gives the messages in order, each with the moment it came", () =>
    Effect.gen(function* () {
      const { connection, socket } = yield* opened
      nowMs = 1_000
      connection.socket.send("first")
      const [first] = yield* socket.take
      nowMs = 2_000
      connection.socket.send("second")
      const [second] = yield* socket.take
      assert.deepStrictEqual(
        [first, second],
        [
          { text: "first", receivedAtMs: 1_000 },
          { text: "second", receivedAtMs: 2_000 }
        ]
      )
      assert.strictEqual(socket.lastHeardMs(), 2_000)
    })
  )

  it.effect("echoes a probe unchanged while nobody takes messages, and does not hand it on", () =>
    Effect.gen(function* () {
      const { connection, socket } = yield* opened
      const probes = [probe, ` ${probe}\n`, `\ufeff\n${probe}`]
      connection.socket.send("before")
      for (const text of probes) connection.socket.send(text)
      connection.socket.send("after")
      yield* until(() => connection.said.length === 3)
      assert.deepStrictEqual(connection.said, probes)
      assert.strictEqual(socket.pingPongs(), 3)
      assert.deepStrictEqual(yield* takeTexts(socket, 2), ["before", "after"])
    })
  )

  it.effect("sends no ping of its own and answers the server's", () =>
    Effect.gen(function* () {
      const { connection, socket } = yield* opened
      connection.socket.ping()
      yield* until(() => connection.controlFrames.length > 0)
      assert.deepStrictEqual(connection.controlFrames, ["pong"])
      yield* socket.send("hello")
      yield* until(() => connection.said.length === 1)
    })
  )

  it.effect("lets a frame with NUL and broken UTF-8 pass", () =>
    Effect.gen(function* () {
      const { connection, socket } = yield* opened
      const bytes = Buffer.concat([
        Buffer.from("0|H0STANC0|001|a^"),
        Buffer.from([0x00, 0xff, 0xc3]),
        Buffer.from("^b")
      ])
      connection.socket.send(bytes, { binary: false })
      connection.socket.send("next")
      assert.deepStrictEqual(yield* takeTexts(socket, 2), ["0|H0STANC0|001|a^\u0000\ufffd\ufffd^b", "next"])
    })
  )

  it.effect("gives every message that came before the end, then says how it ended", () =>
    Effect.gen(function* () {
      const { connection, socket } = yield* opened
      for (let at = 0; at < 1_000; at++) connection.socket.send(`m${at}`)
      connection.socket.close(1008)
      const texts = yield* takeTexts(socket, 1_000)
      assert.strictEqual(texts.at(-1), "m999")
      assert.strictEqual((yield* Effect.flip(socket.take)).message, "the stream was lost (closed with 1008)")
      assert.strictEqual((yield* Effect.flip(socket.take))._tag, "StreamLost")
    })
  )

  it.effect("gives every message that came before a connection was torn, too", () =>
    Effect.gen(function* () {
      const { connection, socket } = yield* opened
      connection.socket.send("one")
      connection.socket.send("two", () => connection.socket.terminate())
      assert.deepStrictEqual(yield* takeTexts(socket, 2), ["one", "two"])
      assert.strictEqual((yield* Effect.flip(socket.take)).message, "the stream was lost (closed with 1006)")
    })
  )

  it.effect("stops reading when nobody takes, and loses nothing by it", () =>
    Effect.gen(function* () {
      const { connection, socket } = yield* opened
      // Far more than the queue and all buffers of the system hold together.
      const count = 60_000
      const padding = "x".repeat(400)
      let flushed = 0
      for (let at = 0; at < count; at++) connection.socket.send(`${at} ${padding}`, () => (flushed += 1))
      yield* until(() => flushed > 4_096)
      const held = connection.socket.bufferedAmount
      assert.isAbove(held, 0, "the broker should be held back")
      const texts = yield* takeTexts(socket, count)
      assert.strictEqual(texts.length, count)
      assert.isTrue(texts.every((text, at) => text.startsWith(`${at} `)))
      connection.socket.send("and on")
      assert.deepStrictEqual(yield* takeTexts(socket, 1), ["and on"])
    })
  )

  it.effect("takes at most 512 messages at once", () =>
    Effect.gen(function* () {
      const { connection, socket } = yield* opened
      let flushed = 0
      for (let at = 0; at < 1_500; at++) connection.socket.send(`m${at}`, () => (flushed += 1))
      yield* until(() => flushed === 1_500)
      let largest = 0
      let taken = 0
      while (taken < 1_500) {
        const some = (yield* socket.take).length
        largest = Math.max(largest, some)
        taken += some
      }
      assert.isAtMost(largest, 512)
    })
  )

  it.effect("says that more came at once than could be held, and takes nothing later for heard", () =>
    Effect.gen(function* () {
      const { connection, socket } = yield* opened
      nowMs = 5_000
      const line = (connection.socket as unknown as { readonly _socket: Socket })._socket
      // Text frames of one character each, in one piece of the network's: no pause can come between them.
      line.write(Buffer.concat(Array.from({ length: 12_000 }, (_, at) => Buffer.from([0x81, 1, 0x30 + (at % 10)]))))
      yield* until(() => socket.lastHeardMs() === 5_000)
      nowMs = 6_000
      connection.socket.send(probe)
      const texts = yield* takeTexts(socket, 4_096)
      assert.strictEqual(texts.join(""), Array.from({ length: 4_096 }, (_, at) => at % 10).join(""))
      assert.deepInclude(yield* Effect.flip(socket.take), { _tag: "StreamLost", why: "overflow" })
      assert.deepStrictEqual([socket.lastHeardMs(), socket.pingPongs()], [5_000, 0])
      const dropped = (yield* Metric.snapshot).find(
        ({ attributes, id }) => id === "observer_records_dropped_total" && attributes?.["reason"] === "overflow"
      )
      assert.isAtLeast(Number((dropped?.state as { readonly count: number } | undefined)?.count), 1)
    })
  )

  it.effect("closes cleanly with its scope, so that the broker frees the key at once", () =>
    Effect.gen(function* () {
      const server = yield* makeKisServer
      const scope = yield* Scope.make()
      yield* Scope.provide(connect(server.wsUrl, clock), scope)
      yield* until(() => server.connections.length === 1)
      yield* Scope.close(scope, Exit.void)
      yield* until(() => server.connections[0]?.closedWith !== undefined)
      assert.strictEqual(server.connections[0]?.closedWith, 1000)
    })
  )

  it.effect("says so when nobody listens there", () =>
    Effect.gen(function* () {
      const gone = yield* Effect.scoped(Effect.map(makeKisServer, ({ wsUrl }) => wsUrl))
      const error = yield* Effect.flip(connect(gone, clock))
      assert.strictEqual(error.message, "the stream was lost (ECONNREFUSED)")
    })
  )

  it.effect("is lost once something could not be sent for five seconds, though it is open, after what had come", () =>
    Effect.gen(function* () {
      const { connection, socket } = yield* opened
      nowMs = 7_000
      connection.socket.send("before")
      yield* until(() => socket.lastHeardMs() === 7_000)
      connection.socket.pause()
      // More than the buffers of the system hold.
      const sending = yield* Effect.forkScoped(Effect.flip(socket.send("x".repeat(64 * 1024 * 1024))))
      yield* passUntil(() => sending.pollUnsafe() !== undefined, 1_000)
      assert.deepStrictEqual(yield* takeTexts(socket, 1), ["before"])
      assert.deepInclude(yield* Effect.flip(socket.take), { detail: "nothing can be sent", why: "cut" })
      connection.socket.terminate()
    })
  )

  it.effect("says so when it cannot send any more", () =>
    Effect.gen(function* () {
      const { connection, socket } = yield* opened
      connection.socket.terminate()
      yield* Effect.flip(socket.take)
      assert.strictEqual((yield* Effect.flip(socket.send("late")))._tag, "StreamLost")
    })
  )
})
