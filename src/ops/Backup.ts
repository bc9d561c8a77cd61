import { Context, Effect, Layer } from "effect"

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
  readonly unbacked: { readonly files: number; readonly bytes: number }
  /** Why the last run did not end well. */
  readonly reason?: string
  /** From what age on it is an alarm. */
  readonly age_seconds_max: number
}

/** Copies sealed files, manifests, certificates and logs to another place, by a schedule. */
export class Backup extends Context.Service<
  Backup,
  {
    /** For a supervisor to run. */
    readonly run: Effect.Effect<never>
    /** `undefined` where no target is set. */
    readonly status: Effect.Effect<BackupStatus | undefined>
  }
>()("observer/ops/Backup") {
  static readonly layerOff = Layer.succeed(Backup, { run: Effect.never, status: Effect.undefined })
}
