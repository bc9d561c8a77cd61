import { Effect, Layer, Schema, SchemaIssue } from "effect"
import { HttpApi, HttpApiBuilder, HttpApiEndpoint, HttpApiGroup, HttpApiMiddleware, OpenApi } from "effect/http-api"
import { ActorTree } from "../actor/ActorTree.ts"
import { SymbolCode } from "../domain/SymbolCode.ts"
import { Certificates } from "../ops/Certificates.ts"
import { Gaps } from "../ops/Gaps.ts"
import { Coverage, isOutsideTarget } from "../plan/Coverage.ts"
import type { DiskError } from "../journal/Disk.ts"
import { bodyLimit } from "./api/bodyLimit.ts"
import { certificatePage } from "./api/certificatePage.ts"
import { layer as fallback } from "./api/fallback.ts"
import { GapQuery, GapReport, RecordUnreadable } from "./api/GapSchemas.ts"
import { gapsAnswer } from "./api/gapsAnswer.ts"
import { Readings } from "./api/Readings.ts"
import {
  Actors,
  BadRequest,
  CertifiedDays,
  Change,
  ChangeFailed,
  ChangeRefused,
  Changed,
  DayNotCertified,
  Late,
  limitOf,
  MarketDay,
  Plan,
  SymbolNotObserved,
  SymbolOut,
  SymbolPage,
  SymbolQuery
} from "./api/Schemas.ts"
import { withToken } from "./api/withToken.ts"
import { withoutUnknown } from "./api/withoutUnknown.ts"

/** Says in words what of a request could not be read. */
export class Readable extends HttpApiMiddleware.Service<Readable>()("observer/http/Readable", {
  error: [BadRequest, Late]
}) {}

/** What is in memory is there at once, or the loop does not turn; a change waits for the actors it concerns. */
const answer_timeout = "2 seconds"
const change_timeout = "10 seconds"
/** The files of a day are gone through the first time it is asked for. */
const reading_timeout = "60 seconds"

/** What programs ask of a running observer, and how they change what it observes. */
export class Api extends HttpApi.make("observer")
  .add(
    HttpApiGroup.make("observer", { topLevel: true })
      .add(
        HttpApiEndpoint.get("actors", "/actors", { success: Actors }).annotate(
          OpenApi.Summary,
          "Every actor: its state, restarts, mailbox and last error"
        )
      )
      .add(
        HttpApiEndpoint.get("symbols", "/symbols", { query: SymbolQuery, success: SymbolPage }).annotate(
          OpenApi.Summary,
          "The observed symbols by code, a page at a time; stale=true for those outside their target"
        )
      )
      .add(
        HttpApiEndpoint.get("symbol", "/symbols/:code", {
          params: { code: SymbolCode },
          success: SymbolOut,
          error: SymbolNotObserved
        }).annotate(OpenApi.Summary, "One symbol: how it is covered, its target and its staleness")
      )
      .add(
        HttpApiEndpoint.post("change", "/symbols", {
          payload: Change,
          success: Changed,
          error: [ChangeRefused, ChangeFailed]
        }).annotate(OpenApi.Summary, "Adds and removes symbols, all of them or none")
      )
      .add(
        HttpApiEndpoint.get("plan", "/plan", { success: Plan }).annotate(
          OpenApi.Summary,
          "The coverage plan: expected and measured staleness per class, and what cannot be met"
        )
      )
      .add(
        HttpApiEndpoint.get("certificates", "/certificates", { success: CertifiedDays }).annotate(
          OpenApi.Summary,
          "The certified days, the newest first, with their verdicts"
        )
      )
      .add(
        HttpApiEndpoint.get("certificate", "/certificates/:day", {
          params: { day: MarketDay },
          success: Schema.Unknown,
          error: [DayNotCertified, RecordUnreadable]
        }).annotate(OpenApi.Summary, "A day's certificate, as its file has it (docs/certificate.md)")
      )
      .add(
        HttpApiEndpoint.get("gaps", "/gaps", {
          query: GapQuery,
          success: GapReport,
          error: RecordUnreadable
        }).annotate(OpenApi.Summary, "What the record does not have of a day, today's if none is named")
      )
      .prefix("/api/v1")
      .middleware(Readable)
  )
  .annotate(OpenApi.Title, "Observer")
  .annotate(OpenApi.Version, "1")
  .annotate(OpenApi.Transform, withToken)
  .annotate(HttpApi.QueryParseOptions, { onExcessProperty: "error", errors: "all" })
  .annotate(HttpApi.PayloadParseOptions, { onExcessProperty: "error", errors: "all" }) {}

