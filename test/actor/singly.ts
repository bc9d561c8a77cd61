import { Effect } from "effect"
import type { Handling } from "../../src/actor/Mailbox.ts"

/** Handles messages one at a time, where a test cares for messages and not for batches. */
export const singly = <A, E, R, R2>(
  handle: (message: A) => Effect.Effect<void, E, R>,
  onPoison: (message: A) => Effect.Effect<void, never, R2>
): Handling<A, E, R, R2> => ({ handle: (messages) => Effect.forEach(messages, handle, { discard: true }), onPoison })
