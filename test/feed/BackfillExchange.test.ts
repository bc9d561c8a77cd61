import { NodeHttpClient } from "@effect/platform-node"
import { assert, layer } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { HttpClient } from "effect/http"
import { marketDate } from "../../src/calendar/MarketTime.ts"
import { type Hole, makeBackfill } from "../../src/feed/Backfill.ts"
import { LostHoles } from "../../src/feed/streamer/LostHoles.ts"
import { tradeSighting } from "../../src/feed/KisTrade.ts"
import { GapBook } from "../../src/journal/GapBook.ts"
import { decodeFrame } from "../../src/kis/Frame.ts"
import { exchange, type KisCall } from "../../src/kis/KisHttp.ts"
import { makeToken } from "../../src/kis/Token.ts"
import { makeTradeLists } from "../../src/kis/TradeList.ts"
import { Exchange } from "../../src/simulator/Exchange.ts"
import { settled } from "../journal/fixtures.ts"
import { approvalOf, connect, registration } from "../simulator/client.ts"
import { accountAt } from "../support/accounts.ts"
import { looked, passUntil, scratchFolder } from "../support/virtualTime.ts"
import { ofKind, openRoom, payloadOf } from "./room.ts"

const symbol = "005930"

/** Everything the exchange says of the symbol in so many seconds, as the stream brings it. */
const streamed = Effect.fnUntraced(function* (seconds: number) {
  const { send, socket } = yield* connect()
  const heard: Array<ReturnType<typeof tradeSighting>> = []
  let isAccepted = false
  socket.on("message", (data) => {
    const frame = decodeFrame((data as Buffer).toString("latin1"))
    if (frame._tag !== "Records") return void (isAccepted = true)
    for (const values of frame.records) {
      const { exchangeAtMs = 0 } = tradeSighting(values, 0, 0)
      heard.push(tradeSighting(values, exchangeAtMs, 0))
    }
  })
  send(registration(yield* approvalOf("PSKEY"), symbol))
  yield* passUntil(() => isAccepted)
  let steps = 0
  yield* passUntil(() => ++steps > seconds * 10, 100)
  return heard
})

/** A backfill into a room's shards, from the lists of the exchange; it ends with the scope. */
const startBackfill = Effect.fnUntraced(function* (room: Effect.Success<ReturnType<typeof openRoom>>) {
  const { restUrl, wsUrl } = yield* Exchange
  const client = yield* HttpClient.HttpClient
  const account = accountAt({ restUrl, wsUrl })
  const call: KisCall = (request) => Effect.provideService(exchange(account, request), HttpClient.HttpClient, client)
  const token = yield* makeToken(account, yield* scratchFolder, call)
  const backfill = yield* Effect.provideContext(
    makeBackfill({
      account: "main",
      tradeLists: makeTradeLists(account, call, token),
      session: room.session,
      deliver: room.shards.deliver,
      rank: () => 0
    }),
    room.context
  )
  yield* Effect.forkScoped(backfill.run)
  return backfill
})

