import { Context } from "effect"

/**
 * Told by a call under way at the first sign of its answer: with the head of the answer, whose status says whether it was
 * refused, the broker has counted it. What follows is transport: 20 KB take two round trips on a connection that was idle.
 */
export const AnswerBegun = Context.Reference<() => void>("observer/kis/AnswerBegun", {
  defaultValue: () => () => undefined
})
