import { Context, Effect } from "effect"

/** What keeps `observer.log` going, and what it could not take. */
interface LogKeeperShape {
  /** Finds that the file fails or was removed, and writes it again; for a supervisor to run. */
  readonly run: Effect.Effect<never>
  /** Lines that could not be stored since the start. */
  readonly lostLines: () => number
}

/** The log file of the program, to be looked after by the supervisor, once there is one. */
export const LogKeeper = Context.Reference<LogKeeperShape>("observer/ops/logging/LogKeeper", {
  defaultValue: () => ({ run: Effect.never, lostLines: () => 0 })
})
