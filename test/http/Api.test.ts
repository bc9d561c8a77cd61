import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Layer, Redacted } from "effect"
import { ActorTree } from "../../src/actor/ActorTree.ts"
import * as Api from "../../src/http/Api.ts"
import { policyOf } from "../../src/http/api/certificatePage.ts"
import { body_bytes_max } from "../../src/http/api/bodyLimit.ts"
import { readings_max } from "../../src/http/api/Readings.ts"
import * as Server from "../../src/http/Server.ts"
import { DiskError } from "../../src/journal/Disk.ts"
import { Certificates } from "../../src/ops/Certificates.ts"
import { JournalReadError } from "../../src/journal/JournalError.ts"
import { gapReport } from "../../src/ops/GapReport.ts"
import { Gaps } from "../../src/ops/Gaps.ts"
import { Health } from "../../src/ops/Health.ts"
import { ChangeFailed, ChangeRefused, Coverage, type PlanReport, type SymbolCoverage } from "../../src/plan/Coverage.ts"
import { until } from "../support/virtualTime.ts"

const samsung: SymbolCoverage = {
  symbol: "005930",
  name: "삼성전자",
  class: "watch",
  coverage: "stream+sweep",
  account: "main",
  target_seconds: 5,
  expected_seconds: 3.7,
  staleness_seconds: 1.2,
  lastSeenAt: "2026-11-24T01:00:00.000Z",
  late: { times: 0, worst_seconds: 0 }
}
const late: SymbolCoverage = {
  symbol: "000660",
  class: "stock",
  coverage: "sweep",
  target_seconds: 5,
  expected_seconds: 7.4,
  staleness_seconds: 6.1,
  late: { times: 3, worst_seconds: 7.9 },
  reason: "147 calls a sweep at 18 a second"
}
const never: SymbolCoverage = {
  symbol: "0000Y0",
  class: "stock",
  coverage: "none",
  target_seconds: 5,
  expected_seconds: Number.POSITIVE_INFINITY,
  late: { times: 0, worst_seconds: 0 },
  reason: "the broker does not know it"
}

const plan: PlanReport = {
  madeAt: "2026-11-24T00:00:00.000Z",
  reason: "start",
  symbols: 3,
  streamed: 1,
  callsPerSecond: 18,
  callsPerSweep: 1,
  classes: [
    {
      class: "stock",
      symbols: 2,
      target_seconds: 5,
      expected_seconds: 7.4,
      measured: { median_seconds: 6.1, p99_seconds: 6.1, max_seconds: 6.1 },
      outside: 1,
      met: false
    }
  ],
  accounts: [{ alias: "main", state: "ok", callsPerSecond: 18, slots: 41, streamed: ["005930"] }],
  unmet: [{ class: "stock", target_seconds: 5, expected_seconds: 7.4, needs: "a second account" }],
  notCovered: []
}

const certificates = Layer.succeed(Certificates, {
  list: Effect.succeed([{ day: "2026-11-24", verdict: "complete" as const, madeAt: "2026-11-24T11:05:00.000Z" }]),
  text: (day, form) => {
    if (day === "2026-11-25") return Effect.fail(new DiskError({ operation: "read", path: "/data", code: "EIO" }))
    if (day === "2026-11-26") return Effect.succeed('{"v":1,')
    return Effect.succeed(day !== "2026-11-24" ? undefined : form === "json" ? '{"v":1}' : "<p>complete</p>")
  }
})

const many = Array.from({ length: 250 }, (_, index): SymbolCoverage => ({ ...late, symbol: `1${index + 1_000}0` }))

const tenMs = Date.parse("2026-11-24T01:00:00.000Z")

/** A hole of Samsung on the 24th, one that is open still, and a record of the 23rd that cannot be read. */
const gapsOf: Gaps["Service"]["ask"] = ({ day = "20261124", symbol }) =>
  day === "20261123"
    ? Effect.fail(new JournalReadError({ file: "2026/11/23/09/x.jsonl", detail: "EIO" }))
    : Effect.succeed({
        report: gapReport(
          [
            {
              cause: "disconnect",
              symbol: "005930",
              fromMs: tenMs,
              toMs: tenMs + 60_000,
              lostTrades: 5,
              lostShares: 60,
              foundTrades: 4,
              foundShares: 50,
              repair: "partly",
              leftFromMs: tenMs
            }
          ],
          { day, symbol, open: [{ fromMs: tenMs - 3_600_000, toMs: tenMs + 30_000 }] }
        ),
        record: {
          firstMs: tenMs - 3_000_000,
          lastMs: tenMs,
          unrecorded: [{ fromMs: tenMs - 3_600_000, toMs: tenMs - 3_000_000 }],
          unrecorded_seconds: 600,
          isObserved: symbol === undefined ? undefined : true
        },
        open: [{ symbol: "000660", account: "main", cause: "silence", fromMs: tenMs }]
      })

