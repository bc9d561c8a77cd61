import { Clock, Deferred, Effect, Exit, Semaphore } from "effect"
import { KisThrottled } from "./KisError.ts"
import { initialRate, onAnswered, onRefused } from "./LearntRate.ts"

export interface BudgetStatus {
  /** The published limit. */
  readonly callsPerSecond: number
  /** What the broker was found to take. */
  readonly learntPerSecond: number
  readonly calls: number
  readonly refusals: number
  /** Calls begun in the last second. */
  readonly callsLastSecond: number
}

export interface CallBudget {
  /** Runs one call when the budget has room for it. Every call of the key must pass here, or the promise is void. */
  spend<A, E, R>(call: Effect.Effect<A, E, R>): Effect.Effect<A, E, R>
  readonly status: Effect.Effect<BudgetStatus>
}

/** Whether a caller has been given its place. */
interface Place {
  taken: boolean
}

const window_ms = 1_000
/** Clocks tick in whole milliseconds on both sides. */
const rounding_ms = 2
/** Calls are spread evenly, but may be a little closer than even so that a late one does not cost throughput. */
const evenness = 0.95

/**
 * At most `callsPerSecond` calls in any one-second window, counted where the broker counts them. The broker sees a call
 * at some moment between our sending it and our having the answer, so a place in the budget is taken at sending and
 * given back one second after the answer: then no window of theirs can hold more than the limit, whatever the network
 * does to the spacing, and a fixed-window counter is satisfied with the sliding one. The second before the start counts
 * as spent, because a run just killed may have spent it.
 */
export const makeCallBudget = Effect.fnUntraced(function* (callsPerSecond: number) {
  const monotonicMs = Effect.map(Clock.monotonicTimeNanos, (nanos) => Number(nanos) / 1e6)
  const startMs = yield* monotonicMs
  const turn = yield* Semaphore.make(1)
  let learnt = initialRate(callsPerSecond, startMs)
  let inFlight = 0
  let givenBack = Deferred.makeUnsafe<void>()
  /** When each place becomes free again, in order. */
  let freeAtMs: Array<number> = Array.from({ length: callsPerSecond }, () => startMs + window_ms)
  let begunAtMs: Array<number> = []
  let calls = 0
  let refusals = 0

  const take = Effect.fnUntraced(function* (place: Place) {
    while (true) {
      const now = yield* monotonicMs
      freeAtMs = freeAtMs.filter((at) => at > now)
      const nextEven = (begunAtMs.at(-1) ?? 0) + (window_ms / learnt.rate) * evenness
      if (inFlight + freeAtMs.length < learnt.rate) {
        if (now >= nextEven) {
          inFlight += 1
          place.taken = true
          calls += 1
          begunAtMs = [...begunAtMs.filter((at) => at > now - window_ms), now]
          return
        }
        yield* Effect.sleep(Math.ceil(nextEven - now))
      } else if (freeAtMs[0] !== undefined) {
        yield* Effect.sleep(Math.ceil(freeAtMs[0] - now))
      } else {
        yield* Deferred.await(givenBack)
      }
    }
  })

  const giveBack = Effect.fnUntraced(function* (exit: Exit.Exit<unknown, unknown>) {
    const now = yield* monotonicMs
    inFlight -= 1
    freeAtMs.push(now + window_ms + rounding_ms)
    const refused =
      Exit.isFailure(exit) && exit.cause.reasons.some((r) => r._tag === "Fail" && r.error instanceof KisThrottled)
    if (refused) refusals += 1
    learnt = refused ? onRefused(learnt, now) : onAnswered(learnt, now)
    const previous = givenBack
    givenBack = Deferred.makeUnsafe()
    Deferred.doneUnsafe(previous, Exit.void)
  })

  return {
    // Callers take turns in the order they came, so no shard can starve another. Waiting for a place can be interrupted, or
    // a shutdown would wait for the budget; whether one was taken is noted, so that none is lost by it.
    spend: (call) =>
      Effect.suspend(() => {
        const place: Place = { taken: false }
        return Effect.andThen(turn.withPermits(1)(take(place)), call).pipe(
          Effect.onExit((exit) => (place.taken ? giveBack(exit) : Effect.void))
        )
      }),
    status: Effect.map(monotonicMs, (now) => ({
      callsPerSecond,
      learntPerSecond: learnt.rate,
      calls,
      refusals,
      callsLastSecond: begunAtMs.filter((at) => at > now - window_ms).length
    }))
  } satisfies CallBudget
})
