import { Clock, Context, Effect, Layer } from "effect"
import { ActorTree, type ActorStatus } from "../actor/ActorTree.ts"
import { MarketSession } from "../calendar/MarketSession.ts"
import type { Phase } from "../domain/Phase.ts"
import type { RecordSource } from "../domain/JournalRecord.ts"
import { withoutSecrets } from "../domain/Secrets.ts"
import type { AccountStatus } from "../feed/AccountFeed.ts"
import { type FeedStatus, KisFeed } from "../feed/KisFeed.ts"
import type { CoverageStatus } from "../feed/SweepSchedule.ts"
import { type Balance, Conservation } from "../journal/Conservation.ts"
import type { FollowerStatus } from "../journal/Follower.ts"
import { Journal, type JournalStatus } from "../journal/Journal.ts"
import { limitsAsOf } from "../kis/CallLimits.ts"
import { DayUniverse, type UniverseStatus } from "../plan/DayUniverse.ts"
import { type LossTotals, Shards } from "../shard/Shards.ts"
import { SqlPipeline } from "../sql/SqlPipeline.ts"
import { AlertBoard, type FiringAlarm } from "./alerts/AlertBoard.ts"
import { Backup, type BackupStatus } from "./Backup.ts"
import { type ConservationAlarm, ConservationWatch } from "./ConservationWatch.ts"
import { type DiskStatus, DiskWatch } from "./DiskWatch.ts"

export type PartStatus = "ok" | "starting" | "degraded" | "down" | "off"

/** One part of the program, as health shows it. */
export interface Part {
  readonly status: PartStatus
  /** UTC, since when it has been so. */
  readonly since?: string
  /** UTC, when it last did its work. */
  readonly lastGood?: string
  /** Why it is not ok, in words. */
  readonly reason?: string
}

export interface HealthReport {
  /** `down` when the record has stopped, `degraded` when it goes on with something missing. */
  readonly status: "ok" | "starting" | "degraded" | "down"
  /** Whether data can be written and the source is what the phase wants; a database that is down does not count. */
  readonly ready: boolean
  readonly node: string
  readonly version: string
  readonly startedAt: string
  readonly uptime_seconds: number
  readonly phase: Phase
  readonly parts: Readonly<
    Record<"journal" | "sql" | "accounts" | "sweep" | "stream" | "conservation" | "disk" | "backup" | "actors", Part>
  >
  readonly coverage: CoverageStatus & { readonly unknown: ReadonlyArray<string> }
  readonly journal: JournalStatus
  readonly sql: FollowerStatus | undefined
  readonly feed: FeedStatus
  /** Which list of issues the symbols were chosen from. */
  readonly universe: UniverseStatus
  readonly callLimitsAsOf: string
  readonly conservation: Readonly<Partial<Record<RecordSource, Balance>>>
  /** What streams have lost since the start, by the broker's counters. */
  readonly lost: LossTotals
  readonly disk: DiskStatus | undefined
  readonly backup: BackupStatus | undefined
  /** Alarms that were told and are not over (docs/alarms.md). */
  readonly alerts: ReadonlyArray<FiringAlarm>
  readonly actors: ReadonlyArray<ActorStatus>
}

export interface HealthOptions {
  readonly node: string
  readonly version: string
  readonly stale_seconds: number
}

/** The state of every part, put together from what the parts say of themselves; nothing is kept here. */
export class Health extends Context.Service<Health, { readonly report: Effect.Effect<HealthReport> }>()(
  "observer/ops/Health"
) {
  static readonly layer = (options: HealthOptions) => Layer.effect(Health, make(options))
}

/** While the market is open, a sweep without an answer for so long is down. */
const answer_seconds_max = 60

const utc = (atMs: number | undefined) => (atMs === undefined ? undefined : new Date(atMs).toISOString())

const part = (status: PartStatus, sinceMs?: number, lastGoodMs?: number, reason?: string): Part => {
  const since = utc(sinceMs)
  const lastGood = utc(lastGoodMs)
  return {
    status,
    ...(since === undefined ? {} : { since }),
    ...(lastGood === undefined ? {} : { lastGood }),
    // Everybody reads it: the screen, pages, alarms.
    ...(reason === undefined ? {} : { reason: withoutSecrets(reason) })
  }
}

const journalPart = ({ lastAppendAtMs, reason, writable }: JournalStatus): Part =>
  part(writable ? "ok" : "down", undefined, lastAppendAtMs, reason)

