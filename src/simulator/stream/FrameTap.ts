import { Context } from "effect"
import type { StreamCode } from "./StreamRequest.ts"

/** Whose socket it is; `owner` is the mark of the app key, never the key. */
export interface TappedSession {
  readonly id: number
  readonly owner: string | undefined
}

/** One text frame that really goes out; `data` as bytes need not be UTF-8. */
export interface Parcel {
  readonly data: string | Uint8Array
  /** For the counters. */
  readonly records: number
  /** Sent this much later, behind whatever goes out meanwhile; of those that wait, ten thousand at most. */
  readonly delay_ms?: number
}

interface Untouched {
  /** The message as it is: what a tap answers that has nothing to do with it. */
  readonly untouched: ReadonlyArray<Parcel>
}

/** What a session is about to be sent. One object serves all sessions of a frame. */
export type Outgoing =
  | (Untouched & {
      readonly _tag: "Records"
      readonly trId: string
      readonly trKey: string
      readonly records: number
      /** The frame, a character a byte. */
      readonly text: string
      /** Of each record in order: the day's volume on its venue as that record left it; empty where there is none. */
      readonly cumVolumes: ReadonlyArray<number>
    })
  | (Untouched & {
      readonly _tag: "Reply"
      readonly trId: string
      readonly trKey: string
      readonly code: StreamCode
      readonly text: string
    })
  | (Untouched & { readonly _tag: "PingPong"; readonly text: string })

/**
 * Stands between the exchange and every socket: faults change here what is sent, and the ledger notes here what was.
 * Asked right before a write to a socket that is open and reads, and about nothing else. Must not throw or wait.
 */
export interface FrameTap {
  /** What goes out instead, in order: nothing, the message, or more; `"cut"` ends the socket without a close frame. */
  outgoing(session: TappedSession, message: Outgoing): ReadonlyArray<Parcel> | "cut"
  /** The code with which a registration is refused before it is judged; `undefined` lets the rules judge it. */
  refusal(session: TappedSession, trId: string, trKey: string): StreamCode | undefined
}

/** The tap of this exchange; by default it changes nothing and notes nothing. */
export const FrameTap = Context.Reference<FrameTap>("observer/simulator/stream/FrameTap", {
  defaultValue: () => ({ outgoing: (_session, message) => message.untouched, refusal: () => undefined })
})
