import { NodeHttpClient } from "@effect/platform-node"
import { assert, layer } from "@effect/vitest"
import { Cause, Effect, Exit, Fiber, Redacted, type Scope, Tracer } from "effect"
import { HttpClient } from "effect/http"
import { createServer, type Socket } from "node:net"
import { exchange, type KisCall } from "../../src/kis/KisHttp.ts"
import { makeQuotations } from "../../src/kis/Quotations.ts"
import { tracedCall } from "../../src/kis/tracedCall.ts"
import type { Token } from "../../src/kis/Token.ts"
import { accountAt, leakIn, secrets } from "../support/accounts.ts"
import { json, makeKisServer, type ScriptedAnswer, type SeenRequest } from "../support/kisServer.ts"
import { passUntil } from "../support/virtualTime.ts"
import { sampleJson } from "../support/samples.ts"

const row = (symbol: string) => ({ inter_shrn_iscd: symbol, inter2_prpr: "100" })
const success = (output: unknown) => json({ rt_cd: "0", msg_cd: "MCA00000", msg1: "ok", output })
const refusal = (msg_cd: string, status = 500) => json({ rt_cd: "1", msg_cd, msg1: "words" }, status)

/** A token whose text changes each time it is dropped. */
const countedToken = () => {
  const state = { drops: 0 }
  const token: Token = {
    current: Effect.sync(() => Redacted.make(`${secrets.token}.${state.drops}`)),
    drop: () => Effect.sync(() => void (state.drops += 1)),
    keepFresh: Effect.never,
    status: Effect.succeed({ expiresAtMs: undefined, issues: 0 })
  }
  return { state, token }
}

const setUp = Effect.gen(function* () {
  const server = yield* makeKisServer
  const client = yield* HttpClient.HttpClient
  const account = accountAt(server)
  const { state, token } = countedToken()
  const call: KisCall = (request) => Effect.provideService(exchange(account, request), HttpClient.HttpClient, client)
  return { server, tokens: state, call, quotations: makeQuotations(account, call, token) }
})

/** Answers in the order given, the last one for ever. */
const inTurn = (...answers: ReadonlyArray<ScriptedAnswer>) => {
  let at = 0
  return () => answers[Math.min(at++, answers.length - 1)] ?? "cut"
}

/** Runs to its end while virtual time passes, so that waits between tries cost nothing. */
const toEnd = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<Exit.Exit<A, E>, never, R | Scope.Scope> =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkScoped(effect)
    yield* passUntil(() => fiber.pollUnsafe() !== undefined, 20)
    return yield* Fiber.await(fiber)
  })

const errorOf = <A, E>(exit: Exit.Exit<A, E>): E => {
  assert.isTrue(Exit.isFailure(exit), "it should have failed")
  const reason = Exit.isFailure(exit) ? exit.cause.reasons.find(Cause.isFailReason) : undefined
  if (reason === undefined) throw new Error(String(exit))
  return reason.error
}

