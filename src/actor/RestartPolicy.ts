/** When an actor that failed is started again, and when it is not. Pure values: the supervisor does what `next` decides. */
export interface RestartPolicy {
  /** At most so many restarts … */
  readonly restarts_max: number
  /** … within so long. */
  readonly window_ms: number
  readonly backOff_ms_min: number
  readonly backOff_ms_max: number
  /** An actor that ran so long has proved itself: its back-off and its budget begin anew. */
  readonly stable_ms: number
  /** When the budget is spent: stay down for `coolDown_ms` and try again, or end the whole tree. */
  readonly exhausted: "park" | "escalate"
  readonly coolDown_ms: number
}

/**
 * For an actor whose trouble is usually outside (a broker, a database): keep trying, ever more slowly, then rest. The
 * window is longer than all ten waits together (81 s at most), or the first would leave it before the last is spent.
 */
export const patient: RestartPolicy = {
  restarts_max: 10,
  window_ms: 300_000,
  backOff_ms_min: 100,
  backOff_ms_max: 30_000,
  stable_ms: 10_000,
  exhausted: "park",
  coolDown_ms: 60_000
}

/** For an actor without which nothing works (the journal): a few tries, then the program ends and says why. */
export const vital: RestartPolicy = { ...patient, restarts_max: 3, exhausted: "escalate" }

/** What is remembered of an actor's failures. */
export interface Standing {
  /** When its restarts within the window happened. */
  readonly restartsAtMs: ReadonlyArray<number>
  /** Failures in a row without a stable run between them. */
  readonly streak: number
}

export const fresh: Standing = { restartsAtMs: [], streak: 0 }

export type Decision =
  | { readonly _tag: "Restart"; readonly after_ms: number }
  | { readonly _tag: "Park"; readonly for_ms: number }
  | { readonly _tag: "Escalate" }

/**
 * Decides after a failure at `nowMs` of an actor that had run for `ran_ms`. `random` in [0, 1) spreads the back-off over
 * the upper half of its length, so that actors felled together do not rise together.
 */
export const next = (
  policy: RestartPolicy,
  standing: Standing,
  failure: { readonly nowMs: number; readonly ran_ms: number; readonly random: number }
): { readonly standing: Standing; readonly decision: Decision } => {
  const { nowMs, ran_ms, random } = failure
  const before = ran_ms >= policy.stable_ms ? fresh : standing
  const streak = before.streak + 1
  const recent = before.restartsAtMs.filter((at) => nowMs - at < policy.window_ms)
  if (recent.length >= policy.restarts_max) {
    return policy.exhausted === "escalate"
      ? { standing: { restartsAtMs: recent, streak }, decision: { _tag: "Escalate" } }
      : { standing: fresh, decision: { _tag: "Park", for_ms: policy.coolDown_ms } }
  }
  const length = Math.min(policy.backOff_ms_max, policy.backOff_ms_min * 2 ** Math.min(streak - 1, 30))
  const after_ms = Math.round(length * (0.5 + random / 2))
  return { standing: { restartsAtMs: [...recent, nowMs], streak }, decision: { _tag: "Restart", after_ms } }
}