const sqlPart = (sql: FollowerStatus | undefined): Part =>
  sql === undefined ? part("off") : part(sql.state, sql.sinceMs, sql.lastGoodAtMs, sql.reason)

/** Refused credentials cost an account's calls and slots, and nobody else's. */
const accountsPart = ({ accounts }: FeedStatus): Part => {
  const down = accounts.flatMap(({ account, down: reason }) => (reason === undefined ? [] : [`${account}: ${reason}`]))
  if (down.length === 0) return part("ok")
  return part(down.length === accounts.length ? "down" : "degraded", undefined, undefined, down.join("; "))
}

const alive = ({ accounts }: FeedStatus): ReadonlyArray<AccountStatus> =>
  accounts.filter(({ down }) => down === undefined)

/** Something of each account in one sentence, by its alias where there are several. */
const wordsOf = (accounts: ReadonlyArray<readonly [alias: string, reason: string | undefined]>): string | undefined => {
  const words = accounts.flatMap(([alias, reason]) => (reason === undefined ? [] : [[alias, reason] as const]))
  if (words.length === 0) return undefined
  return words.map(([alias, reason]) => (accounts.length === 1 ? reason : `${alias}: ${reason}`)).join("; ")
}

const sweepPart = (feed: FeedStatus, nowMs: number): Part => {
  const { lastAnswerAtMs } = feed.sweep
  const sweepers = alive(feed).map(({ account, sweeper }) => ({ account, ...sweeper }))
  const sinceMs = Math.max(...sweepers.map((each) => each.sinceMs))
  if (sweepers.length === 0) return part("down", undefined, lastAnswerAtMs, "no account is left")
  if (sweepers.every(({ state }) => state === "closed")) {
    return part("ok", sinceMs, lastAnswerAtMs, "the market is closed")
  }
  const reason = wordsOf(sweepers.map(({ account, reason: why }) => [account, why]))
  const silent_seconds =
    (nowMs - Math.max(lastAnswerAtMs ?? 0, Math.min(...sweepers.map((each) => each.sinceMs)))) / 1_000
  if (silent_seconds > answer_seconds_max) {
    return part("down", sinceMs, lastAnswerAtMs, reason ?? `no answer for ${Math.round(silent_seconds)} s`)
  }
  const states = sweepers.map(({ state }) => state)
  const state = states.includes("degraded") ? "degraded" : states.includes("ok") ? "ok" : "starting"
  return part(state, sinceMs, lastAnswerAtMs, reason)
}

const sessionPart = ({ stream, sweeper }: AccountStatus): Part => {
  const { lastHeardMs, sinceMs, state } = stream
  switch (state._tag) {
    case "idle":
      // a stream that nobody runs is as it should be at night, and not yet there in the morning
      return sweeper.state === "closed"
        ? part("ok", sinceMs, lastHeardMs, "the market is closed")
        : part("starting", sinceMs, lastHeardMs)
    case "live":
      return part("ok", sinceMs, lastHeardMs)
    case "waiting":
      return part("degraded", sinceMs, lastHeardMs, state.because)
    case "parked":
      return part("down", sinceMs, lastHeardMs, state.because)
    case "silent":
      return part("degraded", sinceMs, lastHeardMs, "the connection is open and says nothing")
    default:
      return part("starting", sinceMs, lastHeardMs)
  }
}

/** The worst state of all sessions; down only when none is left. */
const streamPart = (feed: FeedStatus): Part => {
  const sessions = alive(feed).filter(({ streamed }) => streamed > 0)
  if (sessions.length === 0) return part("off")
  const parts = sessions.map((session) => [session.account, sessionPart(session)] as const)
  const has = (status: PartStatus) => parts.some(([, each]) => each.status === status)
  const isDown = parts.every(([, { status }]) => status === "down")
  const status = isDown ? "down" : has("down") || has("degraded") ? "degraded" : has("starting") ? "starting" : "ok"
  const heard = sessions.flatMap(({ stream }) => stream.lastHeardMs ?? [])
  return part(
    status,
    Math.max(...sessions.map(({ stream }) => stream.sinceMs)),
    heard.length === 0 ? undefined : Math.max(...heard),
    wordsOf(parts.map(([account, { reason }]) => [account, reason]))
  )
}

/** Records that are missing leave the others as good as they are. */
const conservationPart = (alarm: ConservationAlarm | undefined): Part =>
  alarm === undefined ? part("ok") : part("degraded", alarm.sinceMs, undefined, alarm.reason)