/** A server over reports that are said, which notes what changes it is asked for. */
const serving = (
  options: {
    readonly token?: string
    readonly symbols?: ReadonlyArray<SymbolCoverage>
    readonly isStuck?: boolean
    readonly gaps?: Gaps["Service"]["ask"]
  } = {}
) => {
  const { gaps = gapsOf, isStuck = false, symbols = [samsung, late, never], token } = options
  const coverage = Layer.succeed(Coverage, {
    plan: isStuck ? Effect.never : Effect.succeed(plan),
    symbols: Effect.succeed(symbols),
    symbol: (code) => Effect.succeed(symbols.find(({ symbol }) => symbol === code)),
    change: ({ add, remove }) =>
      add.includes("999999")
        ? Effect.fail(new ChangeRefused({ problems: [{ symbol: "999999", problem: "it is not listed" }] }))
        : add.includes("888888")
          ? Effect.fail(new ChangeFailed({ reason: "write /data: ENOSPC" }))
          : Effect.succeed({ added: add, removed: remove, unchanged: [] })
  })
  const actors = Layer.effectDiscard(
    Effect.gen(function* () {
      const tree = yield* ActorTree
      yield* tree.enter("shard/0")
      yield* tree.turn("shard/0", { _tag: "Run" })
      yield* tree.turn("shard/0", { _tag: "BackOff", attempt: 1, untilMs: 5_000 }, "it broke")
    })
  ).pipe(Layer.provideMerge(ActorTree.layer))
  return Server.layer(
    { host: "127.0.0.1", port: 0, token: token === undefined ? undefined : Redacted.make(token) },
    Api.layer
  ).pipe(
    Layer.provide([
      Layer.succeed(Gaps, { ask: gaps }),
      Layer.succeed(Health, { report: Effect.die("not asked") }),
      coverage,
      certificates,
      Layer.fresh(actors)
    ]),
    Layer.fresh
  )
}

interface Told {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  // What a test looks for decides the shape.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly body: any
}

const ask = Effect.fnUntraced(function* (path: string, init: RequestInit = {}) {
  const { url } = yield* Server.ServerAddress
  return yield* Effect.promise(async (signal): Promise<Told> => {
    const response = await fetch(url + path, { ...init, signal })
    const text = await response.text()
    const isJson = text !== "" && (response.headers.get("content-type")?.includes("json") ?? false)
    return { status: response.status, headers: response.headers, text, body: isJson ? JSON.parse(text) : undefined }
  })
})

const post = (body: unknown, headers: Record<string, string> = { "content-type": "application/json" }) =>
  ask("/api/v1/symbols", { method: "POST", body: typeof body === "string" ? body : JSON.stringify(body), headers })

