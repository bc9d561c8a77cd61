import type { HealthReport } from "../Health.ts"
import type { CertificateLook } from "./certificateLook.ts"
import type { Increases } from "./Increases.ts"
import type { MachineLook } from "./machineLook.ts"

export type Severity = "critical" | "warning"

/** What a rule answers when it cannot know yet, as after a start: then nothing begins, and nothing that was told ends. */
export const unknown: unique symbol = Symbol("unknown")

/** All that rules may look at, at one moment. */
export interface Observation {
  readonly report: HealthReport
  /** By the machine's clock. */
  readonly nowMs: number
  /** How much what only ever rises has risen of late. */
  readonly risen: Increases
  readonly machine: MachineLook
  /** `undefined` until the archive has been looked at. */
  readonly certificates: CertificateLook | undefined
  /** Lines that the log file could not take, since the start. */
  readonly logLost_lines: number
}

/** The one number of a rule that a user may change (`OBSERVER_ALERT_RULES`). */
export interface Limit {
  readonly default: number
  readonly unit: string
  readonly least: number
  readonly most: number
}

/** What is an alarm, as data: `amiss` is pure, and all else about telling it is the same for every rule. */
export interface Rule {
  readonly name: string
  readonly severity: Severity
  /** In a few words, for the first line of a message. */
  readonly title: string
  /**
   * When it may speak: at any time, while the market is not closed, or in continuous trading alone. But for the first, it is
   * silent for half a minute on both sides of a change of phase.
   */
  readonly applies: "always" | "open" | "continuous"
  readonly limit?: Limit
  /** For how long it must be amiss before it is told. */
  readonly fire_seconds: number
  /** For how long it must be well again before that is told. */
  readonly recover_seconds: number
  /** What is amiss, with the figures; `undefined` when nothing is, and `unknown` while that cannot be told. */
  readonly amiss: (seen: Observation, limit: number) => string | undefined | typeof unknown
  readonly meaning: string
  /** What to do. */
  readonly action: string
}
