import { Result } from "effect"
import {
  KisCredentialsRejected,
  KisDisturbed,
  type KisError,
  KisRefused,
  KisReplyMalformed,
  KisThrottled,
  KisTokenInvalid,
  KisTokenTooSoon,
  KisUnreachable
} from "./KisError.ts"
import { reactionTo } from "./Reaction.ts"

/** What came back over HTTP, before anyone has looked at it. */
export interface HttpAnswer {
  readonly status: number
  readonly text: string
  /** The header `tr_cont`, where there is one. */
  readonly trCont?: string | undefined
}

/**
 * A reply of success: its keys are what the endpoint says. The header that tells of further pages is put beside them as
 * `tr_cont`, where the broker sent one (kis/rest.md §3).
 */
export type ReplyBody = Readonly<Record<string, unknown>>

/** Said by gateways in general, though not seen of this broker. */
const tooManyRequests = 429

/** A field as text; the codes are text in every capture, and a number says the same. */
const textOf = (value: unknown): string =>
  typeof value === "string" ? value.trim() : typeof value === "number" ? String(value) : ""

const isObject = (value: unknown): value is ReplyBody =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/**
 * Enough of a bad reply to recognise it by, not so much that a page of HTML fills the log; what may be left of a token in
 * it is taken out, for the excerpt goes into the journal.
 */
const excerpt = (text: string): string =>
  text.replace(/("(?:access_token|approval_key)"\s*:\s*")[^"]*/g, "$1***").slice(0, 2_000)

/** Replies are objects of lists of objects. What goes deeper by far can be read and not be written again: writing is recursive. */
const depth_max = 16

const isShallow = (value: unknown, depth = 0): boolean =>
  typeof value !== "object" ||
  value === null ||
  (depth < depth_max && Object.values(value).every((inner) => isShallow(inner, depth + 1)))

/**
 * Reads an answer of either error family: `{rt_cd, msg_cd, msg1}` of the quotation paths, `{error_code,
 * error_description}` of `/oauth2`. The HTTP status alone decides nothing: refusals come as 500 with a JSON body, and
 * some as 200 (kis/limits.md §5).
 */
export const readReply = (
  account: string,
  operation: string,
  { status, text, trCont }: HttpAnswer
): Result.Result<ReplyBody, KisError> => {
  if (status === tooManyRequests) return Result.fail(new KisThrottled({ operation, code: `HTTP ${status}` }))
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    return status >= 500
      ? Result.fail(new KisUnreachable({ operation, detail: `HTTP ${status} without JSON` }))
      : Result.fail(
          new KisReplyMalformed({ operation, detail: `HTTP ${status}, the body is not JSON`, raw: excerpt(text) })
        )
  }
  if (!isObject(body)) {
    return Result.fail(new KisReplyMalformed({ operation, detail: "the body is not an object", raw: excerpt(text) }))
  }
  if (!isShallow(body)) {
    const detail = `the body is nested deeper than ${depth_max}`
    return Result.fail(new KisReplyMalformed({ operation, detail, raw: excerpt(text) }))
  }
  const isSaidToBeFine = textOf(body["rt_cd"]) === "0"
  const code = textOf(body["error_code"]) || (isSaidToBeFine ? "" : textOf(body["msg_cd"]))
  const isError = code !== "" || status >= 400 || (body["rt_cd"] !== undefined && !isSaidToBeFine)
  if (!isError)
    return Result.succeed(trCont === undefined || trCont.trim() === "" ? body : { ...body, tr_cont: trCont.trim() })
  if (code === "" && status >= 500) return Result.fail(new KisUnreachable({ operation, detail: `HTTP ${status}` }))
  const words = textOf(body["msg1"]) || textOf(body["error_description"])
  return Result.fail(errorOf(account, { operation, status, code: code || `HTTP ${status}`, text: words }))
}

interface Refusal {
  readonly operation: string
  readonly status: number
  readonly code: string
  readonly text: string
}

const errorOf = (account: string, refusal: Refusal): KisError => {
  const { code, operation } = refusal
  const reaction = reactionTo(code)
  switch (reaction?._tag) {
    case "retryShortly":
    case "waitSecond":
      return new KisThrottled({ operation, code, again: reaction.again })
    case "retryLater":
      return new KisDisturbed({ ...refusal, again: reaction.again })
    case "renewToken":
      return new KisTokenInvalid({ operation, code })
    case "waitForToken":
      return new KisTokenTooSoon({ operation })
    case "stopAccount":
      return new KisCredentialsRejected({ account, code })
    case "configuration":
      return new KisRefused({ ...refusal, configuration: true })
    // Words of the stream mean nothing in answer to a call.
    case "asSubscribed":
    case "asUnsubscribed":
    case "slotsFull":
    case "keyInUse":
    case "newApproval":
    case "refuseRegistration":
    case undefined:
      return new KisRefused(refusal)
  }
}
