import { Context, Effect, Layer } from "effect"

/** What becomes of days that are older than they are kept. */
export interface RetentionStatus {
  /** Days kept besides today. */
  readonly days: number
  /** The oldest day that has its files still, `YYYY-MM-DD`; absent while there is none. */
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
}
