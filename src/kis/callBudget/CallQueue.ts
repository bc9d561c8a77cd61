import type { CallLane } from "../CallLimits.ts"

/** One call that waits for its place. */
export interface Waiting {
  readonly caller: string
  readonly lane: CallLane
  /** Monotonic milliseconds. */
  readonly joinedMs: number
}

/**
 * Who calls next: callers take turns, each caller's calls go in the order in which they came, and a call whose lane is
 * closed keeps nobody waiting whose lane is open, of the same caller or another. So no caller can starve another however
 * much it asks for, and none can fill the queue for others: each has room of its own.
 */
export const makeCallQueue = <W extends Waiting>(room: number) => {
  /** Callers in the order of their turns; a caller without calls has none. */
  const turns = new Map<string, Array<W>>()
  const inLane = { quotes: 0, ledger: 0 }

  const cut = (waiting: W): void => {
    const calls = turns.get(waiting.caller)
    const at = calls?.indexOf(waiting) ?? -1
    if (calls === undefined || at < 0) return
    calls.splice(at, 1)
    inLane[waiting.lane] -= 1
    if (calls.length === 0) turns.delete(waiting.caller)
  }

  const next = (open: (lane: CallLane) => boolean): W | undefined => {
    for (const calls of turns.values()) {
      const call = calls.find(({ lane }) => open(lane))
      if (call !== undefined) return call
    }
    return undefined
  }

  return {
    /** `false` when the caller has as many calls waiting as it may. */
    join: (waiting: W): boolean => {
      const calls = turns.get(waiting.caller) ?? []
      if (calls.length >= room) return false
      calls.push(waiting)
      turns.set(waiting.caller, calls)
      inLane[waiting.lane] += 1
      return true
    },
    /** Who would be next if every lane were open. */
    first: (): W | undefined => next(() => true),
    /** Takes the next call out whose lane is open; its caller's next turn comes after everybody else's. */
    take: (open: (lane: CallLane) => boolean): W | undefined => {
      const call = next(open)
      if (call === undefined) return undefined
      const calls = turns.get(call.caller) ?? []
      cut(call)
      if (turns.delete(call.caller)) turns.set(call.caller, calls)
      return call
    },
    leave: cut,
    /** Whoever has waited the longest of all. */
    oldest: (): W | undefined => {
      let oldest: W | undefined
      for (const [call] of turns.values()) {
        if (call !== undefined && (oldest === undefined || call.joinedMs < oldest.joinedMs)) oldest = call
      }
      return oldest
    },
    waiting: (lane: CallLane): number => inLane[lane]
  }
}
