import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { PrometheusMetrics } from "effect/observability"
import { TestClock } from "effect/testing"
import type { SymbolAge } from "../../src/domain/Assignment.ts"
import { KisFeed } from "../../src/feed/KisFeed.ts"
import { LogKeeper } from "../../src/ops/logging/LogKeeper.ts"
import { makeMeterRefresh } from "../../src/ops/Meters.ts"
import { checkMetrics, promtoolMissing } from "../support/promtool.ts"
import { accountStatus } from "../support/accountStatus.ts"
import { troubledReport } from "../support/healthReport.ts"

const nowMs = Date.parse("2026-11-24T03:00:00Z")

const report = {
  ...troubledReport,
  journal: { ...troubledReport.journal, oldestUnsyncedAtMs: nowMs - 1_500 },
  feed: {
    ...troubledReport.feed,
    accounts: [accountStatus({ token: { expiresAtMs: nowMs, issues: 1, issuedAtMs: nowMs - 7_200_000 } })]
  },
  disk: {
    folders: [
      { name: "data", path: "/d", state: "low", sinceMs: 0, free_bytes: 1_000, total_bytes: 9_000, full_hours: 7.5 },
      { name: "log", path: "/l", state: "missing", sinceMs: 0 }
    ]
  },
  backup: { target: "/b", age_seconds: 60, unbacked: { files: 2, bytes: 300 }, age_seconds_max: 100 }
} as const

const age = (symbol: string, staleness_ms: number): SymbolAge => ({
  symbol,
  target_ms: 10_000,
  seenAtMs: nowMs - staleness_ms,
  staleness_ms,
  late: { times: 0, worst_ms: 0 },
  misses: 0
})
const never = { ...age("000001", 1_000), seenAtMs: undefined } as unknown as SymbolAge

const texts = Effect.gen(function* () {
  const refresh = yield* makeMeterRefresh
  yield* refresh(report)
  const first = yield* PrometheusMetrics.format()
  yield* refresh(report)
  return { first, second: yield* PrometheusMetrics.format() }
}).pipe(
  Effect.provide(Layer.mock(KisFeed, { ages: Effect.succeed([age("005930", 4_000), age("000660", 70_000), never]) })),
  Effect.provideService(LogKeeper, { run: Effect.never, lostLines: () => 5 })
)

describe("the metrics", () => {
  it.effect("tell of folders, backup, token, journal, parts and log what is known when they are asked for", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(nowMs)
      const { first, second } = yield* texts
      const lines = second.split("\n")
      for (const line of [
        'observer_disk_free_bytes{folder="data"} 1000',
        'observer_disk_full_hours{folder="data"} 7.5',
        'observer_disk_full_hours{folder="log"} +Inf',
        'observer_folder_state{folder="data",state="low"} 1',
        'observer_folder_state{folder="data",state="ok"} 0',
        'observer_folder_state{folder="log",state="missing"} 1',
        "observer_backup_age_seconds 60",
        "observer_backup_unbacked_bytes 300",
        'observer_token_age_seconds{account="main"} 7200',
        "observer_journal_unsynced_seconds 1.5",
        'observer_part_state{part="sql",status="degraded"} 1',
        'observer_part_state{part="sql",status="ok"} 0',
        "observer_log_lost_lines_total 5"
      ]) {
        assert.include(lines, line)
      }
      for (const name of ["observer_heap_used_bytes", "observer_resident_bytes"]) {
        assert.match(first, new RegExp(`^${name} [1-9]\\d{6,}$`, "m"))
      }
      assert.match(first, /^observer_event_loop_lag_seconds\{quantile="0.99"\} \d/m)
      if (process.platform === "linux") assert.match(first, /^observer_open_descriptors_count [1-9]\d*$/m)
    })
  )

  it.effect("add the age of every symbol that was seen to the histogram, whenever they are asked for", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(nowMs)
      const { first, second } = yield* texts
      const countOf = (text: string, le: string) =>
        Number(
          new RegExp(`^observer_staleness_seconds_bucket\\{le="${le.replace("+", "\\+")}"\\} (\\d+)$`, "m").exec(
            text
          )?.[1]
        )
      const added = (le: string) => countOf(second, le) - countOf(first, le)
      assert.deepStrictEqual(["2", "5", "60", "120", "+Inf"].map(added), [0, 1, 1, 2, 2])
    })
  )

  it.effect("are counters where they are called totals, and nothing else is", () =>
    Effect.gen(function* () {
      const { second } = yield* texts
      for (const [, name, type] of second.matchAll(/^# TYPE (\S+) (\S+)$/gm)) {
        assert.strictEqual(type === "counter", name?.endsWith("_total"), name)
      }
    })
  )

  it.effect.skipIf(promtoolMissing !== undefined)("are Prometheus text to Prometheus itself", () =>
    Effect.gen(function* () {
      const { code, words } = checkMetrics((yield* texts).second)
      // The units `count` and `hours` and the label `quantile` are what we chose; a name that it likes less is not.
      const others = words.filter((line) => !/"_count" suffix|"quantile" label|instead of "hours"/.test(line))
      assert.deepStrictEqual(others, [])
      assert.include([0, 3], code)
      assert.strictEqual(checkMetrics("observer_x{a=b} 1\n").code, 1)
    })
  )
})

if (promtoolMissing !== undefined) console.log(`skipped: ${promtoolMissing}`)
