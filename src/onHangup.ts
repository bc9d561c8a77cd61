import { Effect, Queue, Stream } from "effect"
import type { DayUniverse } from "./plan/DayUniverse.ts"

/**
 * A hang-up signal (`kill -HUP`, `systemctl reload`) each; several that come at once are one. While somebody listens, the
 * signal does not end the process. On a terminal it means that the window was closed, and is left to end the process;
 * Windows has no such signal to ask with: there it never comes.
 */
export const hangups: Stream.Stream<void> =
  process.platform === "win32" || process.stdout.isTTY
    ? Stream.never
    : Stream.callback<void>(
        (queue) =>
          Effect.acquireRelease(
            Effect.sync(() => {
              const tell = () => void Queue.offerUnsafe(queue, undefined)
              process.on("SIGHUP", tell)
              return tell
            }),
            (tell) => Effect.sync(() => process.off("SIGHUP", tell))
          ),
        { bufferSize: 1, strategy: "sliding" }
      )

/** Reads the file of symbols again at every hang-up; one that cannot be used leaves what is observed as it is. */
export const onHangup = ({ reload }: DayUniverse["Service"]): Effect.Effect<void> =>
  Stream.runForEach(hangups, () =>
    reload.pipe(
      Effect.flatMap(({ added, removed }) =>
        Effect.logInfo("the symbols were read again", { added: added.length, removed: removed.length })
      ),
      Effect.catch((error) => Effect.logError("the symbols stay as they are", { reason: error.message }))
    )
  )
