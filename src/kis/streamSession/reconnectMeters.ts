import { Effect, Metric } from "effect"
import type { KisError } from "../KisError.ts"
import type { LossReason, StreamLost } from "../StreamSocket.ts"

/** Why a session has to connect again; `approval` when it could not even ask for its key. */
const reasons = ["cut", "silence", "overflow", "keyInUse", "unapproved", "approval"] as const satisfies ReadonlyArray<
  LossReason | "approval"
>

const reconnects = Metric.counter("observer_reconnects_total", {
  description: "Times a stream had to be connected again, by account and reason",
  incremental: true
})

const of = (account: string, reason: string) => Metric.withAttributes(reconnects, { account, reason })

/** Begins every series at 0, so that the first reconnect is seen as one more. */
export const beginReconnects = (account: string): Effect.Effect<void> =>
  Effect.forEach(reasons, (reason) => Metric.update(of(account, reason), 0), { discard: true })

export const meterReconnect = (account: string, error: StreamLost | KisError): Effect.Effect<void> =>
  Metric.update(of(account, error._tag === "StreamLost" ? error.why : "approval"), 1)
