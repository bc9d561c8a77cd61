import { Schema } from "effect"
import { type FaultName, faultNames } from "./faultKinds.ts"

const positive = Schema.Finite.check(Schema.isGreaterThan(0, { expected: "a number above 0" }))
const whole = (minimum: number, maximum: number) =>
  Schema.Int.check(Schema.isBetween({ minimum, maximum }, { expected: `a whole number from ${minimum} to ${maximum}` }))
const text = Schema.String.check(Schema.isBetweenLength(1, 200, { expected: "a text of 1 to 200 characters" }))
const marketTime = Schema.String.check(
  Schema.isPattern(/^(\d{4}-\d{2}-\d{2}T)?([01]\d|2[0-3]):[0-5]\d:[0-5]\d$/, {
    expected: "seconds from the start, or a market time such as 09:00:30 or 2026-11-24T09:00:30"
  })
)

/** Which calls or messages a fault strikes: all that fit every selector given. */
const Where = Schema.Struct({
  /** The beginning of the call's path. */
  path: Schema.optionalKey(text),
  /** A `tr_id`, of a call or of a stream. */
  tr: Schema.optionalKey(text),
  /** An app key, or its mark as the ledger writes it. */
  key: Schema.optionalKey(text),
  /** Symbols; of a call: any that it asks for. */
  symbol: Schema.optionalKey(Schema.Union([text, Schema.Array(text)]))
})

/** One fault of a script. `from` is now unless given; without `for` and `count` it never ends. */
export const Fault = Schema.Struct({
  fault: Schema.Literals(faultNames as readonly [FaultName, ...Array<FaultName>]),
  /** Real seconds after the start of the exchange (or, over the control API, after now), or a market time. */
  from: Schema.optionalKey(
    Schema.Union([Schema.Finite.check(Schema.isGreaterThanOrEqualTo(0, { expected: "0 or more seconds" })), marketTime])
  ),
  /** Seconds, of the clock that `from` is written in. */
  for: Schema.optionalKey(positive),
  /** So many strikes, then it is over. */
  count: Schema.optionalKey(whole(1, 1_000_000_000)),
  /** Share of what it could strike that it does strike. */
  rate: Schema.optionalKey(
    Schema.Finite.check(
      Schema.isGreaterThan(0, { expected: "a share above 0, at most 1" }),
      Schema.isLessThanOrEqualTo(1, { expected: "a share above 0, at most 1" })
    )
  ),
  where: Schema.optionalKey(Where),
  bytesPerSecond: Schema.optionalKey(whole(1, 10_000_000)),
  status: Schema.optionalKey(whole(200, 599)),
  code: Schema.optionalKey(text),
  rows: Schema.optionalKey(whole(1, 1_000)),
  columns: Schema.optionalKey(whole(1, 40)),
  skew_seconds: Schema.optionalKey(whole(-31_536_000, 31_536_000)),
  factor: Schema.optionalKey(whole(2, 1_000))
})
export type Fault = typeof Fault.Type
