import { Clock, Context, type Cron, Effect, Layer } from "effect"
import { annotateSpan, inSpan } from "../actor/inSpan.ts"
import { makePolled } from "../actor/Polled.ts"
import { MarketClock, marketNow, sleepTowards } from "../calendar/MarketClock.ts"
import { MarketSession } from "../calendar/MarketSession.ts"
import type { Phase } from "../domain/Phase.ts"
import { Disk } from "../journal/Disk.ts"
import type { BackupTarget } from "./backup/BackupTarget.ts"
import { allDays } from "./backup/DaySelection.ts"
import { type Due, dueRun } from "./backup/dueRun.ts"
import { makeSealedFiles } from "./backup/inventory.ts"
import { isGood, reasonOf, totalOf } from "./backup/BackupReport.ts"
import { type BackupFolders, runBackup } from "./backup/runBackup.ts"
import { readRuns, type Runs } from "./backup/TransferLog.ts"
import { unbackedAt, type Unbacked } from "./backup/unbacked.ts"

/** How far the backup has come, all times in UTC milliseconds. */
export interface BackupStatus {
  /** Where to, without any password. */
  readonly target: string
  /** Since when the running transfer runs. */
  readonly runningSinceMs?: number
  readonly lastRunAtMs?: number
  /** When a run last ended with every file at the target and verified there. */
  readonly lastGoodAtMs?: number
  /** Age of the oldest sealed file that is not yet verified at the target; 0 when there is none. */
  readonly age_seconds: number
  /** While archive and receipts have not been read since the start: the figures say nothing yet. */
  readonly isUnread?: true
  readonly unbacked: { readonly files: number; readonly bytes: number }
  /** Why the last run did not end well. */
  readonly reason?: string
  /** Runs one after the other that did not end well; absent when the last one did. */
  readonly failures?: number
  /** Manifests or receipts cannot be read: what waits is not known. */
  readonly isUnreadable?: true
  /** From what age on it is an alarm. */
  readonly age_seconds_max: number
  /** When the next run is to begin; absent where a timer outside decides. */
  readonly nextRunAtMs?: number
}

export interface BackupOptions extends BackupFolders {
  readonly target: BackupTarget
  /** `off` where a timer calls `observer backup`; its receipts are read all the same. */
  readonly schedule: Cron.Cron | "off"
  readonly age_hours: number
  readonly gzip_minutes: number | "off"
}

/** Copies sealed files, manifests, certificates and logs to another place, by a schedule. */
export class Backup extends Context.Service<
  Backup,
  {
    /** For a supervisor to run. */
    readonly run: Effect.Effect<never>
    /** `undefined` where no target is set: then there is nothing to run. */
    readonly status: Effect.Effect<BackupStatus | undefined>
  }
>()("observer/ops/Backup") {
  static readonly layerOff = Layer.succeed(Backup, { run: Effect.never, status: Effect.undefined })
  static readonly layer = (options: BackupOptions) => Layer.effect(Backup, make(options))
}

/** How old what the status says of the files may be: manifests and receipts are read for it. */
const look_ms = 30_000
/** A disk that does not answer costs the asker no more. */
const look_ms_max = 1_500
/** Another process backs up: its end is waited for. */
const busy_ms = 300_000

/** Between two runs, whatever happens. */
const pause_ms = 60_000

/** When a backup that nobody has asked for would take disk and line from the market. */
const busiest: ReadonlySet<Phase> = new Set(["openingAuction", "continuous", "closingAuction"])

