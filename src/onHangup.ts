import { Context, Effect, Latch } from "effect"
import type { DayUniverse } from "./plan/DayUniverse.ts"

/** Returns at a hang-up signal (`kill -HUP`, `systemctl reload`), or at once when one has come since the last time. */
export const NextHangup = Context.Reference<Effect.Effect<void>>("observer/NextHangup", {
  defaultValue: () => Effect.never
})

/**
 * Hears hang-up signals from now on and for as long as the process lives: without a listener the signal ends it, in the
 * middle of a start or of a drain. Several that come before somebody looks are one. On a terminal the signal means that
 * the window was closed, and is left to end the process; Windows has no such signal to ask with: there it never comes.
 */
export const hearHangups = Effect.sync((): Effect.Effect<void> => {
  if (process.platform === "win32" || process.stdout.isTTY) return Effect.never
  const hasCome = Latch.makeUnsafe(false)
  process.on("SIGHUP", () => void hasCome.openUnsafe())
  return Effect.andThen(
    hasCome.await,
    Effect.sync(() => void hasCome.closeUnsafe())
  )
})

/** Reads the file of symbols again at every hang-up; one that cannot be used leaves what is observed as it is. */
export const onHangup = Effect.fnUntraced(function* ({ reload }: DayUniverse["Service"]): Effect.fn.Return<never> {
  const next = yield* NextHangup
  const read = reload.pipe(
    Effect.flatMap(({ added, removed }) =>
      Effect.logInfo("the symbols were read again", { added: added.length, removed: removed.length })
    ),
    Effect.catch((error) => Effect.logError("the symbols stay as they are", { reason: error.message }))
  )
  return yield* Effect.forever(Effect.andThen(next, read))
})
