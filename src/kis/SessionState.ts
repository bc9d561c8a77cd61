/**
 * The life of one streaming session, as values. The broker allows one session per key and blocks keys that connect
 * again and again, so every way out leads through `waiting`, and the wait shrinks only after something was received:
 * a connection that opens proves nothing (kis/websocket.md §6).
 */
export type SessionState =
  | { readonly _tag: "idle" }
  | { readonly _tag: "approving"; readonly attempt: number }
  | { readonly _tag: "connecting"; readonly attempt: number }
  | { readonly _tag: "subscribing"; readonly attempt: number }
  | { readonly _tag: "live" }
  | { readonly _tag: "silent" }
  | { readonly _tag: "waiting"; readonly attempt: number; readonly for_ms: number; readonly because: string }
  | { readonly _tag: "parked"; readonly because: string }

export type SessionEvent =
  | { readonly _tag: "Wanted" }
  | { readonly _tag: "Approved" }
  | { readonly _tag: "Opened" }
  /** A data frame or a probe: the session is really ours. */
  | { readonly _tag: "Heard" }
  /** Nothing of any kind came for too long. */
  | { readonly _tag: "Silence" }
  /** `OPSP8996`: the broker still holds the key's slot, or another program has it. */
  | { readonly _tag: "KeyInUse" }
  | { readonly _tag: "Lost"; readonly because: string }
  /** The credentials are refused: waiting does not help. */
  | { readonly _tag: "Refused"; readonly because: string }
  | { readonly _tag: "WaitOver" }

const wait_ms_min = 1_000
const keyInUse_ms_min = 5_000
const wait_ms_max = 60_000

const wait = (attempt: number, from_ms: number, because: string): SessionState => ({
  _tag: "waiting",
  attempt: attempt + 1,
  for_ms: Math.min(wait_ms_max, from_ms * 2 ** Math.min(attempt, 10)),
  because
})

const attemptOf = (state: SessionState): number => ("attempt" in state ? state.attempt : 0)

/** The next state; an event that means nothing in a state leaves it as it is. */
export const next = (state: SessionState, event: SessionEvent): SessionState => {
  if (state._tag === "parked") return state
  const attempt = attemptOf(state)
  switch (event._tag) {
    case "Wanted":
      return state._tag === "idle" ? { _tag: "approving", attempt: 0 } : state
    case "Approved":
      return state._tag === "approving" ? { _tag: "connecting", attempt } : state
    case "Opened":
      return state._tag === "connecting" ? { _tag: "subscribing", attempt } : state
    case "Heard":
      return state._tag === "subscribing" || state._tag === "silent" ? { _tag: "live" } : state
    case "Silence":
      return state._tag === "live" || state._tag === "subscribing" ? { _tag: "silent" } : state
    case "KeyInUse":
      return state._tag === "idle" || state._tag === "waiting"
        ? state
        : wait(attempt, keyInUse_ms_min, "the broker says that another session uses the key")
    case "Lost":
      return state._tag === "idle" || state._tag === "waiting" ? state : wait(attempt, wait_ms_min, event.because)
    case "Refused":
      return { _tag: "parked", because: event.because }
    case "WaitOver":
      return state._tag === "waiting" ? { _tag: "approving", attempt } : state
  }
}
