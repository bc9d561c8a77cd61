import { Context, Effect, Layer } from "effect"
import { Options } from "./ExchangeOptions.ts"
import { boundedMap } from "./boundedMap.ts"

const second_us = 1_000_000

/**
 * The gateway's count for one app key. Nobody has measured whether KIS uses a sliding or a fixed second, so both hold:
 * at most `limit` calls in any second and in every second of the clock. Refused calls are not counted [U].
 */
export const callWindow = (limit: number) => {
  /** The admitted calls of the last second, oldest first, as a ring. */
  const times = new Float64Array(limit).fill(Number.NEGATIVE_INFINITY)
  let oldest = 0
  let clockSecond = Number.NEGATIVE_INFINITY
  let newest = Number.NEGATIVE_INFINITY
  let admittedInIt = 0
  return {
    /** Whether a call seen at this monotonic time, in microseconds, is admitted. */
    admit: (seenAtMicros: number): boolean => {
      // A call whose body was slow comes here after later ones: it counts as one of now.
      const atMicros = Math.max(newest, seenAtMicros)
      newest = atMicros
      const present = Math.floor(atMicros / second_us)
      if (present !== clockSecond) {
        clockSecond = present
        admittedInIt = 0
      }
      if (admittedInIt >= limit || atMicros - (times[oldest] ?? 0) < second_us) return false
      times[oldest] = atMicros
      oldest = (oldest + 1) % limit
      admittedInIt += 1
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
