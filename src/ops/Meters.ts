import { Clock, Effect, Metric, Option } from "effect"
import { KisFeed } from "../feed/KisFeed.ts"
import type { HealthReport } from "./Health.ts"
import { refreshAccountMeters } from "./meters/accountMeters.ts"
import { refreshActorMeters } from "./meters/actorMeters.ts"
import { refreshConservationMeters } from "./meters/conservationMeters.ts"
import { refreshBackupMeters, refreshDiskMeters } from "./meters/diskMeters.ts"
import { refreshPartMeters } from "./meters/partMeters.ts"
import { refreshProcessMeters } from "./meters/processMeters.ts"
import { refreshStaleness } from "./meters/stalenessMeters.ts"

const gauge = (name: string, description: string) => Metric.gauge(name, { description })

const gauges = {
  symbols: gauge("observer_symbols_count", "Symbols observed"),
  seen: gauge("observer_symbols_seen_count", "Symbols seen at least once since the start"),
  stale: gauge("observer_symbols_stale_count", "Symbols not seen for longer than OBSERVER_STALE_SECONDS"),
  unknown: gauge("observer_symbols_unknown_count", "Symbols the broker does not answer for"),
  ready: gauge("observer_ready_state", "1 while data can be written and the source is what the phase wants"),
  uptime: gauge("observer_uptime_seconds", "Seconds since the start"),
  headSeq: gauge("observer_journal_head_seq", "Number of the newest record of the journal"),
  writable: gauge("observer_journal_writable_state", "1 while the journal can be written"),
  fsync: gauge("observer_journal_fsync_seconds", "Seconds that the newest fdatasync took"),
  unsynced: gauge(
    "observer_journal_unsynced_seconds",
    "Age of the oldest record that a power cut would take; 0 while there is none"
  ),
  waiting: gauge("observer_journal_waiting_appends_count", "Appends waiting for the writer"),
  lagRecords: gauge("observer_follower_lag_records", "Records of the journal that a follower has not stored"),
  lagBytes: gauge("observer_follower_lag_bytes", "Bytes of the journal that a follower has not stored"),
  lagSeconds: gauge("observer_follower_lag_seconds", "Age of the oldest record that a follower has not stored"),
  sweep: gauge("observer_sweep_seconds", "Seconds that the newest complete sweep took")
}

/**
 * Makes what writes all that is known now into the metrics; done when they are asked for, so that it costs nothing in
 * between. The ages of symbols are told where there is a feed.
 */
export const makeMeterRefresh = Effect.map(Effect.serviceOption(KisFeed), (feed) => {
  const ages = Option.match(feed, { onNone: () => Effect.succeed([]), onSome: (from) => from.ages })
  return Effect.fnUntraced(function* (report: HealthReport) {
    yield* refreshReport(report)
    yield* refreshStaleness(yield* ages)
    yield* refreshProcessMeters
  })
})

const refreshReport = Effect.fnUntraced(function* (report: HealthReport) {
  const { actors, backup, conservation, coverage, disk, feed, journal, parts, sql } = report
  const set = (metric: Metric.Gauge<number>, value: number | undefined, labels?: Record<string, string>) =>
    value === undefined ? Effect.void : Metric.update(labels ? Metric.withAttributes(metric, labels) : metric, value)

  yield* set(gauges.symbols, coverage.symbols)
  yield* set(gauges.seen, coverage.seen)
  yield* set(gauges.stale, coverage.stale)
  yield* set(gauges.unknown, coverage.unknown.length)
  yield* set(gauges.ready, report.ready ? 1 : 0)
  yield* set(gauges.uptime, report.uptime_seconds)
  yield* set(gauges.headSeq, journal.head.seq)
  yield* set(gauges.writable, journal.writable ? 1 : 0)
  yield* set(gauges.fsync, journal.fsync_ms === undefined ? undefined : journal.fsync_ms / 1_000)
  const { oldestUnsyncedAtMs } = journal
  const nowMs = yield* Clock.currentTimeMillis
  yield* set(gauges.unsynced, oldestUnsyncedAtMs === undefined ? 0 : Math.max(0, (nowMs - oldestUnsyncedAtMs) / 1_000))
  yield* set(gauges.waiting, journal.waitingAppends)
  if (sql !== undefined) {
    yield* set(gauges.lagRecords, sql.lag_records, { follower: sql.name })
    yield* set(gauges.lagBytes, sql.lag_bytes, { follower: sql.name })
    yield* set(gauges.lagSeconds, sql.lag_seconds, { follower: sql.name })
  }
  yield* set(gauges.sweep, feed.sweep.lastRound_ms === undefined ? undefined : feed.sweep.lastRound_ms / 1_000)
  for (const account of feed.accounts) yield* refreshAccountMeters(account)
  yield* refreshConservationMeters(conservation)
  yield* refreshActorMeters(actors)
  yield* refreshPartMeters(parts)
  if (disk !== undefined) yield* refreshDiskMeters(disk)
  if (backup !== undefined) yield* refreshBackupMeters(backup)
})
