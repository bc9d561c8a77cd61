import type { Issue } from "../market/Issue.ts"
import type { MarketView } from "../market/MarketView.ts"

/** H halted, A administrative, C caution, W warning, O overheating, L liquidation, X ex-rights. */
export const flagged = ({ entry }: Issue, flag: string): "Y" | "N" => (entry.flags.includes(flag) ? "Y" : "N")

export const halted = (issue: Issue): "Y" | "N" => (issue.halted ? "Y" : "N")

export const interrupted = (market: MarketView, issue: Issue): "Y" | "N" =>
  market.interruption(issue) === undefined ? "N" : "Y"

/** `mrkt_warn_cls_code`: 00 none, 01 caution, 02 warning. */
export const warningOf = ({ entry }: Issue): string =>
  entry.flags.includes("W") ? "02" : entry.flags.includes("C") ? "01" : "00"

/** `iscd_stat_cls_code`. */
export const statusOf = (issue: Issue): string => {
  const { flags } = issue.entry
  if (halted(issue) === "Y") return "58"
  if (flags.includes("A")) return "51"
  if (flags.includes("W")) return "53"
  if (flags.includes("C")) return "54"
  return flags.includes("O") ? "59" : "55"
}
