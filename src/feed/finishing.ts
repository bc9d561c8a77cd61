import { Effect, Fiber } from "effect"

/** What is left of the drain must be enough for the shards and the journal. */
const finish_timeout = "2 seconds"

/**
 * Lets what was received reach the journal although its source is being stopped, so that nothing counted as received
 * is neither stored nor refused. When it waits for a full disk it is given up after two seconds, or no stop would end.
 */
export const finishing = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(Effect.forkChild(restore(effect)), (fiber) =>
      Effect.onInterrupt(restore(Fiber.join(fiber)), () => Effect.timeoutOption(Fiber.await(fiber), finish_timeout))
    )
  )
