/** `skipped` was not looked at, and says why. */
export type Mark = "ok" | "warn" | "fail" | "skipped"

/** What one look has found: one line for people, one object for programs. */
export interface Finding {
  readonly name: string
  readonly status: Mark
  /** What was found, in words. */
  readonly words: string
  /** What to do; where it is not ok. */
  readonly advice?: string
  /** How long the look took, where that says something. */
  readonly ms?: number
  readonly details?: Readonly<Record<string, unknown>>
}

/** What may be said beside the words. */
interface Beside {
  readonly ms?: number
  readonly details?: Readonly<Record<string, unknown>>
}

export const ok = (name: string, words: string, beside: Beside = {}): Finding => ({
  name,
  status: "ok",
  words,
  ...beside
})

export const warn = (name: string, words: string, advice: string, beside: Beside = {}): Finding => ({
  name,
  status: "warn",
  words,
  advice,
  ...beside
})

export const fail = (name: string, words: string, advice: string, beside: Beside = {}): Finding => ({
  name,
  status: "fail",
  words,
  advice,
  ...beside
})

export const skipped = (name: string, words: string, advice?: string): Finding => ({
  name,
  status: "skipped",
  words,
  ...(advice === undefined ? {} : { advice })
})

/** What was not looked at is neither better nor worse than what is right. */
export const worstOf = (findings: ReadonlyArray<Finding>): "ok" | "warn" | "fail" =>
  findings.some(({ status }) => status === "fail")
    ? "fail"
    : findings.some(({ status }) => status === "warn")
      ? "warn"
      : "ok"
