import { Redacted, Result, Schema } from "effect"
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

const Answer = Schema.Struct({
  rt_cd: Schema.String,
  msg_cd: Schema.String,
  msg1: Schema.optionalKey(Schema.String),
  output: Schema.optionalKey(Schema.Unknown)
})
type Answer = typeof Answer.Type
const Control = Schema.Struct({
  header: Schema.Struct({ tr_id: Schema.String, tr_key: Schema.optionalKey(Schema.String) }),
  body: Schema.optionalKey(Answer)
})
const decode = Schema.decodeUnknownResult(Schema.fromJsonString(Control))

/** An answer without a pair, or with half of one, is an answer all the same. */
const cipherOf = (output: unknown): { readonly cipher?: FrameCipher } => {
  if (typeof output !== "object" || output === null || !("key" in output) || !("iv" in output)) return {}
  const { iv, key } = output
  if (typeof key !== "string" || typeof iv !== "string" || key === "" || iv === "") return {}
  return { cipher: { key: Redacted.make(key), iv: Redacted.make(iv) } }
}

const meaning = ({ msg_cd, msg1 = "", rt_cd }: Answer): SubscribeReply => {
  const code = msg_cd.trim().slice(0, 32)
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
      if (msg1.startsWith("UNSUB")) return { _tag: "Unsubscribed" }
      return rt_cd === "0" ? { _tag: "Subscribed" } : { _tag: "Refused", code, passing: false }
  }
}

/** Reads a JSON message. Its text is never passed on: a refusal may repeat the approval key. */
export const readControl = (text: string): ControlMessage => {
  const decoded = decode(text)
  if (Result.isFailure(decoded)) return { _tag: "Unreadable" }
  const { body, header } = decoded.success
  if (header.tr_id === "PINGPONG") return { _tag: "PingPong" }
  if (body === undefined) return { _tag: "Unreadable" }
  const trId = header.tr_id
  const trKey = (header.tr_key ?? "").trim()
  return { _tag: "Answer", trId, trKey, reply: meaning(body), ...cipherOf(body.output) }
}

/** Cheap enough to be asked of every message before anything else is done with it. */
export const isPingPong = (text: string): boolean => text.startsWith("{") && text.includes('"PINGPONG"')

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
