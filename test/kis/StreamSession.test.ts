import { assert, describe, it } from "@effect/vitest"
import { Clock, Deferred, Effect, Fiber, Logger, Metric, Redacted } from "effect"
import { TestClock } from "effect/testing"
import type { ApprovalKey } from "../../src/kis/ApprovalKey.ts"
import { KisCredentialsRejected, KisDisturbed, type KisError, KisUnreachable } from "../../src/kis/KisError.ts"
import { makeStreamSession, type SessionHandler } from "../../src/kis/StreamSession.ts"
import { createCipheriv } from "node:crypto"
import type { Socket } from "node:net"
import { accountAt, leakIn, secrets } from "../support/accounts.ts"
import { type KisServer, makeKisServer } from "../support/kisServer.ts"
import { acceptAll, accepted, askedIn, askedOf, keyInUse, probe, reply } from "../support/subscriptions.ts"
import { looked, movableClock, passUntil, until } from "../support/virtualTime.ts"

const frame = (value: string | number) => `0|H0XXXXX0|001|${value}`
const askedAt = ({ connections }: KisServer, index: number): ReadonlyArray<string> => {
  const connection = connections[index]
  return connection === undefined ? [] : askedOf(connection)
}
const saidAt = ({ connections }: KisServer, index: number, action: string): ReadonlyArray<string> =>
  connections[index]?.said.flatMap((text) => {
    const asked = askedIn(text)
    return asked?.action === action ? [asked.trKey] : []
  }) ?? []
const codes = (count: number) => Array.from({ length: count }, (_, at) => `00${1_000 + at}`)

const tradesOf = (symbols: ReadonlyArray<string>) => symbols.map((trKey) => ({ trId: "H0STCNT0", trKey }))

/** Gives a new key after each drop, or fails as told. */
const makeApproval = (failure?: () => KisError | undefined) => {
  const state = { drops: 0, asked: 0 }
  const approval: ApprovalKey = {
    current: Effect.suspend(() => {
      state.asked += 1
      const error = failure?.()
      return error === undefined
        ? Effect.succeed(Redacted.make(`${secrets.approvalKey}${state.drops}`))
        : Effect.fail(error)
    }),
    drop: Effect.sync(() => void (state.drops += 1))
  }
  return { state, approval }
}

interface Told {
  readonly frames: Array<string>
  readonly events: Array<string>
  readonly registeredAtMs: Array<number>
  readonly lostSinceMs: Array<number>
  readonly slots: Array<number>
}

const setUp = Effect.fnUntraced(function* (
  options: {
    readonly symbols?: ReadonlyArray<string>
    readonly slots?: number
    readonly env?: "live" | "mock"
    readonly failure?: () => KisError | undefined
    readonly onFrames?: SessionHandler<never>["onFrames"]
    readonly permit?: Effect.Effect<void>
  } = {}
) {
  yield* TestClock.setTime(Date.UTC(2026, 9, 1, 1))
  const server = yield* makeKisServer
  const told: Told = { frames: [], events: [], registeredAtMs: [], lostSinceMs: [], slots: [] }
  const { approval, state } = makeApproval(options.failure)
  const base = accountAt(server)
  const account = { ...base, endpoints: { ...base.endpoints, env: options.env ?? "live" } }
  const handler: SessionHandler<never> = {
    onFrames: (frames) =>
      Effect.andThen(options.onFrames?.(frames) ?? Effect.void, () =>
        Effect.sync(() => {
          for (const { text } of frames) {
            told.frames.push(text)
            told.events.push(text)
          }
        })
      ),
    onRegistered: ({ trKey }, atMs) =>
      Effect.sync(() => {
        told.events.push(`registered ${trKey}`)
        told.registeredAtMs.push(atMs)
      }),
    onReleased: ({ trKey }, _atMs, reason) => Effect.sync(() => void told.events.push(`${reason} ${trKey}`)),
    onSlots: (believed) => Effect.sync(() => void told.slots.push(believed)),
    onLost: ({ lastHeardMs, why }) =>
      Effect.sync(() => {
        told.events.push(why === "cut" ? "lost" : `lost to ${why}`)
        told.lostSinceMs.push(lastHeardMs)
      })
  }
  const governor = { permit: options.permit ?? Effect.void }
  const session = yield* makeStreamSession({ account, approval, governor, slots: options.slots ?? 41, handler })
  yield* session.want(tradesOf(options.symbols ?? ["005930"]))
  const statusOf = looked(session.status)
  const stateOf = () => statusOf().state._tag
  return { server, told, session, approval: state, stateOf, statusOf }
})

