import type { Usual } from "./Rhythm.ts"

/**
 * What is thought of one accepted registration that does not speak. The broker may drop one without a word, and accepts
 * others that never speak (kis/websocket.md §8); an illiquid symbol looks the same for minutes.
 */
export type SymbolSilence =
  | { readonly _tag: "hearing" }
  /** It was silent against its habit, and was registered once more. */
  | { readonly _tag: "askedAgain" }
  /** Registering it once more did not help: its stream is not to be relied upon. */
  | { readonly _tag: "silent"; readonly sinceMs: number }

export interface SymbolLook {
  readonly nowMs: number
  /** Since when it could have spoken: its newest frame, its acceptance, the phase's begin, whichever came last. */
  readonly quietSinceMs: number
  readonly usual: Usual | undefined
  /** Since when the swept volume has been beyond the streamed one without a frame; absent while it is not. */
  readonly volumeAheadSinceMs: number | undefined
  /** When it was last registered once more. */
  readonly askedAgainAtMs: number | undefined
}

export type SilenceAct = "askAgain" | "declare"

const median_factor = 20
const longest_factor = 3
/** Longer than a volatility interruption with its random end: two and a half minutes without a trade (kis/sessions.md §5). */
const silence_ms_min = 180_000
/** Whoever speaks so seldom cannot be judged by its rhythm. */
const silence_ms_max = 1_800_000
/** A trade is in the swept volume at once, and in a frame within a second; ten more are for the roads between. */
const volume_ms = 15_000
/** The same symbol is not registered once more sooner than that: the broker blocks keys for it (kis/websocket.md §6). */
const askAgainEvery_ms = 600_000

/** Longer without a frame is against a symbol's habit; `undefined` when it has none that could be judged. */
export const silentAfter_ms = (usual: Usual | undefined): number | undefined => {
  if (usual === undefined) return undefined
  const limit_ms = Math.max(silence_ms_min, median_factor * usual.median_ms, longest_factor * usual.longest_ms)
  return limit_ms > silence_ms_max ? undefined : limit_ms
}

const isSuspect = ({ nowMs, quietSinceMs, usual, volumeAheadSinceMs }: SymbolLook): boolean => {
  if (volumeAheadSinceMs !== undefined && nowMs - volumeAheadSinceMs >= volume_ms) return true
  const limit_ms = silentAfter_ms(usual)
  return limit_ms !== undefined && nowMs - quietSinceMs >= limit_ms
}

/** One look at a registration, in a phase in which trades are expected: what to think of it now, and what to do. */
export const look = (
  silence: SymbolSilence,
  seen: SymbolLook
): { readonly silence: SymbolSilence; readonly act: SilenceAct | undefined } => {
  if (silence._tag === "silent" || !isSuspect(seen)) return { silence, act: undefined }
  if (silence._tag === "askedAgain") return { silence: { _tag: "silent", sinceMs: seen.nowMs }, act: "declare" }
  const isEarly = seen.askedAgainAtMs !== undefined && seen.nowMs - seen.askedAgainAtMs < askAgainEvery_ms
  return isEarly ? { silence, act: undefined } : { silence: { _tag: "askedAgain" }, act: "askAgain" }
}
