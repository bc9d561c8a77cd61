import { Clock, Effect } from "effect"
import type { WriteStream } from "node:tty"

/** How often progress is said: in place on a terminal, as lines elsewhere. */
const terminal_ms = 200
const elsewhere_ms = 10_000

/**
 * Says on a stream how far something has come, not too often; `clear` takes the line from a terminal again.
 *
 * @param render the line, for a width in columns
 */
export const makeProgress = <P>(
  stream: Pick<WriteStream, "columns" | "isTTY" | "write">,
  render: (progress: P, width: number, elapsed_ms: number) => string
) =>
  Effect.map(Clock.currentTimeMillis, (startedAtMs) => {
    const { isTTY } = stream
    let saidAtMs = startedAtMs
    const onProgress = Effect.fnUntraced(function* (progress: P) {
      const nowMs = yield* Clock.currentTimeMillis
      if (nowMs - saidAtMs < (isTTY ? terminal_ms : elsewhere_ms)) return
      saidAtMs = nowMs
      const line = render(progress, stream.columns ?? 80, nowMs - startedAtMs)
      yield* Effect.sync(() => stream.write(isTTY ? `\r${line}` : `${line.trimEnd()}\n`))
    })
    const clear = Effect.sync(() => isTTY && stream.write("\r\u001b[K"))
    return { onProgress, clear }
  })
