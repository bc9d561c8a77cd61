import { Data } from "effect"

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
}> {
  override get message() {
    return `${this.operation}: refused for the number of calls (${this.code})`
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

/** A token was asked for twice within a minute (`EGW00133`). */
export class KisTokenTooSoon extends Data.TaggedError("KisTokenTooSoon")<{ readonly operation: string }> {
  override get message() {
    return `${this.operation}: the broker issues one token a minute per key (EGW00133)`
  }
}

/** The app key or its secret is wrong. Nothing helps but other credentials. */
export class KisCredentialsRejected extends Data.TaggedError("KisCredentialsRejected")<{
  readonly account: string
  readonly code: string
}> {
  override get message() {
    return `the broker rejects the credentials of account "${this.account}" (${this.code}); check KIS_APP_KEY, KIS_APP_SECRET and KIS_ENV`
  }
}

/** The broker answered with an error that is none of the above; `text` is its own wording. */
export class KisRefused extends Data.TaggedError("KisRefused")<{
  readonly operation: string
  readonly status: number
  readonly code: string
  readonly text: string
}> {
  override get message() {
    return `${this.operation}: the broker refused (${this.code} ${this.text})`
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
  | KisTokenInvalid
  | KisTokenTooSoon
  | KisCredentialsRejected
  | KisRefused
  | KisReplyMalformed
  | KisBudgetBusy
