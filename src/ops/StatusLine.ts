import { Effect, Schedule } from "effect"
import { Screen } from "./Screen.ts"
import { renderStatus, type StatusSnapshot } from "./statusLine/renderStatus.ts"

export { renderStatus, type StatusSnapshot }

/**
 * Redraws the status under the log lines once a second while standard output is a terminal, for a supervisor to run, and
 * takes it away when interrupted. A snapshot that is late by half a second is skipped: the display never holds anything up.
 */
export const run = Effect.fnUntraced(function* (snapshot: Effect.Effect<StatusSnapshot>) {
  const screen = yield* Screen
  if (!screen.terminal) return
  yield* snapshot.pipe(
    Effect.tap((seen) => Effect.sync(() => screen.show(renderStatus(seen, screen.width())))),
    Effect.timeoutOption("500 millis"),
    Effect.catchCause((cause) => Effect.logDebug("the status line failed", cause)),
    Effect.repeat(Schedule.fixed("1 second")),
    Effect.ensuring(Effect.sync(screen.clear))
  )
})