describe("registering", () => {
  it.effect("goes one by one, at least 100 ms apart, in the order of importance, with the approval key", () =>
    Effect.gen(function* () {
      const symbols = codes(5)
      const { server, session, told } = yield* setUp({ symbols })
      acceptAll(server)
      const startMs = yield* Clock.currentTimeMillis
      yield* Effect.forkScoped(session.run)
      yield* passUntil(() => told.registeredAtMs.length === 5)
      assert.deepStrictEqual(askedAt(server, 0), symbols)
      assert.deepStrictEqual(askedIn(server.connections[0]?.said[0] ?? ""), {
        action: "1",
        trId: "H0STCNT0",
        trKey: "001000",
        approvalKey: `${secrets.approvalKey}0`
      })
      told.registeredAtMs.forEach((at, index) => assert.isAtLeast(at - startMs, 100 * index))
      assert.strictEqual((yield* session.status).slotsHeld, 5)
    })
  )

  it.effect("takes an answer that does not name its symbol for one to the oldest question of its stream", () =>
    Effect.gen(function* () {
      const { server, session, statusOf, told } = yield* setUp({ symbols: ["a", "b", "c"] })
      acceptAll(server, ({ trKey }) => (trKey === "b" ? reply("", "OPSP8993") : reply("", "OPSP0000")))
      yield* Effect.forkScoped(session.run)
      yield* passUntil(() => statusOf().unanswered.length === 1 && told.registeredAtMs.length === 2)
      assert.deepStrictEqual(told.events, ["registered a", "registered c"])
      assert.deepStrictEqual(statusOf().unanswered, ["H0STCNT0 b"])
      yield* session.want([])
      server.onText((text, connection) => {
        if (askedIn(text)?.action === "2") connection.socket.send(reply("", "OPSP0001"))
      })
      yield* passUntil(() => told.events.length === 4)
      assert.sameMembers(told.events.slice(2), ["unwanted a", "unwanted c"])
    })
  )

  it.effect("never asks for more than the slots", () =>
    Effect.gen(function* () {
      const { server, session, told } = yield* setUp({ symbols: codes(8), slots: 3 })
      acceptAll(server)
      yield* Effect.forkScoped(session.run)
      yield* passUntil(() => told.registeredAtMs.length === 3)
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(askedAt(server, 0), codes(3))
    })
  )

  it.effect(
    "asks again, three times in all, for what was not answered or refused in passing, and for nothing else",
    () =>
      Effect.gen(function* () {
        const { server, session, statusOf } = yield* setUp({ symbols: ["fine", "mute", "soon", "wrong"] })
        acceptAll(server, ({ trKey }) =>
          trKey === "mute"
            ? undefined
            : trKey === "soon"
              ? reply(trKey, "OPSP0009")
              : trKey === "wrong"
                ? reply(trKey, "OPSP8993")
                : accepted(trKey)
        )
        yield* Effect.forkScoped(session.run)
        yield* passUntil(() => statusOf().unanswered.length === 3, 100)
        yield* passUntil(() => saidAt(server, 0, "2").length === 3, 100)
        yield* TestClock.adjust("30 seconds")
        const asked = saidAt(server, 0, "1")
        const count = (code: string) => asked.filter((each) => each === code).length
        assert.deepStrictEqual(["fine", "mute", "soon", "wrong"].map(count), [1, 3, 3, 1])
        assert.strictEqual(server.connections.length, 1)
        // What was never answered may be held all the same, so it is released before its slot is another's.
        assert.deepStrictEqual(saidAt(server, 0, "2"), ["mute", "mute", "mute"])
        assert.deepStrictEqual(
          statusOf().unanswered,
          ["mute", "soon", "wrong"].map((code) => `H0STCNT0 ${code}`)
        )
      })
  )

  it.effect("learns the number of slots from the refusal of one too many", () =>
    Effect.gen(function* () {
      const { server, session, statusOf, told } = yield* setUp({ symbols: codes(6) })
      let held = 0
      acceptAll(server, ({ trKey }) => {
        if (held === 4) return reply(trKey, "OPSP0008", "MAX SUBSCRIBE OVER")
        held += 1
        return accepted(trKey)
      })
      yield* Effect.forkScoped(session.run)
      yield* passUntil(() => statusOf().slotsBelieved === 4)
      assert.strictEqual(told.registeredAtMs.length, 4)
      const before = askedAt(server, 0).length
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(askedAt(server, 0).length, before)
    })
  )

  it.effect("does not give up every slot when the very first is refused", () =>
    Effect.gen(function* () {
      const { server, session, told } = yield* setUp({ symbols: codes(2) })
      let refusals = 0
      acceptAll(server, ({ trKey }) =>
        refusals++ === 0 ? reply(trKey, "OPSP0008", "MAX SUBSCRIBE OVER") : accepted(trKey)
      )
      yield* Effect.forkScoped(session.run)
      yield* passUntil(() => refusals > 0)
      server.connections[0]?.socket.terminate()
      yield* passUntil(() => told.registeredAtMs.length > 0, 200)
      assert.isAtLeast((yield* session.status).slotsBelieved, 1)
    })
  )
})

