import { NodeHttpClient } from "@effect/platform-node"
import { assert, layer } from "@effect/vitest"
import { Context, Deferred, Effect, Fiber, Layer, Redacted, Stream } from "effect"
import { TestClock } from "effect/testing"
import type { FedAccount } from "../../src/feed/AccountFeed.ts"
import { KisFeed } from "../../src/feed/KisFeed.ts"
import { accountAt, secrets } from "../support/accounts.ts"
import { acceptAll, askedIn as askedToRegister, reply } from "../support/subscriptions.ts"
import { json, type KisServer, makeKisServer, type SeenRequest } from "../support/kisServer.ts"
import { looked, passUntil, scratchFolder } from "../support/virtualTime.ts"
import { machineDisk } from "../journal/fixtures.ts"
import { ofKind, openRoom } from "./room.ts"

const symbols = Array.from({ length: 90 }, (_, at) => `00${1_000 + at}`)
const success = (rows: unknown) => json({ rt_cd: "0", msg_cd: "MCA00000", msg1: "ok", output: rows })
const askedIn = ({ query }: SeenRequest) =>
  [...query].flatMap(([key, value]) => (key.startsWith("FID_INPUT_ISCD") ? [value] : []))

/** A broker that knows every key but those named here. */
const knowsAllBut = (server: KisServer, refused: ReadonlySet<string>) =>
  server.answer((request) => {
    if (request.path === "/oauth2/tokenP") {
      const { appkey } = JSON.parse(request.body) as { readonly appkey: string }
      if (refused.has(appkey)) return json({ error_code: "EGW00103", error_description: "invalid appkey" }, 403)
      return json({ access_token: `${secrets.token}.${appkey}`, token_type: "Bearer", expires_in: 86_400 })
    }
    if (request.path === "/oauth2/Approval") {
      return json({ approval_key: (JSON.parse(request.body) as { readonly appkey: string }).appkey })
    }
    if (!request.path.endsWith("/intstock-multprice")) return json({ rt_cd: "1", msg_cd: "OPSQ0002" }, 500)
    return success(askedIn(request).map((code) => ({ inter_shrn_iscd: code, inter2_prpr: "100", acml_vol: "7" })))
  })

const accountOf = (server: KisServer, alias: string, slots: number): FedAccount => ({
  ...accountAt(server),
  alias,
  appKey: Redacted.make(alias),
  limit: { callsPerSecond: 18, source: "test" },
  slots
})

/** The feed of some accounts at one broker, started, sweeping all symbols. */
const openFeed = Effect.fnUntraced(function* (
  aliases: readonly [string, ...ReadonlyArray<string>],
  refused: ReadonlySet<string>,
  {
    mode = "always",
    slots = 0,
    swept = symbols
  }: { readonly mode?: "always" | "calendar"; readonly slots?: number; readonly swept?: ReadonlyArray<string> } = {}
) {
  const room = yield* openRoom(symbols, { mode })
  const server = yield* makeKisServer
  knowsAllBut(server, refused)
  const stateDir = yield* scratchFolder
  const [first, ...rest] = aliases
  const accounts = [accountOf(server, first, slots), ...rest.map((alias) => accountOf(server, alias, slots))] as const
  const built = yield* Layer.build(
    Layer.fresh(KisFeed.layer({ accounts, stateDir, deliver: room.shards.deliver, losses: room.shards.losses })).pipe(
      Layer.provide(machineDisk),
      Layer.provide(Layer.succeedContext(room.context))
    )
  )
  const feed = Context.get(built, KisFeed)
  const sweep = swept.map((symbol) => ({ symbol, target_ms: 10_000, planned_ms: 1_000 }))
  const stream = (alias: string, ...streamed: ReadonlyArray<string>) =>
    feed.apply({ sweep, streams: new Map([[alias, streamed.map((symbol) => ({ symbol, book: false }))]]) })
  yield* stream("nobody")
  yield* feed.start
  return { ...room, stream, server, feed, statusOf: looked(feed.status) }
})

const asksOf = (server: KisServer, alias: string) =>
  server.requests.filter(({ headers, path }) => path.endsWith("/intstock-multprice") && headers["appkey"] === alias)

