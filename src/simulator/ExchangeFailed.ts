import { Data } from "effect"

/** The exchange cannot start. */
export class ExchangeFailed extends Data.TaggedError("ExchangeFailed")<{
  readonly detail: string
  readonly cause: unknown
}> {
  override get message() {
    return `the simulator cannot start: ${this.detail}`
  }
}
