/**
 * When an open connection is dead: nothing of any kind has come for longer than the broker has been seen to be quiet. Its
 * probes come at an interval that is documented nowhere (5 to 60 s are assumed), and none came in 180 s of a busy stream:
 * they look like a question asked of the quiet (kis/websocket.md §4). So the quiet spells that ended in a probe are learnt.
 */
export interface Quietness {
  /** The longest spell without a message that ended in a probe. */
  readonly longest_ms: number
  /** Connections given up for silence in a row, without data or probe between: perhaps it is the limit that is wrong. */
  readonly deaths: number
}

export const unheard: Quietness = { longest_ms: 0, deaths: 0 }

const silence_ms_min = 120_000
const silence_ms_max = 600_000
const patience = 3

/** No message of any kind for so long: the connection is dead though it is open. */
export const deadAfter_ms = ({ deaths, longest_ms }: Quietness): number =>
  Math.min(silence_ms_max, Math.max(silence_ms_min, patience * longest_ms) * 2 ** Math.min(deaths, 3))

/** Quiet for so long is worth showing. */
export const quietAfter_ms = (quietness: Quietness): number => deadAfter_ms(quietness) / 2

/** A probe ended a quiet spell. */
export const probed = ({ longest_ms }: Quietness, quiet_ms: number): Quietness => ({
  longest_ms: Math.max(longest_ms, quiet_ms),
  deaths: 0
})

/** Data came. */
export const spoke = (quietness: Quietness): Quietness =>
  quietness.deaths === 0 ? quietness : { ...quietness, deaths: 0 }

/** A connection was given up for silence. */
export const died = ({ deaths, longest_ms }: Quietness): Quietness => ({ longest_ms, deaths: deaths + 1 })
