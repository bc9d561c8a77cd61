import { Clock, Effect, Option } from "effect"
import { mkdir } from "node:fs/promises"
import type { FolderStatus } from "../DiskWatch.ts"
import { Forecast } from "./Forecast.ts"
import { type Hung, judgeLook } from "./judgeLook.ts"
import type { Limits } from "./Limits.ts"
import { type Devices, type Look, lookAt } from "./lookAt.ts"

export interface WatchedFolder {
  readonly name: FolderStatus["name"]
  readonly path: string
  readonly limits: Limits
  /** With which rights the watch makes it anew; absent where that is its owner's affair. */
  readonly mode?: number
}

/** Together with the time between two looks, a file system that hangs is told of within five seconds. */
const answer_ms_max = 2_500
/** For so long it is told of a folder that it was made anew. */
const replaced_ms = 10_000

interface Pending {
  readonly sinceMs: number
  answer: Look | undefined
}

/**
 * Looks at one folder again and again. A look that does not come back is told of and waited for, and no other is begun
 * meanwhile: the threads that hang with it would be missing to everything else.
 */
export class FolderEye {
  readonly folder: WatchedFolder
  readonly forecast = new Forecast()
  status: FolderStatus
  look: Look | undefined
  private pending: Pending | undefined
  private key: string | undefined
  private device: number | undefined
  private wasMount = false
  private replacedAtMs = Number.NEGATIVE_INFINITY

  private readonly lookAt: typeof lookAt

  /** @param look what is asked of the machine at every look */
  constructor(folder: WatchedFolder, nowMs: number, look: typeof lookAt = lookAt) {
    this.folder = folder
    this.lookAt = look
    this.status = { name: folder.name, path: folder.path, state: "ok", sinceMs: nowMs }
  }

  /** The file system whose call has not come back. */
  get hungDevice(): number | undefined {
    return this.pending === undefined ? undefined : this.device
  }

  /** Looks once and says what has become of the folder; `isHung` when another folder's call to the same file system hangs. */
  see(isProbing: boolean, isHung: (device: number | undefined) => boolean): Effect.Effect<void> {
    return Effect.gen({ self: this }, function* () {
      const found = this.pending === undefined && isHung(this.device) ? undefined : yield* this.answer(isProbing)
      const nowMs = yield* Clock.currentTimeMillis
      const before = this.status
      const hung: Hung = { _tag: "Hung", hung_seconds: (nowMs - (this.pending?.sinceMs ?? nowMs)) / 1_000 }
      if (found?._tag === "Seen") this.recognise(found, nowMs)
      this.look = found
      const known = {
        name: this.folder.name,
        state: before.state,
        wasMount: this.wasMount,
        isReplaced: nowMs - this.replacedAtMs < replaced_ms,
        limits: this.folder.limits
      }
      const { reason, state } = judgeLook(found ?? hung, known)
      const { full_hours } = before
      this.status = {
        name: this.folder.name,
        path: this.folder.path,
        state,
        sinceMs: state === before.state ? before.sinceMs : nowMs,
        ...(reason === undefined ? {} : { reason }),
        ...(found?._tag === "Seen"
          ? {
              free_bytes: found.free_bytes,
              total_bytes: found.total_bytes,
              ...(full_hours === undefined ? {} : { full_hours }),
              ...(this.forecast.isKnown ? { isPaceKnown: true } : {})
            }
          : {})
      }
      if (state !== before.state) yield* this.tell
      if (found?._tag === "Gone") yield* this.makeAnew(found)
    })
  }

  private answer(isProbing: boolean): Effect.Effect<Look | undefined> {
    return Effect.gen({ self: this }, function* () {
      if (this.pending === undefined) {
        const begun: Pending = { sinceMs: yield* Clock.currentTimeMillis, answer: undefined }
        this.pending = begun
        const looking = this.lookAt(this.folder.path, (devices) => isProbing && !this.isUnmounted(devices)).then(
          (look) => {
            begun.answer = look
            return look
          }
        )
        const inTime = yield* Effect.timeoutOption(
          Effect.promise(() => looking),
          answer_ms_max
        )
        if (Option.isNone(inTime)) return undefined
      }
      const { answer } = this.pending
      if (answer !== undefined) this.pending = undefined
      return answer
    })
  }

  /** What is under the place of a mount is not the folder. */
  private isUnmounted({ device, parentDevice }: Devices): boolean {
    return this.wasMount && device === parentDevice
  }

  private recognise({ device, key, parentDevice }: Extract<Look, { _tag: "Seen" }>, nowMs: number): void {
    if (this.key === undefined) this.wasMount = device !== parentDevice
    else if (this.isUnmounted({ device, parentDevice })) return
    else if (device === this.device && key !== this.key) this.replacedAtMs = nowMs
    this.key = key
    this.device = device
  }

  /** Where a file system is missing, a folder in its place would only hide that. */
  private makeAnew({ nearestDevice }: Extract<Look, { _tag: "Gone" }>): Effect.Effect<void> {
    const { mode, path } = this.folder
    if (mode === undefined || nearestDevice === undefined || nearestDevice !== this.device) return Effect.void
    return Effect.ignore(Effect.tryPromise(() => mkdir(path, { recursive: true, mode })))
  }

  private get tell(): Effect.Effect<void> {
    const { free_bytes, name, path, reason, state } = this.status
    const words = { folder: path, state, ...(reason === undefined ? {} : { reason }) }
    if (state === "ok") return Effect.logInfo(`the ${name} folder is well again`, { folder: path, free_bytes })
    return state === "low"
      ? Effect.logWarning(`the ${name} folder has little room left`, words)
      : Effect.logError(`the ${name} folder is in trouble`, words)
  }
}
