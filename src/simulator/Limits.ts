import { Context, Effect, Layer } from "effect"
import { Options } from "./ExchangeOptions.ts"
import { boundedMap } from "./boundedMap.ts"

const second_us = 1_000_000

/**
 * The gateway's count for one app key: at most `limit` calls in any second. Nobody has measured whether KIS uses a
 * sliding or a fixed second [U]; the sliding one keeps the fixed one too, since two calls of one clock second are less
 * than a second apart. Refused calls are not counted [U].
 */
export const callWindow = (limit: number) => {
  /** The last admitted calls, oldest first, as a ring. */
  const times = new Float64Array(limit).fill(Number.NEGATIVE_INFINITY)
  let oldest = 0
  let newest = Number.NEGATIVE_INFINITY
  return {
    /** Whether a call seen at this monotonic time, in microseconds, is admitted. */
    admit: (seenAtMicros: number): boolean => {
      // A call whose body was slow comes here after later ones: it counts as one of now.
      newest = Math.max(newest, seenAtMicros)
      if (newest - (times[oldest] ?? 0) < second_us) return false
      times[oldest] = newest
      oldest = (oldest + 1) % limit
      return true
    }
  }
}

const appKeysMax = 10_000

/** The call limit of every app key, over all REST calls but those to `/oauth2`. */
export class Limits extends Context.Service<
  Limits,
  {
    /** Whether the key may make the call whose head was seen at this monotonic time, in microseconds. */
    admit(appKey: string, seenAtMicros: number): boolean
  }
>()("observer/simulator/Limits") {
  static readonly layer = Layer.effect(
    Limits,
    Effect.gen(function* () {
      const { callsPerSecond } = yield* Options
      const windows = boundedMap<ReturnType<typeof callWindow>>(appKeysMax)
      return Limits.of({
        admit: (appKey, seenAtMicros) => windows.getOr(appKey, () => callWindow(callsPerSecond)).admit(seenAtMicros)
      })
    })
  )
}
