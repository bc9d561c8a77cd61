import { Data } from "effect"
import { type Again, reactionTo } from "./Reaction.ts"

/** No usable answer: refused connection, time-out, a page instead of JSON, a server error without a code. Tried again. */
export class KisUnreachable extends Data.TaggedError("KisUnreachable")<{
  readonly operation: string
  readonly detail: string
  /** The request cannot have reached the broker: there was no connection. */
  readonly unsent?: boolean
}> {
  override get message() {
    return `${this.operation}: the broker cannot be reached (${this.detail})`
  }
}

/** More calls than the broker allows, or its weather: `EGW00201` (gateway) or `EGW00215` (ledger). Tried again shortly. */
export class KisThrottled extends Data.TaggedError("KisThrottled")<{
  readonly operation: string
  readonly code: string
  /** When to try again: the ledger wants a second, the gateway less. */
  readonly again?: Again
}> {
  override get message() {
    return `${this.operation}: refused for the number of calls (${this.code})`
  }
}

/** Trouble inside the broker, by its own word (`EGW00202`, `OPSQ0009` …): it passes; tried again with back-off. */
export class KisDisturbed extends Data.TaggedError("KisDisturbed")<{
  readonly operation: string
  readonly status: number
  readonly code: string
  readonly text: string
  /** The first wait, and the longest. */
  readonly again: Again
}> {
  override get message() {
    return `${this.operation}: the broker is in trouble (${this.code} ${this.text})`
  }
}

/** The token is not valid here or has expired (`EGW00121`, `EGW00123`): dropped, renewed once. */
export class KisTokenInvalid extends Data.TaggedError("KisTokenInvalid")<{
  readonly operation: string
  readonly code: string
}> {
  override get message() {
    return `${this.operation}: the broker does not accept the token (${this.code})`
  }
}

/** A token was asked for twice within a minute (`EGW00133`), here or by another program with the same key. */
export class KisTokenTooSoon extends Data.TaggedError("KisTokenTooSoon")<{
  readonly operation: string
  /** Who asked last, as far as the state folder knows. */
  readonly askedBy?: string
}> {
  override get message() {
    const by = this.askedBy === undefined ? "" : `; asked last by ${this.askedBy}`
    return `${this.operation}: the broker issues one token a minute per key (EGW00133)${by}`
  }
}

/**
 * What the broker issued last it did not accept, or its answers did not come or could not be read, again and again: the
 * next is held back, for each token is told to its owner on the phone.
 */
export class KisIssueWithheld extends Data.TaggedError("KisIssueWithheld")<{
  readonly account: string
  /** `token` or `approval key`. */
  readonly what: string
  readonly refusals: number
  /** Requests in a row without an answer that could be read. */
  readonly lost: number
  readonly wait_ms: number
}> {
  override get message() {
    const { account, lost, refusals, wait_ms, what } = this
    const why =
      lost > refusals
        ? `the last ${lost} requests for the ${what} of account "${account}" had no answer that could be read`
        : `the broker did not accept the last ${refusals} issues of the ${what} of account "${account}"`
    return `${why}; the next is asked for in ${Math.ceil(wait_ms / 1_000)} s`
  }
}

/** The app key or its secret is wrong. Nothing helps but other credentials; it is the matter of this one account. */
export class KisCredentialsRejected extends Data.TaggedError("KisCredentialsRejected")<{
  readonly account: string
  readonly code: string
}> {
  override get message() {
    const reaction = reactionTo(this.code)
    const detail = reaction?._tag === "stopAccount" ? `${this.code}: ${reaction.check}` : this.code
    return `the broker rejects the credentials of account "${this.account}" (${detail}); check KIS_APP_KEY, KIS_APP_SECRET and KIS_ENV, or the account's entry in the file that KIS_ACCOUNTS names`
  }
}

/** The broker answered with an error that is none of the above; `text` is its own wording. */
export class KisRefused extends Data.TaggedError("KisRefused")<{
  readonly operation: string
  readonly status: number
  readonly code: string
  readonly text: string
  /** The request itself is wrong (`OPSQ0002`, `EGW02006` …): asking again cannot help. Absent for a code nobody knows. */
  readonly configuration?: boolean
}> {
  override get message() {
    const verdict = this.configuration === true ? "the broker says that the request is wrong" : "the broker refused"
    return `${this.operation}: ${verdict} (${this.code} ${this.text})`
  }
}

/** An answer of success that does not have the shape it should have. */
export class KisReplyMalformed extends Data.TaggedError("KisReplyMalformed")<{
  readonly operation: string
  readonly detail: string
  readonly raw: string
}> {
  override get message() {
    return `${this.operation}: the reply is not what it should be (${this.detail})`
  }
}

/** The call was not made: too many calls of its caller were waiting already, or its turn did not come in time. */
export class KisBudgetBusy extends Data.TaggedError("KisBudgetBusy")<{
  readonly caller: string
  readonly reason: "full" | "timeout"
  /** Calls of all callers that waited at that moment. */
  readonly waiting: number
}> {
  override get message() {
    const why = this.reason === "full" ? "too many of its calls wait already" : "its turn did not come in time"
    return `a call of "${this.caller}" was not made: ${why} (${this.waiting} wait for the call budget)`
  }
}

export type KisError =
  | KisUnreachable
  | KisThrottled
  | KisDisturbed
  | KisTokenInvalid
  | KisTokenTooSoon
  | KisIssueWithheld
  | KisCredentialsRejected
  | KisRefused
  | KisReplyMalformed
  | KisBudgetBusy
