import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Cause, Console, Effect, Exit, Layer, Logger, Option, Schema } from "effect"
import { CliError, CliOutput, Command, Flag } from "effect/cli"
import { oneLinePresenter } from "./oneLine.ts"
import { Exchange } from "./simulator/Exchange.ts"
import { ExchangeFailed } from "./simulator/ExchangeFailed.ts"
import { callsPerSecondOf, exchangeOptions } from "./simulator/ExchangeOptions.ts"
import { version } from "./version.ts"

const defaults = exchangeOptions({})

const intBetween = (name: string, minimum: number, maximum: number) =>
  Flag.Int(name).pipe(Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum, maximum }))))

const flags = {
  port: intBetween("port", 0, 65_535).pipe(
    Flag.withDescription("Port for REST and stream alike; 0 takes any free one (default: 0)"),
    Flag.withDefault(defaults.port)
  ),
  host: Flag.String("host").pipe(
    Flag.withDescription(`Address to listen on (default: ${defaults.host})`),
    Flag.withDefault(defaults.host)
  ),
  env: Flag.Literals("env", ["live", "mock"]).pipe(
    Flag.withDescription("Behave like the live or like the mock KIS (default: live)"),
    Flag.withDefault(defaults.env)
  ),
  callsPerSecond: intBetween("calls-per-second", 1, 100_000).pipe(
    Flag.withDescription("REST calls per app key and second (default: 18 live, 1 mock)"),
    Flag.optional
  ),
  seed: intBetween("seed", -2_147_483_648, 2_147_483_647).pipe(
    Flag.withDescription(`The same seed makes the same market (default: ${defaults.seed})`),
    Flag.withDefault(defaults.seed)
  ),
  tradesPerSecond: intBetween("trades-per-second", 0, 1_000_000).pipe(
    Flag.withDescription(`Trades a second, of the whole market (default: ${defaults.tradesPerSecond})`),
    Flag.withDefault(defaults.tradesPerSecond)
  ),
  slots: intBetween("slots", 1, 10_000).pipe(
    Flag.withDescription(`Stream registrations per app key (default: ${defaults.slots})`),
    Flag.withDefault(defaults.slots)
  ),
  untilStdinCloses: Flag.Boolean("until-stdin-closes").pipe(
    Flag.withDescription("End when standard input closes, so as never to outlive the program that started this"),
    Flag.withDefault(false)
  )
}

const stdinClosed = Effect.callback<void>((resume) => {
  const done = () => resume(Effect.void)
  process.stdin.once("end", done).once("close", done).once("error", done).resume()
  return Effect.sync(() => void process.stdin.destroy())
})

const announce = Effect.gen(function* () {
  const { controlUrl, restUrl, wsUrl } = yield* Exchange
  if (!process.stdout.isTTY) return yield* Console.log(JSON.stringify({ ready: true, restUrl, wsUrl, controlUrl }))
  yield* Console.log(`The KIS exchange simulator is open.

  REST    ${restUrl}
  stream  ${wsUrl}
  counts  ${controlUrl}

Any app key and secret will do. To point the observer at it:
  OBSERVER_SOURCE_MODE=kis KIS_APP_KEY=demo KIS_APP_SECRET=demo KIS_REST_URL=${restUrl} KIS_WS_URL=${wsUrl} node dist/main.js
Any other KIS client: replace its REST host and its WebSocket host by these two. Ctrl-C ends it.`)
})

const simulator = Command.make(
  "simulator",
  flags,
  Effect.fnUntraced(function* ({ callsPerSecond, untilStdinCloses, ...given }) {
    const options = {
      ...given,
      callsPerSecond: Option.getOrElse(callsPerSecond, () => callsPerSecondOf(given.env))
    }
    yield* Effect.andThen(announce, untilStdinCloses ? stdinClosed : Effect.never).pipe(
      Effect.provide(Exchange.layer(options))
    )
  })
).pipe(
  Command.withDescription(
    "A KIS Open API exchange on this machine: token, prices, trade stream, and a market that moves"
  )
)

const exitCodeOf = (cause: Cause.Cause<unknown>): number => {
  if (Cause.hasInterruptsOnly(cause)) return 0
  const error = Cause.squash(cause)
  if (error instanceof ExchangeFailed) return 73
  return CliError.isCliError(error) ? 64 : 70
}

const program: Effect.Effect<void, unknown> = Command.run(simulator, { version }).pipe(
  Effect.tapCauseIf(
    (cause) => !Cause.hasInterruptsOnly(cause) && !CliError.isCliError(Cause.squash(cause)),
    (cause) => {
      const error = Cause.squash(cause)
      return Console.error(error instanceof ExchangeFailed ? error.message : Cause.pretty(cause))
    }
  ),
  Effect.provide(
    Layer.mergeAll(
      NodeServices.layer,
      CliOutput.layerPresenter(oneLinePresenter("simulator")),
      // Standard output belongs to the one line that says where the exchange is.
      Logger.layer([Logger.withConsoleError(Logger.formatLogFmt)])
    )
  )
)

NodeRuntime.runMain(program, {
  disableErrorReporting: true,
  teardown: (exit, onExit) => onExit(Exit.isSuccess(exit) ? 0 : exitCodeOf(exit.cause))
})
