import { Context, Effect, Layer } from "effect"
import { boundedMap } from "./boundedMap.ts"
import { Options } from "./ExchangeOptions.ts"
import { type CallWindow, callWindow } from "./limits/callWindow.ts"
import { callsPerSecondOn } from "./limits/datedLimits.ts"
import { Market } from "./Market.ts"
import { seededRandom } from "./market/SeededRandom.ts"

const appKeysMax = 10_000
const weatherLane = 101

/** The call limits of every app key, over all REST calls but those to `/oauth2`, whose desk has rules of its own. */
export class Limits extends Context.Service<
  Limits,
  {
    /** Whether the key may make the call whose head was seen at this monotonic time, in microseconds; else EGW00201. */
    admit(appKey: string, seenAtMicros: number): boolean
    /** The same for the account ledger's own lane, asked after `admit` for calls that go there; else EGW00215. */
    admitLedger(appKey: string, seenAtMicros: number): boolean
  }
>()("observer/simulator/Limits") {
  static readonly layer = Layer.effect(
    Limits,
    Effect.gen(function* () {
      const { callsPerSecond, env, limits: rules, seed } = yield* Options
      const { view } = yield* Market
      const random = seededRandom(seed, weatherLane)
      const newWindow = () => callWindow(rules.window, rules.countRefused)
      const gateway = boundedMap<{ readonly window: CallWindow; readonly firstSeen: string }>(appKeysMax)
      const ledger = boundedMap<CallWindow>(appKeysMax)

      return Limits.of({
        admit: (appKey, seenAtMicros) => {
          const date = view.date()
          const key = gateway.getOr(appKey, () => ({ window: newWindow(), firstSeen: date }))
          const limit = callsPerSecond ?? callsPerSecondOn(date, env, rules.newCustomer ? key.firstSeen : undefined)
          if (rules.weather > 0 && random.next() < rules.weather) return false
          return limit === 0 || key.window.admit(seenAtMicros, limit)
        },
        admitLedger: (appKey, seenAtMicros) =>
          rules.ledgerCallsPerSecond === 0 ||
          ledger.getOr(appKey, newWindow).admit(seenAtMicros, rules.ledgerCallsPerSecond)
      })
    })
  )
}
