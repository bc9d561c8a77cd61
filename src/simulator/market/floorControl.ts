import type { Breaker } from "./Breaker.ts"
import type { Interruptions } from "./Interruptions.ts"
import type { Auctions } from "./Auctions.ts"
import type { Issue } from "./Issue.ts"
import type { MarketControl } from "./MarketControl.ts"
import type { Board } from "./MarketView.ts"
import type { Pit } from "./Pit.ts"
import type { Sessions } from "./Sessions.ts"

export interface FloorParts {
  readonly pit: Pit
  readonly auctions: Auctions
  readonly interruptions: Interruptions
  readonly breaker: Breaker
  readonly sessions: Sessions
  issue(code: string): Issue | undefined
  setBurst(burst: { readonly factor: number; readonly untilMs: number }): void
}

const burstMax = 10_000
const boards: ReadonlyArray<Board> = ["KOSPI", "KOSDAQ"]

/** The commands that the floor itself can carry out; the clock is the market's. */
export const floorControl = (parts: FloorParts): Omit<MarketControl, "setClock"> => {
  const { auctions, breaker, interruptions, pit, sessions } = parts

  const announceHalt = (issue: Issue, operation: string) =>
    // The codes of a single issue's halt are not known [U]: those of the circuit breaker, whose meaning is the nearest.
    pit.announce({
      issueCode: issue.entry.code,
      market: undefined,
      operation,
      expectedOperation: "112",
      halted: issue.halted,
      reason: issue.haltReason,
      interrupted: false
    })

  const unknown = (code: string) => `no issue has the code ${code}`

  return {
    triggerVi: (code, kind = "static") => {
      const issue = parts.issue(code)
      if (issue === undefined) return unknown(code)
      if (issue.standing.state !== "continuous") return `${code} is not in continuous trading now`
      const percent = kind === "static" ? 10 : issue.dynamicPercent
      const from = kind === "static" ? issue.reference : issue.price
      const up = issue.grid.ceil((from * (100 + percent)) / 100)
      const price = up <= issue.upper ? up : Math.max(issue.lower, issue.grid.floor((from * (100 - percent)) / 100))
      interruptions.begin(issue, kind, price, sessions.conclude)
      return undefined
    },
    circuitBreaker: (level = 1, market) => {
      const refused = (market === undefined ? boards : [market]).map((board) => breaker.trigger(level, board))
      return refused.includes(undefined) ? undefined : refused[0]
    },
    halt: (code, reason = "") => {
      const issue = parts.issue(code)
      if (issue === undefined) return unknown(code)
      if (issue.halted) return `${code} is halted already`
      if (issue.liquidating) return `${code} is in liquidation trading, which is never halted`
      interruptions.end(issue)
      auctions.leave(issue, "stopped")
      issue.halted = true
      issue.haltReason = reason
      announceHalt(issue, "AF8")
      return undefined
    },
    resume: (code) => {
      const issue = parts.issue(code)
      if (issue === undefined) return unknown(code)
      if (!issue.halted) return `${code} is not halted`
      if (issue.still) return `${code} is halted all day: the universe says so`
      issue.halted = false
      issue.haltReason = ""
      announceHalt(issue, "AF1")
      sessions.admit(issue)
      return undefined
    },
    burst: (factor, forSeconds) => {
      if (!(factor >= 0 && factor <= burstMax)) return `the factor of a burst is 0 to ${burstMax}`
      if (!(forSeconds > 0 && forSeconds <= 86_400)) return "a burst lasts more than 0 and at most 86400 seconds"
      parts.setBurst({ factor, untilMs: pit.nowMs() + forSeconds * 1_000 })
      return undefined
    }
  }
}
