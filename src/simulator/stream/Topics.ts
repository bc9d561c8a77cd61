import type { MarketListener } from "../Market.ts"
import type { Session } from "./Session.ts"
import { slotOf } from "./Session.ts"
import { tradeFrames, tradeRecord } from "./tradeRecord.ts"

export const tradeStream = "H0STCNT0"

interface Topic {
  readonly trId: string
  readonly sessions: Set<Session>
  /** The records of the present step, encoded once for all sessions. */
  readonly records: Array<string>
}

/**
 * Who hears of what. Records gather per symbol for one market step and leave as frames at its end: a symbol that traded
 * several times within the step has several records in one frame.
 */
export const makeTopics = (
  businessDate: () => string,
  deliver: (session: Session, frame: string, records: number) => void
) => {
  const topics = new Map<string, Topic>()
  const touched = new Set<Topic>()

  const listener: MarketListener = {
    onTrade: (issue, trade) => {
      if (topics.size === 0) return
      const topic = topics.get(slotOf(tradeStream, issue.entry.code))
      if (topic === undefined) return
      topic.records.push(tradeRecord(issue, trade, businessDate()))
      touched.add(topic)
    },
    onStepEnd: () => {
      for (const { records, sessions, trId } of touched) {
        for (const frame of tradeFrames(trId, records)) {
          const count = Number(frame.split("|", 3)[2])
          for (const session of sessions) deliver(session, frame, count)
        }
        records.length = 0
      }
      touched.clear()
    }
  }

  const leave = (slot: string, session: Session): void => {
    const topic = topics.get(slot)
    topic?.sessions.delete(session)
    if (topic?.sessions.size === 0) topics.delete(slot)
  }

  return {
    listener,
    join: (slot: string, session: Session): void => {
      const topic = topics.get(slot) ?? { trId: slot.slice(0, slot.indexOf("|")), sessions: new Set(), records: [] }
      topic.sessions.add(session)
      topics.set(slot, topic)
    },
    leave,
    leaveAll: (session: Session): void => {
      for (const slot of session.slots) leave(slot, session)
      session.slots.clear()
    }
  }
}
