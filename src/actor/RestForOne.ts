import { Deferred, Effect, type Exit, Option } from "effect"

interface Place {
  readonly name: string
  state: "waiting" | "running" | "down" | "gone"
}

/**
 * Actors that depend on the ones before them, in the order in which they joined. When one falls, those after it are
 * stopped, the last first; they run again, in order, once it does.
 */
export class RestForOne {
  private readonly places: Array<Place> = []
  private changed = Deferred.makeUnsafe<void>()

  /** The place of an actor; one that joins again under its name has its old place. */
  join(name: string): Member {
    let place = this.places.find((other) => other.name === name)
    if (place === undefined) this.places.push((place = { name, state: "waiting" }))
    else place.state = "waiting"
    const index = this.places.indexOf(place)
    const before = () => this.places.slice(0, index).filter(({ state }) => state !== "gone")
    const after = () => this.places.slice(index + 1)
    const turn = (state: Place["state"]) => {
      if (place.state === state) return
      place.state = state
      const previous = this.changed
      this.changed = Deferred.makeUnsafe()
      Deferred.doneUnsafe(previous, Effect.void)
    }
    // Whoever waits is resumed within the change itself; it yields, so that the one that changed goes on first.
    const until = (holds: () => boolean): Effect.Effect<void> =>
      Effect.suspend(() =>
        holds()
          ? Effect.void
          : Deferred.await(this.changed).pipe(
              Effect.andThen(Effect.yieldNow),
              Effect.andThen(() => until(holds))
            )
      )
    const nobodyAfterRuns = () => after().every(({ state }) => state !== "running")

    const mayRun = () => before().every(({ state }) => state === "running")
    return {
      mayRun,
      turnToRun: until(mayRun),
      whileAllowed: (run) =>
        Effect.raceFirst(
          // It counts as running in the moment in which it begins, or those after it would begin before it.
          Effect.asSome(Effect.exit(Effect.suspend(() => (mayRun() ? (turn("running"), run) : Effect.never)))),
          Effect.as(
            until(() => !mayRun() && nobodyAfterRuns()),
            Option.none()
          )
        ).pipe(Effect.tap((outcome) => Effect.sync(() => Option.isNone(outcome) && turn("waiting")))),
      fell: Effect.andThen(
        Effect.sync(() => turn("down")),
        until(nobodyAfterRuns)
      ),
      leave: Effect.sync(() => turn("gone"))
    }
  }
}

/** One actor's view of its group. */
export interface Member {
  /** Whether every actor before it runs. */
  readonly mayRun: () => boolean
  /** Waits until it may run. */
  readonly turnToRun: Effect.Effect<void>
  /** How the run ended; `None` when it was stopped because an actor before it fell. */
  whileAllowed<A, E, R>(run: Effect.Effect<A, E, R>): Effect.Effect<Option.Option<Exit.Exit<A, E>>, never, R>
  /** Tells that it fell, and waits until those after it have stopped. */
  readonly fell: Effect.Effect<void>
  /** It ended for good: nobody waits for it. */
  readonly leave: Effect.Effect<void>
}