describe("the API", () => {
  it.live("shows every actor", () =>
    Effect.gen(function* () {
      const { body, headers, status } = yield* ask("/api/v1/actors")
      assert.strictEqual(status, 200)
      assert.strictEqual(headers.get("cache-control"), "no-store")
      const [actor] = body.actors
      assert.deepInclude(actor, { name: "shard/0", restarts: 0, lastError: "it broke" })
      assert.deepStrictEqual(actor.state, { _tag: "backingOff", attempt: 1, untilMs: 5_000 })
    }).pipe(Effect.provide(serving()))
  )

  it.live("says what is missing of a day, and what streams are missing now", () =>
    Effect.gen(function* () {
      const { body, status } = yield* ask("/api/v1/gaps?day=2026-11-24&symbol=005930")
      assert.strictEqual(status, 200)
      assert.deepInclude(body, { day: "2026-11-24", symbol: "005930", market_seconds: 3_630, all_seconds: 0 })
      assert.deepInclude(body, {
        firstReceivedAt: "2026-11-24T00:10:00.000Z",
        lastReceivedAt: "2026-11-24T01:00:00.000Z",
        isObserved: true,
        unrecorded_seconds: 600
      })
      assert.deepStrictEqual(body.unrecorded, [{ from: "2026-11-24T00:00:00.000Z", to: "2026-11-24T00:10:00.000Z" }])
      assert.deepInclude(body.total, { holes: 1, partly: 1, symbol_seconds: 30, lostTrades: 5, foundShares: 50 })
      assert.deepStrictEqual(body.holes, [
        {
          cause: "disconnect",
          symbol: "005930",
          from: "2026-11-24T01:00:00.000Z",
          to: "2026-11-24T01:01:00.000Z",
          lostTrades: 5,
          lostShares: 60,
          foundTrades: 4,
          foundShares: 50,
          repair: "partly",
          leftFrom: "2026-11-24T01:00:00.000Z"
        }
      ])
      assert.deepStrictEqual(body.open, [
        { symbol: "000660", account: "main", cause: "silence", from: "2026-11-24T01:00:00.000Z" }
      ])
      assert.strictEqual((yield* ask("/api/v1/gaps")).body.day, "2026-11-24")
    }).pipe(Effect.provide(serving()))
  )

  it.live("refuses a day that is none, and says when the record cannot be read", () =>
    Effect.gen(function* () {
      for (const day of ["20261124", "2026-02-31", "today"]) {
        const { body, status } = yield* ask(`/api/v1/gaps?day=${day}`)
        assert.strictEqual(status, 400)
        assert.include(body.error, "query.day")
      }
      const { body, status } = yield* ask("/api/v1/gaps?day=2026-11-23")
      assert.deepStrictEqual([status, body._tag], [500, "RecordUnreadable"])
      assert.include(body.error, "EIO")
    }).pipe(Effect.provide(serving()))
  )

  it.live("makes a few answers from the archive at once, and refuses one more with when to ask again", () =>
    Effect.gen(function* () {
      const open = yield* Deferred.make<void>()
      let begun = 0
      const gaps: Gaps["Service"]["ask"] = (question) =>
        Effect.suspend(() => {
          begun += 1
          return Effect.andThen(Deferred.await(open), gapsOf(question))
        })
      yield* Effect.gen(function* () {
        const few = yield* Effect.forkChild(
          Effect.all(
            Array.from({ length: readings_max }, () => ask("/api/v1/gaps")),
            { concurrency: "unbounded" }
          )
        )
        yield* until(() => begun === readings_max)
        for (const path of ["/api/v1/gaps", "/api/v1/certificates", "/api/v1/certificates/2026-11-24"]) {
          const { body, headers, status } = yield* ask(path)
          assert.deepStrictEqual([path, status, body._tag, headers.get("retry-after")], [path, 503, "Late", "5"])
        }
        const page = yield* ask("/certificates/2026-11-24")
        assert.deepStrictEqual([page.status, page.headers.get("retry-after")], [503, "5"])
        assert.strictEqual((yield* ask("/api/v1/plan")).status, 200)
        assert.strictEqual(begun, readings_max)
        yield* Deferred.succeed(open, undefined)
        const answers = yield* Fiber.join(few)
        assert.isTrue(answers.every(({ status }) => status === 200))
        const { headers, status } = yield* ask("/api/v1/gaps")
        assert.deepStrictEqual([status, headers.get("retry-after")], [200, null])
      }).pipe(Effect.provide(serving({ gaps })))
    })
  )

  it.live("shows the plan", () =>
    Effect.gen(function* () {
      const { body, status } = yield* ask("/api/v1/plan")
      assert.strictEqual(status, 200)
      assert.deepStrictEqual(body, plan)
      assert.notInclude(JSON.stringify(body), "null")
    }).pipe(Effect.provide(serving()))
  )

  it.live("shows which days are certified, a certificate, and its page", () =>
    Effect.gen(function* () {
      const { body } = yield* ask("/api/v1/certificates")
      assert.deepStrictEqual(body, {
        certificates: [{ day: "2026-11-24", verdict: "complete", madeAt: "2026-11-24T11:05:00.000Z" }]
      })
      const day = yield* ask("/api/v1/certificates/2026-11-24")
      assert.deepStrictEqual([day.status, day.body], [200, { v: 1 }])
      const page = yield* ask("/certificates/2026-11-24")
      assert.deepStrictEqual([page.status, page.text], [200, "<p>complete</p>"])
      assert.match(page.headers.get("content-type") ?? "", /^text\/html/)
      assert.strictEqual(page.headers.get("content-security-policy"), policyOf("<p>complete</p>"))
      assert.strictEqual(page.headers.get("x-content-type-options"), "nosniff")
      const damaged = yield* ask("/api/v1/certificates/2026-11-26")
      assert.deepStrictEqual([damaged.status, damaged.body._tag], [500, "RecordUnreadable"])
      assert.include(damaged.body.error, "observer certify 2026-11-26 makes it anew")
      const statuses = ["2026-11-23", "2026-11-25", "today", "..%2f..%2fetc"].map(
        Effect.fnUntraced(function* (named) {
          return [(yield* ask(`/api/v1/certificates/${named}`)).status, (yield* ask(`/certificates/${named}`)).status]
        })
      )
      assert.deepStrictEqual(yield* Effect.all(statuses), [
        [404, 404],
        [503, 503],
        [400, 404],
        [400, 404]
      ])
    }).pipe(Effect.provide(serving()))
  )

  it.live("shows the symbols in the order of their codes, and those outside their target", () =>
    Effect.gen(function* () {
      const { expected_seconds: _, ...unseen } = never
      const { body } = yield* ask("/api/v1/symbols")
      assert.deepStrictEqual(body, { total: 3, symbols: [unseen, late, samsung] })
      const stale = (yield* ask("/api/v1/symbols?stale=true")).body
      assert.deepStrictEqual(stale, { total: 2, symbols: [unseen, late] })
      const fresh = (yield* ask("/api/v1/symbols?stale=false")).body
      assert.deepStrictEqual(fresh, { total: 1, symbols: [samsung] })
    }).pipe(Effect.provide(serving()))
  )

  it.live("shows one symbol, and 404 for one that is not observed", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual((yield* ask("/api/v1/symbols/005930")).body, samsung)
      const { body, status } = yield* ask("/api/v1/symbols/123456")
      assert.strictEqual(status, 404)
      assert.deepInclude(body, { _tag: "SymbolNotObserved", symbol: "123456", error: "123456 is not observed" })
    }).pipe(Effect.provide(serving()))
  )

  it.live("gives all symbols page by page, each once", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      let after = ""
      for (let pages = 1; ; pages++) {
        const { body } = yield* ask(`/api/v1/symbols?limit=60${after}`)
        assert.strictEqual(body.total, 250)
        seen.push(...body.symbols.map(({ symbol }: SymbolCoverage) => symbol))
        if (body.next === undefined) {
          assert.strictEqual(pages, 5)
          break
        }
        after = `&after=${body.next}`
      }
      assert.deepStrictEqual(
        seen,
        many.map(({ symbol }) => symbol)
      )
      assert.strictEqual((yield* ask("/api/v1/symbols")).body.symbols.length, 100)
    }).pipe(Effect.provide(serving({ symbols: many })))
  )

  it.live("makes a change and says what it did, or refuses it and says what is wrong, or fails and says why", () =>
    Effect.gen(function* () {
      const made = yield* post({ add: ["035720", "035720"], remove: ["005930"] })
      assert.strictEqual(made.status, 200)
      assert.deepStrictEqual(made.body, { added: ["035720"], removed: ["005930"], unchanged: [] })
      const refused = yield* post({ add: ["999999"] })
      assert.strictEqual(refused.status, 400)
      assert.deepStrictEqual(refused.body, {
        _tag: "ChangeRefused",
        error: "999999: it is not listed",
        problems: [{ symbol: "999999", problem: "it is not listed" }]
      })
      const failed = yield* post({ add: ["888888"] })
      assert.strictEqual(failed.status, 500)
      assert.deepStrictEqual(failed.body, {
        _tag: "ChangeFailed",
        error: "the observed symbols stay as they are: write /data: ENOSPC"
      })
    }).pipe(Effect.provide(serving()))
  )

  it.live("answers HEAD as GET without a body", () =>
    Effect.gen(function* () {
      const { status, text } = yield* ask("/api/v1/plan", { method: "HEAD" })
      assert.deepStrictEqual([status, text], [200, ""])
    }).pipe(Effect.provide(serving()))
  )

  it.live("says so when an answer does not come in time", () =>
    Effect.gen(function* () {
      const { body, status } = yield* ask("/api/v1/plan")
      assert.strictEqual(status, 503)
      assert.deepInclude(body, { _tag: "Late" })
    }).pipe(Effect.provide(serving({ isStuck: true })))
  )
})

