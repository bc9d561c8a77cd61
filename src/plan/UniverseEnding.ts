import { Data } from "effect"

/** The observer is stopping: what it observes is not changed any more. */
export class UniverseEnding extends Data.TaggedError("UniverseEnding") {
  override get message() {
    return "the observer is stopping and takes no change"
  }
}
