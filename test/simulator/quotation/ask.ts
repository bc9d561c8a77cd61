import { Effect } from "effect"
import type { MarketView } from "../../../src/simulator/market/MarketView.ts"
import type { Answer, Endpoint } from "../../../src/simulator/quotation/Endpoint.ts"
import { QuotationRules } from "../../../src/simulator/quotation/QuotationRules.ts"
import type { Refusal } from "../../../src/simulator/Refusal.ts"

export type Row = Readonly<Record<string, string>>

/** One call of an endpoint past the gateway; the query as a client writes it. */
export const ask = (
  endpoint: Endpoint,
  market: MarketView,
  query: string,
  { isNextPage = false, ...rules }: Partial<QuotationRules> & { readonly isNextPage?: boolean } = {}
): Effect.Effect<Answer & { readonly blocks: Readonly<Record<string, unknown>> }, Refusal> =>
  Effect.flatMap(QuotationRules, (defaults) =>
    Effect.map(
      endpoint.answer({
        query: new Map([...new URLSearchParams(query)].map(([key, value]) => [key.toUpperCase(), value])),
        market,
        rules: { ...defaults, ...rules },
        isNextPage
      }),
      (answer) => ({ ...answer, blocks: { ...answer.blocks } as Readonly<Record<string, unknown>> })
    )
  )

export const rows = (answer: { readonly blocks: Readonly<Record<string, unknown>> }, block: string) =>
  answer.blocks[block] as ReadonlyArray<Row>

export const row = (answer: { readonly blocks: Readonly<Record<string, unknown>> }, block: string) =>
  answer.blocks[block] as Row