describe("the policy of a page", () => {
  it("names the one style that is in it, and allows nothing else", () => {
    const policy = policyOf("<head><style>p { color: red }</style></head><p>complete</p>")
    assert.match(policy, /^default-src 'none'; .*; style-src 'sha256-[A-Za-z0-9+/]{43}='$/)
    assert.notInclude(policy, "unsafe")
    assert.match(policyOf("<p>complete</p>"), /; style-src 'none'$/)
    assert.notStrictEqual(policyOf("<style>p { color: blue }</style>"), policyOf("<style>p { color: red }</style>"))
  })
})

describe("a request that cannot be read", () => {
  it.live("is 400 and told what is wrong, never taken for another", () =>
    Effect.gen(function* () {
      const paths = [
        "/api/v1/symbols?limit=0",
        "/api/v1/symbols?limit=1001",
        "/api/v1/symbols?limit=1.5",
        "/api/v1/symbols?limit=x",
        "/api/v1/symbols?limit=1&limit=2",
        "/api/v1/symbols?stale=yes",
        "/api/v1/symbols?after=abc",
        "/api/v1/symbols?stael=true",
        "/api/v1/symbols/abc",
        "/api/v1/symbols/0059300000",
        "/api/v1/symbols/..%2f..%2fetc"
      ]
      for (const path of paths) {
        const { body, status } = yield* ask(path)
        assert.strictEqual(status, 400, path)
        assert.strictEqual(body._tag, "BadRequest")
        assert.isNotEmpty(body.problems, path)
      }
      assert.include((yield* ask("/api/v1/symbols?limit=x")).body.error, "query.limit: ")
    }).pipe(Effect.provide(serving()))
  )

  it.live("is no change: not JSON, unknown keys, codes that are none, nothing, both at once, or too many", () =>
    Effect.gen(function* () {
      const bodies: ReadonlyArray<unknown> = [
        "",
        "{",
        "[]",
        "null",
        {},
        { add: [] },
        { ad: ["005930"] },
        { add: ["005930"], force: true },
        { add: "005930" },
        { add: [5_930] },
        { add: ["삼성전자"] },
        { add: ["005930; drop"] },
        { add: ["005930"], remove: ["005930"] },
        { add: Array.from({ length: 5_001 }, () => "005930") }
      ]
      for (const body of bodies) {
        const told = yield* post(body)
        assert.strictEqual(told.status, 400, JSON.stringify(body).slice(0, 60))
        assert.strictEqual(told.body._tag, "BadRequest")
      }
      assert.include((yield* post({ add: ["abc"] })).body.error, "payload.add.0: ")
      assert.include((yield* post({})).body.error, "nothing is to be added or removed")
      assert.strictEqual(
        (yield* post("add=005930", { "content-type": "application/x-www-form-urlencoded" })).status,
        415
      )
    }).pipe(Effect.provide(serving()))
  )

  it.live("is 400 when it is nested without end, wherever", () =>
    Effect.gen(function* () {
      const nested = `${"[".repeat(50_000)}${"]".repeat(50_000)}`
      for (const body of [nested, `{"add":${nested}}`, `{"add":[${nested}]}`, `{"x":${nested}}`]) {
        const { status, text } = yield* post(body)
        assert.strictEqual(status, 400)
        assert.isBelow(text.length, 20_000)
      }
      const { status } = yield* post('{"__proto__":{"add":["035720"]},"constructor":{"prototype":{"x":1}}}')
      assert.strictEqual(status, 400)
      assert.notProperty({}, "x")
    }).pipe(Effect.provide(serving()))
  )

  it.live("is 413 when it is too long, whether it says so or not", () =>
    Effect.gen(function* () {
      const body = JSON.stringify({ add: ["005930"], filler: "x".repeat(body_bytes_max) })
      const told = yield* post(body)
      assert.strictEqual(told.status, 413)
      assert.include(told.body.error, String(body_bytes_max))
      const stream = new Blob([body]).stream()
      const unsaid = { method: "POST", body: stream, duplex: "half", headers: { "content-type": "application/json" } }
      assert.strictEqual((yield* ask("/api/v1/symbols", unsaid as RequestInit)).status, 413)
      // As long as it may be, it is read.
      const longest = JSON.stringify({ add: Array.from({ length: 5_000 }, (_, index) => String(100_000 + index)) })
      assert.strictEqual((yield* post(longest)).status, 200)
    }).pipe(Effect.provide(serving()))
  )

  it.live("is 404 for a path that is not there, and 405 for a method, with those that are", () =>
    Effect.gen(function* () {
      for (const path of ["/api", "/api/v1", "/api/v1/nothing", "/api/v2/plan", "/api/v1/symbols/005930/x"]) {
        const { status } = yield* ask(path)
        assert.strictEqual(status, 404, path)
      }
      const wrong: ReadonlyArray<readonly [method: string, path: string, allow: string]> = [
        ["POST", "/api/v1/actors", "GET"],
        ["DELETE", "/api/v1/symbols", "GET, POST"],
        ["PUT", "/api/v1/symbols/005930", "GET"],
        ["PATCH", "/api/v1/plan?x=1", "GET"]
      ]
      for (const [method, path, allow] of wrong) {
        const { body, headers, status } = yield* ask(path, { method })
        assert.deepStrictEqual([status, headers.get("allow")], [405, allow], `${method} ${path}`)
        assert.include(body.error, allow)
      }
    }).pipe(Effect.provide(serving()))
  )
})

