import { type Context, Deferred, Effect, Layer } from "effect"

export interface Hosted<A, E, R> {
  /** For a supervisor: builds the layer anew, holds it while it runs, and fails as it fails. */
  readonly run: Effect.Effect<never, E, R>
  /** What the first build gave, or why it failed. */
  readonly first: Effect.Effect<Context.Context<A>, E>
}

/** Makes an actor of a layer, for what lives by being there: a server that listens, a thread that serves. */
export const hosted = <A, E, R>(layer: Layer.Layer<A, E, R>): Hosted<A, E, R> => {
  const first = Deferred.makeUnsafe<Context.Context<A>, E>()
  return {
    run: Effect.scoped(
      Layer.build(Layer.fresh(layer)).pipe(
        Effect.onExit((exit) => Deferred.done(first, exit)),
        Effect.andThen(Effect.never)
      )
    ),
    first: Deferred.await(first)
  }
}
