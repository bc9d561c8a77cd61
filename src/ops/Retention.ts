import { Context, Deferred, Effect, Exit, Layer } from "effect"
import { MarketClock, marketNow } from "../calendar/MarketClock.ts"
import { dayFolder, marketDate } from "../calendar/MarketTime.ts"
import { marker } from "../feed/FeedRecord.ts"
import { Disk } from "../journal/Disk.ts"
import { Journal } from "../journal/Journal.ts"
import { type RetiredDay, writeRetired } from "../journal/RetiredDay.ts"
import { daysOf } from "../journal/SegmentName.ts"
import { listDays, listSegments } from "../journal/Segments.ts"
import { SqlPipeline } from "../sql/SqlPipeline.ts"
import { isBackedUp, receiptsOf } from "./retention/backedUp.ts"
import { daysDue } from "./retention/daysDue.ts"
import { deleteDay } from "./retention/deleteDay.ts"
import { inspectDay, type OldDay } from "./retention/inspectDay.ts"
import { inReserve, keepReserve } from "./retention/reserve.ts"

export interface RetentionOptions {
  readonly dataDir: string
  readonly stateDir: string
  /** Whose database follows: what it has not stored stays. */
  readonly node: string
  /** Market days that are kept besides today; 0 keeps all. */
  readonly days: number
  /** The name of the target that is backed up to; without one nothing is backed up. */
  readonly target: string | undefined
  /** What becomes of older days that are not backed up. */
  readonly unbacked: "keep" | "delete"
}

/** What becomes of days that are older than they are kept. */
export interface RetentionStatus {
  /** Days kept besides today. */
  readonly days: number
  /** The oldest day that has its files still, `YYYY-MM-DD`; absent while there is none, or none was looked for. */
  readonly oldestDay?: string
  /** Days that would be deleted, were they backed up. */
  readonly waitingForBackup: number
}

/** Deletes the files of old days, once they are kept elsewhere. */
export class Retention extends Context.Service<
  Retention,
  {
    /** For a supervisor to run. */
    readonly run: Effect.Effect<never>
    /** Looks at once and not at the next hour: room is needed. */
    readonly hurry: Effect.Effect<void>
    /** `undefined` where all days are kept. */
    readonly status: Effect.Effect<RetentionStatus | undefined>
  }
>()("observer/ops/Retention") {
  static readonly layerOff = Layer.succeed(Retention, {
    run: Effect.never,
    hurry: Effect.void,
    status: Effect.undefined
  })
  static readonly layer = (options: RetentionOptions) =>
    options.days === 0 ? this.layerOff : Layer.effect(Retention, make(options))
}

const interval = "1 hour"
const again = "1 minute"
/** A day that was missed is certified within a week; until then its files are read. */
const certified_days = 8
const day_ms = 86_400_000

const dashed = (day: string) => day.replaceAll("/", "-")

