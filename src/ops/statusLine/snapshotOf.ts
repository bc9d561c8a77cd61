import { Clock, Effect } from "effect"
import { marketHour } from "../../calendar/MarketTime.ts"
import type { HealthReport } from "../Health.ts"
import type { StatusSnapshot } from "./renderStatus.ts"

const sum = (values: ReadonlyArray<number>) => values.reduce((total, value) => total + value, 0)

const clockOf = (atMs: number): string => marketHour(atMs).replace(/(..)(..)(..)/, "$1:$2:$3")

const problemsOf = ({ coverage, parts }: HealthReport): ReadonlyArray<string> => [
  ...Object.entries(parts).flatMap(([name, { reason, status }]) =>
    status === "degraded" || status === "down" ? [`${name} ${status}: ${reason ?? "no reason given"}`] : []
  ),
  ...(coverage.unknown.length > 0 ? [`symbols the broker does not know: ${coverage.unknown.join(", ")}`] : [])
]

/** Turns health into what the terminal shows; it remembers the last moment, for records a second. */
export const makeSnapshot = (report: Effect.Effect<HealthReport>, url: string): Effect.Effect<StatusSnapshot> => {
  let before: { readonly atMs: number; readonly records: number } | undefined
  return Effect.gen(function* () {
    const health = yield* report
    const atMs = yield* Clock.currentTimeMillis
    const records = sum(Object.values(health.conservation).map(({ received }) => received))
    const seconds = before === undefined ? 0 : (atMs - before.atMs) / 1_000
    const recordsPerSecond = before === undefined || seconds <= 0 ? 0 : (records - before.records) / seconds
    before = { atMs, records }
    const { coverage, feed, journal, sql } = health
    const accounts = feed.accounts.filter(({ down }) => down === undefined)
    return {
      marketTime: clockOf(atMs),
      phase: health.phase,
      symbolsTotal: coverage.symbols,
      symbolsSeen: coverage.seen,
      symbolsStale: coverage.stale,
      recordsPerSecond,
      records,
      sqlLagRecords: sql?.lag_records ?? 0,
      sqlLagSeconds: sql?.lag_seconds ?? 0,
      sqlState: sql === undefined ? "off" : sql.state === "degraded" ? "degraded" : "ok",
      callsUsed: sum(accounts.map(({ budget }) => budget.callsLastSecond)),
      callsBudget: sum(accounts.map(({ budget }) => budget.callsPerSecond)),
      refusals: sum(accounts.map(({ budget }) => budget.refusals)),
      slotsUsed: sum(accounts.map(({ stream }) => stream.slotsHeld)),
      slots: sum(accounts.map(({ stream }) => stream.slotsBelieved)),
      headSeq: journal.head.seq,
      alarms: health.alerts.length,
      url,
      problems: problemsOf(health)
    } satisfies StatusSnapshot
  })
}
