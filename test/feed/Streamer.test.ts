import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Logger, Redacted } from "effect"
import { TestClock } from "effect/testing"
import { makeStreamer } from "../../src/feed/Streamer.ts"
import type { ApprovalKey } from "../../src/kis/ApprovalKey.ts"
import { accountAt, secrets } from "../support/accounts.ts"
import { type KisServer, makeKisServer } from "../support/kisServer.ts"
import { acceptAll, accepted, reply } from "../support/subscriptions.ts"
import { looked, passUntil, until } from "../support/virtualTime.ts"
import { frameOf, trade } from "./frames.ts"
import { ofKind, openMs, openRoom, payloadOf } from "./room.ts"

const approval: ApprovalKey = { current: Effect.succeed(Redacted.make(secrets.approvalKey)), drop: Effect.void }
const symbols = ["005930", "000660", "0000Y0"]

/** A stream over a real socket into a real journal. */
const setUp = Effect.fnUntraced(function* (slots = 41) {
  const room = yield* openRoom(symbols)
  const server = yield* makeKisServer
  const streamer = yield* Effect.provideContext(
    makeStreamer({
      account: accountAt(server),
      approval,
      governor: { permit: Effect.void },
      slots,
      session: room.session,
      deliver: room.shards.deliver,
      onHole: () => Effect.void
    }),
    room.context
  )
  yield* streamer.want(symbols.map((trKey) => ({ trId: "H0STCNT0", trKey })))
  const statusOf = looked(streamer.status)
  return { ...room, server, streamer, statusOf }
})

const say = ({ connections }: KisServer, ...texts: ReadonlyArray<string | Buffer>) => {
  for (const text of texts) connections.at(-1)?.socket.send(text, { binary: false })
}

