import { Clock, Effect, Metric } from "effect"
import type { AccountStatus } from "../../feed/AccountFeed.ts"
import { raiseTo } from "./raiseTo.ts"

const gauge = (name: string, description: string) => Metric.gauge(name, { description })
const counter = (name: string, description: string) => Metric.counter(name, { description, incremental: true })

const up = gauge("observer_account_up_state", "0 when the broker has refused the account's credentials")
const callsLimit = gauge("observer_calls_limit_per_second", "Calls a second that the budget allows")
const callsLearnt = gauge("observer_calls_learnt_per_second", "Calls a second that the broker was found to take")
const callsLast = gauge("observer_calls_last_second_count", "Calls begun in the last second")
const tokenExpiry = gauge("observer_token_expires_seconds", "Unix time at which the token ends")
const tokenAge = gauge("observer_token_age_seconds", "Seconds since the token at hand was asked for")
const slotsHeld = gauge("observer_stream_slots_held_count", "Stream registrations the broker has accepted")
const slotsBelieved = gauge(
  "observer_stream_slots_believed_count",
  "Stream registrations the broker is believed to take"
)

const slotsWanted = gauge("observer_stream_slots_wanted_count", "Stream registrations that the plan asks for")

const calls = counter("observer_calls_total", "Calls made to the broker")
const refusals = counter("observer_calls_refused_total", "Calls the broker refused for their number")
const connects = counter("observer_stream_connects_total", "Stream connections begun")
const issues = counter("observer_token_issues_total", "Access tokens asked for")

/** Writes what an account says of itself into the metrics, by its alias. */
export const refreshAccountMeters = Effect.fnUntraced(function* (status: AccountStatus) {
  const { account, budget, down, stream, token } = status
  const set = (metric: Metric.Gauge<number>, value: number) =>
    Metric.update(Metric.withAttributes(metric, { account }), value)
  const raise = (metric: Metric.Counter<number>, total: number) =>
    raiseTo(Metric.withAttributes(metric, { account }), total)
  yield* set(up, down === undefined ? 1 : 0)
  yield* set(callsLimit, budget.callsPerSecond)
  yield* set(callsLearnt, budget.learntPerSecond)
  yield* set(callsLast, budget.callsLastSecond)
  if (token.expiresAtMs !== undefined) yield* set(tokenExpiry, token.expiresAtMs / 1_000)
  if (token.issuedAtMs !== undefined) {
    yield* set(tokenAge, Math.max(0, ((yield* Clock.currentTimeMillis) - token.issuedAtMs) / 1_000))
  }
  yield* set(slotsHeld, stream.slotsHeld)
  yield* set(slotsBelieved, stream.slotsBelieved)
  yield* set(slotsWanted, stream.wanted)
  yield* raise(calls, budget.calls)
  yield* raise(refusals, budget.refusals)
  yield* raise(connects, stream.connects)
  yield* raise(issues, token.issues)
})
