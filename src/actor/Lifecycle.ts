/** Where an actor stands. */
export type ActorState =
  /** Not running yet, or held back until an actor it depends on runs again. */
  | { readonly _tag: "starting" }
  | { readonly _tag: "running" }
  | { readonly _tag: "backingOff"; readonly attempt: number; readonly untilMs: number }
  | { readonly _tag: "parked"; readonly cause: string; readonly untilMs: number }
  | { readonly _tag: "stopped" }

export type LifecycleEvent =
  /** A name is taken, for the first time or after its last actor stopped. */
  | { readonly _tag: "Begin" }
  | { readonly _tag: "Run" }
  /** An actor this one depends on fell. */
  | { readonly _tag: "Hold" }
  | { readonly _tag: "BackOff"; readonly attempt: number; readonly untilMs: number }
  | { readonly _tag: "Park"; readonly cause: string; readonly untilMs: number }
  | { readonly _tag: "Stop" }

const legal: Readonly<Record<ActorState["_tag"], ReadonlyArray<LifecycleEvent["_tag"]>>> = {
  starting: ["Run", "Hold", "Stop"],
  // Only what runs can fail, so only from here do the two kinds of waiting begin.
  running: ["Hold", "BackOff", "Park", "Stop"],
  backingOff: ["Run", "Hold", "Stop"],
  parked: ["Run", "Hold", "Stop"],
  stopped: ["Begin"]
}

/** The state after an event, or `undefined` where the event cannot happen. */
export const transition = (state: ActorState, event: LifecycleEvent): ActorState | undefined => {
  if (!legal[state._tag].includes(event._tag)) return undefined
  switch (event._tag) {
    case "Begin":
    case "Hold":
      return { _tag: "starting" }
    case "Run":
      return { _tag: "running" }
    case "BackOff":
      return { _tag: "backingOff", attempt: event.attempt, untilMs: event.untilMs }
    case "Park":
      return { _tag: "parked", cause: event.cause, untilMs: event.untilMs }
    case "Stop":
      return { _tag: "stopped" }
  }
}