describe("what is wanted", () => {
  it.effect("may change while it runs: what is no longer wanted is released, what is new is registered", () =>
    Effect.gen(function* () {
      const { server, session, statusOf, told } = yield* setUp({ symbols: ["a", "b", "c"], slots: 3 })
      const held = new Set<string>()
      let heldMost = 0
      acceptAll(server, ({ action, trKey }) => {
        if (action === "2") return reply(trKey, held.delete(trKey) ? "OPSP0001" : "OPSP0003", "UNSUBSCRIBE")
        held.add(trKey)
        heldMost = Math.max(heldMost, held.size)
        return accepted(trKey)
      })
      yield* Effect.forkScoped(session.run)
      yield* passUntil(() => statusOf().slotsHeld === 3)
      yield* TestClock.adjust("10 seconds")
      yield* session.want(tradesOf(["d", "b", "e", "d"]))
      yield* passUntil(() => held.has("d") && held.has("e"))
      assert.deepStrictEqual([...held].sort(), ["b", "d", "e"])
      assert.strictEqual(heldMost, 3)
      assert.deepStrictEqual(saidAt(server, 0, "2").toSorted(), ["a", "c"])
      assert.deepStrictEqual(told.events.filter((event) => event.startsWith("unwanted")).sort(), [
        "unwanted a",
        "unwanted c"
      ])
      assert.strictEqual(server.connections.length, 1)
    })
  )

  it.effect("may change while there is no connection, and only the newest wish is registered", () =>
    Effect.gen(function* () {
      const { server, session, stateOf, statusOf } = yield* setUp({ symbols: ["a", "b"] })
      acceptAll(server)
      yield* Effect.forkScoped(session.run)
      yield* passUntil(() => statusOf().slotsHeld === 2)
      server.connections[0]?.socket.terminate()
      yield* passUntil(() => stateOf() === "waiting")
      for (let n = 0; n < 1_000; n++) yield* session.want(tradesOf([`x${n}`, "c"]))
      yield* passUntil(() => statusOf().slotsHeld === 2, 50)
      assert.deepStrictEqual(askedAt(server, 1), ["x999", "c"])
    })
  )

  it.effect("may change thousands of times: the broker is asked at its own pace, and holds the newest wish", () =>
    Effect.gen(function* () {
      const { server, session, statusOf } = yield* setUp({ symbols: codes(5), slots: 5 })
      const held = new Set<string>()
      let heldMost = 0
      acceptAll(server, ({ action, trKey }) => {
        if (action === "2") return reply(trKey, held.delete(trKey) ? "OPSP0001" : "OPSP0003", "UNSUBSCRIBE")
        held.add(trKey)
        heldMost = Math.max(heldMost, held.size)
        return accepted(trKey)
      })
      yield* Effect.forkScoped(session.run)
      yield* passUntil(() => statusOf().slotsHeld === 5)
      const all = codes(20)
      const startMs = yield* Clock.currentTimeMillis
      for (let n = 0; n < 3_000; n++) {
        yield* session.want(tradesOf([...all.slice(n % 20), ...all.slice(0, n % 20)]))
        if (n % 10 === 0) yield* TestClock.adjust(100)
      }
      const last = [...all.slice(7), ...all.slice(0, 7)]
      yield* session.want(tradesOf(last))
      const wanted = last.slice(0, 5).sort().join()
      yield* passUntil(() => [...held].sort().join() === wanted && statusOf().slotsHeld === 5, 100)
      assert.isAtMost(heldMost, 5)
      const seconds = ((yield* Clock.currentTimeMillis) - startMs) / 1_000
      assert.isAtMost(server.connections[0]?.said.length ?? 0, 10 * seconds + 6)
    })
  )

  it.effect("is asked for once when its acceptance comes twice, and is held when only data says so", () =>
    Effect.gen(function* () {
      const { server, session, statusOf, told } = yield* setUp({ symbols: ["twice", "data"] })
      server.onText((text, { socket }) => {
        const { trKey = "" } = askedIn(text) ?? {}
        if (trKey === "data") return socket.send("0|H0STCNT0|001|data^090000")
        socket.send(accepted(trKey))
        socket.send(accepted(trKey))
      })
      yield* Effect.forkScoped(session.run)
      yield* passUntil(() => statusOf().slotsHeld === 2)
      // Its acceptance, lost until now, is no news.
      server.connections[0]?.socket.send(accepted("data"))
      yield* passUntil(() => told.frames.length === 1)
      yield* TestClock.adjust("20 seconds")
      assert.deepStrictEqual(told.events, ["registered twice", "registered data", "0|H0STCNT0|001|data^090000"])
      assert.deepStrictEqual(askedAt(server, 0), ["twice", "data"])
    })
  )

  it.effect("is not asked for again while the answer waits behind a slow handler", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      const { server, session, statusOf } = yield* setUp({ symbols: codes(3), onFrames: () => Deferred.await(gate) })
      server.onText((text, { socket }) => {
        const { trKey = "" } = askedIn(text) ?? {}
        if (trKey === codes(1)[0]) socket.send("0|H0XXXXX0|001|slow")
        socket.send(accepted(trKey))
      })
      yield* Effect.forkScoped(session.run)
      yield* passUntil(() => askedAt(server, 0).length === 3)
      yield* TestClock.adjust("10 minutes")
      yield* Deferred.succeed(gate, undefined)
      yield* passUntil(() => statusOf().slotsHeld === 3)
      assert.deepStrictEqual(askedAt(server, 0), codes(3))
    })
  )

  it.effect("is told to be released, too, when the broker never answers its release", () =>
    Effect.gen(function* () {
      const { server, session, told } = yield* setUp({ symbols: ["a"] })
      acceptAll(server, ({ action, trKey }) => (action === "1" ? accepted(trKey) : undefined))
      yield* Effect.forkScoped(session.run)
      yield* passUntil(() => told.events.length === 1)
      yield* session.want([])
      yield* passUntil(() => told.events.length === 2, 100)
      assert.deepStrictEqual(told.events, ["registered a", "unwanted a"])
      assert.deepStrictEqual(saidAt(server, 0, "2"), ["a", "a", "a"])
    })
  )

  it.effect("is registered again when the broker ends it by itself", () =>
    Effect.gen(function* () {
      const { server, session, told } = yield* setUp()
      acceptAll(server, ({ action, trKey }) =>
        action === "1" ? accepted(trKey) : reply(trKey, "OPSP0003", "UNSUBSCRIBE ERROR(not found!)")
      )
      yield* Effect.forkScoped(session.run)
      yield* passUntil(() => told.registeredAtMs.length === 1)
      server.connections[0]?.socket.send(reply("005930", "OPSP0001", "UNSUBSCRIBE SUCCESS"))
      yield* passUntil(() => told.registeredAtMs.length === 2, 50)
      assert.deepStrictEqual(told.events, ["registered 005930", "dropped 005930", "registered 005930"])
      assert.isAtLeast((told.registeredAtMs[1] ?? 0) - (told.registeredAtMs[0] ?? 0), 5_000)
    })
  )

  it.effect("gets a slot more when the broker has one again, an hour after it had none", () =>
    Effect.gen(function* () {
      const { server, session, statusOf, told } = yield* setUp({ symbols: codes(6), slots: 6 })
      let slots = 4
      acceptAll(server, ({ trKey }) => {
        if (statusOf().slotsHeld >= slots) return reply(trKey, "OPSP0008", "MAX SUBSCRIBE OVER")
        return accepted(trKey)
      })
      yield* Effect.forkScoped(session.run)
      yield* passUntil(() => told.slots.length === 1)
      slots = 6
      for (let minutes = 0; minutes < 121; minutes++) {
        server.connections[0]?.socket.send(probe)
        yield* until(() => statusOf().pingPongs > minutes)
        yield* TestClock.adjust("1 minute")
      }
      yield* passUntil(() => statusOf().slotsHeld === 6)
      assert.deepStrictEqual(told.slots, [4, 5, 6])
      assert.strictEqual(server.connections.length, 1)
    })
  )
})

