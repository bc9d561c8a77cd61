import { Clock, Console, Effect } from "effect"
import { type Progress, renderProgress } from "./sql/replayText.ts"

/** How often progress is said: in place on a terminal, as lines elsewhere. */
const progress_ms = process.stdout.isTTY ? 200 : 10_000

/** Says how far a pass over so many bytes has come; `clear` takes the line from a terminal again. */
export const makeProgress = (totalBytes: number, startedAtMs: number) => {
  let saidAtMs = startedAtMs
  const onProgress = Effect.fnUntraced(function* (progress: Progress) {
    const now = yield* Clock.currentTimeMillis
    if (now - saidAtMs < progress_ms) return
    saidAtMs = now
    const line = renderProgress(progress, totalBytes, process.stdout.columns ?? 80)
    yield* process.stdout.isTTY ? Effect.sync(() => process.stdout.write(`\r${line}`)) : Console.log(line)
  })
  const clear = Effect.sync(() => process.stdout.isTTY && process.stdout.write("\r\u001b[K"))
  return { onProgress, clear }
}
