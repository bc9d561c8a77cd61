import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Redacted, Stream } from "effect"
import { TestClock } from "effect/testing"
import { ActorTree } from "../../src/actor/ActorTree.ts"
import type { LifecycleEvent } from "../../src/actor/Lifecycle.ts"
import { MarketSession } from "../../src/calendar/MarketSession.ts"
import { keepSecret } from "../../src/domain/Secrets.ts"
import type { AccountStatus } from "../../src/feed/AccountFeed.ts"
import { KisFeed } from "../../src/feed/KisFeed.ts"
import type { SweepStatus, SweeperStatus } from "../../src/feed/Sweep.ts"
import { Conservation } from "../../src/journal/Conservation.ts"
import type { FollowerStatus } from "../../src/journal/Follower.ts"
import { Journal, type JournalStatus, origin } from "../../src/journal/Journal.ts"
import type { SessionState } from "../../src/kis/SessionState.ts"
import { AlertBoard, type FiringAlarm } from "../../src/ops/alerts/AlertBoard.ts"
import { Backup, type BackupStatus } from "../../src/ops/Backup.ts"
import { type ConservationAlarm, ConservationWatch } from "../../src/ops/ConservationWatch.ts"
import { DiskWatch } from "../../src/ops/DiskWatch.ts"
import { Health } from "../../src/ops/Health.ts"
import { DayUniverse, type UniverseStatus } from "../../src/plan/DayUniverse.ts"
import { Shards } from "../../src/shard/Shards.ts"
import { SqlPipeline } from "../../src/sql/SqlPipeline.ts"
import { accountStatus } from "../support/accountStatus.ts"

const nowMs = Date.UTC(2026, 10, 24, 1)
const nowText = "2026-11-24T01:00:00.000Z"

interface AccountScene {
  readonly alias?: string
  readonly down?: string
  readonly sweeper?: Partial<SweeperStatus>
  readonly stream?: SessionState
  readonly streamed?: number
}

/** What the parts say of themselves, well unless told otherwise. */
interface Scene {
  readonly journal?: Partial<JournalStatus>
  readonly sql?: Partial<FollowerStatus> | "off"
  readonly sweep?: Partial<SweepStatus>
  /** The accounts, one that is well unless told otherwise. */
  readonly accounts?: ReadonlyArray<AccountScene>
  readonly actors?: Readonly<Record<string, readonly [LifecycleEvent, string?]>>
  readonly backup?: Partial<BackupStatus>
  readonly alarm?: ConservationAlarm
  readonly alerts?: ReadonlyArray<FiringAlarm>
}

const journalStatus: JournalStatus = {
  writable: true,
  head: origin,
  synced: origin,
  appended_bytes: 0,
  lastAppendAtMs: nowMs - 10,
  fsync_ms: 1,
  waitingAppends: 0
}
const backupStatus: BackupStatus = {
  target: "/mnt/backup",
  age_seconds: 0,
  age_seconds_max: 108_000,
  unbacked: { files: 0, bytes: 0 }
}
const sqlStatus: FollowerStatus = {
  name: "sql",
  state: "ok",
  sinceMs: nowMs - 500,
  seq: 0,
  lag_records: 0,
  lag_bytes: 0,
  lag_seconds: 0,
  lastGoodAtMs: nowMs
}
const universeStatus: UniverseStatus = {
  list: "today",
  date: "20261124",
  symbols: 2_000,
  indices: 3,
  unlisted: 0,
  recorded: true,
  file: "2026/11/24/universe-0123456789ab.json",
  sha256: "0123456789ab"
}
const sweepStatus: SweepStatus = {
  rounds: 1,
  lastRound_ms: 1,
  lastAnswerAtMs: nowMs - 1_000,
  unknown: ["0000Y0"]
}
const statusOf = ({ alias = "main", down, stream, streamed = 41, sweeper }: AccountScene): AccountStatus => {
  const well = accountStatus({ account: alias, streamed, ...(down === undefined ? {} : { down }) })
  return {
    ...well,
    sweeper: { state: "ok", sinceMs: nowMs - 900_000, ...sweeper },
    stream: {
      ...well.stream,
      state: stream ?? { _tag: "live" },
      sinceMs: nowMs - 5_000,
      lastHeardMs: nowMs - 7
    }
  }
}

