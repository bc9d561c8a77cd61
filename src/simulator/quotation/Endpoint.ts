import type { Effect } from "effect"
import type { MarketView } from "../market/MarketView.ts"
import type { Refusal } from "../Refusal.ts"
import type { Message } from "./messages.ts"
import type { QuotationRules } from "./QuotationRules.ts"

/** The query of a call, its keys in upper case: the broker takes either case. */
export type Query = ReadonlyMap<string, string>

/** A call that has passed the gateway. */
export interface Asked {
  readonly query: Query
  readonly market: MarketView
  readonly rules: QuotationRules
  /** The caller sent `tr_cont: N`: it wants the page after the one it has. */
  readonly isNextPage: boolean
}

/** A good reply: its blocks (`output` and its kin) in wire order; the envelope follows them. */
export interface Answer {
  readonly blocks: object
  /** Absent: the usual one. */
  readonly message?: Message
  /** The reply header of the same name: F or M when more follows, D or E when nothing does. */
  readonly trCont?: "F" | "M" | "D" | "E"
}

/** One quotation call. A new one is a file beside this and a line in `endpoints`. */
export interface Endpoint {
  readonly path: string
  readonly trId: string
  /** Whether `--env mock` serves it. */
  readonly inMock: boolean
  /** Whether the account ledger answers it, which has a limit of its own: TRs that begin with CT. */
  readonly ledger: boolean
  answer(asked: Asked): Effect.Effect<Answer, Refusal>
}

/** The prefix of most calls. */
export const quotations = "/uapi/domestic-stock/v1/quotations/"