describe("a stream", () => {
  it.effect("writes every record of every frame, in order, each in its symbol's own shard", () =>
    Effect.gen(function* () {
      const { atRest, server, statusOf, streamer } = yield* setUp()
      acceptAll(server)
      yield* Effect.forkScoped(streamer.run)
      yield* passUntil(() => statusOf().slotsHeld === 3)
      let n = 0
      for (let frames = 0; frames < 200; frames++) {
        const records = Array.from({ length: (frames % 20) + 1 }, () => trade(symbols[n % 3] ?? "", ++n))
        say(server, frameOf(...records))
      }
      yield* until(() => statusOf().state._tag === "live")
      const { rejected, stored, tally, written } = yield* atRest("kis-ws").pipe(
        Effect.repeat({ until: ({ tally: { received } }) => received === n })
      )
      assert.deepStrictEqual([stored, rejected], [n, 0])
      assert.deepStrictEqual(tally, { received: n, stored: n, rejected: 0, deduplicated: 0 })
      for (const symbol of symbols) {
        const volumes = written.filter((record) => record.symbol === symbol).map(({ cumVolume }) => cumVolume ?? 0)
        assert.deepStrictEqual(
          volumes,
          [...volumes].sort((a, b) => a - b)
        )
      }
      assert.deepInclude(written[0], {
        kind: "trade",
        venue: "KRX",
        phase: "continuous",
        price: 249_250,
        receivedAt: new Date(written[0] ? Date.parse(written[0].receivedAt) : 0).toISOString()
      })
      assert.deepStrictEqual(written.find(({ cumVolume }) => cumVolume === 1)?.payload, trade("005930", 1))
    })
  )

  it.effect("sets a frame it cannot split aside, whole, and goes on with the next", () =>
    Effect.gen(function* () {
      const { atRest, server, statusOf, streamer } = yield* setUp()
      acceptAll(server)
      yield* Effect.forkScoped(streamer.run)
      yield* passUntil(() => statusOf().slotsHeld === 3)
      const bad = [
        `${frameOf(trade("005930", 2), trade("005930", 3))}^x`,
        frameOf(trade("005930", 4).slice(0, 45)),
        "0|H0STASP0|001|005930^1",
        "0|H0STMKO0|001|005930^N^(null)",
        "nonsense \u0000"
      ]
      const strange = ["1|H0STCNI0|001|c2VjcmV0", `0|H0UPCNT0|001|${Array.from({ length: 30 }, () => "1").join("^")}`, "0|constructor|001|x^y"]
      say(
        server,
        frameOf(trade("005930", 1)),
        ...bad,
        ...strange,
        frameOf(trade("000660", 1)),
        frameOf([...trade("005930", 5), "new"])
      )
      yield* until(() => statusOf().state._tag === "live")
      const { rejected, stored, tally, written } = yield* atRest("kis-ws").pipe(
        Effect.repeat({ until: ({ tally: { received } }) => received === 11 })
      )
      assert.deepStrictEqual([stored, rejected, tally.rejected], [3, 8, 8])
      assert.deepStrictEqual(ofKind(written, "reject").map(payloadOf), [
        ...bad.map((raw) => ({ reason: "frameShape", raw })),
        ...strange.map((raw) => ({ reason: "unknownStream", raw }))
      ])
      const drifted = written.find(({ cumVolume }) => cumVolume === 5)
      assert.deepStrictEqual(drifted?.quality?.flags, ["drift"])
      assert.deepStrictEqual(drifted?.payload, [...trade("005930", 5), "new"])
    })
  )

  it.effect("tells of new columns once a stream and width, and of frames set aside once a chunk", () => {
    const told: Array<unknown> = []
    return Effect.gen(function* () {
      const { atRest, server, statusOf, streamer } = yield* setUp()
      acceptAll(server)
      yield* Effect.forkScoped(streamer.run)
      yield* passUntil(() => statusOf().slotsHeld === 3)
      const wide = (n: number, more: ReadonlyArray<string>) => frameOf([...trade("005930", n), ...more])
      for (let n = 0; n < 5; n++)
        say(server, wide(3 * n + 1, []), wide(3 * n + 2, ["new"]), wide(3 * n + 3, ["new", "newer"]))
      const flood = Array.from({ length: 300 }, (_, at) => `0|H0STCNT0|001|005930^${at}`)
      say(server, ...flood)
      const { rejected, stored, written } = yield* atRest("kis-ws").pipe(
        Effect.repeat({ until: ({ tally: { received } }) => received === 315 })
      )
      assert.deepStrictEqual([stored, rejected], [15, 300])
      assert.deepStrictEqual(
        ofKind(written, "reject").map((record) => payloadOf(record)["raw"]),
        flood
      )
      const drifts = told.filter((words) => JSON.stringify(words).includes("more columns than known"))
      assert.deepStrictEqual(
        drifts.map((words) => (words as ReadonlyArray<unknown>)[1]),
        [48, 49].map((columns) => ({ stream: "H0STCNT0", columns, known: 47 }))
      )
      // As many lines as chunks came off the socket, and together they count every frame.
      const counts = told.flatMap((words) => (JSON.stringify(words).match(/set aside.*"frames":(\d+)/) ?? []).slice(1))
      assert.isBelow(counts.length, 300)
      assert.strictEqual(
        counts.reduce((sum, count) => sum + Number(count), 0),
        300
      )
    }).pipe(Effect.provide(Logger.layer([Logger.make(({ message }) => void told.push(message))])))
  })

  it.effect("refuses trades of symbols nobody asked for, and keeps frames with broken bytes", () =>
    Effect.gen(function* () {
      const { atRest, server, statusOf, streamer } = yield* setUp()
      acceptAll(server)
      yield* Effect.forkScoped(streamer.run)
      yield* passUntil(() => statusOf().slotsHeld === 3)
      const [head = "", tail = ""] = frameOf(trade("005930", 1, { 45: "BROKEN" })).split("BROKEN")
      say(
        server,
        Buffer.concat([Buffer.from(head), Buffer.from([0x00, 0xff, 0xfe]), Buffer.from(tail)]),
        frameOf(trade("999999", 1), trade("\u0000\u0001", 1), trade("", 1))
      )
      const { rejected, stored, written } = yield* atRest("kis-ws").pipe(
        Effect.repeat({ until: ({ tally: { received } }) => received === 4 })
      )
      assert.deepStrictEqual([stored, rejected], [1, 3])
      assert.isTrue(ofKind(written, "reject").every((record) => payloadOf(record)["reason"] === "unknownSymbol"))
      // A record's symbol is a symbol or is not there.
      for (const { symbol } of written) assert.isTrue(symbol === undefined || /^[0-9A-Z]{4,9}$/.test(symbol), symbol)
    })
  )

  it.effect("tells of a cut as one gap a symbol, from the last thing heard to the broker's acceptance", () =>
    Effect.gen(function* () {
      const { passUntilWritten, server, statusOf, streamer } = yield* setUp()
      acceptAll(server)
      yield* Effect.forkScoped(streamer.run)
      yield* passUntil(() => statusOf().slotsHeld === 3)
      yield* TestClock.setTime(openMs + 60_000)
      say(server, frameOf(trade("005930", 1)))
      yield* until(() => statusOf().lastHeardMs === openMs + 60_000)
      yield* TestClock.adjust("20 seconds")
      server.connections[0]?.socket.terminate()
      const gaps = ofKind(yield* passUntilWritten((records) => ofKind(records, "gap").length >= 3), "gap")
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(gaps.map(({ symbol }) => symbol).sort(), [...symbols].sort())
      for (const gap of gaps) {
        const { cause, from, to } = payloadOf(gap)
        assert.deepStrictEqual([cause, from], ["disconnect", new Date(openMs + 60_000).toISOString()])
        assert.isAtLeast(Date.parse(String(to)), openMs + 80_000)
        assert.isAtMost(Date.parse(String(to)), Date.parse(gap.receivedAt))
      }
    })
  )

  it.effect("keeps one gap a symbol over several vain connections", () =>
    Effect.gen(function* () {
      const { passUntilWritten, records, server, statusOf, streamer } = yield* setUp()
      acceptAll(server)
      yield* Effect.forkScoped(streamer.run)
      yield* passUntil(() => statusOf().slotsHeld === 3)
      const heardMs = statusOf().lastHeardMs ?? 0
      acceptAll(server, (_, { socket }) => {
        socket.terminate()
        return undefined
      })
      server.connections[0]?.socket.terminate()
      yield* passUntil(() => server.connections.length === 5, 100)
      acceptAll(server)
      const gaps = ofKind(yield* passUntilWritten((written) => ofKind(written, "gap").length >= 3, 100), "gap")
      for (const gap of gaps) assert.strictEqual(payloadOf(gap)["from"], new Date(heardMs).toISOString())
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(ofKind(yield* records, "gap").length, 3)
    })
  )

  it.effect("tells of the hole that is still open when it is stopped, and of none for symbols it never streamed", () =>
    Effect.gen(function* () {
      const { records, server, statusOf, streamer } = yield* setUp()
      acceptAll(server, ({ trKey }) => (trKey === "0000Y0" ? reply(trKey, "OPSP8993") : accepted(trKey)))
      const running = yield* Effect.forkScoped(streamer.run)
      yield* passUntil(() => statusOf().slotsHeld === 2)
      yield* passUntil(() => server.connections[0]?.said.length === 3)
      yield* TestClock.adjust("1 second")
      yield* until(() => statusOf().lastHeardMs !== undefined)
      const heardMs = statusOf().lastHeardMs ?? 0
      server.onText((_text, { socket }) => socket.terminate())
      server.connections[0]?.socket.terminate()
      yield* passUntil(() => statusOf().state._tag === "waiting")
      yield* TestClock.adjust(500)
      yield* Fiber.interrupt(running)
      const gaps = ofKind(yield* records, "gap")
      assert.deepStrictEqual(gaps.map(({ symbol }) => symbol).sort(), ["000660", "005930"])
      for (const gap of gaps) {
        assert.deepStrictEqual(
          [payloadOf(gap)["cause"], payloadOf(gap)["from"]],
          ["disconnect", new Date(heardMs).toISOString()]
        )
      }
    })
  )

  it.effect("writes no gap for a first connection that took long, nor at a stop while it is live", () =>
    Effect.gen(function* () {
      const { records, server, statusOf, streamer } = yield* setUp()
      acceptAll(server, (_, { socket }) => {
        socket.terminate()
        return undefined
      })
      const running = yield* Effect.forkScoped(streamer.run)
      yield* passUntil(() => server.connections.length === 3, 100)
      acceptAll(server)
      yield* passUntil(() => statusOf().slotsHeld === 3, 100)
      yield* Fiber.interrupt(running)
      assert.deepStrictEqual(yield* records, [])
    })
  )
})
