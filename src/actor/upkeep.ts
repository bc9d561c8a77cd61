import { Effect, type Scope } from "effect"

/** As it says itself when it is done; a defect is logged, and the work begun again a second later. */
const untilDone = <R>(run: Effect.Effect<void, never, R>): Effect.Effect<void, never, R> =>
  Effect.catchDefect(run, (defect) =>
    Effect.logError("what is kept up has failed, and is begun again", { defect }).pipe(
      Effect.andThen(Effect.sleep("1 second")),
      Effect.andThen(Effect.suspend(() => untilDone(run)))
    )
  )

/**
 * Keeps something up for as long as a scope lasts, for who lives where there is no supervisor: a lock is taken before there
 * is one, and by commands that have none.
 */
export const upkeep = <R>(run: Effect.Effect<void, never, R>): Effect.Effect<void, never, R | Scope.Scope> =>
  Effect.asVoid(Effect.forkScoped(untilDone(run)))