const within = <A, E, R>(
  answer: Effect.Effect<A, E, R>,
  duration: typeof answer_timeout | typeof change_timeout | typeof reading_timeout
) =>
  Effect.timeoutOrElse(answer, {
    duration,
    orElse: () => Effect.fail(new Late({ error: `no answer within ${duration}` }))
  })

/** A disk that refuses is answered as one that does not answer: nothing is known of the day. */
const fromDisk = <A, R>(answer: Effect.Effect<A, DiskError, R>) =>
  Effect.catchTag(within(answer, change_timeout), "DiskError", ({ message }) =>
    Effect.fail(new Late({ error: message }))
  )

const Handlers = HttpApiBuilder.group(Api, "observer", (handlers) =>
  Effect.gen(function* () {
    const tree = yield* ActorTree
    const coverage = yield* Coverage
    const certified = yield* Certificates
    const gaps = yield* Gaps
    const { few } = yield* Readings
    return handlers.handleAll({
      actors: () =>
        within(
          Effect.map(tree.snapshot, (actors) => ({ actors })),
          answer_timeout
        ),
      symbols: Effect.fnUntraced(function* ({ query: { after = "", limit, stale } }) {
        const all = yield* within(coverage.symbols, answer_timeout)
        const asked = stale === undefined ? all : all.filter((each) => isOutsideTarget(each) === (stale === "true"))
        const rest = asked
          .filter(({ symbol }) => symbol > after)
          .sort((a, b) => (a.symbol < b.symbol ? -1 : a.symbol > b.symbol ? 1 : 0))
        const symbols = rest.slice(0, limitOf(limit)).map(withoutUnknown)
        const next = symbols.length < rest.length ? symbols.at(-1)?.symbol : undefined
        return { total: asked.length, symbols, ...(next === undefined ? {} : { next }) }
      }),
      symbol: Effect.fnUntraced(function* ({ params: { code } }) {
        const found = yield* within(coverage.symbol(code), answer_timeout)
        if (found !== undefined) return withoutUnknown(found)
        return yield* new SymbolNotObserved({ error: `${code} is not observed`, symbol: code })
      }),
      change: ({ payload: { add = [], remove = [] } }) =>
        within(coverage.change({ add: [...new Set(add)], remove: [...new Set(remove)] }), change_timeout).pipe(
          Effect.catchTags({
            ChangeRefused: ({ message, problems }) => Effect.fail(new ChangeRefused({ error: message, problems })),
            ChangeFailed: ({ message }) => Effect.fail(new ChangeFailed({ error: message }))
          })
        ),
      plan: () => Effect.map(within(coverage.plan, answer_timeout), withoutUnknown),
      certificates: () => Effect.map(few(fromDisk(certified.list)), (certificates) => ({ certificates })),
      certificate: Effect.fnUntraced(function* ({ params: { day } }) {
        const text = yield* few(fromDisk(certified.text(day, "json")))
        if (text === undefined) return yield* new DayNotCertified({ error: `there is no certificate of ${day}`, day })
        return yield* Effect.try({
          try: () => JSON.parse(text) as unknown,
          catch: () =>
            new RecordUnreadable({
              error: `the certificate of ${day} is damaged; observer certify ${day} makes it anew`
            })
        })
      }),
      gaps: ({ query }) =>
        few(within(gapsAnswer(gaps, query), reading_timeout)).pipe(
          Effect.catchTag("JournalReadError", ({ message }) => Effect.fail(new RecordUnreadable({ error: message })))
        )
    })
  })
)

const readable = HttpApiMiddleware.layerSchemaErrorTransform(Readable, (error) => {
  // What we could not encode is our own fault, and is answered as one.
  if (error.kind === "Body" || error.kind === "ResponseHeaders") return Effect.fail(error)
  const problems = SchemaIssue.makeFormatterStandardSchemaV1()(error.cause.issue).issues.map(({ message, path = [] }) =>
    [error.kind.toLowerCase(), ...path.map((part) => String(typeof part === "object" ? part.key : part))]
      .join(".")
      .concat(`: ${message}`)
  )
  return Effect.fail(new BadRequest({ error: problems[0] ?? "the request cannot be read", problems }))
})

/** The typed API under `/api/v1/` and its description at `/openapi.json`, as routes of a server. */
export const layer = Layer.mergeAll(
  HttpApiBuilder.layer(Api, { openapiPath: "/openapi.json" }).pipe(Layer.provide(Handlers), Layer.provide(readable)),
  certificatePage,
  fallback(Api),
  bodyLimit
).pipe(Layer.provide(Readings.layer))
