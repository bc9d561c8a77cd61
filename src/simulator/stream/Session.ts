import type { Duplex } from "node:stream"
import type { WebSocket } from "ws"
import type { SessionCipher } from "./cipher.ts"
import type { LineTimes } from "./liveness.ts"

/** One open socket. Its slots are `TR|symbol`. */
export interface Session extends LineTimes {
  readonly id: number
  readonly socket: WebSocket
  /** What the socket writes to. */
  readonly line: Duplex
  readonly cipher: SessionCipher
  readonly slots: Set<string>
  /** Whose app key it took the seat of; absent until its first accepted approval key. */
  owner: string | undefined
}

export const slotOf = (trId: string, trKey: string): string => `${trId}|${trKey}`
