import type { Verdict } from "./Certificate.ts"

/** A verdict as people read it. */
export const verdictWords: Readonly<Record<Verdict, string>> = {
  complete: "complete",
  completeButFor: "complete but for the holes named",
  incomplete: "incomplete",
  damaged: "damaged"
}
