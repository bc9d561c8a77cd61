import { Effect } from "effect"
import { marketNow } from "../../calendar/MarketClock.ts"
import type { MarketSession } from "../../calendar/MarketSession.ts"

/** Minutes of market time before the opening in which a stream connects and registers: forty registrations take a while. */
const warm_minutes = 10
const minute_ms = 60_000
/** What the exchange sends in its last seconds comes a little later; the last auction ends at random within half a minute. */
const linger = "30 seconds"

/** Waits until the market has closed and will not open again soon. */
const untilIdle = Effect.fnUntraced(function* (session: MarketSession["Service"]) {
  while (true) {
    const nowMs = yield* marketNow
    const next = session.nextChange(nowMs)
    const isNight = next === undefined || next - nowMs > warm_minutes * minute_ms
    if (session.phaseAt(nowMs) === "closed" && isNight) return
    yield* session.awaitChange(nowMs)
  }
})

/**
 * Runs a stream while there is something to hear, from a little before the opening to a little after the close: a
 * connection that stays open over the night is cut in the broker's maintenance, and costs one of those an hour that are allowed.
 */
export const streamingHours = <A, E, R>(session: MarketSession["Service"], stream: Effect.Effect<A, E, R>) =>
  Effect.forever(
    Effect.andThen(
      session.awaitWarm(warm_minutes),
      Effect.raceFirst(stream, Effect.andThen(untilIdle(session), Effect.sleep(linger)))
    )
  )