describe("the token", () => {
  it.live("is asked for before anything is answered, changed or described", () =>
    Effect.gen(function* () {
      const paths = ["/api/v1/actors", "/api/v1/symbols", "/api/v1/symbols/005930", "/api/v1/plan", "/openapi.json"]
      for (const path of [...paths, "/api/v1/nothing"]) {
        assert.strictEqual((yield* ask(path)).status, 401, path)
        const authorization = "Bearer a-token-of-sixteen"
        assert.strictEqual((yield* ask(path, { headers: { authorization } })).status, paths.includes(path) ? 200 : 404)
      }
      assert.strictEqual((yield* post({ add: ["035720"] })).status, 401)
      assert.strictEqual((yield* ask("/api/v1/plan", { method: "DELETE" })).status, 401)
    }).pipe(Effect.provide(serving({ token: "a-token-of-sixteen" })))
  )
})

type Json = { readonly [key: string]: unknown }

/** Every value of a document, with where it is. */
const walk = (value: unknown, path = "#"): ReadonlyArray<readonly [path: string, value: Json]> =>
  typeof value !== "object" || value === null
    ? []
    : [
        [path, value as Json] as const,
        ...Object.entries(value).flatMap(([key, inner]) => walk(inner, `${path}/${key.replaceAll("/", "~1")}`))
      ]