const make = Effect.fnUntraced(function* (options: BackupOptions) {
  const { age_hours, dataDir, gzip_minutes, schedule, stateDir, target } = options
  const disk = yield* Disk
  const session = yield* MarketSession
  const sealedFiles = makeSealedFiles(dataDir)
  let running: number | undefined
  let isFollowUp = false

  let lastRead: Unbacked | undefined
  const nothing: { readonly isRead: boolean; readonly unbacked: Unbacked | undefined; readonly runs: Runs } = {
    isRead: false,
    unbacked: undefined,
    runs: { failures: 0, waiting: 0 }
  }
  const { newest: look, outdate } = yield* makePolled({
    ask: Effect.gen(function* () {
      const runs = yield* readRuns(stateDir, target.name)
      // What cannot be read now was read before.
      lastRead = yield* Effect.orElseSucceed(unbackedAt(sealedFiles, stateDir, target.name), () => lastRead)
      return { isRead: true, unbacked: lastRead, runs }
    }),
    initial: nothing,
    fresh_ms: look_ms,
    patience_ms: look_ms_max
  })

  const nextOf = (runs: Runs, nowMs: number): Due | undefined =>
    schedule === "off" ? undefined : dueRun({ cron: schedule, runs, gzip_minutes, isFollowUp }, nowMs)

  const status = Effect.gen(function* () {
    const { isRead, runs, unbacked } = yield* look
    const nowMs = yield* marketNow
    const { wallAt } = yield* MarketClock
    const { files, bytes, sealedAtMs = nowMs }: Unbacked = unbacked ?? { files: 0, bytes: 0 }
    const atMs = (text: string | undefined) => (text === undefined ? undefined : Date.parse(text))
    const [lastRunAtMs, lastGoodAtMs] = [atMs(runs.startedAt), atMs(runs.goodAt)]
    const due = nextOf(runs, nowMs)
    const said: BackupStatus = {
      target: target.name,
      ...(running === undefined ? {} : { runningSinceMs: running }),
      ...(lastRunAtMs === undefined ? {} : { lastRunAtMs }),
      ...(lastGoodAtMs === undefined ? {} : { lastGoodAtMs }),
      age_seconds: Math.max(0, Math.round((nowMs - sealedAtMs) / 1_000)),
      unbacked: { files, bytes },
      ...(isRead ? {} : { isUnread: true }),
      ...(runs.reason === undefined ? {} : { reason: runs.reason }),
      ...(runs.failures === 0 ? {} : { failures: runs.failures }),
      ...(isRead && unbacked === undefined ? { isUnreadable: true } : {}),
      age_seconds_max: age_hours * 3_600,
      ...(due === undefined ? {} : { nextRunAtMs: wallAt(Math.max(due.atMs, nowMs)) })
    }
    return said
  })

  const perform = Effect.gen(function* () {
    running = yield* Clock.currentTimeMillis
    const report = yield* runBackup({ ...options, selection: allDays })
    const { bytes, sent, waiting } = totalOf(report)
    yield* annotateSpan({ files: sent, bytes, waiting })
    const words = { target: target.name, files: sent, bytes, waiting, seconds: Math.round(report.elapsed_ms / 1_000) }
    yield* isGood(report)
      ? Effect.logInfo("backed up: what was sent is verified at the target", words)
      : Effect.logError("the backup is not whole, and is tried again", { ...words, reason: reasonOf(report) })
  }).pipe(
    Effect.catchTag("FolderLocked", ({ pid }) =>
      Effect.andThen(Effect.logInfo("another process backs up: its end is waited for", { pid }), Effect.sleep(busy_ms))
    ),
    Effect.catch(({ message: reason }) =>
      Effect.logError("the backup cannot be made, and is tried again", { target: target.name, reason })
    ),
    Effect.ensuring(
      Effect.andThen(
        outdate,
        Effect.sync(() => void (running = undefined))
      )
    ),
    Effect.provideService(Disk, disk)
  )

  /** Whether the market is at its busiest; one that never closes is never at anything else. */
  const isBusy = Effect.map(session.phase, (phase) => session.mode === "calendar" && busiest.has(phase))

  const step = Effect.gen(function* () {
    const nowMs = yield* marketNow
    const due = nextOf(yield* readRuns(stateDir, target.name), nowMs)
    if (due === undefined) return yield* Effect.never
    if (due.atMs > nowMs) return yield* sleepTowards(due.atMs)
    if (due._tag === "Beside" && (yield* isBusy))
      return yield* sleepTowards(session.nextChange(nowMs) ?? Number.POSITIVE_INFINITY)
    isFollowUp = due._tag === "Beside" && due.why === "waiting"
    yield* inSpan(perform, "backup.run")
    // A run that could not even be remembered would begin again at once.
    yield* Effect.sleep(pause_ms)
  })

  return Backup.of({ run: Effect.forever(step), status })
})
