import { Schema } from "effect"
import { SymbolCode } from "../../domain/SymbolCode.ts"
import { jsonReply, type Reply } from "../Reply.ts"
import { badRequest, type Route, route, withBody } from "./Route.ts"
import type { Controlled } from "./routes.ts"

const between = (minimum: number, maximum: number) => Schema.isBetween({ minimum, maximum })
const pattern = (regexp: RegExp, expected: string) => Schema.String.check(Schema.isPattern(regexp, { expected }))

const Vi = Schema.Struct({ symbol: SymbolCode, kind: Schema.optionalKey(Schema.Literals(["static", "dynamic"])) })
const Breaker = Schema.Struct({
  level: Schema.optionalKey(Schema.Literals([1, 2, 3])),
  market: Schema.optionalKey(Schema.Literals(["KOSPI", "KOSDAQ"]))
})
const Halt = Schema.Struct({ symbol: SymbolCode, reason: Schema.optionalKey(Schema.String) })
const Resume = Schema.Struct({ symbol: SymbolCode })
const Burst = Schema.Struct({
  factor: Schema.optionalKey(Schema.Int.check(between(2, 1_000))),
  seconds: Schema.optionalKey(Schema.Finite.check(between(0.1, 3_600)))
})
const ClockTo = Schema.Struct({
  date: Schema.optionalKey(pattern(/^\d{4}-\d{2}-\d{2}$/, "a date such as 2026-11-24")),
  hour: Schema.optionalKey(pattern(/^([01]\d|2[0-3]):[0-5]\d:[0-5]\d$/, "a market time such as 09:00:30")),
  speed: Schema.optionalKey(Schema.Finite.check(between(0.01, 3_600)))
})

const burst = { factor: 50, seconds: 10 }

/** What is done to the market from outside; what is impossible there is answered in the market's own words. */
export const marketRoutes = ({ ledger, market }: Pick<Controlled, "ledger" | "market">): ReadonlyArray<Route> => {
  const { control, view } = market
  const state = () => ({
    date: view.date(),
    now: new Date(view.nowMs()).toISOString(),
    phase: view.phase(),
    tradesMade: view.tradesMade(),
    interruptions: view.interruptions().filter(({ endHour }) => endHour === undefined)
  })
  const post = <A extends object>(
    path: string,
    does: string,
    schema: Schema.Codec<A, unknown>,
    allowed: string,
    run: (given: A) => string | undefined
  ): Route =>
    route(
      "POST",
      `/market/${path}`,
      does,
      withBody(schema, allowed, (given): Reply => {
        const refused = run(given)
        if (refused !== undefined) return badRequest([refused], [allowed])
        ledger.note({ kind: "control", action: path, given })
        return jsonReply(state())
      })
    )

  return [
    route("GET", "/market", "date, time and phase of the market", () => jsonReply(state())),
    post("vi", "a volatility interruption", Vi, `{"symbol":"005930","kind":"static"|"dynamic"}`, ({ kind, symbol }) =>
      control.triggerVi(symbol, kind)
    ),
    post("circuit-breaker", "stops the market", Breaker, `{"level":1|2|3,"market":"KOSPI"|"KOSDAQ"}`, (given) =>
      control.circuitBreaker(given.level, given.market)
    ),
    post("halt", "halts an issue", Halt, `{"symbol":"005930","reason":"…"}`, ({ reason, symbol }) =>
      control.halt(symbol, reason)
    ),
    post("resume", "lets it trade again, through an auction", Resume, `{"symbol":"005930"}`, ({ symbol }) =>
      control.resume(symbol)
    ),
    post("burst", "many times the trades for a while", Burst, `{"factor":50,"seconds":10}`, (given) =>
      control.burst(given.factor ?? burst.factor, given.seconds ?? burst.seconds)
    ),
    post(
      "clock",
      "another date, hour or speed",
      ClockTo,
      `{"date":"2026-11-24","hour":"08:59:00","speed":60}`,
      (given) =>
        control.setClock({
          date: given.date?.replaceAll("-", ""),
          hour: given.hour?.replaceAll(":", ""),
          speed: given.speed
        })
    )
  ]
}