const reportOf = ({ accounts = [{}], actors = {}, alarm, alerts = [], backup, journal, sql, sweep }: Scene) =>
  Effect.gen(function* () {
    yield* TestClock.setTime(nowMs)
    const parts = Layer.mergeAll(
      Layer.succeed(Journal, {
        append: () => Effect.never,
        next: () => Effect.undefined,
        hasAfter: () => Effect.never,
        bytesAfter: () => Effect.succeed(0),
        enterCompressed: () => Effect.never,
        read: () => Stream.empty,
        head: Effect.succeed(origin),
        status: Effect.succeed({ ...journalStatus, ...journal }),
        recovered: { head: origin, lastReceivedAt: undefined, unclean: false, quarantined: [] },
        run: Effect.void,
        overtaken: Effect.never,
        turn: Effect.void,
        hold: () => Effect.void,
        rotate: Effect.void,
        close: Effect.void
      }),
      Layer.succeed(KisFeed, {
        start: Effect.void,
        apply: () => Effect.void,
        abilities: Effect.succeed([]),
        changes: Stream.empty,
        ages: Effect.succeed([]),
        coverage: (stale_seconds) => Effect.succeed({ symbols: 2_000, seen: 1_999, stale: stale_seconds }),
        refused: Effect.never,
        openHoles: Effect.succeed([]),
        status: Effect.succeed({
          accounts: accounts.map(statusOf),
          sweep: { ...sweepStatus, ...sweep },
          calendar: { knownTo: "20271231", answeredOn: undefined },
          phase: { expected: "continuous" as const, nextChangeMs: undefined, difference: undefined }
        })
      }),
      Layer.mock(DayUniverse, { status: Effect.succeed(universeStatus) }),
      Layer.mock(Shards, {
        lossTotals: Effect.succeed({ losses: 1, trades: 2, shares: 30, foundTrades: 1, foundShares: 10 })
      }),
      Layer.succeed(SqlPipeline, {
        start: Effect.void,
        status: Effect.succeed(sql === "off" ? undefined : { ...sqlStatus, ...sql }),
        client: Effect.undefined,
        unusable: Effect.never
      }),
      Layer.fresh(ActorTree.layer),
      Layer.fresh(Conservation.layer),
      DiskWatch.layerOff,
      Layer.fresh(AlertBoard.layer),
      backup === undefined
        ? Backup.layerOff
        : Layer.succeed(Backup, { run: Effect.never, status: Effect.succeed({ ...backupStatus, ...backup }) }),
      Layer.succeed(ConservationWatch, { run: Effect.never, alarm: Effect.succeed(alarm) }),
      MarketSession.layer("always")
    )
    const health = Health.layer({ node: "seoul-1", version: "1.2.3", stale_seconds: 60 }).pipe(
      Layer.provideMerge(parts)
    )
    return yield* Effect.gen(function* () {
      yield* (yield* AlertBoard).post(alerts)
      const tree = yield* ActorTree
      for (const [name, [event, lastError]] of Object.entries(actors)) {
        yield* tree.enter(name)
        yield* tree.turn(name, { _tag: "Run" })
        if (event._tag !== "Run") yield* tree.turn(name, event, lastError)
      }
      const { receive } = yield* Conservation
      return yield* receive("kis-rest", 10, ({ passOn, settle }) => {
        settle({ stored: 5, rejected: 2, deduplicated: 1 })
        return Effect.flatMap(Health, ({ report }) => report).pipe(Effect.ensuring(Effect.sync(() => passOn(2))))
      })
    }).pipe(Effect.provide(health))
  })

const silent_ms = nowMs - 61_000
const waiting: SessionState = { _tag: "waiting", attempt: 1, unapproved: 0, for_ms: 1_000, because: "cut" }

const table: ReadonlyArray<
  readonly [name: string, scene: Scene, status: string, ready: boolean, part?: string, reason?: string]
