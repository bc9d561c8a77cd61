import { Clock, Context, Effect, Layer } from "effect"

export type ActorState =
  | { readonly _tag: "starting" }
  | { readonly _tag: "running" }
  | { readonly _tag: "backingOff"; readonly attempt: number; readonly untilMs: number }
  | { readonly _tag: "parked"; readonly cause: string; readonly untilMs: number }
  | { readonly _tag: "stopped" }

export interface ActorStatus {
  readonly name: string
  readonly state: ActorState
  readonly sinceMs: number
  readonly restarts: number
  readonly lastError?: string
  /** Messages waiting or in hand; absent for actors without a mailbox. */
  readonly mailboxDepth?: number
  readonly mailboxCapacity?: number
}

interface Entry {
  state: ActorState
  sinceMs: number
  restarts: number
  lastError: string | undefined
  readonly mailbox: { readonly depth: number; readonly capacity: number } | undefined
}

/** Every actor's state at any time, kept by the supervisors, read by health, metrics and the page. */
export class ActorTree extends Context.Service<ActorTree>()("observer/actor/ActorTree", {
  make: Effect.sync(() => {
    const entries = new Map<string, Entry>()
    return {
      enter: Effect.fnUntraced(function* (name: string, mailbox?: Entry["mailbox"]) {
        const sinceMs = yield* Clock.currentTimeMillis
        entries.set(name, { state: { _tag: "starting" }, sinceMs, restarts: 0, lastError: undefined, mailbox })
      }),
      turn: Effect.fnUntraced(function* (name: string, state: ActorState, lastError?: string) {
        const entry = entries.get(name)
        if (entry === undefined) return
        if (state._tag === "running" && entry.state._tag !== "starting") entry.restarts += 1
        entry.state = state
        entry.sinceMs = yield* Clock.currentTimeMillis
        if (lastError !== undefined) entry.lastError = lastError
      }),
      snapshot: Effect.sync((): ReadonlyArray<ActorStatus> =>
        [...entries].map(([name, { lastError, mailbox, restarts, sinceMs, state }]) => ({
          name,
          state,
          sinceMs,
          restarts,
          ...(lastError === undefined ? {} : { lastError }),
          ...(mailbox === undefined ? {} : { mailboxDepth: mailbox.depth, mailboxCapacity: mailbox.capacity })
        }))
      )
    }
  })
}) {
  static readonly layer = Layer.effect(this, this.make)
}
