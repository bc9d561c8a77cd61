import { Effect } from "effect"
import type { Issue } from "../market/Issue.ts"
import type { Refusal } from "../Refusal.ts"
import { blanked } from "./blanked.ts"
import type { Asked } from "./Endpoint.ts"
import { type Division, divisions, type Figures, figuresOf } from "./Figures.ts"
import { oneOf, wanted } from "./fields.ts"

/** The issue that a call asks for; `listed` is absent when the division does not know the code. */
export interface Subject {
  readonly division: Division
  readonly code: string
  readonly listed: { readonly issue: Issue; readonly figures: Figures } | undefined
}

/** The two fields that nearly every call has. */
export const subjectOf = Effect.fnUntraced(function* ({ market, query }: Asked): Effect.fn.Return<Subject, Refusal> {
  const division = yield* oneOf(query, "FID_COND_MRKT_DIV_CODE", divisions)
  const code = yield* wanted(query, "FID_INPUT_ISCD")
  const issue = market.issue(code)
  const figures = issue === undefined ? undefined : figuresOf(market, issue, division)
  return {
    division,
    code,
    listed: issue === undefined || figures === undefined ? undefined : { issue, figures }
  }
})

type Row = Readonly<Record<string, string>>

/** The row of the subject, or the blanked one of any other issue when the code is not known. */
export const rowOf = (
  { market }: Asked,
  { listed, code }: Subject,
  row: (issue: Issue, figures: Figures) => Row,
  codeKey?: string
): Row => {
  if (listed !== undefined) return row(listed.issue, listed.figures)
  const [any] = market.issues
  return any === undefined ? {} : blanked(row(any, any), codeKey === undefined ? {} : { [codeKey]: code })
}
