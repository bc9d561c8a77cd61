import { Clock, Context, Effect, Layer } from "effect"
import type { Phase } from "../domain/Phase.ts"
import { expectedPhase } from "./Phases.ts"

/**
 * When there is something to observe. `calendar` follows the dated tables; `always` holds any hour for continuous
 * trading, for a simulated market that never closes.
 */
export class MarketSession extends Context.Service<
  MarketSession,
  {
    phaseAt(atMs: number): Phase
    readonly phase: Effect.Effect<Phase>
    readonly isOpen: Effect.Effect<boolean>
    /** Returns as soon as the market is not closed; looks every ten seconds. */
    readonly awaitOpen: Effect.Effect<void>
  }
>()("observer/calendar/MarketSession") {
  static readonly layer = (mode: "calendar" | "always") =>
    Layer.sync(MarketSession, () => {
      const phaseAt = (atMs: number): Phase => (mode === "always" ? "continuous" : expectedPhase(atMs))
      const phase = Effect.map(Clock.currentTimeMillis, phaseAt)
      const isOpen = Effect.map(phase, (now) => now !== "closed")
      const awaitOpen: Effect.Effect<void> = Effect.flatMap(isOpen, (open) =>
        open
          ? Effect.void
          : Effect.andThen(
              Effect.sleep("10 seconds"),
              Effect.suspend(() => awaitOpen)
            )
      )
      return MarketSession.of({ phaseAt, phase, isOpen, awaitOpen })
    })
}
