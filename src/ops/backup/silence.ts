import { Effect } from "effect"

/** Looks a time limit is cut into: silence is noticed so much of it late at the most. */
const looks = 4

/** Whether something was heard of late; `hear` may be called from anywhere. */
export const makeSilence = (silence_seconds: number) => {
  let isHeard = false
  const quiet = Effect.gen(function* () {
    for (let quietLooks = 0; quietLooks < looks; quietLooks++) {
      yield* Effect.sleep((silence_seconds * 1_000) / looks)
      if (isHeard) quietLooks = -1
      isHeard = false
    }
  })
  return { hear: () => void (isHeard = true), quiet }
}