> = [
  ["everything is well", {}, "ok", true],
  ["SQL is off and nothing is streamed", { sql: "off", accounts: [{ streamed: 0 }] }, "ok", true],
  [
    "the journal cannot be written",
    { journal: { writable: false, reason: "write x: ENOSPC" } },
    "down",
    false,
    "journal",
    "write x: ENOSPC"
  ],
  [
    "records are missing",
    { alarm: { sinceMs: nowMs - 61_000, remainders: new Map([["kis-ws", 3]]), reason: "kis-ws: 3 are nowhere" } },
    "degraded",
    true,
    "conservation",
    "kis-ws: 3 are nowhere"
  ],
  [
    "the database is dead",
    { sql: { state: "degraded", reason: "ECONNREFUSED" } },
    "degraded",
    true,
    "sql",
    "ECONNREFUSED"
  ],
  ["the database is still opening", { sql: { state: "starting" } }, "ok", true, "sql"],
  [
    "the sweep has just begun",
    { sweep: { lastAnswerAtMs: undefined }, accounts: [{ sweeper: { state: "starting", sinceMs: nowMs - 59_000 } }] },
    "starting",
    false,
    "sweep"
  ],
  [
    "the sweep has had no answer since its start",
    { sweep: { lastAnswerAtMs: undefined }, accounts: [{ sweeper: { state: "starting", sinceMs: silent_ms } }] },
    "down",
    false,
    "sweep",
    "no answer for 61 s"
  ],
  [
    "the broker has trouble",
    { accounts: [{ sweeper: { state: "degraded", reason: "refused" } }] },
    "degraded",
    true,
    "sweep",
    "refused"
  ],
  [
    "the broker has long been gone",
    { sweep: { lastAnswerAtMs: silent_ms }, accounts: [{ sweeper: { state: "degraded", reason: "refused" } }] },
    "down",
    false,
    "sweep",
    "refused"
  ],
  [
    "the sweep hangs without a word",
    { sweep: { lastAnswerAtMs: silent_ms } },
    "down",
    false,
    "sweep",
    "no answer for 61 s"
  ],
  [
    "the market is closed",
    { sweep: { lastAnswerAtMs: nowMs - 50_000_000 }, accounts: [{ sweeper: { state: "closed" } }] },
    "ok",
    true,
    "sweep",
    "the market is closed"
  ],
  [
    "the stream connects",
    { accounts: [{ stream: { _tag: "connecting", attempt: 0, unapproved: 0 } }] },
    "ok",
    true,
    "stream"
  ],
  ["the stream waits", { accounts: [{ stream: waiting }] }, "degraded", true, "stream", "cut"],
  [
    "the stream is silent",
    { accounts: [{ stream: { _tag: "silent", attempt: 0, unapproved: 0 } }] },
    "degraded",
    true,
    "stream",
    "the connection is open and says nothing"
  ],
  [
    "the stream is parked",
    { accounts: [{ stream: { _tag: "parked", because: "refused" } }] },
    "degraded",
    true,
    "stream",
    "refused"
  ],
  [
    "the sweep of one of two accounts pauses",
    {
      accounts: [
        { alias: "a", sweeper: { state: "degraded", reason: "refused" } },
        { alias: "b", sweeper: { state: "ok" } }
      ]
    },
    "degraded",
    true,
    "sweep",
    "a: refused"
  ],
  [
    "one of two accounts has not begun to sweep",
    { accounts: [{ alias: "a", sweeper: { state: "starting" } }, { alias: "b" }] },
    "ok",
    true,
    "sweep"
  ],
  [
    "one of two accounts still believes that the market is closed",
    { accounts: [{ alias: "a", sweeper: { state: "closed" } }, { alias: "b" }] },
    "ok",
    true,
    "sweep"
  ],
  [
    "the keys of one of two accounts are refused, whatever its parts say",
    {
      accounts: [
        {
          alias: "a",
          down: "check the keys",
          stream: waiting,
          sweeper: { state: "degraded", reason: "refused", sinceMs: silent_ms }
        },
        { alias: "b" }
      ]
    },
    "degraded",
    true,
    "accounts",
    "a: check the keys"
  ],
  [
    "the keys of every account are refused",
    {
      accounts: [
        { alias: "a", down: "check" },
        { alias: "b", down: "check too" }
      ]
    },
    "down",
    false,
    "accounts",
    "a: check; b: check too"
  ],
  [
    "no account is left to sweep",
    { accounts: [{ alias: "a", down: "check" }] },
    "down",
    false,
    "sweep",
    "no account is left"
  ],
  [
    "one of two streams waits",
    { accounts: [{ alias: "a" }, { alias: "b", stream: waiting }] },
    "degraded",
    true,
    "stream",
    "b: cut"
  ],
  [
    "an actor rests",
    {
      actors: { "shard/0": [{ _tag: "Park", cause: "crash", untilMs: 0 }, "crash"], "shard/1": [{ _tag: "Run" }] }
    },
    "degraded",
    true,
    "actors",
    "shard/0 parked: crash"
  ],
  [
    "an actor is started again",
    { actors: { "follower/sql": [{ _tag: "BackOff", attempt: 1, untilMs: 0 }] } },
    "degraded",
    true,
    "actors",
    "follower/sql backingOff: unknown"
  ],
  [
    "the journal is down and so is the database",
    { journal: { writable: false }, sql: { state: "degraded" } },
    "down",
    false,
    "journal"
  ]
]

