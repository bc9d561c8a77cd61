import type { Usual } from "./Rhythm.ts"

/** What is known of a connection whose probes come and whose data does not. */
export interface Listening {
  /** How often its streams together speak in this phase; absent until enough came. */
  readonly usual: Usual | undefined
  /** Registrations that carry data. */
  readonly streams: number
  /** Connections given up for deafness since data last came. */
  readonly vain: number
}

const deaf_ms_min = 30_000
const deaf_ms_max = 180_000
const median_factor = 20
const longest_factor = 5
/** Streams that together speak less than ten times a minute may be quiet for reasons of their own. */
const talkative_ms = 6_000
/** Nothing was heard yet in this phase: so many streams cannot all have nothing to say for so long. */
const streams_min = 5
const unknown_ms = 300_000
const vain_ms_max = 1_800_000

/**
 * After how much time without data a connection is alive but deaf, in a phase in which trades are expected (18 silent
 * minutes without an error were reported, kis/websocket.md §9). `undefined`: its quiet says nothing. A circuit breaker
 * looks the same, so each vain reconnect doubles the patience.
 */
export const deafAfter_ms = ({ streams, usual, vain }: Listening): number | undefined => {
  const first_ms =
    usual === undefined
      ? streams >= streams_min
        ? unknown_ms
        : undefined
      : usual.median_ms > talkative_ms
        ? undefined
        : Math.min(
            deaf_ms_max,
            Math.max(deaf_ms_min, median_factor * usual.median_ms, longest_factor * usual.longest_ms)
          )
  return first_ms === undefined ? undefined : Math.min(vain_ms_max, first_ms * 2 ** Math.min(vain, 10))
}
