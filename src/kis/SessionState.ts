import type { Again } from "./Reaction.ts"

/**
 * The life of one streaming session, as values. The broker allows one session per key and blocks keys that connect
 * again and again, so every way out leads through `waiting`, and the wait shrinks only after something was received:
 * a connection that opens proves nothing (kis/websocket.md §6).
 */
export type SessionState =
  | { readonly _tag: "idle" }
  /** Asking for the approval key, and for leave to connect. */
  | ({ readonly _tag: "approving" } & Troubles)
  | ({ readonly _tag: "connecting" } & Troubles)
  | ({ readonly _tag: "subscribing" } & Troubles)
  /** Something was heard that only a session of ours can hear. */
  | { readonly _tag: "live" }
  /** Open, and quiet for so long that it may be dead. */
  | ({ readonly _tag: "silent" } & Troubles)
  /** `for_ms` is absent while it is the governor that decides how long. */
  | ({ readonly _tag: "waiting"; readonly for_ms: number | undefined; readonly because: string } & Troubles)
  | { readonly _tag: "parked"; readonly because: string }

export interface Troubles {
  /** Connections in a row that came to nothing. */
  readonly attempt: number
  /** Approval keys in a row that the broker did not know. */
  readonly unapproved: number
}

export type SessionEvent =
  | { readonly _tag: "Wanted" }
  /** Nothing is to be streamed: there is no reason to connect. */
  | { readonly _tag: "Unwanted" }
  /** The run was ended on purpose: until the next one there is no connection, and no trouble of an older day. */
  | { readonly _tag: "Stopped" }
  /** The next connect is not allowed yet, whether it is too close to the last or too many came before it; `WaitOver` comes when there is one again. */
  | { readonly _tag: "Governed" }
  | { readonly _tag: "Approved" }
  | { readonly _tag: "Opened" }
  /** A data frame, or a probe while something is registered: the session is really ours, and its approval key is known. */
  | { readonly _tag: "Heard" }
  /** Nothing of any kind has come for long. */
  | { readonly _tag: "Silence" }
  /** `OPSP8996`: the broker still holds the key's slot, or another program has it. */
  | { readonly _tag: "KeyInUse" }
  /** `OPSP0011`, or not one answer: another approval key is worth one try. */
  | { readonly _tag: "Unapproved" }
  /** `again` is how long the broker's own trouble is to be waited for, where it is known. */
  | { readonly _tag: "Lost"; readonly because: string; readonly again?: Again }
  /** The credentials are refused: waiting does not help. */
  | { readonly _tag: "Refused"; readonly because: string }
  | { readonly _tag: "WaitOver" }

const wait_ms_min = 1_000
const wait_ms_max = 60_000
const ordinary: Again = { min_ms: wait_ms_min, max_ms: wait_ms_max }
const keyInUse: Again = { min_ms: 5_000, max_ms: wait_ms_max }
/** A second approval key that is not known is no accident; asking on would only spend calls and connects. */
const unapproved_ms_min = 300_000
const unapproved_ms_max = 1_800_000

const noTroubles: Troubles = { attempt: 0, unapproved: 0 }

const troublesOf = (state: SessionState): Troubles =>
  "attempt" in state ? { attempt: state.attempt, unapproved: state.unapproved } : noTroubles

const doubled = (from_ms: number, times: number, max_ms: number) => Math.min(max_ms, from_ms * 2 ** Math.min(times, 10))

const wait = (troubles: Troubles, for_ms: number | undefined, because: string): SessionState => ({
  _tag: "waiting",
  ...troubles,
  for_ms,
  because
})

const lost = ({ attempt, unapproved }: Troubles, { max_ms, min_ms }: Again, because: string): SessionState =>
  wait({ attempt: attempt + 1, unapproved }, doubled(min_ms, attempt, max_ms), because)

const unknownKey = ({ attempt, unapproved }: Troubles): SessionState => {
  const for_ms =
    unapproved === 0
      ? doubled(wait_ms_min, attempt, wait_ms_max)
      : doubled(unapproved_ms_min, unapproved - 1, unapproved_ms_max)
  return wait({ attempt: attempt + 1, unapproved: unapproved + 1 }, for_ms, "the broker does not know the approval key")
}

/** The next state; an event that means nothing in a state leaves it as it is. */
export const next = (state: SessionState, event: SessionEvent): SessionState => {
  if (state._tag === "parked") return state
  const troubles = troublesOf(state)
  const isDown = state._tag === "idle" || state._tag === "waiting"
  switch (event._tag) {
    case "Wanted":
      return state._tag === "idle" ? { _tag: "approving", ...troubles } : state
    case "Unwanted":
      return state._tag === "approving" ? { _tag: "idle" } : state
    case "Stopped":
      return state._tag === "idle" ? state : { _tag: "idle" }
    case "Governed":
      return state._tag === "approving"
        ? wait(troubles, undefined, "the next connect is held back: too many in a row get the key blocked")
        : state
    case "Approved":
      return state._tag === "approving" ? { _tag: "connecting", ...troubles } : state
    case "Opened":
      return state._tag === "connecting" ? { _tag: "subscribing", ...troubles } : state
    case "Heard":
      return state._tag === "subscribing" || state._tag === "silent" ? { _tag: "live" } : state
    case "Silence":
      return state._tag === "live" || state._tag === "subscribing" ? { _tag: "silent", ...troubles } : state
    case "KeyInUse":
      return isDown ? state : lost(troubles, keyInUse, "the broker says that another session uses the key")
    case "Unapproved":
      return isDown ? state : unknownKey(troubles)
    case "Lost":
      return isDown ? state : lost(troubles, event.again ?? ordinary, event.because)
    case "Refused":
      return { _tag: "parked", because: event.because }
    case "WaitOver":
      return state._tag === "waiting" ? { _tag: "approving", ...troubles } : state
  }
}
