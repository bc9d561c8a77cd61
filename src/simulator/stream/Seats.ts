/**
 * One stream session per app key. A seat is taken by the first registration of a session; after a clean close it is
 * free at once, after an abrupt one it stays taken for a while, and newcomers are refused meanwhile.
 */
export const makeSeats = (heldAfterAbruptClose_ms: number) => {
  interface Seat {
    readonly session: number
    /** Absent while the session is open. */
    readonly freeAtMs?: number
  }
  const seats = new Map<string, Seat>()

  return {
    /** Whether the session has, or now gets, the seat of this owner. */
    take: (owner: string, session: number, nowMs: number): boolean => {
      const seat = seats.get(owner)
      const isTaken =
        seat !== undefined && seat.session !== session && (seat.freeAtMs === undefined || nowMs < seat.freeAtMs)
      if (isTaken) return false
      seats.set(owner, { session })
      return true
    },
    leave: (owner: string, session: number, clean: boolean, nowMs: number): void => {
      if (seats.get(owner)?.session !== session) return
      if (clean) seats.delete(owner)
      else seats.set(owner, { session, freeAtMs: nowMs + heldAfterAbruptClose_ms })
    },
    /** Forgets the seats whose time has passed. */
    sweep: (nowMs: number): void => {
      for (const [owner, { freeAtMs }] of seats) if (freeAtMs !== undefined && freeAtMs <= nowMs) seats.delete(owner)
    }
  }
}

export type Seats = ReturnType<typeof makeSeats>
