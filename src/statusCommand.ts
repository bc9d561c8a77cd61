import { Clock, Console, Effect, Option, Result } from "effect"
import { hasColours } from "./hasColours.ts"
import { Command, Flag } from "effect/cli"
import { observerAddress } from "./httpAddress.ts"
import type { HealthReport } from "./ops/Health.ts"
import { askObserver, type NobodyAnswers, type ObserverAddress } from "./ops/RunningObserver.ts"
import { renderHealth, type StatusPage } from "./ops/status/renderHealth.ts"
import { exitCode, ProgramEnd } from "./ProgramEnd.ts"
import { readSettings } from "./readSettings.ts"

/** It answers, and is not ready. */
const unready = 1
/** As sysexits has it for a service that is not there. */
const nobody = 69

const flags = {
  json: Flag.Boolean("json").pipe(
    Flag.withDescription("The whole of /health as it was answered"),
    Flag.withDefault(false)
  ),
  quiet: Flag.Boolean("quiet").pipe(
    Flag.withDescription("Print nothing; the exit code says it all, as a container's HEALTHCHECK wants it"),
    Flag.withDefault(false)
  ),
  url: Flag.String("url").pipe(
    Flag.mapTryCatch(
      (text) => {
        const { origin, protocol } = new URL(text)
        if (protocol !== "http:") throw new Error()
        return origin
      },
      () => "an address such as http://127.0.0.1:8787"
    ),
    Flag.withDescription("Where the observer answers (default: as OBSERVER_HTTP_HOST and OBSERVER_HTTP_PORT say)"),
    Flag.optional
  )
}
type Given = Command.Command.Config.Infer<typeof flags>

const answer_ms_max = 4_000
/** Between two looks, of which records a second are made. */
const between_ms = 1_000
/** The first question after a start goes through all the day's files, for which nobody waits here. */
const gaps_ms_max = 2_000

const unreadable = (url: string) =>
  new ProgramEnd({
    code: nobody,
    lines: [`what answers at ${url} is no observer; look at OBSERVER_HTTP_PORT, or give --url`]
  })

const parsed = <A>(body: string): A | undefined =>
  Result.getOrElse(
    Result.try((): A => JSON.parse(body)),
    () => undefined
  )

const askHealth = Effect.fnUntraced(function* (address: ObserverAddress) {
  const { url } = address
  const { body, status } = yield* askObserver(address, "/health", answer_ms_max)
  if (status === 401) {
    const lines = [
      `the observer at ${url} asks for another token: set OBSERVER_HTTP_TOKEN to the one it was started with`
    ]
    return yield* new ProgramEnd({ code: exitCode.settings, lines })
  }
  if (status === 503) {
    return yield* new ProgramEnd({ code: unready, lines: [`the observer at ${url} is too busy to say how it is`] })
  }
  const report = parsed<HealthReport>(body)
  if (status !== 200 || report?.parts === undefined) return yield* unreadable(url)
  return { body, report }
})

/** The probe's question: it needs no token, and its answer is a word. */
const askQuietly = Effect.fnUntraced(function* (address: ObserverAddress) {
  const { status } = yield* askObserver(address, "/readyz", answer_ms_max)
  if (status === 200) return
  return yield* new ProgramEnd({ code: status === 503 ? unready : nobody, lines: [] })
})

interface GapsToday {
  readonly total: {
    readonly holes: number
    readonly repaired: number
    readonly lostTrades: number
    readonly foundTrades: number
  }
  readonly left_all_seconds: number
}

/** What the record lacks of today; absent where it takes too long to tell. */
const askGaps = (address: ObserverAddress): Effect.Effect<Pick<StatusPage, "gaps">> =>
  askObserver(address, "/api/v1/gaps", gaps_ms_max).pipe(
    Effect.map(({ body, status }) => {
      const told = status === 200 ? parsed<GapsToday>(body) : undefined
      if (told?.total === undefined) return {}
      const { foundTrades, holes, lostTrades, repaired } = told.total
      const lost = Math.max(0, lostTrades - foundTrades)
      return { gaps: { holes, left: holes - repaired, left_all_seconds: told.left_all_seconds, lostTrades: lost } }
    }),
    Effect.catchTag("NobodyAnswers", () => Effect.succeed({}))
  )

const ratesOf = (before: HealthReport, after: HealthReport, took_ms: number) =>
  Object.fromEntries(
    Object.entries(after.conservation).map(([source, { received }]) => {
      const earlier = Object.entries(before.conservation).find(([name]) => name === source)?.[1].received ?? 0
      return [source, Math.max(0, (received - earlier) / (took_ms / 1_000))]
    })
  )

const show = Effect.fnUntraced(function* (address: ObserverAddress, json: boolean) {
  const first = yield* askHealth(address)
  if (json) {
    yield* Console.log(first.body.trimEnd())
    return first.report
  }
  const askedAtMs = yield* Clock.currentTimeMillis
  const [gaps] = yield* Effect.all([askGaps(address), Effect.sleep(between_ms)], { concurrency: 2 })
  const { report } = yield* askHealth(address)
  const nowMs = yield* Clock.currentTimeMillis
  const perSecond = ratesOf(first.report, report, nowMs - askedAtMs)
  const lines = renderHealth({ report, url: address.url, nowMs, perSecond, ...gaps }, hasColours())
  yield* Effect.forEach(lines, (line) => Console.log(line), { discard: true })
  return report
})

const endNobody =
  (quiet: boolean) =>
  ({ message }: NobodyAnswers) => {
    const advice =
      "start it, look at its log, or look at OBSERVER_HTTP_HOST and OBSERVER_HTTP_PORT; observer doctor checks them all"
    return Effect.fail(new ProgramEnd({ code: nobody, lines: quiet ? [] : [`${message}: ${advice}`] }))
  }

const run = Effect.fnUntraced(function* ({ json, quiet, url }: Given) {
  const { settings } = yield* readSettings
  const own = yield* observerAddress(settings)
  const address = { ...own, url: Option.getOrElse(url, () => own.url) }
  if (quiet) return yield* askQuietly(address)
  const { ready } = yield* show(address, json)
  if (!ready) return yield* new ProgramEnd({ code: unready, lines: [] })
})

/** How a running observer is, as it says itself. */
export const statusCommand = Command.make("status", flags, (given) =>
  Effect.catchTag(run(given), "NobodyAnswers", endNobody(given.quiet))
).pipe(
  Command.withShortDescription("How a running observer is"),
  Command.withDescription(
    "Asks a running observer over HTTP how it is: its parts, coverage, sources, journal, database, accounts and what is in trouble. Exit codes: 0 it is ready, 1 it answers and is not ready, 69 nobody answers, 64 a wrong setting, the token among them"
  ),
  Command.withExamples([
    { command: "observer status", description: "A page to read" },
    { command: "observer status --quiet || echo down", description: "For a script or a HEALTHCHECK" },
    { command: "observer status --json | jq .coverage", description: "For programs" }
  ])
)
