import { Clock, Context, Effect, Layer, Schedule } from "effect"
import { marketNow } from "../calendar/MarketClock.ts"
import { MarketSession } from "../calendar/MarketSession.ts"
import { DiskError } from "../journal/Disk.ts"
import { Journal } from "../journal/Journal.ts"
import { FolderEye } from "./diskWatch/FolderEye.ts"
import { hoursUntil } from "./diskWatch/hoursUntil.ts"
import { type Limits, limitsFor } from "./diskWatch/Limits.ts"
import { RoomWish } from "./diskWatch/RoomWish.ts"
import { Retention, type RetentionStatus } from "./Retention.ts"

/** One of the observer's folders, as it was found at the last look. */
export interface FolderStatus {
  readonly name: "data" | "log" | "state"
  readonly path: string
  /** `low` still takes writes; the others do not, or take them where nobody will find them. */
  readonly state: "ok" | "low" | "full" | "readOnly" | "missing" | "unreadable"
  /** UTC milliseconds, since when it has been so. */
  readonly sinceMs: number
  /** Why it is not ok, in words that say what to do. */
  readonly reason?: string
  /** What the observer's user may still write on its file system. */
  readonly free_bytes?: number
  readonly total_bytes?: number
  /** When its file system is full at the pace of late; absent while there is no pace to speak of. */
  readonly full_hours?: number
  /** Once it was watched for long enough to have a pace; after a start that takes half an hour of open market. */
  readonly isPaceKnown?: true
}

export interface DiskStatus {
  readonly folders: ReadonlyArray<FolderStatus>
  /** What becomes of old days; absent where all are kept. */
  readonly retention?: RetentionStatus
}

export interface DiskWatchOptions extends Limits {
  readonly dataDir: string
  readonly logDir: string
  readonly stateDir: string
}

/** Looks at the observer's folders and their file systems, again and again. */
export class DiskWatch extends Context.Service<
  DiskWatch,
  {
    /** For a supervisor to run. */
    readonly run: Effect.Effect<never>
    /** `undefined` where nobody looks. */
    readonly status: Effect.Effect<DiskStatus | undefined>
  }
>()("observer/ops/DiskWatch") {
  static readonly layerOff = Layer.succeed(DiskWatch, { run: Effect.never, status: Effect.undefined })
  /**
   * Looks every two seconds, and writes a small file every four: whatever befalls a folder is told of within five. While the
   * data folder takes no writes, or has too little room left for them, the journal's appends are held back; when the watch
   * ends they are let go, for the room that is kept free is for what is still to be stored then.
   */
  static readonly layer = (options: DiskWatchOptions) => Layer.effect(DiskWatch, make(options))
}

const look_interval = "2 seconds"
/** Every second look writes. */
const looks_per_probe = 2
/** A full year of the calendar is walked through for it. */
const forecast_ms = 60_000

const make = Effect.fnUntraced(function* ({ dataDir, logDir, stateDir, ...limits }: DiskWatchOptions) {
  const journal = yield* Journal
  const session = yield* MarketSession
  const retention = yield* Retention
  const startedMs = yield* Clock.currentTimeMillis
  const data = new FolderEye({ name: "data", path: dataDir, limits }, startedMs)
  const eyes = [
    data,
    new FolderEye({ name: "log", path: logDir, limits, mode: 0o755 }, startedMs),
    new FolderEye({ name: "state", path: stateDir, limits, mode: 0o700 }, startedMs)
  ]
  let looks = 0
  let appended_bytes = 0
  const wish = new RoomWish()
  let forecastAtMs = Number.NEGATIVE_INFINITY

  /** An append that was taken is as good as a probe. */
  const isDataWritten = Effect.map(journal.status, (status) => {
    const isMoved = status.writable && status.appended_bytes > appended_bytes
    appended_bytes = status.appended_bytes
    return isMoved
  })

  /** A folder that is missing is the journal's own affair: it knows its lock. */
  const holdOrLetGo = Effect.suspend(() => {
    const { reason, state } = data.status
    const isHeld = state === "full" || state === "readOnly" || state === "unreadable"
    const why = isHeld
      ? new DiskError({
          operation: "append to",
          path: dataDir,
          code: state,
          ...(reason === undefined ? {} : { advice: reason })
        })
      : undefined
    return journal.hold(why)
  })

  const foresee = Effect.gen(function* () {
    const atMs = yield* Clock.currentTimeMillis
    const isOpen = yield* session.isOpen
    for (const { forecast, look } of eyes) if (look?._tag === "Seen") forecast.see(atMs, look.free_bytes, isOpen)
    if (Math.abs(atMs - forecastAtMs) < forecast_ms) return
    forecastAtMs = atMs
    const nowMs = yield* marketNow
    for (const eye of eyes) {
      const { full_hours: _before, ...status } = eye.status
      if (eye.look?._tag !== "Seen") continue
      const kept_bytes = eye === data ? limitsFor(limits, eye.look.total_bytes).stop_bytes : 0
      const open_ms = eye.forecast.open_ms_left(eye.look.free_bytes - kept_bytes)
      const full_hours = open_ms === undefined ? undefined : hoursUntil(open_ms, nowMs, session.openSpans)
      eye.status = { ...status, ...(full_hours === undefined ? {} : { full_hours }) }
    }
  })

  const turn = Effect.gen(function* () {
    const isWritten = yield* isDataWritten
    const isProbing = looks++ % looks_per_probe === 0
    for (const eye of eyes) {
      const isDoubtful = eye.status.state !== "ok" && eye.status.state !== "low"
      const isHung = (device: number | undefined) =>
        device !== undefined && eyes.some((other) => other !== eye && other.hungDevice === device)
      yield* eye.see(isDoubtful || (isProbing && !(eye === data && isWritten)), isHung)
      if (eye !== data) continue
      yield* holdOrLetGo
      if (wish.isDue(eye.status.state, yield* Clock.currentTimeMillis)) yield* retention.hurry
    }
    yield* foresee
  })

  return DiskWatch.of({
    // Nobody would let go of appends that are held when nobody looks: when the program ends, the room that is kept is for them.
    run: Effect.repeat(turn, Schedule.spaced(look_interval)).pipe(
      Effect.andThen(Effect.never),
      Effect.ensuring(journal.hold(undefined))
    ),
    status: Effect.map(retention.status, (kept) => ({
      folders: eyes.map(({ status }) => status),
      ...(kept === undefined ? {} : { retention: kept })
    }))
  })
})
