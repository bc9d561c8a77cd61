/**
 * How many registrations the broker is believed to take in one session. `OPSP0008` teaches it downwards, to what is held;
 * it rises again by one slot after an hour, then by two, by four …, so that one bad hour does not last for ever and a real
 * limit is met once an hour at most (kis/websocket.md §3, §6).
 */
export interface SlotCap {
  readonly configured: number
  readonly believed: number
  /** When more is tried again, UTC milliseconds; absent while nothing is missing. */
  readonly raiseAtMs: number | undefined
  readonly step: number
  /** It was learnt when nothing was held, which says that something else was wrong. */
  readonly isDoubtful: boolean
}

const raiseEvery_ms = 3_600_000

export const slotCap = (configured: number): SlotCap => ({
  configured,
  believed: configured,
  raiseAtMs: undefined,
  step: 1,
  isDoubtful: false
})

/** One too many was refused while so many were held. Believing in no slot at all would end the stream for good. */
export const lowered = (cap: SlotCap, held: number, nowMs: number): SlotCap => ({
  ...cap,
  believed: Math.min(cap.believed, Math.max(1, held)),
  raiseAtMs: nowMs + raiseEvery_ms,
  step: 1,
  isDoubtful: held === 0
})

/** What the broker has accepted is never beyond its limit, whatever was believed. */
export const proven = (cap: SlotCap, held: number): SlotCap =>
  held <= cap.believed ? cap : { ...cap, believed: Math.min(held, cap.configured) }

/** Believes in more once it is time to. */
export const raised = (cap: SlotCap, nowMs: number): SlotCap => {
  if (cap.raiseAtMs === undefined) return cap
  // Farther off than it ever is: the clock was set back.
  if (cap.raiseAtMs - nowMs > raiseEvery_ms) return { ...cap, raiseAtMs: nowMs + raiseEvery_ms }
  if (nowMs < cap.raiseAtMs) return cap
  const believed = Math.min(cap.configured, cap.believed + cap.step)
  return {
    ...cap,
    believed,
    raiseAtMs: believed === cap.configured ? undefined : nowMs + raiseEvery_ms,
    step: cap.step * 2
  }
}

/** A new connection begins: what was learnt with nothing held is not believed any longer. */
export const connected = (cap: SlotCap): SlotCap => (cap.isDoubtful ? slotCap(cap.configured) : cap)
