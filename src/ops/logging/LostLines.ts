import { Context } from "effect"

/** Lines that `observer.log` could not take since the start. */
export const LostLines = Context.Reference<() => number>("observer/ops/logging/LostLines", {
  defaultValue: () => () => 0
})
