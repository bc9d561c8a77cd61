import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Fiber, Logger, Redacted } from "effect"
import { PrometheusMetrics } from "effect/observability"
import { TestClock } from "effect/testing"
import { cpSync } from "node:fs"
import { MarketClock, rehearsed } from "../../src/calendar/MarketClock.ts"
import { marketInstant } from "../../src/calendar/MarketTime.ts"
import { streamingHours } from "../../src/feed/accountFeed/streamingHours.ts"
import type { MarketStatus } from "../../src/feed/KisMarketStatus.ts"
import { makeStreamer, type StreamerOptions } from "../../src/feed/Streamer.ts"
import type { EdgedHole } from "../../src/feed/streamer/EdgeVolumes.ts"
import type { GapPayload } from "../../src/domain/Gap.ts"
import { GapBook } from "../../src/journal/GapBook.ts"
import type { ApprovalKey } from "../../src/kis/ApprovalKey.ts"
import { machineDisk, openJournal, tempFolder } from "../journal/fixtures.ts"
import { accountAt, secrets } from "../support/accounts.ts"
import { type KisServer, makeKisServer } from "../support/kisServer.ts"
import { acceptAll, accepted, askedIn, probe, reply } from "../support/subscriptions.ts"
import { capturedFrame } from "../support/samples.ts"
import { looked, passUntil, until } from "../support/virtualTime.ts"
import { frameOf, trade } from "./frames.ts"
import { closedGaps, ofKind, openMs, openRoom, payloadOf } from "./room.ts"

const approval: ApprovalKey = { current: Effect.succeed(Redacted.make(secrets.approvalKey)), drop: Effect.void }
const tradesOf = (trKey: string) => ({ trId: "H0STCNT0", trKey })
const symbols = ["005930", "000660", "0000Y0"]

/** A stream over a real socket into a real journal. */
const setUp = Effect.fnUntraced(function* (
  slots = 41,
  options: Partial<StreamerOptions> = {},
  { mode = "always" }: { readonly mode?: "always" | "calendar" } = {}
) {
  const holes: Array<EdgedHole> = []
  const room = yield* openRoom(symbols, { mode })
  const server = yield* makeKisServer
  const streamer = yield* Effect.provideContext(
    makeStreamer({
      account: accountAt(server),
      approval,
      governor: { permit: Effect.void },
      slots,
      session: room.session,
      deliver: room.shards.deliver,
      onHole: (hole) => Effect.sync(() => void holes.push(hole)),
      ...options
    }),
    room.context
  )
  yield* streamer.want(symbols.map(tradesOf))
  const statusOf = looked(streamer.status)
  return { ...room, server, streamer, statusOf, holes }
})