const make = Effect.fnUntraced(function* ({ dataDir, days, node, stateDir, target, unbacked }: RetentionOptions) {
  const disk = yield* Disk
  const journal = yield* Journal
  const sql = yield* SqlPipeline
  const said = new Map<string, string>()
  /** Days whose files are gone: they are not looked at again. */
  const finished = new Set<string>()
  /** Days that are deleted and not yet on record, and whether the journal has taken theirs. */
  const untold = new Map<string, { readonly begun: RetiredDay; isAppended: boolean }>()
  let toTell = Deferred.makeUnsafe<void>()
  let hurried = Deferred.makeUnsafe<void>()
  let status: RetentionStatus = { days, waitingForBackup: 0 }

  /** Says once of a day why it is left. */
  const leave = (day: string, why: string) => {
    if (said.get(day) === why) return Effect.void
    said.set(day, why)
    return Effect.logWarning("an old day is not deleted", { day: dashed(day), reason: why })
  }

  /** A database that has not said how far it is has stored nothing. */
  const isPassed = Effect.fnUntraced(function* ({ lastSeqs }: OldDay) {
    const follower = yield* sql.status
    return follower === undefined || (lastSeqs.get(node) ?? 0) <= follower.seq
  })

  /** Deletes one day if it may be; gives what the journal is to be told. */
  const see = Effect.fnUntraced(function* (day: string, nowMs: number) {
    const old = yield* inspectDay(dataDir, day)
    if ("why" in old) {
      if (old.why !== undefined) yield* leave(day, old.why)
      return "left" as const
    }
    if (old.files.length === 0 && old.retired?.finishedAt !== undefined) {
      finished.add(day)
      return "gone" as const
    }
    const isBegun = old.retired !== undefined && old.retired.finishedAt === undefined
    if (isBegun) return yield* deleteDay(dataDir, old, { nowMs, backedUp: old.retired.backedUp })
    if (old.lastSeqs.size === 0) return "left" as const
    const isOld = day < dayFolder(marketDate(nowMs - certified_days * day_ms))
    if (!(yield* isPassed(old)) || !(old.isCertified || isOld)) return "left" as const
    const backedUp = isBackedUp(yield* receiptsOf(stateDir, [day]), target, old)
    if (!backedUp && unbacked === "keep") return "waiting" as const
    const begun = yield* deleteDay(dataDir, old, { nowMs, backedUp })
    yield* Effect.logInfo("an old day was deleted; its lists and its certificate stay", {
      day: dashed(day),
      bytes: begun.bytes,
      backedUp,
      files: old.files.map(({ file }) => file)
    })
    return begun
  })

  const putOnRecord = Effect.fnUntraced(function* (day: string) {
    const entry = untold.get(day)
    if (entry === undefined) return
    const { backedUp, bytes, files } = entry.begun
    const atMs = yield* marketNow
    if (!entry.isAppended) {
      yield* journal.append([marker(atMs, { event: "retired", day: entry.begun.day, files, bytes, backedUp })])
      entry.isAppended = true
    }
    const over = { ...entry.begun, finishedAt: new Date(atMs).toISOString() }
    yield* inReserve(dataDir, writeRetired(dataDir, day, over))
    finished.add(day)
    untold.delete(day)
  })

  /** Beside the looks: while there is no room the journal takes nothing, and more may have to go until it does. */
  const tell = Effect.gen(function* () {
    if (untold.size === 0) yield* Deferred.await(toTell)
    toTell = Deferred.makeUnsafe()
    for (const day of untold.keys()) yield* putOnRecord(day)
  }).pipe(
    Effect.catch((error) =>
      Effect.andThen(
        Effect.logWarning("a deleted day cannot be marked for now; it is tried again", { reason: error.message }),
        Effect.sleep(again)
      )
    ),
    Effect.provideService(Disk, disk)
  )

  const oldestOf = Effect.fnUntraced(function* (folders: ReadonlyArray<string>) {
    for (const day of folders) {
      if (!finished.has(day) && (yield* listSegments(dataDir, day)).length > 0) return dashed(day)
    }
    return undefined
  })

  const turn = Effect.gen(function* () {
    yield* keepReserve(dataDir)
    const nowMs = yield* marketNow
    const folders = yield* listDays(dataDir)
    const { file } = yield* journal.head
    const written = new Set(daysOf(file))
    let waitingForBackup = 0
    for (const day of daysDue(days, nowMs, folders)) {
      if (finished.has(day) || untold.has(day) || written.has(day)) continue
      const seen = yield* see(day, nowMs)
      if (seen === "waiting") waitingForBackup += 1
      else if (typeof seen === "object") untold.set(day, { begun: seen, isAppended: false })
    }
    const oldestDay = yield* oldestOf(folders)
    status = { days, waitingForBackup, ...(oldestDay === undefined ? {} : { oldestDay }) }
    if (untold.size > 0) Deferred.doneUnsafe(toTell, Exit.void)
    yield* keepReserve(dataDir)
  }).pipe(
    Effect.catch((error) =>
      Effect.logWarning("old days cannot be deleted for now; it is tried again", { reason: error.message })
    ),
    Effect.provideService(Disk, disk)
  )

  const rest = Effect.gen(function* () {
    yield* Effect.timeoutOption(Deferred.await(hurried), interval)
    hurried = Deferred.makeUnsafe()
  })

  const run = Effect.gen(function* () {
    if ((yield* MarketClock).beginsMs !== undefined) {
      yield* Effect.logInfo("a day is rehearsed: no old day is deleted", { retention_days: days })
      return yield* Effect.never
    }
    const look = Effect.forever(Effect.andThen(turn, rest))
    return yield* Effect.raceFirst(look, Effect.forever(tell))
  })

  return Retention.of({
    run,
    hurry: Effect.sync(() => Deferred.doneUnsafe(hurried, Exit.void)),
    status: Effect.sync(() => status)
  })
})
