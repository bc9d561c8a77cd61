import { Redacted } from "effect"
import { withoutSecrets } from "../domain/Secrets.ts"
import { reactionTo } from "./Reaction.ts"
import type { FrameCipher } from "./FrameCipher.ts"

/** What the server says in JSON over the socket: its probe, or an answer to a subscription. */
export type ControlMessage =
  | { readonly _tag: "PingPong" }
  | {
      readonly _tag: "Answer"
      readonly trId: string
      readonly trKey: string
      readonly reply: SubscribeReply
      /** Comes with every acceptance, also of streams that are not encrypted. */
      readonly cipher?: FrameCipher
    }
  | { readonly _tag: "Unreadable" }

/** What an answer means to a session: the reaction of `Reaction.ts`, in the words of the stream. */
export type SubscribeReply =
  | { readonly _tag: "Subscribed" }
  | { readonly _tag: "Unsubscribed" }
  | { readonly _tag: "SlotsFull" }
  | { readonly _tag: "KeyInUse" }
  | { readonly _tag: "ApprovalUnknown" }
  | { readonly _tag: "KeyRefused"; readonly code: string }
  | { readonly _tag: "Refused"; readonly code: string; readonly passing: boolean }

type Fields = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const objectIn = (text: string): Fields | undefined => {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** A field as text. All are text in every capture; a number says the same, and whatever else comes says nothing. */
const textOf = (value: unknown): string | undefined =>
  typeof value === "string" ? value.trim() : typeof value === "number" ? String(value) : undefined

/** An answer without a pair, or with half of one, is an answer all the same. */
const cipherOf = (output: unknown): { readonly cipher?: FrameCipher } => {
  if (!isObject(output)) return {}
  const { iv, key } = output
  if (typeof key !== "string" || typeof iv !== "string" || key === "" || iv === "") return {}
  return { cipher: { key: Redacted.make(key), iv: Redacted.make(iv) } }
}

const meaning = (code: string, { msg1, rt_cd }: Fields): SubscribeReply => {
  const reaction = reactionTo(code)
  switch (reaction?._tag) {
    case "asSubscribed":
      return { _tag: "Subscribed" }
    case "asUnsubscribed":
      return { _tag: "Unsubscribed" }
    case "slotsFull":
      return { _tag: "SlotsFull" }
    case "keyInUse":
      return { _tag: "KeyInUse" }
    case "newApproval":
      return { _tag: "ApprovalUnknown" }
    case "stopAccount":
      return { _tag: "KeyRefused", code }
    case "refuseRegistration":
      return { _tag: "Refused", code, passing: reaction.passing }
    case "configuration":
      return { _tag: "Refused", code, passing: false }
    // Words of the gateway, which were not seen here: whatever they mean, they pass.
    case "retryShortly":
    case "waitSecond":
    case "retryLater":
    case "renewToken":
    case "waitForToken":
      return { _tag: "Refused", code, passing: true }
    case undefined:
      // The number of a successful unsubscribe is not documented; its text is (kis/websocket.md §3).
      if (textOf(msg1)?.startsWith("UNSUB")) return { _tag: "Unsubscribed" }
      return textOf(rt_cd) === "0" ? { _tag: "Subscribed" } : { _tag: "Refused", code, passing: false }
  }
}

/**
 * Reads a JSON message. An answer is known by its code: whatever else is missing, `null` or of another type must not hide
 * that the key is in use or the slots are full. The text is never passed on: a refusal may repeat the approval key.
 */
export const readControl = (text: string): ControlMessage => {
  // A byte order mark counts as a blank here, and not in JSON.
  const message = objectIn(text.trim())
  if (message === undefined) return { _tag: "Unreadable" }
  const header = isObject(message["header"]) ? message["header"] : {}
  const trId = textOf(header["tr_id"]) ?? ""
  if (trId === "PINGPONG") return { _tag: "PingPong" }
  const body = isObject(message["body"]) ? message["body"] : {}
  const said = textOf(body["msg_cd"])
  if (said === undefined) return { _tag: "Unreadable" }
  // Half a secret would not be known as one.
  const code = withoutSecrets(said).slice(0, 32)
  const trKey = textOf(header["tr_key"]) ?? ""
  return { _tag: "Answer", trId, trKey, reply: meaning(code, body), ...cipherOf(body["output"]) }
}

/**
 * Whether a message is JSON and no frame, whatever blanks stand before it: its text may hold a key, and must not be taken
 * for data. Cheap enough to be asked of every message before anything else is done with it: a frame begins with a digit.
 */
export const isControl = (text: string): boolean => {
  const first = text.charCodeAt(0)
  if (first === zero || first === zero + 1) return false
  const mark = text.trimStart().charAt(0)
  return mark === "{" || mark === "["
}

const zero = "0".charCodeAt(0)

export const isPingPong = (text: string): boolean => isControl(text) && text.includes('"PINGPONG"')

/** One registration, or its end; the protocol has no bulk form. */
export const subscribeMessage = (
  approvalKey: Redacted.Redacted,
  action: "subscribe" | "unsubscribe",
  trId: string,
  trKey: string
): string =>
  JSON.stringify({
    header: {
      approval_key: Redacted.value(approvalKey),
      custtype: "P",
      tr_type: action === "subscribe" ? "1" : "2",
      "content-type": "utf-8"
    },
    body: { input: { tr_id: trId, tr_key: trKey } }
  })
