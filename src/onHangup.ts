import { Effect, Queue, Stream } from "effect"

/**
 * A hang-up signal (`kill -HUP`, `systemctl reload`) each; several that come at once are one. While somebody listens, the
 * signal does not end the process. Windows has no such signal to ask with: there it never comes.
 */
export const hangups: Stream.Stream<void> =
  process.platform === "win32"
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
