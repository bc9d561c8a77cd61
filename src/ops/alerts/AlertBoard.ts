import { Context, Effect, Layer } from "effect"
import type { Severity } from "./Rule.ts"

/** An alarm that was told and is not over. */
export interface FiringAlarm {
  readonly rule: string
  readonly severity: Severity
  /** UTC, since when it has been amiss. */
  readonly since: string
  /** What is amiss, with the figures of the newest look. */
  readonly words: string
}

/** Where the alarms that fire are posted for whoever shows them; it knows neither how they are found nor who looks. */
export class AlertBoard extends Context.Service<
  AlertBoard,
  {
    readonly firing: Effect.Effect<ReadonlyArray<FiringAlarm>>
    post(alarms: ReadonlyArray<FiringAlarm>): Effect.Effect<void>
  }
>()("observer/ops/alerts/AlertBoard") {
  static readonly layer = Layer.sync(AlertBoard, () => {
    let posted: ReadonlyArray<FiringAlarm> = []
    return {
      firing: Effect.sync(() => posted),
      post: (alarms) => Effect.sync(() => void (posted = alarms))
    }
  })
}
