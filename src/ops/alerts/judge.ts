import type { Phase } from "../../domain/Phase.ts"
import type { Verdict } from "./Alarm.ts"
import { type Observation, type Rule, unknown } from "./Rule.ts"

/** What a rule says, and in what words. */
export interface Judgement {
  readonly verdict: Verdict
  readonly words: string
}

const appliesIn = ({ applies }: Rule, phase: Phase): boolean =>
  applies === "always" || (applies === "open" ? phase !== "closed" : phase === "continuous")

/**
 * Holds a rule against what is seen. `isTurning` says that the phase changes or has just changed: then all is in motion, and
 * only what has nothing to do with the market is judged. What does not apply any more is over.
 */
export const judge = (rule: Rule, limit: number, seen: Observation, isTurning: boolean): Judgement => {
  const { phase } = seen.report
  if (rule.applies !== "always" && isTurning) return { verdict: "unsettled", words: "" }
  if (!appliesIn(rule, phase)) return { verdict: "well", words: `not judged any more: the phase is ${phase}` }
  const words = rule.amiss(seen, limit)
  if (words === unknown) return { verdict: "unsettled", words: "" }
  return words === undefined ? { verdict: "well", words: "" } : { verdict: "amiss", words: oneLine(words) }
}

const words_max = 400

/** Errors of others may be long, and of several lines. */
const oneLine = (text: string): string => {
  const plain = text.replace(/[\x00-\x1f\x7f-\x9f\s]+/g, " ").trim()
  return plain.length > words_max ? `${plain.slice(0, words_max)}…` : plain
}