describe("health", () => {
  for (const [name, scene, status, ready, part, reason] of table) {
    it.effect(`is ${status} and ${ready ? "ready" : "unready"} when ${name}`, () =>
      Effect.gen(function* () {
        const report = yield* reportOf(scene)
        assert.deepStrictEqual([report.status, report.ready], [status, ready])
        const parts: Readonly<Record<string, { readonly reason?: string }>> = report.parts
        if (part !== undefined) assert.strictEqual(parts[part]?.reason, reason)
      })
    )
  }

  it.effect("gives reasons in the words of whoever failed, but for secrets", () =>
    Effect.gen(function* () {
      keepSecret(Redacted.make("postgres://observer:planted-in-health@db.example/x"))
      const reason = 'password "planted-in-health" is wrong'
      const { parts } = yield* reportOf({ sql: { state: "degraded", reason } })
      assert.include(parts.sql.reason, 'password "<redacted>" is wrong')
    })
  )

  it.effect("says of each part since when it is so and when it last did its work", () =>
    Effect.gen(function* () {
      const { parts } = yield* reportOf({ accounts: [{ stream: waiting }] })
      assert.deepStrictEqual(parts, {
        accounts: { status: "ok" },
        journal: { status: "ok", lastGood: "2026-11-24T00:59:59.990Z" },
        sql: { status: "ok", since: "2026-11-24T00:59:59.500Z", lastGood: nowText },
        sweep: { status: "ok", since: "2026-11-24T00:45:00.000Z", lastGood: "2026-11-24T00:59:59.000Z" },
        stream: {
          status: "degraded",
          since: "2026-11-24T00:59:55.000Z",
          lastGood: "2026-11-24T00:59:59.993Z",
          reason: "cut"
        },
        conservation: { status: "ok" },
        disk: { status: "off" },
        backup: { status: "off" },
        actors: { status: "ok" }
      })
    })
  )

  it.effect("calls the backup in trouble by its age, after three failed runs, and when nobody knows what waits", () =>
    Effect.gen(function* () {
      const part = (backup: Partial<BackupStatus>) => Effect.map(reportOf({ backup }), ({ parts }) => parts.backup)
      assert.strictEqual((yield* part({ failures: 2, reason: "full" })).status, "ok")
      assert.deepInclude(yield* part({ failures: 3, reason: "full" }), {
        status: "degraded",
        reason: "the last 3 runs failed: full"
      })
      assert.strictEqual((yield* part({ isUnread: true })).status, "starting")
      assert.strictEqual((yield* part({ isUnreadable: true })).status, "degraded")
      assert.match((yield* part({ age_seconds: 108_001 })).reason ?? "", /files wait, the oldest for 30 h/)
    })
  )

  it.effect("lists the alarms that fire, and is what it was without them", () =>
    Effect.gen(function* () {
      const alerts = [{ rule: "backupOld", severity: "warning", since: nowText, words: "31 h" }] as const
      const report = yield* reportOf({ alerts })
      assert.deepStrictEqual(report.alerts, alerts)
      assert.deepStrictEqual([report.status, report.ready], ["ok", true])
    })
  )

  it.effect("is one JSON object with the counts, what is still on its way, and whom the broker does not know", () =>
    Effect.gen(function* () {
      const report = yield* reportOf({})
      assert.deepInclude(JSON.parse(JSON.stringify(report)), {
        node: "seoul-1",
        version: "1.2.3",
        startedAt: nowText,
        uptime_seconds: 0,
        phase: "continuous",
        coverage: { symbols: 2_000, seen: 1_999, stale: 60, unknown: ["0000Y0"] },
        conservation: {
          "kis-rest": { received: 10, stored: 5, rejected: 2, deduplicated: 1, inFlight: 2, remainder: 0 }
        },
        lost: { losses: 1, trades: 2, shares: 30, foundTrades: 1, foundShares: 10 },
        callLimitsAsOf: "2026-04-20"
      })
    })
  )
})
