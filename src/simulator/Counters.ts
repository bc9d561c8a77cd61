import { Context, Effect, Layer } from "effect"

/** What the exchange counts of itself; `calls = answered + refusals + unanswered` at every moment between two calls. */
export interface Counts {
  calls: number
  answered: number
  refusals: number
  unanswered: number
  readonly refusalsByCode: Map<string, number>
  tokensIssued: number
  approvals: number
  sessions: number
  readonly streamRefusalsByCode: Map<string, number>
  slowClientsCut: number
  silentClientsCut: number
  framesSent: number
  recordsSent: number
}

/** One mutable tally, owned by the exchange: counting must cost nothing on the way of a record. */
export class Counters extends Context.Service<Counters, Counts>()("observer/simulator/Counters") {
  static readonly layer = Layer.effect(
    Counters,
    Effect.sync(() => ({
      calls: 0,
      answered: 0,
      refusals: 0,
      unanswered: 0,
      refusalsByCode: new Map<string, number>(),
      tokensIssued: 0,
      approvals: 0,
      sessions: 0,
      streamRefusalsByCode: new Map<string, number>(),
      slowClientsCut: 0,
      silentClientsCut: 0,
      framesSent: 0,
      recordsSent: 0
    }))
  )
}

export const countCode = (codes: Map<string, number>, code: string): void => {
  codes.set(code, (codes.get(code) ?? 0) + 1)
}
