import { Context, Effect, Layer } from "effect"

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
}

export interface DiskStatus {
  readonly folders: ReadonlyArray<FolderStatus>
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
}
