import { Data, type Effect } from "effect"
import type { AlertMessage } from "./AlertMessage.ts"

/** A message did not arrive; the reason says why in words that hold no secret. */
export class DeliveryFailed extends Data.TaggedError("DeliveryFailed")<{
  readonly channel: string
  readonly reason: string
  /** Whether the same message may arrive at another try. */
  readonly isRetryable: boolean
  /** How long the other side asks to be left alone. */
  readonly retryAfter_ms?: number
}> {
  override get message() {
    return `${this.channel}: ${this.reason}`
  }
}

/** A way to people. */
export interface Channel {
  readonly name: string
  /** One try, which ends by itself within half a minute. */
  readonly send: (message: AlertMessage) => Effect.Effect<void, DeliveryFailed>
}
