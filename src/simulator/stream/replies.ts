import { marketDate, marketHour } from "../../calendar/MarketTime.ts"
import type { SessionCipher } from "./cipher.ts"
import { type StreamCode, streamTexts } from "./StreamRequest.ts"

/** What a reply is about; `encrypt` is `Y` only where the records that follow are. */
export interface Subject {
  readonly trId: string
  readonly trKey: string
  readonly encrypt?: "Y" | "N"
}

const envelope = ({ encrypt = "N", trId, trKey }: Subject, body: object): string =>
  JSON.stringify({ header: { tr_id: trId, tr_key: trKey, encrypt }, body })

export const subscribed = (subject: Subject, { iv, key }: SessionCipher): string =>
  envelope(subject, { rt_cd: "0", msg_cd: "OPSP0000", msg1: streamTexts.OPSP0000, output: { iv, key } })

export const unsubscribed = (subject: Subject): string =>
  envelope(subject, { rt_cd: "0", msg_cd: "OPSP0001", msg1: streamTexts.OPSP0001 })

/** 1 for a refusal of one registration, 9 for one of the message or the session. */
const resultOf = (code: StreamCode): string => (code.startsWith("OPSP00") ? "1" : "9")

/** A refusal of one registration; OPSP0011 repeats the approval key, as the broker does. */
export const refused = (subject: Subject, code: StreamCode, words: string = streamTexts[code]): string =>
  envelope(subject, { rt_cd: resultOf(code), msg_cd: code, msg1: words })

/** A refusal that belongs to no registration. */
export const nobody: Subject = { trId: "(null)", trKey: "" }

/** What the refusal of a message that could not be read is about: nothing at all for OPSP8993, as captured. */
export const refusedAltogether = (code: StreamCode): string =>
  refused(code === "OPSP8993" ? { trId: "", trKey: "" } : nobody, code)

export const pingPong = (atMs: number): string =>
  JSON.stringify({ header: { tr_id: "PINGPONG", datetime: marketDate(atMs) + marketHour(atMs) } })
