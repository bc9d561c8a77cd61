import { assert, describe, it } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import { TestClock } from "effect/testing"
import { Exchange } from "../../src/simulator/Exchange.ts"
import type { Fault } from "../../src/simulator/faults/Fault.ts"
import { passUntil, until } from "../support/virtualTime.ts"
import { WebSocket } from "ws"
import { approvalOf, registration } from "./client.ts"
import { rawCall } from "./rawCall.ts"

/** Of `H0STCNT0` in 1970, where the test clock stands: as before 2026-09-14. */
const columns = 46
const symbol = "005930"

const exchange = (faults: ReadonlyArray<Fault>) => Exchange.layer({ faults, tradesPerSecond: 2_000 })

/** A client that keeps what it is sent, with one symbol registered. */
const listener = Effect.fnUntraced(function* (key = "PSKEY"): Effect.fn.Return<
  {
    readonly texts: ReadonlyArray<string>
    readonly bytes: ReadonlyArray<Buffer>
    readonly frames: () => ReadonlyArray<string>
    readonly closedWith: () => number | undefined
    register(code?: string): void
  },
  never,
  Exchange | Scope.Scope
> {
  const approval = yield* approvalOf(key)
  const { wsUrl } = yield* Exchange
  const socket = yield* Effect.acquireRelease(
    Effect.callback<WebSocket>((resume) => {
      const opening = new WebSocket(wsUrl, { skipUTF8Validation: true })
      opening.on("error", (error) => resume(Effect.die(error)))
      opening.on("open", () => resume(Effect.succeed(opening)))
    }),
    (opened) => Effect.sync(() => opened.terminate())
  )
  const texts: Array<string> = []
  const bytes: Array<Buffer> = []
  let code: number | undefined
  socket.on("message", (data) => {
    bytes.push(Buffer.from(data as Buffer))
    texts.push(String(data))
  })
  socket.on("close", (closed) => (code = closed))
  const frames = () => texts.filter((text) => text.startsWith("0|"))
  const register = (trKey = symbol) => socket.send(registration(approval, trKey))
  return { texts, bytes, frames, closedWith: () => code, register }
})

const headOf = (frame: string) => {
  const [, trId, count, body = ""] = frame.split("|")
  return { trId, count: Number(count), values: body.split("^") }
}
const widthOf = (frame: string) => headOf(frame).values.length / headOf(frame).count
const cumVolume = (frame: string) => Number(headOf(frame).values[13])
/** The `ACML_VOL` of the first record of each frame. */
const volumes = (frames: ReadonlyArray<string>) => frames.map(cumVolume)
const rises = (numbers: ReadonlyArray<number>) =>
  numbers.every((value, at) => at === 0 || value > (numbers[at - 1] ?? 0))