layer(NodeHttpClient.layerUndici)("a feed of several accounts", (it) => {
  it.effect("shares one sweep among all of them", () =>
    Effect.gen(function* () {
      const { passUntilWritten, server, statusOf } = yield* openFeed(["one", "two", "three"], new Set())
      yield* passUntilWritten((written) => ofKind(written, "quote").length >= symbols.length)
      yield* passUntil(() => ["one", "two", "three"].every((alias) => asksOf(server, alias).length > 1))
      assert.deepStrictEqual(
        statusOf().accounts.map(({ account, down }) => [account, down]),
        [
          ["one", undefined],
          ["two", undefined],
          ["three", undefined]
        ]
      )
      // Nobody is asked for twice before everybody was asked for once.
      const calls = server.requests.filter(({ path }) => path.endsWith("/intstock-multprice"))
      // A call that is tried again asks for the same ones: the machine may be slower than virtual time.
      const batches = [...new Map(calls.map((call) => [askedIn(call).join(), askedIn(call)])).values()]
      assert.sameMembers(batches.slice(0, 3).flat(), symbols)
    })
  )

  it.effect("stops an account alone whose keys are refused, tells of it, and leaves its symbols to the others", () =>
    Effect.gen(function* () {
      const { feed, passUntilWritten, server, statusOf } = yield* openFeed(["good", "bad"], new Set(["bad"]))
      const told: Array<string> = []
      yield* Effect.forkScoped(Stream.runForEach(feed.changes, (reason) => Effect.sync(() => void told.push(reason))))
      const ended = Deferred.makeUnsafe<void>()
      yield* Effect.forkScoped(Effect.ensuring(feed.refused, Deferred.succeed(ended, undefined)))
      const written = yield* passUntilWritten((records) => ofKind(records, "quote").length >= symbols.length)
      yield* passUntil(() => statusOf().accounts[1]?.down !== undefined && told.length > 0)
      assert.sameMembers([...new Set(ofKind(written, "quote").map(({ symbol }) => symbol))], symbols)
      assert.include(told, "account bad is refused")
      const [good, bad] = yield* feed.abilities
      assert.isUndefined(good?.down)
      assert.match(bad?.down ?? "", /EGW00103/)
      assert.isFalse(Deferred.isDoneUnsafe(ended))
      assert.deepStrictEqual(asksOf(server, "bad"), [])
      const before = asksOf(server, "good").length
      yield* passUntil(() => asksOf(server, "good").length > before + 5)
    })
  )

  it.effect("stops every part of an account, whichever of them the refusal meets", () =>
    Effect.gen(function* () {
      const { feed, server, statusOf, stream } = yield* openFeed(["good", "bad"], new Set(), { slots: 3 })
      acceptAll(server, ({ trKey }) => reply(trKey, "OPSP9994"))
      yield* passUntil(() => asksOf(server, "bad").length > 2)
      yield* stream("bad", "001000")
      yield* passUntil(() => statusOf().accounts[1]?.down !== undefined)
      yield* TestClock.adjust("2 seconds")
      const before = asksOf(server, "bad").length
      const others = asksOf(server, "good").length
      yield* passUntil(() => asksOf(server, "good").length > others + 20)
      assert.strictEqual(asksOf(server, "bad").length, before)
      assert.match((yield* feed.abilities)[1]?.down ?? "", /OPSP9994/)
    })
  )

  it.effect("keeps one slot for the market's own word, and gives it to the plan where the broker refuses it", () =>
    Effect.gen(function* () {
      const { feed, server, statusOf, stream } = yield* openFeed(["one"], new Set(), { slots: 4, swept: [] })
      const told: Array<string> = []
      yield* Effect.forkScoped(Stream.runForEach(feed.changes, (reason) => Effect.sync(() => void told.push(reason))))
      const slots = Effect.map(feed.abilities, ([one]) => one?.slots)
      const asked = (connection: number) =>
        server.connections[connection]?.said.flatMap((text) => {
          const { action, trId, trKey } = askedToRegister(text) ?? {}
          return action === "1" ? [`${trId} ${trKey}`] : []
        })
      acceptAll(server, ({ trId, trKey }) => reply(trKey, "OPSP0000", "SUBSCRIBE SUCCESS", trId))
      assert.strictEqual(yield* slots, 3)
      yield* stream("one", "001000", "001001", "001002")
      yield* passUntil(() => statusOf().accounts[0]?.stream.slotsHeld === 4)
      assert.deepStrictEqual(asked(0), [
        "H0STMKO0 001000",
        ...["001000", "001001", "001002"].map((of) => `H0STCNT0 ${of}`)
      ])
      // Another order of the same symbols changes no registration.
      yield* stream("one", "001002", "001000", "001001")
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual(asked(0)?.length, 4)
      acceptAll(server, ({ trId, trKey }) => reply(trKey, trId === "H0STMKO0" ? "OPSP8991" : "OPSP0000", "words", trId))
      server.connections[0]?.socket.terminate()
      yield* passUntil(() => told.includes("account one is not told of the market's halts"))
      assert.strictEqual(yield* slots, 4)
      yield* stream("one", "001000", "001001", "001002", "001003")
      yield* passUntil(() => statusOf().accounts[0]?.stream.slotsHeld === 4)
      assert.deepStrictEqual(statusOf().accounts[0]?.stream.unanswered, [])
    })
  )

  it.effect("asks another account for the calendar when the keys of the first are refused", () =>
    Effect.gen(function* () {
      const { server } = yield* openFeed(["bad", "good"], new Set(["bad"]), { mode: "calendar", swept: [] })
      const asks = () => server.requests.filter(({ path }) => path.endsWith("/chk-holiday"))
      yield* passUntil(() => asks().length > 0, 1_000)
      assert.strictEqual(asks()[0]?.headers["appkey"], "good")
    })
  )

  it.effect("fails once the keys of every account are refused", () =>
    Effect.gen(function* () {
      const { feed } = yield* openFeed(["bad", "worse"], new Set(["bad", "worse"]))
      const failing = yield* Effect.forkScoped(Effect.flip(feed.refused))
      yield* passUntil(() => failing.pollUnsafe() !== undefined)
      const { account, code } = yield* Fiber.join(failing)
      assert.strictEqual(code, "EGW00103")
      assert.include(["bad", "worse"], account)
    })
  )
})
