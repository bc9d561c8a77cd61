import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted, Stream } from "effect"
import { PrometheusMetrics } from "effect/observability"
import { TestClock } from "effect/testing"
import { makeStreamer } from "../../src/feed/Streamer.ts"
import type { EdgedHole } from "../../src/feed/streamer/EdgeVolumes.ts"
import { accountAt, secrets } from "../support/accounts.ts"
import { type KisServer, makeKisServer } from "../support/kisServer.ts"
import { acceptAll } from "../support/subscriptions.ts"
import { looked, passUntil, until } from "../support/virtualTime.ts"
import { frameOf, trade } from "./frames.ts"
import { closedGaps, openMs, openRoom, payloadOf } from "./room.ts"

const symbols = ["005930", "000660"]
const tradesOf = (trKey: string) => ({ trId: "H0STCNT0", trKey })

/** The nth trade of a day in which every trade is a buy of one share. */
const buy = (symbol: string, n: number) =>
  trade(symbol, n, { 15: "0", 16: String(n), 19: "0", 20: String(n), 21: "1", 1: "090001", 33: "20261124" })

/** What a metric stands at, whatever other tests have counted. */
const metric = (name: string) =>
  Effect.map(PrometheusMetrics.format(), (text) => {
    const line = text.split("\n").find((each) => each.startsWith(`${name} `))
    return Number(line?.slice(name.length) ?? 0)
  })
const metrics = Effect.all([
  metric("observer_lost_trades_total"),
  metric("observer_lost_shares_total"),
  metric('observer_gaps_total{cause="continuity"}')
])

/** A stream over a real socket into real shards, whose losses it is told of. */
const setUp = Effect.gen(function* () {
  const holes: Array<EdgedHole> = []
  const room = yield* openRoom(symbols)
  const server = yield* makeKisServer
  acceptAll(server)
  const streamer = yield* Effect.provideContext(
    makeStreamer({
      account: accountAt(server),
      approval: { current: Effect.succeed(Redacted.make(secrets.approvalKey)), drop: Effect.void },
      governor: { permit: Effect.void },
      slots: 41,
      session: room.session,
      deliver: room.shards.deliver,
      onHole: (hole) => Effect.sync(() => void holes.push(hole))
    }),
    room.context
  )
  yield* Effect.forkScoped(Stream.runForEach(room.shards.losses, streamer.lost))
  yield* streamer.want(symbols.map(tradesOf))
  yield* Effect.forkScoped(streamer.run)
  const statusOf = looked(streamer.status)
  yield* passUntil(() => statusOf().slotsHeld === 2)
  const tally = () => room.tally("kis-ws")
  let sent = 0
  /** Sends a frame and waits until its trades are in the journal. */
  const say = Effect.fnUntraced(function* (
    { connections }: KisServer,
    ...values: ReadonlyArray<ReadonlyArray<string>>
  ) {
    sent += values.length
    connections.at(-1)?.socket.send(frameOf(...values), { binary: false })
    yield* until(() => tally().stored === sent)
  })
  const gaps = Effect.map(room.records, (records) =>
    closedGaps(records).map((record) => {
      const { cause, lostTrades, lostVolume } = payloadOf(record)
      return [record.symbol, cause, lostTrades, lostVolume]
    })
  )
  return { ...room, server, streamer, statusOf, holes, say, gaps }
})

