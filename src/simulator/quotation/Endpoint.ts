import type { Effect } from "effect"
import type { Floor } from "../market/Floor.ts"
import type { Refusal } from "../Refusal.ts"

/** The query of a call, its keys in upper case: the broker takes either case. */
export type Query = ReadonlyMap<string, string>

/** One quotation call. A new one is a file beside this and a line in `QuotationApi`. */
export interface Endpoint {
  readonly path: string
  readonly trId: string
  /** Whether `--env mock` serves it. */
  readonly inMock: boolean
  /** The blocks of a good reply (`output` and its kin), in wire order. */
  answer(query: Query, floor: Floor): Effect.Effect<object, Refusal>
}

const divisions = new Set(["J", "NX", "UN"])

export const isStockDivision = (division: string): boolean => divisions.has(division)
