import { Context, Layer, Option, Result, Schema } from "effect"
import { type Command, Flag } from "effect/cli"
import { type ExchangeOptions, exchangeOptions } from "./simulator/ExchangeOptions.ts"
import { windowKinds } from "./simulator/limits/callWindow.ts"
import { type Latency, latencyShapes } from "./simulator/limits/latency.ts"
import type { LimitRules } from "./simulator/limits/LimitRules.ts"
import { clockOptionsOf } from "./simulator/market/ClockOptions.ts"
import { QuotationRules } from "./simulator/quotation/QuotationRules.ts"
import { defaultStreamOptions, StreamOptions } from "./simulator/stream/StreamOptions.ts"

const defaults = exchangeOptions({})
const { limits, market, stream } = defaults
const rules = Context.get(Context.empty(), QuotationRules)

const intBetween = (name: string, minimum: number, maximum: number) =>
  Flag.Int(name).pipe(Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum, maximum }))))

const numberBetween = (name: string, minimum: number, maximum: number) =>
  Flag.Finite(name).pipe(Flag.withSchema(Schema.Finite.check(Schema.isBetween({ minimum, maximum }))))

const withDefault =
  <A>(meaning: string, value: A, shown: string = String(value)) =>
  (flag: Flag.Flag<A>) =>
    flag.pipe(Flag.withDescription(`${meaning} (default: ${shown})`), Flag.withDefault(value))

const off = (meaning: string) => (flag: Flag.Flag<boolean>) =>
  flag.pipe(Flag.withDescription(meaning), Flag.withDefault(false))

const maybe = (meaning: string) => (flag: Flag.Flag<string>) => flag.pipe(Flag.withDescription(meaning), Flag.optional)

/** `5-80` or `20`, milliseconds. */
const latencyRange = (text: string): Pick<Latency, "min_ms" | "max_ms"> => {
  const [from, to = from] = text.split("-").map(Number)
  const bad = !/^\d+(-\d+)?$/.test(text) || from === undefined || to === undefined || from > to || to > 60_000
  if (bad) throw new Error(`"${text}" is not a number of milliseconds up to 60000, nor a range of them such as 5-80`)
  return { min_ms: from, max_ms: to }
}

/** Everything the exchange can be told when it starts. */
export const simulateFlags = {
  port: intBetween("port", 0, 65_535).pipe(
    withDefault("Port for REST and stream alike; 0 takes any free one", defaults.port)
  ),
  host: Flag.String("host").pipe(withDefault("Address to listen on", defaults.host)),
  env: Flag.Literals("env", ["live", "mock"]).pipe(
    withDefault("Behave like the live or like the mock KIS", defaults.env)
  ),
  seed: intBetween("seed", -2_147_483_648, 2_147_483_647).pipe(
    withDefault("The same seed makes the same market, faults and delays", defaults.seed)
  ),
  tradesPerSecond: intBetween("trades-per-second", 0, 1_000_000).pipe(
    withDefault("Trades a second, of the whole market", defaults.tradesPerSecond)
  ),
  callsPerSecond: intBetween("calls-per-second", 0, 100_000).pipe(
    Flag.withDescription(
      "REST calls per app key and second, 0 for no limit (default: as KIS allowed on the market's date; today 18 live, 1 mock)"
    ),
    Flag.optional
  ),
  window: Flag.Literals("window", windowKinds).pipe(
    withDefault("The second in which calls are counted: sliding, fixed by the clock, or both at once", limits.window)
  ),
  countRefused: Flag.Boolean("count-refused").pipe(off("Refused calls count against the limit too")),
  newCustomer: Flag.Boolean("new-customer").pipe(off("Every key is new: 3 calls a second in its first three days")),
  weather: numberBetween("weather", 0, 1).pipe(
    withDefault("Share of calls refused with EGW00201 below the limit", limits.weather)
  ),
  ledgerCallsPerSecond: intBetween("ledger-calls-per-second", 0, 1_000).pipe(
    withDefault("Calls a second to the account ledger (EGW00215), 0 for no limit", limits.ledgerCallsPerSecond)
  ),
  approvalsPerSecond: intBetween("approvals-per-second", 0, 1_000).pipe(
    withDefault("Approval keys a second and app key, 0 for no limit", limits.approvalsPerSecond)
  ),
  latency: Flag.String("latency").pipe(
    Flag.withDescription("How long answers take, in milliseconds: 20, or a range such as 5-80 (default: 0)"),
    Flag.mapTryCatch(latencyRange, (error) => (error instanceof Error ? error.message : String(error))),
    Flag.withDefault(latencyRange("0"))
  ),
  latencyShape: Flag.Literals("latency-shape", latencyShapes).pipe(
    withDefault("Uniform in the range, or logNormal with 98 of 100 answers in it", limits.latency.shape)
  ),
  date: Flag.String("date").pipe(
    maybe("The market's date, such as 2026-11-19, in the hours of its calendar (default: today, open at any hour)")
  ),
  time: Flag.String("time").pipe(maybe("The market's time at the start, with --date (default: 08:20:00)")),
  speed: numberBetween("speed", 0.01, 3_600).pipe(
    Flag.withDescription("Seconds of market time in a second (default: 1)"),
    Flag.optional
  ),
  clock: Flag.String("clock").pipe(
    maybe("Market time tied to real time, as OBSERVER_CLOCK: <wall instant>=<market instant>x<speed>")
  ),
  interruptionsPerHour: numberBetween("interruptions-per-hour", 0, 10_000).pipe(
    withDefault("Volatility interruptions the market sets out for in an hour", market.interruptionsPerHour)
  ),
  nxtShare: numberBetween("nxt-share", 0, 1).pipe(
    withDefault("Share of the trades of an issue of both venues that is Nextrade's", market.nxtShare)
  ),
  announcePhases: Flag.Boolean("announce-phases").pipe(
    off("Announce phases (110, 112, 121 …) on H0STMKO0: documented, and in none of the captured days")
  ),
  frameWindow: intBetween("frame-window-ms", 1, 10_000).pipe(
    withDefault("How long records of a symbol gather into one frame", defaultStreamOptions.frameWindow_ms)
  ),
  expectedBytes: Flag.Literals("expected-bytes", ["clean", "asCaptured"]).pipe(
    withDefault("H0STANC0 with NUL and bytes that are no UTF-8, or clean", defaultStreamOptions.expectedBytes)
  ),
  expectedColumns: Flag.Literals("expected-columns", ["45", "46"]).pipe(
    withDefault("Columns of H0STANC0", `${defaultStreamOptions.expectedColumns}`)
  ),
  operationColumns: Flag.Literals("operation-columns", ["10", "11"]).pipe(
    withDefault("Columns of H0STMKO0", `${defaultStreamOptions.operationColumns}`)
  ),
  fillEverySeconds: intBetween("fill-every-seconds", 0, 86_400).pipe(
    withDefault("A made-up fill for each HTS id on H0STCNI0, 0 for none", defaultStreamOptions.fillEvery_seconds)
  ),
  lostTradeShare: numberBetween("lost-trade-share", 0, 1).pipe(
    withDefault("Share of trades the two trade lists leave out", rules.lostTradeShare, "1 in 30")
  ),
  slots: intBetween("slots", 1, 10_000).pipe(withDefault("Stream registrations per app key", defaults.slots)),
  pingAfterIdleSeconds: intBetween("ping-after-idle-seconds", 1, 3_600).pipe(
    withDefault("Silence on a stream before a PINGPONG", stream.pingAfterIdleSeconds)
  ),
  cutAfterSeconds: intBetween("cut-after-seconds", 1, 3_600).pipe(
    withDefault("Time to answer a PINGPONG before the stream is cut", stream.cutAfterSeconds)
  ),
  heldAfterAbruptCloseSeconds: intBetween("held-after-abrupt-close-seconds", 0, 86_400).pipe(
    withDefault(
      "How long an app key stays taken after a stream that ended without a close frame",
      stream.heldAfterAbruptCloseSeconds
    )
  ),
  faults: Flag.File("faults", { mustExist: true }).pipe(
    maybe(`Fault script, such as {"faults":[{"fault":"drop","from":10,"for":5,"rate":0.1}]}`)
  ),
  ledger: Flag.Directory("ledger").pipe(maybe("Folder for the ledger: every record and every call, as JSON lines")),
  untilStdinCloses: Flag.Boolean("until-stdin-closes").pipe(
    off("End when standard input closes, so as never to outlive the program that started this")
  )
}

