import type { Issue } from "../../market/Issue.ts"
import type { MarketOperation } from "../../market/MarketView.ts"
import { statusOf } from "../../quotation/standing.ts"
import type { StreamKind, World } from "../StreamKind.ts"

/** The nine columns all three have; a reason that is not given is the text `(null)`. */
const columns = (issue: Issue, operation: MarketOperation): string =>
  `${issue.entry.code}^${operation.halted ? "Y" : "N"}^${operation.reason || "(null)"}` +
  `^${operation.operation}^${operation.expectedOperation}^^^${statusOf(issue)}^${operation.interrupted ? "Y" : "N"}`

/** `H0STMKO0`: 11 columns, or 10 as in its only example, which lacks the exchange. */
export const krxOperations = ({ options }: World): StreamKind => ({
  trId: "H0STMKO0",
  keys: "issue",
  offeredBy: "live",
  onOperation: (issue, operation) => ({
    text: `${columns(issue, operation)}^N${options.operationColumns === 11 ? "^1" : ""}`
  })
})

/** `H0UNMKO0`: ten columns, the code first and no exchange, in every one of the 17 captured. */
export const unifiedOperations = (): StreamKind => ({
  trId: "H0UNMKO0",
  keys: "issue",
  offeredBy: "live",
  onOperation: (issue, operation) => ({ text: `${columns(issue, operation)}^` })
})

/** `H0NXMKO0`: 11 columns as in its table; never captured. */
export const nextradeOperations = (): StreamKind => ({
  trId: "H0NXMKO0",
  keys: "issue",
  offeredBy: "live",
  carries: (issue) => issue.nxt !== undefined,
  onOperation: (issue, operation) => ({ text: `${columns(issue, operation)}^N^2` })
})
