import type { Auctions } from "./Auctions.ts"
import type { Interruptions } from "./Interruptions.ts"
import type { Issue } from "./Issue.ts"
import type { Board } from "./MarketView.ts"
import { boardOf } from "./boardOf.ts"
import { type Pit, randomEnd_ms } from "./Pit.ts"

const minute_ms = 60_000
const boards: ReadonlyArray<Board> = ["KOSPI", "KOSDAQ"]
const thresholds = [8, 15, 20]

interface BoardState {
  readonly board: Board
  readonly issues: ReadonlyArray<Issue>
  status: "trading" | "halted" | "auction" | "ended"
  /** The highest level there has been today. */
  level: number
  /** How far the index had fallen then, in per cent. */
  fallenAt: number
  /** Since when the index has been below the next threshold. */
  belowSinceMs: number | undefined
}

/** The circuit breakers: all trades of a market stop for 20 minutes, then a call auction of ten. Level 3 ends the day. */
export interface Breaker {
  /** `level` of the market's own index. Answers why not. */
  trigger(level: 1 | 2 | 3, board: Board): string | undefined
  /** The rule: −8, −15, −20 % for a minute, each once a day, the later ones a per cent below the one before. */
  watch(board: Board, changePercent: number): void
  status(board: Board | undefined): BoardState["status"]
  readonly beginDay: () => void
}

/** Half an hour before the closing auction levels 1 and 2 end: their halt and auction would run into it. */
const isTooLate = (level: number, nowMs: number, closingMs: number) => level < 3 && nowMs >= closingMs - 30 * minute_ms

export const makeBreaker = (
  pit: Pit,
  issues: ReadonlyArray<Issue>,
  auctions: Auctions,
  interruptions: Interruptions,
  closingMs: () => number,
  afterAuction: (issue: Issue) => void
): Breaker => {
  const states = boards.map((board): BoardState => ({
    board,
    issues: issues.filter((issue) => !issue.still && boardOf(issue) === board),
    status: "trading",
    level: 0,
    fallenAt: 0,
    belowSinceMs: undefined
  }))
  const of = (board: Board | undefined) => states.find((state) => state.board === board)

  const announce = (market: Board, operation: string, expectedOperation: string, halted: boolean) =>
    pit.announce({
      issueCode: undefined,
      market,
      operation,
      expectedOperation,
      halted,
      reason: "",
      interrupted: false
    })

  const reopen = (state: BoardState) => {
    state.status = "auction"
    announce(state.board, "AF1", "112", false)
    for (const issue of state.issues) {
      if (issue.halted || issue.standing.state !== "stopped") continue
      auctions.gather(issue, "resume")
      const { turn } = issue.standing
      pit.agenda.add(pit.nowMs() + 10 * minute_ms + 1 + pit.random.below(randomEnd_ms), () => {
        if (issue.standing.turn === turn) afterAuction(issue)
      })
    }
    pit.agenda.add(pit.nowMs() + 10 * minute_ms + randomEnd_ms, () => {
      if (state.status !== "auction") return
      state.status = "trading"
      announce(state.board, "BF9", "311", false)
    })
  }

  const halt = (state: BoardState, level: number) => {
    state.level = Math.max(state.level, level)
    state.status = level === 3 ? "ended" : "halted"
    state.belowSinceMs = undefined
    announce(state.board, "AF8", "112", true)
    for (const issue of state.issues) {
      if (issue.halted) continue
      interruptions.end(issue)
      auctions.leave(issue, "stopped")
    }
    if (level === 3) return
    pit.agenda.add(pit.nowMs() + 20 * minute_ms, () => {
      if (state.status === "halted") reopen(state)
    })
  }

  return {
    status: (board) => of(board)?.status ?? "trading",
    trigger: (level, board) => {
      const state = of(board)
      if (state === undefined) return `there is no market ${board}: name KOSPI or KOSDAQ`
      if (state.status !== "trading")
        return `the market ${board} does not trade now, a circuit breaker holds it already`
      halt(state, level)
      return undefined
    },
    watch: (board, changePercent) => {
      const state = of(board)
      if (state?.status !== "trading" || state.level >= 3) return
      const level = state.level + 1
      const threshold = Math.max(thresholds[state.level] ?? 100, state.level === 0 ? 0 : state.fallenAt + 1)
      if (-changePercent < threshold || isTooLate(level, pit.nowMs(), closingMs())) {
        state.belowSinceMs = undefined
        return
      }
      state.belowSinceMs ??= pit.nowMs()
      if (pit.nowMs() - state.belowSinceMs < minute_ms) return
      state.fallenAt = -changePercent
      halt(state, level)
    },
    beginDay: () => {
      for (const state of states) {
        state.status = "trading"
        state.level = state.fallenAt = 0
        state.belowSinceMs = undefined
      }
    }
  }
}