type Given = Command.Command.Config.Infer<typeof simulateFlags>

const limitsOf = (given: Given): LimitRules => ({
  window: given.window,
  countRefused: given.countRefused,
  newCustomer: given.newCustomer,
  weather: given.weather,
  ledgerCallsPerSecond: given.ledgerCallsPerSecond,
  approvalsPerSecond: given.approvalsPerSecond,
  latency: { ...given.latency, shape: given.latencyShape }
})

/** The clock that was asked for, or a sentence that says what is wrong with it. */
const clockOf = ({ clock, date, speed, time }: Given) =>
  clockOptionsOf({
    date: Option.getOrUndefined(date),
    time: Option.getOrUndefined(time)?.replaceAll(":", ""),
    speed: Option.getOrUndefined(speed),
    line: Option.getOrUndefined(clock)
  })

/** The options of the exchange that were given, but for its fault script, which has to be read first. */
export const optionsOf = (given: Given): Result.Result<Omit<Partial<ExchangeOptions>, "faults">, string> =>
  Result.map(clockOf(given), (clock) => ({
    host: given.host,
    port: given.port,
    env: given.env,
    seed: given.seed,
    tradesPerSecond: given.tradesPerSecond,
    callsPerSecond: Option.getOrUndefined(given.callsPerSecond),
    limits: limitsOf(given),
    slots: given.slots,
    clock,
    market: {
      ...market,
      interruptionsPerHour: given.interruptionsPerHour,
      nxtShare: given.nxtShare,
      announcesPhases: given.announcePhases
    },
    stream: {
      ...stream,
      pingAfterIdleSeconds: given.pingAfterIdleSeconds,
      cutAfterSeconds: given.cutAfterSeconds,
      heldAfterAbruptCloseSeconds: given.heldAfterAbruptCloseSeconds
    },
    ledgerDir: Option.getOrUndefined(given.ledger)
  }))

/** What is not known of the broker's replies and streams, as it was asked for. */
export const rulesOf = (given: Given): Layer.Layer<never> =>
  Layer.merge(
    Layer.succeed(QuotationRules, { ...rules, lostTradeShare: given.lostTradeShare }),
    Layer.succeed(StreamOptions, {
      ...defaultStreamOptions,
      frameWindow_ms: given.frameWindow,
      expectedBytes: given.expectedBytes,
      fillEvery_seconds: given.fillEverySeconds,
      expectedColumns: given.expectedColumns === "45" ? 45 : 46,
      operationColumns: given.operationColumns === "10" ? 10 : 11
    })
  )
