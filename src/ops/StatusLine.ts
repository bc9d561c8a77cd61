import { Effect, Layer, Schedule } from "effect"
import { Screen } from "./Screen.ts"
import { renderStatus, type StatusSnapshot } from "./statusLine/renderStatus.ts"

export { renderStatus, type StatusSnapshot }

/**
 * Redraws the status under the log lines once a second while standard output is a terminal, and takes it away when the
 * scope ends. A snapshot that is late by half a second is skipped: the display never holds anything up.
 */
export const layer = (options: {
  readonly snapshot: Effect.Effect<StatusSnapshot>
}): Layer.Layer<never, never, Screen> =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      const screen = yield* Screen
      if (!screen.terminal) return
      yield* Effect.addFinalizer(() => Effect.sync(screen.clear))
      yield* options.snapshot.pipe(
        Effect.tap((snapshot) => Effect.sync(() => screen.show(renderStatus(snapshot, screen.width())))),
        Effect.timeoutOption("500 millis"),
        Effect.catchCause((cause) => Effect.logDebug("the status line failed", cause)),
        Effect.repeat(Schedule.fixed("1 second")),
        Effect.forkScoped
      )
    })
  )
