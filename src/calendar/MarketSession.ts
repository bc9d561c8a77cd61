import { Context, Deferred, Effect, Exit, Layer } from "effect"
import type { Phase } from "../domain/Phase.ts"
import { marketNow, sleepTowards } from "./MarketClock.ts"
import { expectedPhase, nextPhaseChange, type OpenSpan, openSpans } from "./Phases.ts"
import type { SaidDays } from "./TradingDays.ts"

/**
 * When there is something to observe, in market time. `calendar` follows the dated tables and what the broker has said
 * of single days; `always` holds any hour for continuous trading, for a simulated market that never closes.
 *
 * Whoever waits here sleeps until the very change that is awaited, and looks again when a day is learnt, and once an
 * hour in case the machine slept or its clock was set: an idle night costs about a dozen wake-ups.
 */
export class MarketSession extends Context.Service<
  MarketSession,
  {
    readonly mode: "calendar" | "always"
    phaseAt(atMs: number): Phase
    readonly phase: Effect.Effect<Phase>
    readonly isOpen: Effect.Effect<boolean>
    /** The first instant after this one at which the phase is another; `undefined` when none is in sight. */
    nextChange(atMs: number): number | undefined
    /** The parts of a time in which the market is not closed, as far as is known now. */
    openSpans(fromMs: number, toMs: number): ReadonlyArray<OpenSpan>
    /** Returns as soon as the market is not closed. */
    readonly awaitOpen: Effect.Effect<void>
    /** Returns as soon as the market is open, or opens within so many minutes of market time: for what has to be ready by then. */
    awaitWarm(minutes: number): Effect.Effect<void>
    /** Returns as soon as the phase has changed since an instant, `sinceMs`; never in a market that does not change. */
    awaitChange(sinceMs: number): Effect.Effect<void>
    /** Takes what the broker says of single days in place of everything it has said before. */
    learn(said: SaidDays): Effect.Effect<void>
    /** What the broker has said, as it was learnt. */
    readonly said: Effect.Effect<SaidDays>
  }
>()("observer/calendar/MarketSession") {
  static readonly layer = (mode: "calendar" | "always") =>
    Layer.sync(MarketSession, () => (mode === "always" ? makeAlways() : makeCalendar()))
}

const minute_ms = 60_000

/** A phase and the time it holds for; `toMs` is outside. */
interface Holding {
  readonly phase: Phase
  readonly fromMs: number
  readonly toMs: number
}

const makeCalendar = () => {
  let said: SaidDays = new Map()
  let learnt = Deferred.makeUnsafe<void>()
  // Every record asks, and most ask for the same phase as the one before.
  let holding: Holding | undefined

  const nextChange = (atMs: number) => nextPhaseChange(atMs, said)
  const phaseAt = (atMs: number): Phase => {
    if (holding === undefined || !(atMs >= holding.fromMs && atMs < holding.toMs)) {
      holding = { phase: expectedPhase(atMs, said), fromMs: atMs, toMs: nextChange(atMs) ?? atMs + 1 }
    }
    return holding.phase
  }
  const phase = Effect.map(marketNow, phaseAt)

  /** Waits for the instant that `goal` gives at every look; it is there when that has passed. */
  const awaitGoal = (goal: (nowMs: number) => number): Effect.Effect<void> =>
    Effect.flatMap(marketNow, (now) => {
      const untilMs = goal(now)
      if (untilMs <= now) return Effect.void
      const look = Effect.raceFirst(sleepTowards(untilMs), Deferred.await(learnt))
      return Effect.andThen(
        look,
        Effect.suspend(() => awaitGoal(goal))
      )
    })
  const opensAt = (now: number) => (phaseAt(now) === "closed" ? (nextChange(now) ?? Infinity) : now)

  return MarketSession.of({
    mode: "calendar",
    phaseAt,
    phase,
    isOpen: Effect.map(phase, (now) => now !== "closed"),
    nextChange,
    openSpans: (fromMs, toMs) => openSpans(fromMs, toMs, said),
    awaitOpen: awaitGoal(opensAt),
    awaitWarm: (minutes) => awaitGoal((now) => opensAt(now) - minutes * minute_ms),
    awaitChange: (sinceMs) => awaitGoal(() => nextChange(sinceMs) ?? Infinity),
    learn: (days) =>
      Effect.sync(() => {
        said = new Map(days)
        holding = undefined
        const before = learnt
        learnt = Deferred.makeUnsafe()
        Deferred.doneUnsafe(before, Exit.void)
      }),
    said: Effect.sync(() => said)
  })
}

const makeAlways = () => {
  let said: SaidDays = new Map()
  return MarketSession.of({
    mode: "always",
    phaseAt: () => "continuous",
    phase: Effect.succeed("continuous"),
    isOpen: Effect.succeed(true),
    nextChange: () => undefined,
    openSpans: (fromMs, toMs) => (fromMs < toMs ? [{ fromMs, toMs }] : []),
    awaitOpen: Effect.void,
    awaitWarm: () => Effect.void,
    awaitChange: () => Effect.never,
    learn: (days) => Effect.sync(() => void (said = new Map(days))),
    said: Effect.sync(() => said)
  })
}