/** The journal says for itself when it cannot be written. */
const diskPart = (disk: DiskStatus | undefined): Part => {
  if (disk === undefined) return part("off")
  const troubled = disk.folders.filter(({ state }) => state !== "ok")
  if (troubled.length === 0) return part("ok")
  const words = troubled.map(({ name, reason, state }) => reason ?? `the ${name} folder is ${state}`)
  return part("degraded", Math.min(...troubled.map(({ sinceMs }) => sinceMs)), undefined, words.join("; "))
}

/** So many runs may fail before it is told: the next one often goes well. */
const failed_runs_max = 3

const backupPart = (backup: BackupStatus | undefined): Part => {
  if (backup === undefined) return part("off")
  const { age_seconds, age_seconds_max, failures = 0, isUnread, isUnreadable, lastGoodAtMs, reason, unbacked } = backup
  const because = reason === undefined ? "" : `: ${reason}`
  if (isUnread === true) return part("starting", undefined, undefined, "archive and receipts are not read yet")
  if (isUnreadable === true)
    return part("degraded", undefined, lastGoodAtMs, "manifests or receipts cannot be read: nobody knows what waits")
  if (age_seconds <= age_seconds_max) {
    return failures < failed_runs_max
      ? part("ok", undefined, lastGoodAtMs)
      : part("degraded", undefined, lastGoodAtMs, `the last ${failures} runs failed${because}`)
  }
  const late = `${unbacked.files} files wait, the oldest for ${Math.round(age_seconds / 3_600)} h`
  return part("degraded", undefined, lastGoodAtMs, `${late}${because}`)
}

const actorsPart = (actors: ReadonlyArray<ActorStatus>): Part => {
  const troubled = actors.filter(({ state }) => state._tag === "parked" || state._tag === "backingOff")
  if (troubled.length === 0) return part("ok")
  const words = troubled.map(({ lastError, name, state }) => `${name} ${state._tag}: ${lastError ?? "unknown"}`)
  return part("degraded", Math.min(...troubled.map(({ sinceMs }) => sinceMs)), undefined, words.join("; "))
}

const make = Effect.fnUntraced(function* ({ node, stale_seconds, version }: HealthOptions) {
  const journal = yield* Journal
  const conservation = yield* Conservation
  const watch = yield* ConservationWatch
  const feed = yield* KisFeed
  const universe = yield* DayUniverse
  const shards = yield* Shards
  const sql = yield* SqlPipeline
  const disks = yield* DiskWatch
  const backups = yield* Backup
  const board = yield* AlertBoard
  const tree = yield* ActorTree
  const session = yield* MarketSession
  const startedMs = yield* Clock.currentTimeMillis

  const report = Effect.gen(function* () {
    const nowMs = yield* Clock.currentTimeMillis
    const journalStatus = yield* journal.status
    const sqlStatus = yield* sql.status
    const feedStatus = yield* feed.status
    const disk = yield* disks.status
    const backup = yield* backups.status
    const actors = yield* tree.snapshot
    const parts = {
      journal: journalPart(journalStatus),
      sql: sqlPart(sqlStatus),
      accounts: accountsPart(feedStatus),
      sweep: sweepPart(feedStatus, nowMs),
      stream: streamPart(feedStatus),
      conservation: conservationPart(yield* watch.alarm),
      disk: diskPart(disk),
      backup: backupPart(backup),
      actors: actorsPart(actors)
    }
    const states = Object.values(parts).map(({ status }) => status)
    const recording = parts.journal.status !== "down" && parts.sweep.status !== "down"
    const result: HealthReport = {
      status: !recording
        ? "down"
        : states.includes("degraded") || states.includes("down")
          ? "degraded"
          : parts.sweep.status === "starting"
            ? "starting"
            : "ok",
      ready: recording && parts.sweep.status !== "starting",
      node,
      version,
      startedAt: new Date(startedMs).toISOString(),
      uptime_seconds: Math.round((nowMs - startedMs) / 1_000),
      phase: yield* session.phase,
      parts,
      coverage: { ...(yield* feed.coverage(stale_seconds)), unknown: feedStatus.sweep.unknown },
      journal: journalStatus,
      sql: sqlStatus,
      feed: feedStatus,
      universe: yield* universe.status,
      callLimitsAsOf: limitsAsOf,
      conservation: Object.fromEntries(yield* conservation.balances),
      lost: yield* shards.lossTotals,
      disk,
      backup,
      alerts: yield* board.firing,
      actors
    }
    return result
  })
  return Health.of({ report })
})
