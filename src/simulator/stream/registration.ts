import type { Catalogue } from "./catalogue.ts"
import { isKnownKey } from "./keys.ts"
import { nobody, refused, refusedAltogether, type Subject, subscribed, unsubscribed } from "./replies.ts"
import { type Session, slotOf } from "./Session.ts"
import type { StreamKind, World } from "./StreamKind.ts"
import type { StreamCode, StreamRequest } from "./StreamRequest.ts"

export type Registration = Extract<StreamRequest, { readonly _tag: "Registration" }>

/** What a registration is judged by. */
export interface Rules {
  readonly slots: number
  readonly env: "live" | "mock"
  readonly world: World
  readonly kinds: Catalogue
  /** A refusal that was ordered from outside and comes before every rule. */
  readonly ordered: (session: Session, trId: string, trKey: string) => StreamCode | undefined
  readonly ownerOf: (approvalKey: string) => string | undefined
  readonly takeSeat: (owner: string, session: Session) => boolean
}

/** The answer, and what it changes; the caller makes the change and sends the reply. */
export type Verdict =
  | { readonly _tag: "Begin" | "End"; readonly kind: StreamKind; readonly reply: string }
  | { readonly _tag: "Refuse"; readonly code: StreamCode; readonly reply: string }
  /** A wrong HTS id: after this reply the connection ends without a close frame. */
  | { readonly _tag: "Cut"; readonly code: StreamCode; readonly reply: string }

/** The other codes are of the message or the session, and their replies name no registration. */
const isOfRegistration = (code: StreamCode) => code < "OPSP8993"

const wrongHtsId = "ERROR : htsid가잘못되었습니다"

/** Judges one registration of a session. */
export const judge = (request: Registration, session: Session, rules: Rules): Verdict => {
  const { approvalKey, subscribe, trId, trKey } = request
  const refuse = (code: StreamCode, words?: string, subject: Subject = request): Verdict => ({
    _tag: "Refuse",
    code,
    reply: refused(subject, code, words)
  })
  const ordered = rules.ordered(session, trId, trKey)
  if (ordered !== undefined) {
    const reply = isOfRegistration(ordered) ? refused(request, ordered) : refusedAltogether(ordered)
    return { _tag: "Refuse", code: ordered, reply }
  }

  const owner = rules.ownerOf(approvalKey)
  if (owner === undefined) return refuse("OPSP0011", `invalid approval : ${approvalKey.slice(0, 64) || "NOT FOUND"}`)
  if (session.owner !== undefined && session.owner !== owner) return refuse("OPSP8996")
  if (!rules.takeSeat(owner, session)) return refuse("OPSP8996", undefined, nobody)

  const kind = rules.kinds.get(trId)
  if (kind === undefined) return refuse("OPSP8991")
  // Seen "when a TR is not allowed"; the mock and the live exchange each have streams the other lacks.
  if (kind.offeredBy !== "both" && kind.offeredBy !== rules.env) return refuse("OPSP0007")
  if (!isKnownKey(rules.world, kind.keys, trKey)) {
    if (kind.keys !== "htsId") return refuse("OPSP8992")
    // The words were seen, with an empty header; their code was not [U].
    return { _tag: "Cut", code: "OPSP8992", reply: refused(nobody, "OPSP8992", wrongHtsId) }
  }

  const isHeld = session.slots.has(slotOf(trId, trKey))
  if (!subscribe) {
    return isHeld ? { _tag: "End", kind, reply: unsubscribed(request) } : refuse("OPSP0003")
  }
  if (isHeld) return refuse("OPSP0002")
  if (session.slots.size >= rules.slots) return refuse("OPSP0008")
  const encrypt = kind.keys === "htsId" ? "Y" : "N"
  return { _tag: "Begin", kind, reply: subscribed({ trId, trKey, encrypt }, session.cipher) }
}
