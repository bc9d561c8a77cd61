import { Clock, Effect } from "effect"

/** Counts the sleeps of an effect, each of which is a wake-up, under whatever clock it is given. */
export const countingSleeps = Effect.gen(function* () {
  const clock = yield* Clock.Clock
  let sleeps = 0
  const counting: Clock.Clock = Object.assign(Object.create(clock), {
    sleep: (duration: Parameters<Clock.Clock["sleep"]>[0]) => {
      sleeps += 1
      return clock.sleep(duration)
    }
  })
  return { sleeps: () => sleeps, provide: Effect.provideService(Clock.Clock, counting) }
})
