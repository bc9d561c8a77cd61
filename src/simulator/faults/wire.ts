import { Clock, Effect } from "effect"
import type { ServerResponse } from "node:http"
import type { DoorAnswer } from "../HttpDoor.ts"

/** Bytes of a slow body leave so many times a second. */
const turns_hz = 10

const untilClosed = (response: ServerResponse) =>
  Effect.callback<void>((resume) => {
    if (response.destroyed) return resume(Effect.void)
    const done = () => resume(Effect.void)
    response.once("close", done)
    return Effect.sync(() => response.off("close", done))
  })

const trickle = Effect.fnUntraced(function* (response: ServerResponse, body: Buffer, bytesPerSecond: number) {
  const part = Math.max(1, Math.floor(bytesPerSecond / turns_hz))
  const pause_ms = (1_000 * part) / bytesPerSecond
  for (let at = 0; at < body.length && !response.destroyed; at += part) {
    response.write(body.subarray(at, at + part))
    yield* Effect.sleep(pause_ms)
  }
  if (response.destroyed) return false
  response.end()
  return true
})

/**
 * Header names as the broker writes them: the usual ones in capitals, its own (`tr_id`, `tr_cont`, `gt_uid`) in small
 * letters. The official sample takes the small ones for fields of Python, in which `content-type` cannot be a name.
 */
const asSent = (headers: Readonly<Record<string, string | number>>): Record<string, string | number> =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name.includes("_") ? name : name.replace(/(^|-)[a-z]/g, (start) => start.toUpperCase()),
      value
    ])
  )

/**
 * Sends an answer, or does to its connection what the fault says. Ends when the answer has left, or when it is sure that
 * it never will; `onEnd` is told which.
 */
export const send = Effect.fnUntraced(function* (response: ServerResponse, { onEnd, reply, wire }: DoorAnswer) {
  const end = (whole: boolean) => onEnd?.(whole)
  if (response.destroyed || response.headersSent) return end(false)
  if (wire?._tag === "drop") {
    response.socket?.destroy()
    return end(false)
  }
  if (wire?._tag === "reset") {
    response.socket?.resetAndDestroy()
    return end(false)
  }
  if (wire?._tag === "silence") {
    end(false)
    return yield* untilClosed(response)
  }
  const body = Buffer.from(reply.body)
  const date = new Date(yield* Clock.currentTimeMillis).toUTCString()
  response.writeHead(reply.status, asSent({ date, ...reply.headers, "content-length": body.length }))
  if (wire?._tag === "slow") return end(yield* trickle(response, body, wire.bytesPerSecond))
  response.end(body)
  end(true)
})
