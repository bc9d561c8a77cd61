import { marketDate, marketHour } from "../../calendar/MarketTime.ts"
import { type StreamCode, streamTexts } from "./StreamRequest.ts"

/** The pair that comes with every accepted subscription: one pair for a whole session. */
export interface SessionCipher {
  readonly iv: string
  readonly key: string
}

interface Subject {
  readonly trId: string
  readonly trKey: string
}

const envelope = ({ trId, trKey }: Subject, body: object): string =>
  JSON.stringify({ header: { tr_id: trId, tr_key: trKey, encrypt: "N" }, body })

export const subscribed = (subject: Subject, cipher: SessionCipher): string =>
  envelope(subject, { rt_cd: "0", msg_cd: "OPSP0000", msg1: streamTexts.OPSP0000, output: cipher })

export const unsubscribed = (subject: Subject): string =>
  envelope(subject, { rt_cd: "0", msg_cd: "OPSP0001", msg1: streamTexts.OPSP0001 })

/** 1 for a refusal of one registration, 9 for one of the message or the session. */
const resultOf = (code: StreamCode): string => (code.startsWith("OPSP00") ? "1" : "9")

/** A refusal of one registration; OPSP0011 repeats the approval key, as the broker does. */
export const refused = (subject: Subject, code: StreamCode, words: string = streamTexts[code]): string =>
  envelope(subject, { rt_cd: resultOf(code), msg_cd: code, msg1: words })

/** A refusal that belongs to no registration. */
export const refusedAltogether = (code: StreamCode): string => refused({ trId: "(null)", trKey: "" }, code)

export const pingPong = (atMs: number): string =>
  JSON.stringify({ header: { tr_id: "PINGPONG", datetime: marketDate(atMs) + marketHour(atMs) } })
