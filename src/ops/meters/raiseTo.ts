import { Effect, Metric } from "effect"

/** Brings a counter to a total that is counted elsewhere. */
export const raiseTo = Effect.fnUntraced(function* (counter: Metric.Counter<number>, total: number) {
  const { count } = yield* Metric.value(counter)
  if (total > count) yield* Metric.update(counter, total - count)
})