describe("a fault of a stream", () => {
  it.effect("cuts the socket without a close frame, once", () =>
    Effect.gen(function* () {
      const first = yield* listener()
      first.register()
      yield* passUntil(() => first.closedWith() !== undefined)
      assert.strictEqual(first.closedWith(), 1006)
      yield* TestClock.adjust("10 seconds")
      const second = yield* listener()
      second.register()
      yield* passUntil(() => second.frames().length > 3)
      assert.isUndefined(second.closedWith())
    }).pipe(Effect.provide(exchange([{ fault: "cut", where: { symbol } }])))
  )

  it.effect("falls silent at a time, PINGPONG and all, and speaks again at another", () =>
    Effect.gen(function* () {
      const client = yield* listener()
      client.register()
      yield* passUntil(() => client.frames().length > 0)
      yield* TestClock.setTime(5_000)
      const heard = client.texts.length
      yield* passUntil(() => false, 1_000).pipe(
        Effect.raceFirst(until(() => client.texts.length > heard)),
        Effect.asVoid
      )
      assert.isAtLeast(yield* Effect.clockWith((clock) => clock.currentTimeMillis), 60_000)
      assert.isUndefined(client.closedWith())
    }).pipe(Effect.provide(exchange([{ fault: "streamSilence", from: 5, for: 55 }])))
  )

  it.effect("sends a frame twice", () =>
    Effect.gen(function* () {
      const client = yield* listener()
      client.register()
      yield* passUntil(() => client.frames().length >= 3)
      const [first, again, next] = client.frames()
      assert.strictEqual(first, again)
      assert.isTrue(rises(volumes([again ?? "", next ?? ""])))
    }).pipe(Effect.provide(exchange([{ fault: "duplicateFrames", count: 1 }])))
  )

  it.effect("sends a frame after the one that follows it", () =>
    Effect.gen(function* () {
      const client = yield* listener()
      client.register()
      yield* passUntil(() => client.frames().length >= 3)
      const [second = "", first = "", third = ""] = client.frames()
      assert.isTrue(rises(volumes([first, second, third])))
    }).pipe(Effect.provide(exchange([{ fault: "reorderFrames", count: 1 }])))
  )

  it.effect("counts a record too many, adds columns, or takes some away", () =>
    Effect.gen(function* () {
      const client = yield* listener()
      client.register()
      yield* passUntil(() => client.frames().length >= 4)
      const [wrong = "", more = "", fewer = "", fine = ""] = client.frames()
      assert.strictEqual(headOf(wrong).values.length, (headOf(wrong).count - 1) * columns)
      assert.strictEqual(widthOf(more), columns + 2)
      assert.strictEqual(headOf(more).values[columns], "0")
      assert.strictEqual(widthOf(fewer), columns - 1)
      assert.strictEqual(widthOf(fine), columns)
      assert.isTrue(rises(volumes(client.frames())))
    }).pipe(
      Effect.provide(
        exchange([
          { fault: "wrongCount", count: 1 },
          { fault: "moreColumns", columns: 2, count: 1 },
          { fault: "fewerColumns", count: 1 }
        ])
      )
    )
  )

  it.effect("ends a record in half a character", () =>
    Effect.gen(function* () {
      const client = yield* listener()
      client.register()
      yield* passUntil(() => client.frames().length >= 2)
      const frame = client.bytes.find((bytes) => bytes.toString("latin1").startsWith("0|")) ?? Buffer.alloc(0)
      assert.deepStrictEqual([...frame.subarray(-2)], [0xea, 0xb0])
      assert.isTrue((client.frames()[0] ?? "").endsWith("\ufffd"))
    }).pipe(Effect.provide(exchange([{ fault: "splitUtf8", count: 1 }])))
  )

  it.effect("loses the answer to a subscription that takes effect", () =>
    Effect.gen(function* () {
      const client = yield* listener()
      client.register()
      yield* passUntil(() => client.frames().length > 0)
      assert.isEmpty(client.texts.filter((text) => text.includes("OPSP0000")))
    }).pipe(Effect.provide(exchange([{ fault: "lostAck" }])))
  )

  it.effect("refuses a subscription with the code it was given", () =>
    Effect.gen(function* () {
      const client = yield* listener()
      client.register()
      yield* passUntil(() => client.texts.length > 0)
      assert.include(client.texts[0] ?? "", '"msg_cd":"OPSP8996"')
      client.register()
      yield* passUntil(() => client.frames().length > 0)
    }).pipe(Effect.provide(exchange([{ fault: "refuseSubscribe", code: "OPSP8996", count: 1 }])))
  )

  it.effect("accepts a subscription and sends no record of it, and none but it", () =>
    Effect.gen(function* () {
      const client = yield* listener()
      client.register()
      client.register("000660")
      yield* passUntil(() => client.frames().length > 5)
      assert.deepStrictEqual([...new Set(client.frames().map((frame) => headOf(frame).values[0]))], ["000660"])
      assert.strictEqual(client.texts.filter((text) => text.includes("OPSP0000")).length, 2)
    }).pipe(Effect.provide(exchange([{ fault: "ackThenSilence", where: { symbol } }])))
  )

  it.effect("stops PINGPONG alone", () =>
    Effect.gen(function* () {
      const client = yield* listener()
      client.register("Q500001")
      yield* passUntil(() => client.texts.length > 0)
      yield* TestClock.setTime(60_000)
      const pings = () => client.texts.filter((text) => text.includes("PINGPONG")).length
      assert.strictEqual(pings(), 0)
      yield* passUntil(() => pings() > 0, 1_000)
      assert.isAtLeast(yield* Effect.clockWith((clock) => clock.currentTimeMillis), 90_000)
    }).pipe(Effect.provide(Exchange.layer({ tradesPerSecond: 0, faults: [{ fault: "pingpongStopped", for: 90 }] })))
  )

  it.effect("makes the market trade fifty times as fast for a while", () =>
    Effect.gen(function* () {
      const { controlUrl, stats } = yield* Exchange
      const made = (from: number, to: number) =>
        Effect.gen(function* () {
          yield* TestClock.setTime(from * 1_000)
          const before = (yield* stats).tradesMade
          yield* TestClock.setTime(to * 1_000)
          return (yield* stats).tradesMade - before
        })
      const calm = yield* made(1, 5)
      const wild = yield* made(10.5, 14.5)
      const after = yield* made(21, 25)
      assert.isAbove(wild, calm * 20)
      assert.isBelow(after, calm * 5)
      const { body } = yield* rawCall(controlUrl.replace("stats", "faults"))
      assert.include(body, '"phase":"over","chances":1,"strikes":1')
    }).pipe(Effect.provide(Exchange.layer({ tradesPerSecond: 100, faults: [{ fault: "burst", from: 10 }] })))
  )
})