layer(NodeHttpClient.layerUndici)("a backfill from the exchange in the box", (it) => {
  it.effect("finds the trades of a hole, and what it finds and what it misses is all that was traded", () =>
    Effect.gen(function* () {
      const room = yield* openRoom([symbol])
      yield* Effect.gen(function* () {
        const heard = yield* streamed(30)
        assert.isAbove(heard.length, 30)
        const [first, last] = [Math.floor(heard.length / 3), Math.floor((heard.length * 2) / 3)]
        const unheard = heard.slice(first, last)
        const [before, after] = [heard[first - 1], heard[last]]
        const hole: Hole = {
          symbol,
          fromMs: (before?.exchangeAtMs ?? 0) + 300,
          toMs: (after?.exchangeAtMs ?? 0) + 300,
          cause: "disconnect",
          cumVolumeBefore: before?.cumVolume ?? 0,
          cumVolumeAfter: (after?.cumVolume ?? 0) - (after?.volume ?? 0)
        }
        const told = { source: "kis-ws", account: "main" } as const
        const sightings = heard.filter((each) => !unheard.includes(each))
        yield* room.conservation.receive("kis-ws", sightings.length, ({ passOn }) =>
          room.shards.deliver({ ...told, sightings, onTaken: passOn })
        )

        const backfill = yield* startBackfill(room)
        yield* backfill.hole(hole)
        const statusOf = looked(backfill.status)
        yield* passUntil(() => statusOf().repaired + statusOf().givenUp > 0)
        assert.deepInclude(statusOf(), { repaired: 1, failures: 0 })

        const { tally, written } = yield* room.atRest("backfill")
        const said = new Map(unheard.map(({ cumVolume, price, volume }) => [cumVolume, { price, volume }]))
        for (const { cumVolume, price, volume } of written) assert.deepEqual(said.get(cumVolume), { price, volume })
        assert.isAbove(written.length, unheard.length / 2)
        assert.deepStrictEqual(
          written.map(({ cumVolume }) => cumVolume),
          unheard.map((each) => each.cumVolume).filter((each) => written.some(({ cumVolume }) => cumVolume === each))
        )
        assert.deepStrictEqual(tally, {
          received: written.length,
          stored: written.length,
          rejected: 0,
          deduplicated: 0
        })

        const repairs = ofKind(yield* room.records, "gap")
          .map(payloadOf)
          .filter(({ cause }) => cause === "disconnect")
          .map(({ repairedBy }) => repairedBy)
        const volumeOf = (trades: ReadonlyArray<{ readonly volume?: number | undefined }>) =>
          trades.reduce((sum, { volume = 0 }) => sum + volume, 0)
        const missingVolume = volumeOf(unheard) - volumeOf(written)
        assert.deepStrictEqual(repairs, [
          {
            source: "backfill",
            call: "inquire-time-itemconclusion",
            trades: written.length,
            volume: volumeOf(written),
            complete: missingVolume === 0,
            missingVolume
          }
        ])

        // Asked for again, without a word about what was heard: the shards know the newest trades, so nothing is written twice.
        const { cumVolumeAfter: _, cumVolumeBefore: __, ...unbounded } = hole
        yield* backfill.hole({ ...unbounded, fromMs: hole.toMs - 1_000 })
        yield* passUntil(() => statusOf().repaired + statusOf().givenUp > 1)
        const stored = ofKind(yield* room.records, "trade")
        assert.strictEqual(new Set(stored.map(({ cumVolume }) => cumVolume)).size, stored.length)
      }).pipe(Effect.provide(Exchange.layer({ seed: 5, tradesPerSecond: 60, callsPerSecond: 0 })), Effect.scoped)
    })
  )

  it.effect("settles what a live stream has lost, trade by trade, and the book of gaps says how far", () =>
    Effect.gen(function* () {
      const room = yield* openRoom([symbol])
      yield* Effect.gen(function* () {
        const heard = yield* streamed(30)
        const isLost = (at: number) => at > 0 && at < heard.length - 1 && (at % 11 === 5 || (at > 20 && at < 30))
        const lost = heard.filter((_, at) => isLost(at))
        assert.isAbove(lost.length, 10)

        const backfill = yield* startBackfill(room)
        const holes = new LostHoles()
        let told = 0
        yield* Effect.forkScoped(
          Stream.runForEach(room.shards.losses, (loss) =>
            Effect.sync(() => {
              told += 1
              holes.add(loss, 0)
            })
          )
        )
        yield* settled
        // As frames of a few trades bring them.
        for (let at = 0; at < heard.length; at += 4) {
          const sightings = heard.slice(at, at + 4).filter((_, offset) => !isLost(at + offset))
          yield* room.conservation.receive("kis-ws", sightings.length, ({ passOn }) =>
            room.shards.deliver({ source: "kis-ws", account: "main", sightings, onTaken: passOn })
          )
        }
        const bookOf = Effect.map(room.records, (records) => {
          const [first] = records
          const book = new GapBook(marketDate(Date.parse(first?.exchangeAt ?? "")))
          for (const record of records) book.add(record)
          return book.holes()
        })
        const sum = (found: Effect.Success<typeof bookOf>, of: "lostTrades" | "lostShares" | "foundTrades") =>
          found.reduce((total, hole) => total + hole[of], 0)
        yield* room.atRest("kis-ws")
        const named = yield* bookOf
        assert.isTrue(named.every(({ cause, repair }) => cause === "continuity" && repair === "none"))
        assert.strictEqual(sum(named, "lostTrades"), lost.length)
        assert.strictEqual(
          sum(named, "lostShares"),
          lost.reduce((total, { volume = 0 }) => total + volume, 0)
        )
        yield* passUntil(() => told > 0)

        const [hole] = holes.rest(() => [])
        assert.isDefined(hole)
        if (hole !== undefined) yield* backfill.hole(hole)
        const statusOf = looked(backfill.status)
        yield* passUntil(() => statusOf().repaired + statusOf().givenUp > 0)
        const { tally, written } = yield* room.atRest("backfill")
        const filled = yield* bookOf
        assert.isAbove(written.length, lost.length / 2)
        assert.deepStrictEqual([tally.stored, sum(filled, "foundTrades")], [written.length, written.length])
        assert.isTrue(filled.some(({ repair }) => repair === "whole"))
        assert.strictEqual(
          filled.every(({ repair }) => repair === "whole"),
          written.length === lost.length
        )
        const totals = yield* room.shards.lossTotals
        assert.deepInclude(totals, { trades: lost.length, foundTrades: written.length })
      }).pipe(Effect.provide(Exchange.layer({ seed: 5, tradesPerSecond: 60, callsPerSecond: 0 })), Effect.scoped)
    })
  )
})
