import type { Issue } from "../../market/Issue.ts"
import { afterMarketSince } from "../codes.ts"
import type { StreamKind, World } from "../StreamKind.ts"
import { bookColumns, midpointColumns } from "./bookRecord.ts"

const isOnNextrade = (issue: Issue): boolean => issue.nxt !== undefined

/** Midpoint orders of Nextrade (`NMID_*`): the simulator has none. */
const noNextradeMidpoint = "^0^0^0"

/**
 * `H0UNASP0`: 66 columns, 65 before 2026-09-14; the last says whose auction is expected, 1 KRX. The ladder is that of KRX:
 * how the broker merges two ladders was never captured [U].
 */
export const unifiedBooks = ({ view }: World): StreamKind => ({
  trId: "H0UNASP0",
  keys: "issue",
  offeredBy: "live",
  carries: isOnNextrade,
  onBook: (issue) => {
    const book = view.book(issue)
    const volume = issue.volume + (issue.nxt?.volume ?? 0)
    const exchange = view.date() >= afterMarketSince ? "^1" : ""
    const columns = bookColumns(view, issue, book, volume) + midpointColumns(book) + noNextradeMidpoint
    return { text: columns + exchange, cumVolume: volume }
  }
})

/** `H0NXASP0`: 65 columns. */
export const nextradeBooks = ({ view }: World): StreamKind => ({
  trId: "H0NXASP0",
  keys: "issue",
  offeredBy: "live",
  carries: isOnNextrade,
  onBook: (issue) => {
    const book = view.book(issue, "NXT")
    const volume = issue.nxt?.volume ?? 0
    const columns = bookColumns(view, issue, book, volume) + midpointColumns(book) + noNextradeMidpoint
    return { text: columns, cumVolume: volume }
  }
})
