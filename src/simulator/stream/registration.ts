import { refused, subscribed, unsubscribed } from "./replies.ts"
import { type Session, slotOf } from "./Session.ts"
import type { StreamCode, StreamRequest } from "./StreamRequest.ts"

type Registration = Extract<StreamRequest, { readonly _tag: "Registration" }>

/** What a registration is judged by. */
export interface Rules {
  readonly slots: number
  readonly streams: ReadonlySet<string>
  isListed(code: string): boolean
  ownerOf(approvalKey: string): string | undefined
  takeSeat(owner: string, session: Session): boolean
}

export interface Verdict {
  readonly reply: string
  readonly refusedWith?: StreamCode
  /** The slot to begin or end; absent when nothing changes. */
  readonly begin?: string
  readonly end?: string
}

/** Judges one registration of a session; the caller makes the change and sends the reply. */
export const judge = (request: Registration, session: Session, rules: Rules): Verdict => {
  const { approvalKey, subscribe, trId, trKey } = request
  const no = (code: StreamCode, words?: string): Verdict => ({
    reply: refused(request, code, words),
    refusedWith: code
  })
  const owner = rules.ownerOf(approvalKey)
  if (owner === undefined) return no("OPSP0011", `invalid approval : ${approvalKey.slice(0, 64) || "NOT FOUND"}`)
  if (session.owner !== undefined && session.owner !== owner) return no("OPSP8996")
  if (!rules.takeSeat(owner, session)) {
    return { reply: refused({ trId: "(null)", trKey: "" }, "OPSP8996"), refusedWith: "OPSP8996" }
  }
  if (!rules.streams.has(trId)) return no("OPSP8991")
  if (!rules.isListed(trKey)) return no("OPSP8992")
  const slot = slotOf(trId, trKey)
  const isHeld = session.slots.has(slot)
  if (!subscribe) return isHeld ? { reply: unsubscribed(request), end: slot } : no("OPSP0003")
  if (isHeld) return no("OPSP0002")
  if (session.slots.size >= rules.slots) return no("OPSP0008")
  return { reply: subscribed(request, session.cipher), begin: slot }
}