describe("a session", () => {
  it.effect("hands on frames and answers in the order in which they came", () =>
    Effect.gen(function* () {
      const { server, session, told } = yield* setUp({ symbols: ["a", "b"] })
      server.onText((text, { socket }) => {
        const { trKey } = askedIn(text) ?? { trKey: "" }
        // In one write, so that they are taken together.
        for (const said of [frame(`before ${trKey}`), accepted(trKey), frame(`after ${trKey}`)]) socket.send(said)
      })
      yield* Effect.forkScoped(session.run)
      yield* passUntil(() => told.events.length === 6)
      assert.deepStrictEqual(told.events, [
        frame("before a"),
        "registered a",
        frame("after a"),
        frame("before b"),
        "registered b",
        frame("after b")
      ])
    })
  )

  it.effect(
    "opens encrypted frames with the pair of their acceptance, and hands on as it came what no pair opens",
    () =>
      Effect.gen(function* () {
        const { server, session, told } = yield* setUp({ symbols: ["a", "b"] })
        const ivOf = (symbol: string) => symbol.repeat(16)
        const sealed = (symbol: string, plain: string) => {
          const cipher = createCipheriv("aes-256-cbc", symbol.repeat(32), ivOf(symbol))
          return `1|H0STCNT0|001|${Buffer.concat([cipher.update(plain), cipher.final()]).toString("base64")}`
        }
        const plainOf = (symbol: string) => [symbol, ...Array.from({ length: 45 }, (_, at) => `${at}`)].join("^")
        acceptAll(server, ({ action, trKey }) => {
          const { body, header } = JSON.parse(accepted(trKey)) as { body: object; header: object }
          const output = { key: trKey.repeat(32), iv: ivOf(trKey) }
          return action === "1" ? JSON.stringify({ header, body: { ...body, output } }) : reply(trKey, "OPSP0001")
        })
        yield* Effect.forkScoped(session.run)
        yield* passUntil(() => told.registeredAtMs.length === 2)
        const say = (text: string) => server.connections[0]?.socket.send(text)
        for (const symbol of ["a", "b", "c"]) say(sealed(symbol, plainOf(symbol)))
        say(sealed("a", "too^narrow"))
        yield* passUntil(() => told.frames.length === 4)
        assert.deepStrictEqual(told.frames, [
          `0|H0STCNT0|001|${plainOf("a")}`,
          `0|H0STCNT0|001|${plainOf("b")}`,
          sealed("c", plainOf("c")),
          sealed("a", "too^narrow")
        ])
        yield* session.want(tradesOf(["b"]))
        yield* passUntil(() => told.events.includes("unwanted a"), 100)
        say(sealed("a", plainOf("a")))
        yield* passUntil(() => told.frames.length === 5)
        assert.strictEqual(told.frames[4], sealed("a", plainOf("a")))
      })
  )

  it.effect("echoes a probe before a slow handler is done, and is live by probes alone", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      const { server, session, told } = yield* setUp({ onFrames: () => Deferred.await(gate) })
      acceptAll(server)
      yield* Effect.forkScoped(session.run)
      yield* passUntil(() => told.registeredAtMs.length === 1)
      const [connection] = server.connections
      connection?.socket.send(frame(1))
      connection?.socket.send(probe)
      yield* until(() => connection?.said.at(-1) === probe)
      assert.deepStrictEqual(told.frames, [])
      yield* Deferred.succeed(gate, undefined)
      yield* until(() => told.frames.length === 1)
      assert.strictEqual((yield* session.status).pingPongs, 1)
    })
  )

  it.effect("becomes live within a second or so of its first probe", () =>
    Effect.gen(function* () {
      const { server, session, stateOf, told } = yield* setUp()
      acceptAll(server)
      yield* Effect.forkScoped(session.run)
      yield* passUntil(() => told.registeredAtMs.length === 1)
      assert.strictEqual(stateOf(), "subscribing")
      server.connections[0]?.socket.send(probe)
      yield* passUntil(() => stateOf() === "live")
    })
  )

  it.effect("registers everything again after a cut, and tells since when nothing was heard", () =>
    Effect.gen(function* () {
      const symbols = codes(3)
      const { server, session, told } = yield* setUp({ symbols })
      acceptAll(server)
      yield* Effect.forkScoped(session.run)
      yield* passUntil(() => told.registeredAtMs.length === 3)
      const heardAtMs = yield* Clock.currentTimeMillis
      server.connections[0]?.socket.send(frame(1))
      yield* until(() => told.frames.length === 1)
      yield* TestClock.adjust("3 seconds")
      server.connections[0]?.socket.terminate()
      yield* until(() => told.events.includes("lost"))
      yield* passUntil(() => told.registeredAtMs.length === 6)
      assert.deepStrictEqual(told.lostSinceMs, [heardAtMs])
      assert.deepStrictEqual(askedAt(server, 1), symbols)
      assert.strictEqual((yield* session.status).connects, 2)
      // One second after a session that was live, spread by a quarter.
      assert.isAtLeast((told.registeredAtMs[3] ?? 0) - heardAtMs, 3_000 + 750)
    })
  )

  it.effect("is counted by why it was lost, from 0 on", () =>
    Effect.gen(function* () {
      const counts = Effect.map(Metric.snapshot, (all) =>
        Object.fromEntries<number>(
          all.flatMap(({ attributes, id, state, type }) =>
            id === "observer_reconnects_total" && type === "Counter" && attributes?.["account"] === "main"
              ? [[attributes["reason"] ?? "", Number((state as { count: number }).count)] as const]
              : []
          )
        )
      )
      let failure: KisError | undefined = new KisUnreachable({ operation: "approval", detail: "ECONNRESET" })
      const { server, session, told } = yield* setUp({ failure: () => failure })
      const before = yield* counts
      assert.sameMembers(Object.keys(before), ["cut", "silence", "overflow", "keyInUse", "unapproved", "approval"])
      acceptAll(server)
      const added = Effect.map(counts, (now) =>
        Object.entries(now).flatMap(([reason, count]) => (count > (before[reason] ?? 0) ? [reason] : []))
      )
      yield* Effect.forkScoped(session.run)
      yield* passUntil(() => looked(added)().includes("approval"), 100)
      failure = undefined
      yield* passUntil(() => told.registeredAtMs.length === 1, 100)
      server.connections[0]?.socket.terminate()
      yield* passUntil(() => told.registeredAtMs.length === 2, 100)
      assert.sameMembers(yield* added, ["approval", "cut"])
    })
  )

  it.effect("hands on what came before a cut, though a registration is on its way", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      const { server, session, told } = yield* setUp({ symbols: codes(40), onFrames: () => Deferred.await(gate) })
      acceptAll(server)
      yield* Effect.forkScoped(session.run)
      yield* passUntil(() => told.registeredAtMs.length === 3)
      const [connection] = server.connections
      for (let at = 0; at < 50; at++) connection?.socket.send(frame(at))
      connection?.socket.terminate()
      yield* until(() => connection?.closedWith !== undefined)
      // The next registrations find the connection closed, long before the handler has done its work.
      yield* TestClock.adjust("2 seconds")
      yield* Deferred.succeed(gate, undefined)
      yield* passUntil(() => told.events.includes("lost"))
      assert.deepStrictEqual(
        told.frames,
        Array.from({ length: 50 }, (_, at) => frame(at))
      )
    })
  )

  it.effect("waits five seconds and more when the key is in use", () =>
    Effect.gen(function* () {
      const { server, session, stateOf } = yield* setUp()
      server.onText((_text, { socket }) => socket.send(keyInUse))
      const clock = yield* Clock.Clock
      const connectedAtMs: Array<number> = []
      server.onConnect(() => connectedAtMs.push(clock.currentTimeMillisUnsafe()))
      yield* Effect.forkScoped(session.run)
      yield* passUntil(() => stateOf() === "waiting")
      assert.deepInclude((yield* session.status).state, { for_ms: 5_000 })
      yield* passUntil(() => connectedAtMs.length === 3, 50)
      const apart = connectedAtMs.slice(1).map((at, index) => at - (connectedAtMs[index] ?? 0))
      assert.isAtLeast(apart[0] ?? 0, 3_750)
      assert.isAtLeast(apart[1] ?? 0, 7_500)
    })
  )

  it.effect("takes another approval key after the broker did not know it", () =>
    Effect.gen(function* () {
      const { approval, server, session, told } = yield* setUp()
      acceptAll(server, ({ approvalKey, trKey }) =>
        approvalKey.endsWith("0") ? reply(trKey, "OPSP0011", `invalid approval : ${approvalKey}`) : accepted(trKey)
      )
      yield* Effect.forkScoped(session.run)
      yield* passUntil(() => told.registeredAtMs.length === 1, 50)
      assert.deepStrictEqual(approval, { drops: 1, asked: 2 })
      assert.strictEqual(askedIn(server.connections[1]?.said[0] ?? "")?.approvalKey, `${secrets.approvalKey}1`)
    })
  )

  it.effect("parks when the key or the credentials are refused, and connects no more", () =>
    Effect.gen(function* () {
      const first = yield* setUp()
      first.server.onText((_text, { socket }) => socket.send(reply("005930", "OPSP0010")))
      yield* Effect.forkScoped(first.session.run)
      yield* passUntil(() => first.stateOf() === "parked")
      const second = yield* setUp({ failure: () => new KisCredentialsRejected({ account: "main", code: "EGW00103" }) })
      yield* Effect.forkScoped(second.session.run)
      yield* passUntil(() => second.stateOf() === "parked")
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(first.server.connections.length, 1)
      assert.strictEqual(second.server.connections.length, 0)
    })
  )

  it.effect("waits ever longer while there is no approval key, and no connection is begun", () =>
    Effect.gen(function* () {
      let failures = 0
      const { server, session, told } = yield* setUp({
        failure: () => (failures++ < 4 ? new KisUnreachable({ operation: "approval key", detail: "cut" }) : undefined)
      })
      acceptAll(server)
      const startMs = yield* Clock.currentTimeMillis
      yield* Effect.forkScoped(session.run)
      yield* passUntil(() => told.registeredAtMs.length === 1, 50)
      assert.strictEqual((yield* session.status).connects, 1)
      assert.isAtLeast((told.registeredAtMs[0] ?? 0) - startMs, 1_000 + 2_000 + 4_000 + 8_000)
      assert.deepStrictEqual(told.lostSinceMs, [])
    })
  )

  it.effect("waits for an approval key as long as the broker's trouble wants, not a second", () =>
    Effect.gen(function* () {
      let failures = 0
      const again = { min_ms: 60_000, max_ms: 90_000 }
      const trouble = new KisDisturbed({ operation: "approval key", status: 500, code: "EGW00003", text: "", again })
      const { server, session, told } = yield* setUp({ failure: () => (failures++ < 2 ? trouble : undefined) })
      acceptAll(server)
      const startMs = yield* Clock.currentTimeMillis
      yield* Effect.forkScoped(session.run)
      yield* passUntil(() => told.registeredAtMs.length === 1, 500)
      assert.isAtLeast((told.registeredAtMs[0] ?? 0) - startMs, 60_000 + 90_000)
    })
  )

  it.effect("gives up a connection that says nothing for two minutes", () =>
    Effect.gen(function* () {
      const { server, session, told } = yield* setUp()
      acceptAll(server)
      yield* Effect.forkScoped(session.run)
      yield* passUntil(() => told.registeredAtMs.length === 1)
      const heardAtMs = (yield* session.status).lastHeardMs ?? 0
      yield* TestClock.setTime(heardAtMs + 119_000)
      assert.deepStrictEqual(told.lostSinceMs, [])
      yield* TestClock.adjust("2 seconds")
      yield* until(() => told.lostSinceMs.length === 1)
      assert.deepStrictEqual(told.lostSinceMs, [heardAtMs])
    })
  )

  it.effect("connects anew when the clock is set back by hours, and tells of no loss that lies ahead", () =>
    Effect.gen(function* () {
      const { clock, setBack } = yield* movableClock
      yield* Effect.gen(function* () {
        const { server, session, told } = yield* setUp()
        acceptAll(server)
        yield* Effect.forkScoped(session.run)
        yield* passUntil(() => told.registeredAtMs.length === 1)
        setBack(900)
        yield* TestClock.adjust("5 seconds")
        assert.deepStrictEqual(told.events, ["registered 005930"])
        setBack(3 * 3_600_000)
        yield* passUntil(() => told.registeredAtMs.length === 2, 100)
        assert.deepStrictEqual(told.events, ["registered 005930", "lost", "registered 005930"])
        assert.isAtMost(told.lostSinceMs[0] ?? 0, told.registeredAtMs[1] ?? 0)
      }).pipe(Effect.provideService(Clock.Clock, clock))
    })
  )

  it.effect("does not take its own handler's slowness for the broker's silence", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      const { server, session, told } = yield* setUp({ onFrames: () => Deferred.await(gate) })
      acceptAll(server)
      yield* Effect.forkScoped(session.run)
      yield* passUntil(() => told.registeredAtMs.length === 1)
      const count = 6_000
      const padding = "x".repeat(300)
      for (let at = 0; at < count; at++) server.connections[0]?.socket.send(`${frame(at)} ${padding}`)
      yield* TestClock.adjust("10 minutes")
      yield* Deferred.succeed(gate, undefined)
      yield* passUntil(() => told.frames.length === count, 1)
      assert.strictEqual(server.connections.length, 1)
      assert.isTrue(told.frames.every((text, at) => text.startsWith(`${frame(at)} `)))
      assert.deepStrictEqual(told.lostSinceMs, [])
    })
  )

  it.effect("that crashed tells of its loss when it runs again, from before the frames that were not handled", () =>
    Effect.gen(function* () {
      let crash = false
      const { server, session, told } = yield* setUp({ onFrames: () => (crash ? Effect.die("crash") : Effect.void) })
      acceptAll(server)
      const first = yield* Effect.forkScoped(Effect.exit(session.run))
      yield* passUntil(() => told.registeredAtMs.length === 1)
      server.connections[0]?.socket.send(frame("handled"))
      yield* until(() => told.frames.length === 1)
      const handledAtMs = yield* Clock.currentTimeMillis
      yield* TestClock.adjust("5 seconds")
      crash = true
      server.connections[0]?.socket.send(frame("lost"))
      yield* until(() => first.pollUnsafe() !== undefined)
      crash = false
      yield* Effect.forkScoped(session.run)
      yield* passUntil(() => told.registeredAtMs.length === 2)
      assert.deepStrictEqual(told.lostSinceMs, [handledAtMs])
    })
  )

  it.effect("that was stopped on purpose is idle, holds nothing, and has lost nothing when it runs again", () =>
    Effect.gen(function* () {
      const { server, session, told } = yield* setUp()
      acceptAll(server)
      const first = yield* Effect.forkScoped(session.run)
      yield* passUntil(() => told.registeredAtMs.length === 1)
      yield* Fiber.interrupt(first)
      yield* session.stopped
      assert.deepInclude(yield* session.status, { state: { _tag: "idle" }, slotsHeld: 0 })
      yield* Effect.forkScoped(session.run)
      yield* passUntil(() => told.registeredAtMs.length === 2)
      assert.deepStrictEqual(told.lostSinceMs, [])
    })
  )

  it.effect("closes its connection cleanly when it is stopped", () =>
    Effect.gen(function* () {
      const { server, session, told } = yield* setUp()
      acceptAll(server)
      const running = yield* Effect.forkScoped(session.run)
      yield* passUntil(() => told.registeredAtMs.length === 1)
      yield* Fiber.interrupt(running)
      yield* until(() => server.connections[0]?.closedWith !== undefined)
      assert.strictEqual(server.connections[0]?.closedWith, 1000)
    })
  )

  it.effect("connects only when the governor lets it, and says what it waits for", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      let asked = 0
      const permit = Effect.suspend(() => {
        asked += 1
        return Deferred.await(gate)
      })
      const { server, session, statusOf, told } = yield* setUp({ permit })
      acceptAll(server)
      yield* Effect.forkScoped(session.run)
      yield* passUntil(() => statusOf().state._tag === "waiting")
      assert.deepInclude(statusOf().state, {
        for_ms: undefined,
        because: "the next connect is held back: too many in a row get the key blocked"
      })
      yield* TestClock.adjust("40 minutes")
      assert.strictEqual(server.connections.length, 0)
      yield* Deferred.succeed(gate, undefined)
      yield* passUntil(() => told.registeredAtMs.length === 1)
      server.connections[0]?.socket.terminate()
      yield* passUntil(() => told.registeredAtMs.length === 2, 50)
      assert.strictEqual(asked, 2)
    })
  )

  it.effect("that wants nothing does not connect, and begins once it does", () =>
    Effect.gen(function* () {
      const { server, session, stateOf, told } = yield* setUp({ symbols: [] })
      acceptAll(server)
      yield* Effect.forkScoped(session.run)
      yield* passUntil(() => stateOf() === "idle")
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(server.connections.length, 0)
      yield* session.want(tradesOf(["005930"]))
      yield* passUntil(() => told.registeredAtMs.length === 1)
    })
  )

  it.effect("waits ever longer while the key is in use, though every connection opens and is probed", () =>
    Effect.gen(function* () {
      const { server, session, stateOf, statusOf } = yield* setUp()
      server.onText((_text, { socket }) => {
        socket.send(probe)
        socket.send(keyInUse)
      })
      const waits: Array<number | undefined> = []
      yield* Effect.forkScoped(session.run)
      for (let times = 1; times <= 6; times++) {
        yield* passUntil(() => server.connections.length === times && stateOf() === "waiting", 500)
        const { state } = statusOf()
        waits.push(state._tag === "waiting" ? state.for_ms : undefined)
      }
      assert.deepStrictEqual(waits, [5_000, 10_000, 20_000, 40_000, 60_000, 60_000])
    })
  )

  it.effect("asks for a new approval key once, then waits for minutes", () =>
    Effect.gen(function* () {
      const { approval, server, session, stateOf, statusOf } = yield* setUp()
      server.onText((_text, { socket }) => socket.send(reply("005930", "OPSP0011")))
      yield* Effect.forkScoped(session.run)
      yield* passUntil(() => server.connections.length === 2 && stateOf() === "waiting", 100)
      assert.deepInclude(statusOf().state, { for_ms: 300_000 })
      assert.deepStrictEqual(approval, { drops: 2, asked: 2 })
      yield* TestClock.adjust("200 seconds")
      assert.strictEqual(server.connections.length, 2)
    })
  )

  it.effect("that is answered nothing at all tries another approval key", () =>
    Effect.gen(function* () {
      const { approval, server, session, told } = yield* setUp({ symbols: codes(2) })
      acceptAll(server, ({ approvalKey, trKey }) => (approvalKey.endsWith("0") ? undefined : accepted(trKey)))
      server.onConnect(({ socket }) => socket.send(probe))
      yield* Effect.forkScoped(session.run)
      yield* passUntil(() => told.registeredAtMs.length === 2, 200)
      assert.deepStrictEqual(approval, { drops: 1, asked: 2 })
    })
  )

  it.effect("fails with the refused key, for its account to end", () =>
    Effect.gen(function* () {
      const { server, session, stateOf } = yield* setUp()
      server.onText((_text, { socket }) => socket.send(reply("005930", "OPSP0010")))
      const running = yield* Effect.forkScoped(Effect.flip(session.run))
      yield* passUntil(() => running.pollUnsafe() !== undefined)
      assert.deepInclude(yield* Fiber.join(running), { _tag: "KisCredentialsRejected", code: "OPSP0010" })
      assert.strictEqual(stateOf(), "parked")
    })
  )

  it.effect("that is cut while it registers registers everything on the next connection", () =>
    Effect.gen(function* () {
      const symbols = codes(6)
      const { server, session, statusOf, told } = yield* setUp({ symbols })
      acceptAll(server, ({ trKey }, connection) => {
        if (server.connections.length === 1 && askedOf(connection).length === 3) connection.socket.terminate()
        return accepted(trKey)
      })
      yield* Effect.forkScoped(session.run)
      yield* passUntil(() => statusOf().slotsHeld === 6, 50)
      assert.deepStrictEqual(askedAt(server, 1), symbols)
      assert.strictEqual(told.lostSinceMs.length, 1)
    })
  )

  it.effect("that the broker half-closes is lost like any other", () =>
    Effect.gen(function* () {
      const { server, session, told } = yield* setUp()
      acceptAll(server)
      yield* Effect.forkScoped(session.run)
      yield* passUntil(() => told.registeredAtMs.length === 1)
      const [connection] = server.connections
      const inner = connection?.socket as unknown as { readonly _socket: Socket } | undefined
      inner?._socket.end()
      yield* passUntil(() => told.registeredAtMs.length === 2, 50)
      assert.deepStrictEqual(
        told.events.filter((event) => event.startsWith("lost")),
        ["lost"]
      )
    })
  )

  it.effect("takes no late word of an older connection for one of the new", () =>
    Effect.gen(function* () {
      const { server, session, statusOf, told } = yield* setUp({ symbols: ["a", "b"] })
      // The first connection answers nothing at first; once it has been given up, everything comes at once.
      acceptAll(server, ({ trKey }, connection) =>
        connection === server.connections[0] && trKey === "b" ? undefined : accepted(trKey)
      )
      yield* Effect.forkScoped(session.run)
      yield* passUntil(() => told.registeredAtMs.length === 1)
      acceptAll(server, () => undefined)
      const [old] = server.connections
      yield* session.renew("a test wants it")
      // While the old connection is still closing, and again after the new one has opened.
      old?.socket.send(accepted("b"))
      old?.socket.send(frame("late"))
      yield* passUntil(() => server.connections.length === 2, 20)
      old?.socket.send(accepted("a"))
      old?.socket.send(keyInUse)
      old?.socket.terminate()
      yield* passUntil(() => askedAt(server, 1).length === 2)
      assert.strictEqual(statusOf().slotsHeld, 0)
      assert.strictEqual(statusOf().connects, 2)
      assert.deepStrictEqual(told.frames, [])
      for (const code of ["a", "b"]) server.connections[1]?.socket.send(accepted(code))
      yield* until(() => statusOf().slotsHeld === 2)
      assert.deepStrictEqual(told.events, ["registered a", "lost to silence", "registered a", "registered b"])
    })
  )

  it.effect("shows that it is quiet before it gives up, and is live again by a probe", () =>
    Effect.gen(function* () {
      const { server, session, stateOf, told } = yield* setUp()
      acceptAll(server)
      yield* Effect.forkScoped(session.run)
      yield* passUntil(() => told.registeredAtMs.length === 1)
      yield* passUntil(() => stateOf() === "silent", 1_000)
      server.connections[0]?.socket.send(probe)
      yield* passUntil(() => stateOf() === "live")
      // The quiet that ended in a probe was a minute: three of them are not enough to give up now.
      yield* TestClock.adjust("150 seconds")
      assert.deepStrictEqual(told.lostSinceMs, [])
    })
  )

  it.effect("logs neither the approval key nor what the broker says about it", () =>
    Effect.gen(function* () {
      const lines: Array<string> = []
      const hear = Logger.layer([
        Logger.make((entry) => void lines.push(JSON.stringify([entry.message, String(entry.cause)])))
      ])
      const { server, session, stateOf } = yield* setUp({ symbols: codes(3) })
      const bodies = [
        `{"header":{"tr_id":"x"}}`,
        `{${secrets.approvalKey}`,
        reply("001000", "OPSP0007", secrets.approvalKey)
      ]
      server.onText((text, { socket }) => {
        for (const body of bodies) socket.send(body)
        socket.send(reply("001000", "OPSP0011", `invalid approval : ${askedIn(text)?.approvalKey}`))
      })
      yield* Effect.forkScoped(Effect.provide(session.run, hear))
      yield* passUntil(() => stateOf() === "waiting")
      assert.isAtLeast(lines.length, 3)
      assert.isUndefined(leakIn(lines.join("\n")))
    })
  )
})