layer(NodeHttpClient.layerUndici)("quotations", (it) => {
  it.effect("ask for 30 symbols in numbered pairs, with the headers the broker wants and no others", () =>
    Effect.gen(function* () {
      const { quotations, server } = yield* setUp
      server.answer(() => success([]))
      const symbols = Array.from({ length: 30 }, (_, at) => `00${1_000 + at}`)
      assert.deepStrictEqual(yield* quotations.multiPrice(() => symbols), [])
      const [request] = server.requests as [SeenRequest]
      assert.strictEqual(request.method, "GET")
      assert.strictEqual(request.path, "/uapi/domestic-stock/v1/quotations/intstock-multprice")
      assert.deepStrictEqual(
        [...request.query],
        symbols.flatMap((symbol, at) => [
          [`FID_COND_MRKT_DIV_CODE_${at + 1}`, "J"],
          [`FID_INPUT_ISCD_${at + 1}`, symbol]
        ])
      )
      const { host: _host, connection: _connection, ...headers } = request.headers
      assert.deepStrictEqual(headers, {
        authorization: `Bearer ${secrets.token}.0`,
        appkey: secrets.appKey,
        appsecret: secrets.appSecret,
        tr_id: "FHKST11300006",
        tr_cont: "",
        custtype: "P",
        accept: "application/json",
        "content-type": "application/json; charset=utf-8",
        "user-agent": "observer/0.1"
      })
    })
  )

  it.effect("never ask for more than 30 symbols, whose rest the broker would drop without a word", () =>
    Effect.gen(function* () {
      const { quotations, server } = yield* setUp
      server.answer(() => success([]))
      yield* quotations.multiPrice(() => Array.from({ length: 45 }, (_, at) => `00${1_000 + at}`))
      const keys = [...(server.requests[0]?.query.keys() ?? [])]
      assert.strictEqual(keys.length, 60)
      assert.strictEqual(keys.at(-1), "FID_INPUT_ISCD_30")
    })
  )

  it.effect("give the captured rows as they came", () =>
    Effect.gen(function* () {
      const { quotations, server } = yield* setUp
      const { body } = sampleJson<{ body: { output: ReadonlyArray<Record<string, string>> } }>(
        "intstock-multprice.json"
      )
      server.answer(() => success(body.output))
      assert.deepStrictEqual(yield* quotations.multiPrice(() => ["005930"]), body.output)
    })
  )

  it.effect("take an output that is a list, a lone object or empty", () =>
    Effect.gen(function* () {
      const { quotations, server } = yield* setUp
      server.answer(
        inTurn(success([{ stck_prpr: "1" }]), success({ stck_prpr: "2" }), success([]), success(row("005930")))
      )
      assert.deepStrictEqual(yield* quotations.price("005930"), { stck_prpr: "1" })
      assert.deepStrictEqual(yield* quotations.price("005930"), { stck_prpr: "2" })
      assert.deepStrictEqual(yield* quotations.price("005930"), {})
      assert.deepStrictEqual(yield* quotations.multiPrice(() => ["005930"]), [row("005930")])
      assert.deepStrictEqual(
        [...(server.requests[0]?.query ?? [])],
        [
          ["FID_COND_MRKT_DIV_CODE", "J"],
          ["FID_INPUT_ISCD", "005930"]
        ]
      )
      assert.strictEqual(server.requests[0]?.headers["tr_id"], "FHKST01010100")
    })
  )

  for (const [name, body] of [
    ["no output", { rt_cd: "0" }],
    ["an output of null", { rt_cd: "0", output: null }],
    ["an output of text", { rt_cd: "0", output: "" }],
    ["a row of null", { rt_cd: "0", output: [row("005930"), null] }],
    ["a row that is a list", { rt_cd: "0", output: [row("005930"), ["100"]] }]
  ] as const) {
    it.effect(`call a reply malformed once and for all: ${name}`, () =>
      Effect.gen(function* () {
        const { quotations, server } = yield* setUp
        server.answer(() => json(body))
        const error = yield* Effect.flip(quotations.multiPrice(() => ["005930"]))
        assert.strictEqual(error._tag, "KisReplyMalformed")
        assert.strictEqual(server.requests.length, 1)
      })
    )
  }

  it.effect("give rows as they came whose fields are no text", () =>
    Effect.gen(function* () {
      const { quotations, server } = yield* setUp
      const output = [row("005930"), { inter_shrn_iscd: "000660", inter2_prpr: 100, hts_kor_isnm: null, odd: { a: 1 } }]
      server.answer(() => success(output))
      assert.deepStrictEqual(yield* quotations.multiPrice(() => ["005930", "000660"]), output)
    })
  )

  it.effect("are asked again after a refusal for the number of calls and after a broken connection", () =>
    Effect.gen(function* () {
      const { quotations, server } = yield* setUp
      server.answer(
        inTurn(refusal("EGW00201"), refusal("EGW00201", 200), "cut", json({}, 502), success([row("005930")]))
      )
      const exit = yield* toEnd(quotations.multiPrice(() => ["005930"]))
      assert.deepStrictEqual(exit, Exit.succeed([row("005930")]))
      assert.strictEqual(server.requests.length, 5)
      assert.strictEqual(new Set(server.requests.map(({ query }) => String(query))).size, 1)
    })
  )

  it.effect("are given up after eight more tries", () =>
    Effect.gen(function* () {
      const { quotations, server } = yield* setUp
      server.answer(() => refusal("EGW00201"))
      const error = errorOf(yield* toEnd(quotations.multiPrice(() => ["005930"])))
      assert.strictEqual(error._tag, "KisThrottled")
      assert.strictEqual(server.requests.length, 9)
    })
  )

  it.effect("drop a token the broker does not accept and ask once more with another", () =>
    Effect.gen(function* () {
      const { quotations, server, tokens } = yield* setUp
      server.answer(inTurn(refusal("EGW00121"), success([row("005930")])))
      assert.deepStrictEqual(yield* toEnd(quotations.multiPrice(() => ["005930"])), Exit.succeed([row("005930")]))
      assert.strictEqual(tokens.drops, 1)
      assert.deepStrictEqual(
        server.requests.map(({ headers }) => headers.authorization),
        [`Bearer ${secrets.token}.0`, `Bearer ${secrets.token}.1`]
      )
    })
  )

  it.effect("fail when the second token is not accepted either", () =>
    Effect.gen(function* () {
      const { quotations, server, tokens } = yield* setUp
      server.answer(() => refusal("EGW00123"))
      assert.strictEqual(errorOf(yield* toEnd(quotations.multiPrice(() => ["005930"])))._tag, "KisTokenInvalid")
      assert.strictEqual(server.requests.length, 2)
      assert.strictEqual(tokens.drops, 2)
    })
  )

  for (const code of ["EGW00103", "OPSQ2001", "EGW00300"]) {
    it.effect(`are not asked again after ${code}`, () =>
      Effect.gen(function* () {
        const { quotations, server } = yield* setUp
        server.answer(() => refusal(code))
        yield* Effect.flip(quotations.multiPrice(() => ["005930"]))
        assert.strictEqual(server.requests.length, 1)
      })
    )
  }

  it.effect("name a refused connection and a late answer in few words", () =>
    Effect.gen(function* () {
      const { call, server } = yield* setUp
      const closed = yield* Effect.promise(
        () =>
          new Promise<number>((resolve) => {
            const taken = createServer().listen(0, "127.0.0.1", () => {
              const address = taken.address()
              taken.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0))
            })
          })
      )
      const nowhere = accountAt({ restUrl: `http://127.0.0.1:${closed}`, wsUrl: "" })
      const request = { operation: "price", method: "GET", path: "/" } as const
      const refused = yield* Effect.flip(exchange(nowhere, request))
      assert.strictEqual(refused.message, "price: the broker cannot be reached (ECONNREFUSED)")
      server.answer(() => "cut")
      assert.match((yield* Effect.flip(call(request))).message, /^price: the broker cannot be reached \(.{1,60}\)$/)
    })
  )

  it.effect("give up a call without an answer after ten seconds", () =>
    Effect.gen(function* () {
      const silent = yield* Effect.acquireRelease(
        Effect.callback<{ port: number; heard: () => boolean; close: () => void }>((resume) => {
          const open = new Set<Socket>()
          const server = createServer((socket) => {
            open.add(socket)
            socket.on("error", () => undefined)
          }).listen(0, "127.0.0.1", () => {
            const address = server.address()
            const port = typeof address === "object" && address !== null ? address.port : 0
            const close = () => {
              for (const socket of open) socket.destroy()
              server.close()
            }
            resume(Effect.succeed({ port, heard: () => open.size > 0, close }))
          })
        }),
        ({ close }) => Effect.sync(close)
      )
      const account = accountAt({ restUrl: `http://127.0.0.1:${silent.port}/`, wsUrl: "" })
      const fiber = yield* Effect.forkScoped(
        Effect.flip(exchange(account, { operation: "price", method: "GET", path: "/" }))
      )
      yield* passUntil(silent.heard, 0)
      yield* passUntil(() => fiber.pollUnsafe() !== undefined, 1_000)
      assert.strictEqual((yield* Fiber.join(fiber)).message, "price: the broker cannot be reached (no answer in 10 s)")
    })
  )

  it.effect("let no secret out in an error, even when the broker repeats it", () =>
    Effect.gen(function* () {
      const { call, quotations, server } = yield* setUp
      const echo = ({ body, headers }: SeenRequest) =>
        `${headers.authorization} ${String(headers["appkey"])} ${String(headers["appsecret"])} ${body}`
      const scripts: ReadonlyArray<(request: SeenRequest) => ScriptedAnswer> = [
        (request) => json({ rt_cd: "1", msg_cd: "EGW00132", msg1: `bad: ${echo(request)}` }, 400),
        (request) => ({ status: 403, text: `<html>${echo(request)}</html>` }),
        (request) => json({ error_code: "EGW00999", error_description: echo(request) }, 403),
        () => ({ text: `{"access_token":"${secrets.token}` })
      ]
      for (const script of scripts) {
        server.answer(script)
        const body = { appkey: Redacted.make(secrets.appKey), appsecret: Redacted.make(secrets.appSecret) }
        const asked = yield* Effect.exit(call({ operation: "token", method: "POST", path: "/oauth2/tokenP", body }))
        for (const exit of [asked, yield* toEnd(quotations.price("005930"))]) {
          const error = errorOf(exit)
          for (const text of [
            JSON.stringify(error),
            String(error),
            error.message,
            error.stack ?? "",
            JSON.stringify(exit)
          ]) {
            assert.isUndefined(leakIn(text), text)
          }
        }
      }
    })
  )

  it.effect("tell a trace which call it was, how long it waited and how it ended, and nothing secret", () =>
    Effect.gen(function* () {
      const { call, server } = yield* setUp
      server.answer(() => refusal("EGW00201"))
      const spans: Array<Tracer.NativeSpan> = []
      const tracer = Tracer.make({
        span: (options) => {
          const span = new Tracer.NativeSpan(options)
          spans.push(span)
          return span
        }
      })
      const headers = {
        authorization: Redacted.make(`Bearer ${secrets.token}`),
        appkey: Redacted.make(secrets.appKey),
        appsecret: Redacted.make(secrets.appSecret),
        tr_id: "FHKST01010100"
      }
      const request = { operation: "price", method: "GET", path: "/", headers } as const
      const inOneSecond = <A, E, R>(exchanged: Effect.Effect<A, E, R>) => Effect.delay(exchanged, "1 second")
      yield* tracedCall(request, { account: "main", caller: "sweep" }, call(request), inOneSecond).pipe(
        Effect.provideService(Tracer.Tracer, tracer),
        Effect.provideService(HttpClient.TracerHeaderFilter, () => true),
        toEnd
      )
      assert.deepStrictEqual(
        spans.map(({ attributes, name }) => [name, Object.fromEntries(attributes)]),
        [
          [
            "kis.call",
            {
              account: "main",
              caller: "sweep",
              operation: "price",
              tr_id: "FHKST01010100",
              wait_ms: 1_000,
              outcome: "KisThrottled"
            }
          ]
        ]
      )
      const [sent] = server.requests as [SeenRequest]
      const foreign = Object.keys(sent.headers).filter((name) => /^(b3|x-b3|trace)/.test(name))
      assert.deepStrictEqual(foreign, [])
    })
  )
})
