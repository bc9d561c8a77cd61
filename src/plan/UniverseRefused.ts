import { Data } from "effect"

/** A change of the observed symbols that was not made; what was observed before still is. */
export class UniverseRefused extends Data.TaggedError("UniverseRefused")<{
  /** `codes`: not symbol codes; `unknown`: not observed; `watched`: a setting keeps them; `empty`: nothing would be left; `tooMany`: beyond every market. */
  readonly reason: "codes" | "unknown" | "watched" | "empty" | "tooMany"
  readonly detail: string
}> {
  override get message() {
    return `the observed symbols stay as they are: ${this.detail}`
  }
}