describe("what a live stream loses", () => {
  it.effect(
    "is a gap at once, and after ten seconds one hole a symbol to be filled, with what was heard left out",
    () =>
      Effect.gen(function* () {
        const { gaps, holes, say, server, shards } = yield* setUp
        const before = yield* metrics
        yield* say(server, buy("005930", 1), buy("005930", 5), buy("000660", 1), buy("000660", 2))
        yield* say(server, buy("005930", 6), buy("005930", 8))
        assert.deepStrictEqual(yield* gaps, [
          ["005930", "continuity", 3, 3],
          ["005930", "continuity", 1, 1]
        ])
        assert.deepStrictEqual(holes, [])
        yield* passUntil(() => holes.length > 0, 100)
        const atMs = openMs + 1_000
        assert.deepStrictEqual(holes, [
          {
            symbol: "005930",
            fromMs: atMs,
            toMs: atMs,
            cause: "continuity",
            cumVolumeBefore: 1,
            cumVolumeAfter: 7,
            parts: [
              { cumVolumeBefore: 1, cumVolumeAfter: 4 },
              { cumVolumeBefore: 6, cumVolumeAfter: 7 }
            ]
          }
        ])
        yield* TestClock.adjust("30 seconds")
        assert.strictEqual(holes.length, 1)
        assert.deepStrictEqual(yield* shards.lossTotals, {
          losses: 2,
          trades: 4,
          shares: 4,
          foundTrades: 0,
          foundShares: 0
        })
        const after = yield* metrics
        assert.deepStrictEqual(
          after.map((count, at) => count - (before[at] ?? 0)),
          [4, 4, 2]
        )
      })
  )

  it.effect("over a cut is counted, and is that hole's to fill and no other's", () =>
    Effect.gen(function* () {
      const { gaps, holes, passUntilWritten, say, server, statusOf } = yield* setUp
      yield* say(server, buy("005930", 1), buy("000660", 1))
      yield* TestClock.adjust("1 second")
      server.connections[0]?.socket.terminate()
      yield* passUntil(() => statusOf().openHoles === 2)
      assert.deepStrictEqual(
        statusOf().holes.map(({ cause, symbol }) => [symbol, cause]),
        [
          ["005930", "disconnect"],
          ["000660", "disconnect"]
        ]
      )
      // From here on the clock stands until the trade: the hole waits for it no longer than five seconds.
      yield* passUntil(() => statusOf().openHoles === 0, 100)
      yield* passUntilWritten((records) => closedGaps(records).length === 2, 0)
      assert.deepStrictEqual(statusOf().holes, [])
      yield* say(server, buy("005930", 41))
      assert.deepStrictEqual((yield* gaps).slice(2), [["005930", "continuity", 39, 39]])
      // What the trade says of the hole comes before time says anything of it.
      yield* until(() => holes.length === 1)
      yield* passUntil(() => holes.length === 2, 100)
      yield* TestClock.adjust("30 seconds")
      assert.sameDeepMembers(
        holes.map(({ cause, cumVolumeAfter, cumVolumeBefore, symbol }) => [
          symbol,
          cause,
          cumVolumeBefore,
          cumVolumeAfter
        ]),
        [
          ["005930", "disconnect", 1, 40],
          ["000660", "disconnect", 1, undefined]
        ]
      )
    })
  )

  it.effect("and brings late is not asked for again, and a hole begins at the highest volume that was heard", () =>
    Effect.gen(function* () {
      const { holes, say, server, statusOf } = yield* setUp
      yield* say(server, buy("005930", 1), buy("005930", 5), buy("000660", 1))
      yield* say(server, buy("005930", 3))
      yield* say(server, buy("000660", 4), buy("000660", 2), buy("000660", 3))
      yield* passUntil(() => holes.length === 1, 100)
      assert.deepStrictEqual(holes[0]?.parts, [
        { cumVolumeBefore: 1, cumVolumeAfter: 2 },
        { cumVolumeBefore: 3, cumVolumeAfter: 4 }
      ])
      server.connections[0]?.socket.terminate()
      yield* passUntil(() => statusOf().openHoles === 2)
      yield* passUntil(() => statusOf().openHoles === 0, 100)
      yield* say(server, buy("005930", 8), buy("000660", 10), buy("000660", 12))
      yield* TestClock.adjust("30 seconds")
      yield* until(() => holes.length === 4)
      assert.sameDeepMembers(
        holes
          .slice(1)
          .map(({ cause, cumVolumeAfter, cumVolumeBefore, symbol }) => [
            symbol,
            cause,
            cumVolumeBefore,
            cumVolumeAfter
          ]),
        [
          ["005930", "disconnect", 5, 7],
          ["000660", "disconnect", 4, 9],
          ["000660", "continuity", 10, 11]
        ]
      )
    })
  )

  it.effect("is nothing of the time in which a symbol was not to be streamed", () =>
    Effect.gen(function* () {
      const { gaps, holes, say, server, statusOf, streamer } = yield* setUp
      yield* say(server, buy("005930", 1), buy("000660", 1))
      yield* streamer.want([tradesOf("000660")])
      yield* passUntil(() => statusOf().slotsHeld === 1)
      yield* streamer.want(symbols.map(tradesOf))
      yield* passUntil(() => statusOf().slotsHeld === 2, 100)
      yield* say(server, buy("005930", 500), buy("005930", 502), buy("000660", 2))
      assert.deepStrictEqual(yield* gaps, [["005930", "continuity", 1, 1]])
      yield* TestClock.adjust("30 seconds")
      yield* until(() => holes.length === 1)
      assert.strictEqual(holes[0]?.cumVolumeBefore, 500)
    })
  )
})
