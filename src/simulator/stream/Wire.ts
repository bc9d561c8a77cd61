import type { Counts } from "../Counters.ts"
import type { FrameTap, Outgoing, Parcel } from "./FrameTap.ts"
import type { Session } from "./Session.ts"

export interface WireOptions {
  readonly tap: FrameTap
  readonly counters: Counts
  /** Bytes waiting for a client that does not read, before it is cut. */
  readonly bufferedBytesMax: number
  readonly nowMs: () => number
  /** Runs something later; what it holds back is bounded by `delayedMax`. */
  later(delay_ms: number, task: () => void): void
}

const delayedMax = 10_000
const asText = { binary: false }

/**
 * The only way to a socket. A client that does not read is cut once too much waits for it. What is sent within one step
 * of the market is corked, so that a session costs one write to the kernel a step and not one a frame.
 */
export const makeWire = ({ bufferedBytesMax, counters, later, nowMs, tap }: WireOptions) => {
  const corked = new Set<Session>()
  let delayed = 0

  const isReady = ({ socket }: Session): boolean => {
    if (socket.readyState !== socket.OPEN) return false
    if (socket.bufferedAmount <= bufferedBytesMax) return true
    counters.slowClientsCut += 1
    socket.terminate()
    return false
  }

  const write = (session: Session, { data, records }: Parcel, isData: boolean): void => {
    session.socket.send(data, asText)
    session.lastSentMs = nowMs()
    if (!isData) return
    counters.framesSent += 1
    counters.recordsSent += records
  }

  const send = (session: Session, message: Outgoing): boolean => {
    if (!isReady(session)) return false
    const parcels = tap.outgoing(session, message)
    if (parcels === "cut") {
      session.socket.terminate()
      return false
    }
    const isData = message._tag === "Records"
    for (const parcel of parcels) {
      if (parcel.delay_ms === undefined || parcel.delay_ms <= 0 || delayed >= delayedMax) {
        write(session, parcel, isData)
        continue
      }
      delayed += 1
      later(parcel.delay_ms, () => {
        delayed -= 1
        if (isReady(session)) write(session, parcel, isData)
      })
    }
    return true
  }

  return {
    /** Whether the socket took it. */
    send,
    /** As `send`, but leaves with the step: `release` must follow. */
    sendWithStep: (session: Session, message: Outgoing): void => {
      if (!corked.has(session)) {
        corked.add(session)
        session.line.cork()
      }
      send(session, message)
    },
    release: (): void => {
      for (const { line } of corked) line.uncork()
      corked.clear()
    }
  }
}

export type Wire = ReturnType<typeof makeWire>
