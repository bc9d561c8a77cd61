import { Clock } from "effect"

/** The machine's own, whatever clock the program is given: a lock is between processes. */
export const machineClock: Clock.Clock = Clock.Clock.defaultValue()
