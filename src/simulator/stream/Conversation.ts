import { Result } from "effect"
import { type Counts, countCode } from "../Counters.ts"
import { replyFrame } from "./frames.ts"
import type { Notices } from "./Notices.ts"
import { judge, type Registration, type Rules } from "./registration.ts"
import { refusedAltogether } from "./replies.ts"
import { type Session, slotOf } from "./Session.ts"
import type { StreamKind } from "./StreamKind.ts"
import { readRequest, type StreamCode } from "./StreamRequest.ts"
import type { Topics } from "./Topics.ts"
import type { Wire } from "./Wire.ts"

export interface ConversationOptions {
  readonly rules: Rules
  readonly topics: Topics
  readonly notices: Notices
  readonly counters: Counts
  readonly wire: Pick<Wire, "send">
}

/** What clients say and what is answered; each message is dealt with at once, in order. */
export const makeConversation = ({ counters, notices, rules, topics, wire }: ConversationOptions) => {
  const begin = (session: Session, kind: StreamKind, trKey: string) => {
    session.slots.add(slotOf(kind.trId, trKey))
    topics.join(kind, trKey, session)
    if (kind.keys === "htsId") notices.begin(trKey)
  }
  const end = (session: Session, kind: StreamKind, trKey: string) => {
    session.slots.delete(slotOf(kind.trId, trKey))
    topics.leave(slotOf(kind.trId, trKey), session)
    if (kind.keys === "htsId") notices.end(trKey)
  }

  const register = (session: Session, request: Registration) => {
    const { trId, trKey } = request
    const verdict = judge(request, session, rules)
    const { reply } = verdict
    const say = (code: StreamCode) => wire.send(session, replyFrame(trId, trKey, code, reply))
    switch (verdict._tag) {
      case "Begin":
        begin(session, verdict.kind, trKey)
        return say("OPSP0000")
      case "End":
        end(session, verdict.kind, trKey)
        return say("OPSP0001")
      case "Refuse":
        countCode(counters.streamRefusalsByCode, verdict.code)
        return say(verdict.code)
      case "Cut":
        countCode(counters.streamRefusalsByCode, verdict.code)
        say(verdict.code)
        // The line ends behind these words, and without the close frame of the protocol.
        return session.line.end(() => session.socket.terminate())
    }
  }

  const refuse = (session: Session, code: StreamCode) => {
    countCode(counters.streamRefusalsByCode, code)
    wire.send(session, replyFrame("", "", code, refusedAltogether(code)))
  }

  const listen = (session: Session, text: string): void => {
    const read = readRequest(text)
    if (Result.isFailure(read)) refuse(session, read.failure)
    else if (read.success._tag === "PingPong") session.unansweredSinceMs = undefined
    else register(session, read.success)
  }

  return {
    hear: (session: Session, text: string): void => {
      try {
        listen(session, text)
      } catch {
        // A defect of ours, or of a tap: it is the code's meaning, and no message of a client may end the exchange.
        refuse(session, "OPSP9993")
      }
    },
    /** The session is gone. */
    forget: (session: Session): void => {
      for (const slot of session.slots) {
        const [trId = "", trKey = ""] = slot.split("|")
        const kind = rules.kinds.get(trId)
        if (kind !== undefined) end(session, kind, trKey)
      }
    }
  }
}
