import { assert, describe, it } from "@effect/vitest"
import { Clock, Deferred, Effect, Fiber, Logger, Redacted } from "effect"
import { TestClock } from "effect/testing"
import type { ApprovalKey } from "../../src/kis/ApprovalKey.ts"
import { KisCredentialsRejected, type KisError, KisUnreachable } from "../../src/kis/KisError.ts"
import { makeStreamSession, type SessionHandler } from "../../src/kis/StreamSession.ts"
import { accountAt, leakIn, secrets } from "../support/accounts.ts"
import { type KisServer, makeKisServer } from "../support/kisServer.ts"
import { acceptAll, accepted, askedIn, askedOf, keyInUse, probe, reply } from "../support/subscriptions.ts"
import { looked, passUntil, until } from "../support/virtualTime.ts"

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
      assert.isAtLeast((told.registeredAtMs[0] ?? 0) - startMs, 0.75 * (1_000 + 2_000 + 4_000 + 8_000))
      assert.deepStrictEqual(told.lostSinceMs, [])
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