/** Holes that any test here has counted by a metric. */
const gapsCounted = Effect.map(PrometheusMetrics.format(), (text) => {
  const name = 'observer_gaps_total{cause="disconnect"} '
  return Number(
    text
      .split("\n")
      .find((line) => line.startsWith(name))
      ?.slice(name.length) ?? 0
  )
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
        "1|H0STCNT0|001|c2VjcmV0",
        `${frameOf(trade("005930", 2), trade("005930", 3))}^x`,
        frameOf(trade("005930", 4).slice(0, 45)),
        "0|H0STASP0|001|005930^1",
        "0|H0STMKO0|001|005930^N^(null)",
        "nonsense \u0000"
      ]
      const strange = [
        "1|H0STCNI0|001|c2VjcmV0",
        `0|H0UPCNT0|001|${Array.from({ length: 30 }, () => "1").join("^")}`,
        "0|constructor|001|x^y"
      ]
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
        Effect.repeat({ until: ({ tally: { received } }) => received === 12 })
      )
      assert.deepStrictEqual([stored, rejected, tally.rejected], [3, 9, 9])
      assert.deepStrictEqual(ofKind(written, "reject").map(payloadOf), [
        ...bad.map((raw) => ({ reason: "frameShape", raw })),
        ...strange.map((raw) => ({ reason: "unknownStream", raw }))
      ])
      const drifted = written.find(({ cumVolume }) => cumVolume === 5)
      assert.deepStrictEqual(drifted?.quality?.flags, ["drift"])
      assert.deepStrictEqual(drifted?.payload, [...trade("005930", 5), "new"])
    })
  )

  it.effect("does not tell of new columns for ever, though every frame has more of them", () => {
    const told: Array<string> = []
    return Effect.gen(function* () {
      const { atRest, server, statusOf, streamer } = yield* setUp()
      acceptAll(server)
      yield* Effect.forkScoped(streamer.run)
      yield* passUntil(() => statusOf().slotsHeld === 3)
      for (let more = 1; more <= 60; more++) {
        say(server, frameOf([...trade("005930", more), ...Array.from({ length: more }, () => "new")]))
      }
      yield* atRest("kis-ws").pipe(Effect.repeat({ until: ({ tally: { received } }) => received === 60 }))
      assert.strictEqual(told.filter((words) => words.includes("more columns than known")).length, 20)
    }).pipe(Effect.provide(Logger.layer([Logger.make(({ message }) => void told.push(JSON.stringify(message)))])))
  })

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
      const gaps = closedGaps(yield* passUntilWritten((records) => closedGaps(records).length >= 3))
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
      const gaps = closedGaps(yield* passUntilWritten((written) => closedGaps(written).length >= 3, 100))
      for (const gap of gaps) assert.strictEqual(payloadOf(gap)["from"], new Date(heardMs).toISOString())
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(closedGaps(yield* records).length, 3)
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
      const gaps = closedGaps(yield* records)
      assert.deepStrictEqual(gaps.map(({ symbol }) => symbol).sort(), ["000660", "005930"])
      for (const gap of gaps) {
        assert.deepStrictEqual(
          [payloadOf(gap)["cause"], payloadOf(gap)["from"]],
          ["disconnect", new Date(heardMs).toISOString()]
        )
      }
    })
  )

  it.effect(
    "tells of a hole when it is known, while it lasts, and when it is over: these are one hole, counted once",
    () =>
      Effect.gen(function* () {
        const { passUntilWritten, server, statusOf, streamer } = yield* setUp()
        const counted = yield* gapsCounted
        acceptAll(server)
        yield* Effect.forkScoped(streamer.run)
        yield* passUntil(() => statusOf().slotsHeld === 3)
        const heardMs = statusOf().lastHeardMs ?? 0
        server.onText(() => undefined)
        server.connections[0]?.socket.terminate()
        yield* passUntilWritten((written) => ofKind(written, "gap").length >= 9, 100)
        acceptAll(server)
        const gaps = ofKind(yield* passUntilWritten((written) => closedGaps(written).length === 3, 100), "gap")
        const book = new GapBook("20261124")
        for (const gap of gaps) book.add(gap)
        for (const symbol of symbols) {
          const mine = gaps.filter((gap) => gap.symbol === symbol).map(payloadOf)
          assert.isAtLeast(mine.length, 4)
          assert.isTrue(mine.slice(0, -1).every(({ open }) => open === true))
          assert.isFalse("open" in (mine.at(-1) ?? {}))
          assert.isTrue(mine.every(({ cause, from }) => cause === "disconnect" && Date.parse(String(from)) === heardMs))
          const tos = mine.map(({ to }) => Date.parse(String(to)))
          assert.deepStrictEqual(
            tos,
            tos.toSorted((a, b) => a - b)
          )
          const [hole, ...more] = book.holes().filter((each) => each.symbol === symbol)
          assert.deepStrictEqual([hole?.fromMs, hole?.toMs, more.length], [heardMs, tos.at(-1), 0])
        }
        assert.strictEqual((yield* gapsCounted) - counted, 3)
      })
  )

  it.effect("leaves its open holes in the record when it is killed, to within a minute, and none that is over", () =>
    Effect.gen(function* () {
      const { folder, journal, passUntilWritten, server, statusOf, streamer } = yield* setUp()
      acceptAll(server)
      yield* Effect.forkScoped(streamer.run)
      yield* passUntil(() => statusOf().slotsHeld === 3)
      const heardMs = statusOf().lastHeardMs ?? 0
      server.connections[0]?.socket.terminate()
      yield* passUntilWritten((written) => closedGaps(written).length === 3, 100)
      yield* passUntil(() => statusOf().slotsHeld === 3)
      server.onText(() => undefined)
      const againMs = statusOf().lastHeardMs ?? 0
      server.connections.at(-1)?.socket.terminate()
      const before = (yield* passUntilWritten((written) => ofKind(written, "gap").length >= 15, 100)).length
      // The sweep goes on to the end.
      const nowMs = yield* Clock.currentTimeMillis
      yield* journal.append([{ kind: "quote", symbol: "005930", receivedAtMs: nowMs, source: "kis-rest", payload: {} }])
      const copy = yield* tempFolder
      cpSync(folder, copy, { recursive: true, filter: (path) => !path.includes("/.lock.") })
      const { recovered } = yield* Effect.provide(openJournal(copy), machineDisk)
      assert.isAtLeast(recovered.head.seq, before)
      assert.strictEqual(recovered.lastReceivedAt, new Date(nowMs).toISOString())
      const open = recovered.openGaps ?? []
      assert.sameMembers(
        open.map(({ symbol }) => symbol),
        symbols
      )
      for (const { account, payload } of open) {
        const { cause, from, to } = payload as unknown as GapPayload
        assert.deepStrictEqual([account, cause], ["main", "disconnect"])
        assert.isAbove(Date.parse(from), heardMs)
        assert.isAtLeast(Date.parse(from), againMs)
        assert.isAtLeast(Date.parse(to), nowMs - 62_000)
      }
    })
  )

  it.effect("tells of what was never accepted, since the start, once that has lasted for longer than is usual", () =>
    Effect.gen(function* () {
      const { holes, passUntilWritten, records, server, statusOf, streamer } = yield* setUp()
      acceptAll(server, (_, { socket }) => {
        socket.terminate()
        return undefined
      })
      yield* Effect.forkScoped(streamer.run)
      yield* passUntil(() => statusOf().openHoles === 3, 100)
      const opened = yield* passUntilWritten((written) => ofKind(written, "gap").length === 3)
      for (const gap of opened) {
        assert.deepInclude(payloadOf(gap), { from: new Date(openMs).toISOString(), cause: "disconnect", open: true })
        assert.isAtLeast(Date.parse(gap.receivedAt), openMs + 30_000)
      }
      // The broker takes two and says no to the third: that one is not to be streamed.
      acceptAll(server, ({ trKey }) => (trKey === "0000Y0" ? reply(trKey, "OPSP8993") : accepted(trKey)))
      const closed = closedGaps(yield* passUntilWritten((written) => closedGaps(written).length === 3, 100))
      assert.sameMembers(
        closed.map(({ symbol }) => symbol),
        symbols
      )
      for (const gap of closed) assert.strictEqual(payloadOf(gap)["from"], new Date(openMs).toISOString())
      assert.strictEqual(statusOf().openHoles, 0)
      yield* passUntil(() => holes.length === 3, 100)
      const told = (yield* records).length
      server.connections.at(-1)?.socket.terminate()
      yield* TestClock.adjust("50 seconds")
      yield* passUntil(() => statusOf().slotsHeld === 2, 100)
      const later = ofKind((yield* records).slice(told), "gap")
      assert.isFalse(later.some(({ symbol }) => symbol === "0000Y0"))
    })
  )

  it.effect("misses nothing of a closed market that it cannot connect in, and begins with the opening", () =>
    Effect.gen(function* () {
      const { records, server, session, statusOf, streamer } = yield* setUp(41, {}, { mode: "calendar" })
      const at = (hour: string) => marketInstant("20261124", hour) ?? Number.NaN
      server.onText((_text, { socket }) => socket.terminate())
      yield* TestClock.setTime(at("075200"))
      yield* Effect.forkScoped(streamingHours(session, streamer.run))
      yield* passUntil(() => server.connections.length === 2, 100)
      yield* TestClock.setTime(at("075955"))
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(statusOf().openHoles, 0)
      assert.deepStrictEqual(yield* records, [])
      yield* passUntil(() => statusOf().openHoles === 3, 100)
      for (const { fromMs } of statusOf().holes) {
        assert.isAtLeast(fromMs, at("075958"))
        assert.isAtMost(fromMs, at("080001"))
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

  it.effect("ends with the market's day, tells of no night, and registers everything again in the morning", () =>
    Effect.gen(function* () {
      const { holes, records, server, session, statusOf, streamer } = yield* setUp(41, {}, { mode: "calendar" })
      const at = (date: string, hour: string) => TestClock.setTime(marketInstant(date, hour) ?? Number.NaN)
      acceptAll(server)
      yield* at("20261124", "195930")
      yield* Effect.forkScoped(streamingHours(session, streamer.run))
      yield* passUntil(() => statusOf().slotsHeld === 3)
      say(server, frameOf(trade("005930", 1_000)))
      yield* until(() => statusOf().lastDataMs !== undefined)
      // One that is cut just before the end leaves a hole, which is told and handed on.
      yield* at("20261124", "200025")
      yield* until(() => statusOf().state._tag === "live")
      server.connections[0]?.socket.terminate()
      yield* passUntil(() => statusOf().openHoles === 3)
      server.onText(() => undefined)
      yield* passUntil(() => statusOf().openHoles === 0, 100)
      // The end waits two seconds for the journal, which is real.
      yield* until(() => statusOf().state._tag === "idle")
      assert.strictEqual(holes.find(({ symbol }) => symbol === "005930")?.cumVolumeBefore, 1_000)
      assert.deepInclude(statusOf(), { state: { _tag: "idle" }, slotsHeld: 0, openHoles: 0, silentSymbols: [] })
      const connected = server.connections.length
      yield* TestClock.adjust("11 hours")
      assert.strictEqual(server.connections.length, connected)
      assert.strictEqual(statusOf().state._tag, "idle")
      acceptAll(server)
      yield* at("20261125", "075000")
      yield* passUntil(() => statusOf().slotsHeld === 3)
      say(server, frameOf(trade("005930", 5)))
      yield* until(() => statusOf().state._tag === "live")
      yield* TestClock.adjust("10 seconds")
      const gaps = closedGaps(yield* records).map(payloadOf)
      assert.strictEqual(gaps.length, 3)
      for (const { to } of gaps) assert.strictEqual(String(to).slice(0, 16), "2026-11-24T11:00")
      assert.strictEqual(holes.length, 3)
    })
  )

  it.effect("tells of no night after an evening on which it was live to the end", () =>
    Effect.gen(function* () {
      const { holes, records, server, session, statusOf, streamer } = yield* setUp(41, {}, { mode: "calendar" })
      const at = (date: string, hour: string) => TestClock.setTime(marketInstant(date, hour) ?? Number.NaN)
      acceptAll(server)
      yield* at("20261124", "195930")
      yield* Effect.forkScoped(streamingHours(session, streamer.run))
      yield* passUntil(() => statusOf().slotsHeld === 3)
      say(server, frameOf(trade("005930", 1_000)))
      yield* until(() => statusOf().lastDataMs !== undefined)
      yield* at("20261124", "200020")
      yield* passUntil(() => statusOf().state._tag === "idle", 100)
      assert.strictEqual(statusOf().slotsHeld, 0)
      yield* at("20261125", "075000")
      yield* passUntil(() => statusOf().slotsHeld === 3)
      assert.strictEqual(server.connections.length, 2)
      // A cut over the opening: yesterday's volume is not its lower edge.
      server.connections[1]?.socket.terminate()
      yield* passUntil(() => statusOf().openHoles === 3)
      yield* passUntil(() => holes.length === 3, 100)
      assert.isTrue(holes.every(({ cumVolumeBefore }) => cumVolumeBefore === undefined))
      for (const { from } of closedGaps(yield* records).map(payloadOf))
        assert.strictEqual(String(from).slice(0, 15), "2026-11-24T22:5")
    })
  )

  it.effect("tells of what a part's own crash lost, when it runs again", () =>
    Effect.gen(function* () {
      let crash = false
      const restVolume = () => {
        if (crash) throw new Error("crash")
        return undefined
      }
      const { passUntilWritten, server, statusOf, streamer } = yield* setUp(41, { restVolume })
      acceptAll(server)
      const first = yield* Effect.forkScoped(Effect.exit(streamer.run))
      yield* passUntil(() => statusOf().slotsHeld === 3)
      crash = true
      yield* passUntil(() => first.pollUnsafe() !== undefined, 100)
      crash = false
      yield* Effect.forkScoped(streamer.run)
      yield* passUntilWritten((records) => closedGaps(records).length === 3)
    })
  )

  it.effect("tells of its holes when the keys are refused in mid-session, and hands them on", () =>
    Effect.gen(function* () {
      const { holes, records, server, statusOf, streamer } = yield* setUp()
      acceptAll(server)
      const running = yield* Effect.forkScoped(Effect.flip(streamer.run))
      yield* passUntil(() => statusOf().slotsHeld === 3)
      say(server, frameOf(trade("005930", 7)))
      yield* until(() => statusOf().lastDataMs !== undefined)
      yield* streamer.want(["0000Z0", ...symbols].map(tradesOf))
      acceptAll(server, ({ trKey }) => reply(trKey, "OPSP9994"))
      yield* passUntil(() => statusOf().state._tag === "parked")
      yield* until(() => running.pollUnsafe() !== undefined)
      assert.deepStrictEqual(
        closedGaps(yield* records)
          .map(({ symbol }) => symbol)
          .sort(),
        [...symbols].sort()
      )
      assert.strictEqual(holes.find(({ symbol }) => symbol === "005930")?.cumVolumeBefore, 7)
      assert.deepInclude(statusOf(), { slotsHeld: 0, openHoles: 0 })
      assert.strictEqual(statusOf().state._tag, "parked")
    })
  )

  it.effect("writes books beside trades, and what is said of the market as a marker with its code", () =>
    Effect.gen(function* () {
      const told: Array<MarketStatus> = []
      const onMarketStatus = (status: MarketStatus) => Effect.sync(() => void told.push(status))
      const { atRest, server, statusOf, streamer } = yield* setUp(41, { onMarketStatus })
      acceptAll(server, ({ trId, trKey }) => reply(trKey, "OPSP0000", "SUBSCRIBE SUCCESS", trId))
      yield* streamer.want([
        { trId: "H0STCNT0", trKey: "005930" },
        { trId: "H0STASP0", trKey: "005930" },
        { trId: "H0STMKO0", trKey: "005930" }
      ])
      yield* Effect.forkScoped(streamer.run)
      yield* passUntil(() => statusOf().slotsHeld === 3)
      const book = capturedFrame("H0STASP0-067")
      const empty = book.split("^").map((value, at) => (at > 2 && at < 43 ? "0" : value))
      say(
        server,
        frameOf(trade("005930", 1)),
        book,
        book,
        empty.join("^"),
        "0|H0STMKO0|001|005930^Y^(null)^174^112^^^55^N^N^1"
      )
      const { rejected, stored, tally, written } = yield* atRest("kis-ws").pipe(
        Effect.repeat({ until: ({ tally: { received } }) => received === 5 })
      )
      assert.deepStrictEqual([stored, rejected, tally.deduplicated], [3, 1, 1])
      const [stored1] = ofKind(written, "book")
      assert.deepInclude(stored1, { symbol: "005930", ask: 278_000, bid: 277_500, cumVolume: 11_955_000 })
      assert.isUndefined(stored1?.price)
      assert.strictEqual(payloadOf(ofKind(written, "reject")[0])["reason"], "emptyBook")
      const [marker] = ofKind(written, "marker")
      assert.isUndefined(marker?.symbol)
      assert.deepInclude(payloadOf(marker), {
        event: "marketStatus",
        symbol: "005930",
        code: "174",
        meaning: "circuit breaker triggered",
        phase: "halt",
        halted: true
      })
      assert.strictEqual(told[0]?.code, "174")
    })
  )

  it.effect("tells the keeper of holes of each hole once its gap is written, in market time", () =>
    Effect.gen(function* () {
      const marketMs = openMs + 86_400_000
      const clock = rehearsed({ wallMs: openMs, marketMs, speed: 10 })
      const { holes, passUntilWritten, server, statusOf, streamer } = yield* setUp().pipe(
        Effect.provideService(MarketClock, clock)
      )
      acceptAll(server)
      yield* Effect.forkScoped(streamer.run)
      yield* passUntil(() => statusOf().slotsHeld === 3)
      yield* TestClock.setTime(openMs + 60_000)
      say(server, frameOf(trade("005930", 1)))
      const [first] = ofKind(yield* passUntilWritten((records) => ofKind(records, "trade").length === 1), "trade")
      assert.strictEqual(first?.receivedAt, new Date(marketMs + 600_000).toISOString())
      server.connections[0]?.socket.terminate()
      yield* passUntil(() => statusOf().openHoles === 3)
      yield* passUntil(() => statusOf().openHoles === 0)
      const gaps = closedGaps(yield* passUntilWritten((records) => closedGaps(records).length >= 3, 0))
      const order = gaps.map(({ symbol }) => symbol)
      assert.deepStrictEqual(holes, [])
      // The first trade after it says what the hole held; who does not trade is handed on without after a while.
      yield* passUntil(() => statusOf().slotsHeld === 3)
      say(server, frameOf(trade("005930", 9)))
      yield* passUntil(() => holes.length === 3)
      const { cumVolumeAfter, cumVolumeBefore } = holes.find(({ symbol }) => symbol === "005930") ?? {}
      assert.deepStrictEqual([cumVolumeBefore, cumVolumeAfter], [1, 8])
      assert.isUndefined(holes.find(({ symbol }) => symbol === "000660")?.cumVolumeBefore)
      holes.sort((a, b) => order.indexOf(a.symbol) - order.indexOf(b.symbol))
      assert.deepStrictEqual(
        holes.map(({ cause, fromMs, symbol, toMs }) => ({
          symbol,
          cause,
          from: new Date(fromMs).toISOString(),
          to: new Date(toMs).toISOString()
        })),
        gaps.map((gap) => payloadOf(gap)) as never
      )
      assert.isTrue(holes.every(({ fromMs }) => fromMs === marketMs + 600_000))
    })
  )

  it.effect("leaves no hole in what is released on purpose, and ends the hole of what is wanted no longer", () =>
    Effect.gen(function* () {
      const { holes, passUntilWritten, records, server, statusOf, streamer } = yield* setUp()
      acceptAll(server, ({ action, trKey }) =>
        action === "1" ? accepted(trKey) : reply(trKey, "OPSP0001", "UNSUBSCRIBE SUCCESS")
      )
      yield* Effect.forkScoped(streamer.run)
      yield* passUntil(() => statusOf().slotsHeld === 3)
      yield* TestClock.adjust("10 seconds")
      yield* streamer.want(["005930", "000660"].map(tradesOf))
      yield* passUntil(() => statusOf().slotsHeld === 2)
      assert.deepStrictEqual(yield* records, [])
      server.onText(() => undefined)
      server.connections[0]?.socket.terminate()
      yield* passUntil(() => statusOf().openHoles === 2)
      yield* streamer.want([tradesOf("005930")])
      const gaps = closedGaps(yield* passUntilWritten((written) => closedGaps(written).length > 0, 100))
      assert.deepStrictEqual(
        gaps.map(({ symbol }) => symbol),
        ["000660"]
      )
      assert.strictEqual(statusOf().openHoles, 1)
      yield* passUntil(() => holes.length === 1, 100)
    })
  )

  it.effect("connects anew when probes come and data does not, and tells of the silence from the last data", () =>
    Effect.gen(function* () {
      const { passUntilWritten, server, statusOf, streamer } = yield* setUp()
      acceptAll(server)
      yield* Effect.forkScoped(streamer.run)
      yield* passUntil(() => statusOf().slotsHeld === 3)
      const clock = yield* Clock.Clock
      for (let n = 1; n <= 20; n++) {
        say(server, frameOf(trade("005930", n)))
        yield* until(() => statusOf().lastDataMs === clock.currentTimeMillisUnsafe())
        yield* TestClock.adjust(100)
      }
      yield* passUntilWritten((written) => ofKind(written, "trade").length === 20)
      const lastDataMs = statusOf().lastDataMs ?? 0
      for (let probes = 0; server.connections.length === 1 && probes < 100; probes++) {
        say(server, probe)
        yield* TestClock.adjust("1 second")
        yield* passUntil(() => statusOf().pingPongs > probes || server.connections.length > 1)
      }
      const gaps = closedGaps(yield* passUntilWritten((written) => closedGaps(written).length >= 3, 100))
      for (const gap of gaps) {
        assert.deepInclude(payloadOf(gap), { cause: "silence", from: new Date(lastDataMs).toISOString() })
        assert.isAtLeast(Date.parse(String(payloadOf(gap)["to"])) - lastDataMs, 30_000)
        assert.isAtMost(Date.parse(String(payloadOf(gap)["to"])) - lastDataMs, 60_000)
      }
    })
  )

  it.effect("registers a symbol once more whose swept volume moves without it, then declares it silent", () =>
    Effect.gen(function* () {
      let volume = 0
      const clock = yield* Clock.Clock
      const restVolume = (symbol: string) =>
        symbol === "000660" ? { cumVolume: volume, atMs: clock.currentTimeMillisUnsafe() } : undefined
      const { holes, passUntilWritten, server, statusOf, streamer } = yield* setUp(41, { restVolume })
      acceptAll(server, ({ action, trKey }) =>
        action === "1" ? accepted(trKey) : reply(trKey, "OPSP0001", "UNSUBSCRIBE SUCCESS")
      )
      yield* Effect.forkScoped(streamer.run)
      yield* passUntil(() => statusOf().slotsHeld === 3)
      const acceptedMs = statusOf().lastHeardMs ?? 0
      const actions = () =>
        server.connections[0]?.said.flatMap((text) => {
          const asked = askedIn(text)
          return asked?.trKey === "000660" ? [asked.action] : []
        })
      yield* TestClock.adjust("5 seconds")
      volume = 10
      yield* passUntil(() => actions()?.length === 3, 100)
      // What is swept before the acceptance is read says nothing.
      yield* passUntil(() => statusOf().slotsHeld === 3)
      assert.deepStrictEqual(actions(), ["1", "2", "1"])
      assert.deepStrictEqual(statusOf().silentSymbols, [])
      yield* TestClock.adjust("5 seconds")
      volume = 20
      yield* passUntil(() => statusOf().silentSymbols.length === 1, 100)
      const [declared] = closedGaps(yield* passUntilWritten((written) => closedGaps(written).length === 1, 0))
      assert.strictEqual(declared?.symbol, "000660")
      assert.strictEqual(payloadOf(declared)["cause"], "silence")
      assert.isAtMost(Date.parse(String(payloadOf(declared)["from"])), acceptedMs)
      yield* TestClock.adjust("30 seconds")
      assert.deepStrictEqual(statusOf().silentSymbols, ["000660"])
      // It speaks again: the rest of its hole ends here.
      say(server, frameOf(trade("000660", 21)))
      yield* passUntil(() => holes.length === 2)
      assert.strictEqual(holes[1]?.fromMs, holes[0]?.toMs)
      assert.deepStrictEqual([statusOf().silentSymbols, statusOf().openHoles], [[], 0])
      assert.deepStrictEqual(actions(), ["1", "2", "1"])
    })
  )

  it.effect("tells of one hole when a symbol speaks again after it was registered once more", () =>
    Effect.gen(function* () {
      let volume = 0
      const clock = yield* Clock.Clock
      const restVolume = (symbol: string) =>
        symbol === "000660" ? { cumVolume: volume, atMs: clock.currentTimeMillisUnsafe() } : undefined
      const { holes, server, statusOf, streamer } = yield* setUp(41, { restVolume })
      acceptAll(server, ({ action, trKey }) =>
        action === "1" ? accepted(trKey) : reply(trKey, "OPSP0001", "UNSUBSCRIBE SUCCESS")
      )
      yield* Effect.forkScoped(streamer.run)
      yield* passUntil(() => statusOf().slotsHeld === 3)
      yield* TestClock.adjust("5 seconds")
      volume = 10
      yield* passUntil(() => statusOf().openHoles === 1 && statusOf().slotsHeld === 2, 100)
      yield* passUntil(() => statusOf().slotsHeld === 3)
      const againMs = statusOf().lastHeardMs ?? 0
      yield* TestClock.adjust("7 seconds")
      say(server, frameOf(trade("000660", 11)))
      yield* passUntil(() => holes.length === 1)
      assert.deepInclude(holes[0], { symbol: "000660", cause: "silence", toMs: againMs })
      assert.strictEqual(statusOf().openHoles, 0)
    })
  )
})