describe("/openapi.json", () => {
  it.live("describes every endpoint; its references lead somewhere and its parameters are in its paths", () =>
    Effect.gen(function* () {
      const { body, status } = yield* ask("/openapi.json")
      assert.strictEqual(status, 200)
      assert.match(body.openapi, /^3\.[01]\.\d$/)
      assert.deepInclude(body.info, { title: "Observer", version: "1" })
      assert.deepStrictEqual(
        Object.entries(body.paths as Record<string, Json>).map(([path, item]) => [path, Object.keys(item).sort()]),
        [
          ["/api/v1/actors", ["get"]],
          ["/api/v1/symbols", ["get", "post"]],
          ["/api/v1/symbols/{code}", ["get"]],
          ["/api/v1/plan", ["get"]],
          ["/api/v1/certificates", ["get"]],
          ["/api/v1/certificates/{day}", ["get"]],
          ["/api/v1/gaps", ["get"]]
        ]
      )
      const nodes = new Map(walk(body))
      for (const [path, node] of nodes) {
        const reference = node["$ref"]
        if (reference !== undefined) assert.isTrue(nodes.has(String(reference)), `${path} leads to ${reference}`)
      }
      const ids = new Set<unknown>()
      for (const [path, item] of Object.entries(body.paths as Record<string, Record<string, Json>>)) {
        for (const operation of Object.values(item)) {
          assert.isFalse(ids.has(operation["operationId"]), `${operation["operationId"]} twice`)
          ids.add(operation["operationId"])
          const responses = operation["responses"] as Record<string, { readonly description?: string }>
          assert.includeMembers(Object.keys(responses), ["200", "400", "503"])
          assert.isTrue(Object.values(responses).every(({ description }) => typeof description === "string"))
          const inPath = (operation["parameters"] as ReadonlyArray<Json>).filter((each) => each["in"] === "path")
          assert.deepStrictEqual(
            inPath.map(({ name }) => `{${String(name)}}`),
            path.match(/\{\w+\}/g) ?? []
          )
        }
      }
      const [operation] = Object.values((body.paths as Record<string, Record<string, Json>>)["/api/v1/plan"] ?? {})
      assert.deepStrictEqual(operation?.["security"], [{ token: [] }, {}])
      assert.deepStrictEqual(body.components.securitySchemes, { token: { type: "http", scheme: "bearer" } })
      // The limits are part of the description.
      const text = JSON.stringify(body)
      for (const limit of ["^[0-9A-Z]{4,9}$", '"maxItems":5000']) assert.include(text, limit)
    }).pipe(Effect.provide(serving()))
  )
})
