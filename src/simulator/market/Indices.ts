import type { Issue } from "./Issue.ts"
import type { Breadth } from "./MarketView.ts"

/** A market index, weighted by capitalisation. Volume is in thousand shares and value in million KRW, as on the wire. */
export interface IndexLevel {
  readonly code: string
  readonly name: string
  readonly level: number
  readonly previous: number
  readonly open: number
  readonly high: number
  readonly low: number
  readonly volume: number
  readonly value: number
}

/** 0001 and 2001 start from levels that KIS printed once; the level of 1001 is ours. */
const definitions = [
  { code: "0001", name: "종합", level: 2_753.0 },
  { code: "1001", name: "KOSDAQ", level: 850.0 },
  { code: "2001", name: "KOSPI200", level: 1_081.82 }
]

const outside = new Set(["etf", "etn", "bene", "right", "warrant", "pubfund", "mutual"])

const membersOf = (code: string, issues: ReadonlyArray<Issue>): ReadonlyArray<Issue> => {
  const listed = issues.filter(
    (issue) => !outside.has(issue.entry.kind) && issue.entry.market === (code === "1001" ? "KOSDAQ" : "KOSPI")
  )
  // The universe does not say who belongs to the 200: the largest do.
  return code !== "2001" ? listed : listed.sort((a, b) => startingWorth(b) - startingWorth(a)).slice(0, 200)
}

const startingWorth = (issue: Issue) => issue.basePrice * issue.entry.listedShares

/** Levels follow every trade; opens, highs and lows are taken at the end of a market step. */
export const makeIndices = (issues: ReadonlyArray<Issue>) => {
  const boards = definitions.map(({ code, level, name }) => {
    const members = membersOf(code, issues)
    return {
      code,
      name,
      members,
      of: new Set(members),
      previous: level,
      worthBefore: 0,
      worth: 0,
      level,
      open: 0,
      high: 0,
      low: 0
    }
  })
  type Board = (typeof boards)[number]

  const beginDay = () => {
    for (const board of boards) {
      board.previous = board.level
      board.worthBefore = board.members.reduce((sum, issue) => sum + startingWorth(issue), 0)
      board.worth = board.members.reduce((sum, issue) => sum + issue.price * issue.entry.listedShares, 0)
      board.open = board.high = board.low = 0
    }
  }
  const settle = (board: Board) => {
    board.level = board.worthBefore === 0 ? board.previous : (board.previous * board.worth) / board.worthBefore
    board.open ||= board.level
    board.high = Math.max(board.high, board.level)
    board.low = board.low === 0 ? board.level : Math.min(board.low, board.level)
  }

  return {
    /** Takes the members' base prices; the level is what it was. Opens at the first settlement. */
    beginDay,
    /** As at the start of the program. */
    reset: (): void => {
      for (const [index, board] of boards.entries()) board.level = definitions[index]?.level ?? board.level
      beginDay()
    },
    /** The members, the largest first where they were chosen by size. */
    members: (code: string): ReadonlyArray<Issue> => boards.find((board) => board.code === code)?.members ?? [],
    codes: definitions.map(({ code }) => code),
    breadth: (code: string): Breadth => {
      const found = { atUpper: 0, rising: 0, unchanged: 0, falling: 0, atLower: 0 }
      for (const { basePrice, lower, price, upper } of boards.find((board) => board.code === code)?.members ?? []) {
        if (price === basePrice) found.unchanged += 1
        else if (price > basePrice) found[price >= upper ? "atUpper" : "rising"] += 1
        else found[price <= lower ? "atLower" : "falling"] += 1
      }
      return found
    },
    /** A price of a member moved by `change` KRW. */
    moved: (issue: Issue, change: number): void => {
      for (const board of boards) if (board.of.has(issue)) board.worth += change * issue.entry.listedShares
    },
    endStep: (): void => boards.forEach(settle),
    level: (code: string): IndexLevel | undefined => {
      const board = boards.find((one) => one.code === code)
      if (board === undefined) return undefined
      const { high, level, low, members, name, open, previous } = board
      const volume = Math.round(members.reduce((sum, issue) => sum + issue.volume, 0) / 1_000)
      const value = Math.round(members.reduce((sum, issue) => sum + issue.value, 0) / 1_000_000)
      return { code, name, level, previous, open, high, low, volume, value }
    }
  }
}
