import { Clock, Effect } from "effect"
import { marketNow } from "../../calendar/MarketClock.ts"
import { Conservation } from "../../journal/Conservation.ts"
import { Journal } from "../../journal/Journal.ts"
import type { KisError } from "../../kis/KisError.ts"
import { multiPriceSymbols_max, type Quotations } from "../../kis/Quotations.ts"
import { reject } from "../FeedRecord.ts"
import { finishing } from "../finishing.ts"
import { multiPriceSighting, priceSighting } from "../KisQuote.ts"
import type { SweepBatch, SweepSchedule } from "../SweepSchedule.ts"
import { bisect } from "./bisect.ts"
import type { SweepAnswer } from "./SweepAnswers.ts"

export interface SweepCallsOptions {
  readonly account: string
  /** 30 symbols a call, or one where the environment has no multi-price. */
  readonly multiPrice: boolean
  readonly quotations: Quotations
  readonly schedule: SweepSchedule
  /** Takes each answer as it comes. */
  readonly accept: (answer: SweepAnswer) => Effect.Effect<void>
}

/** Trouble with one call of many, which may be the fault of one of its symbols. */
const maybeOfOne = (error: KisError): boolean => error._tag === "KisRefused" || error._tag === "KisReplyMalformed"

/**
 * How one account asks for a batch: together, or one by itself. A call that fails is the fault of its symbols only when the
 * account is answered for another one just then; they are found by halves, and the others get their answer.
 */
export const makeSweepCalls = Effect.fnUntraced(function* (options: SweepCallsOptions) {
  const { accept, account, multiPrice, quotations, schedule } = options
  const journal = yield* Journal
  const conservation = yield* Conservation
  const canAsk = { most: multiPrice ? multiPriceSymbols_max : 1, knowsIndices: multiPrice }

  /** An answer that is none is kept as what it was. */
  const tellMalformed = <A>(call: Effect.Effect<A, KisError>) =>
    Effect.tapError(call, (error) =>
      error._tag === "KisReplyMalformed"
        ? finishing(
            conservation.receive("kis-rest", 1, ({ store }) =>
              Effect.flatMap(marketNow, (atMs) =>
                store(journal, [reject("kis-rest", account, atMs, "replyShape", error.raw)], { rejected: 1 })
              )
            )
          )
        : Effect.void
    )
  const askMany = Effect.fnUntraced(function* (pick: () => Pick<SweepBatch, "symbols" | "call">) {
    const rows = yield* tellMalformed(quotations.multiPrice(() => pick().symbols))
    const receivedAtMs = yield* marketNow
    const { call, symbols: asked } = pick()
    const came = rows.map((row) => multiPriceSighting(row, receivedAtMs))
    yield* accept({ call, asked, came, isNameless: false })
  })
  /** The row of `inquire-price` bears no name: what comes is what was asked for, or it has no price. */
  const askOne = Effect.fnUntraced(function* (symbol: string, call: number) {
    const row = yield* tellMalformed(quotations.price(symbol))
    yield* accept({ call, asked: [symbol], came: [priceSighting(symbol, row, yield* marketNow)], isNameless: true })
  })

  const askInParts = Effect.fnUntraced(function* (batch: SweepBatch, error: KisError) {
    const { call, symbols } = batch
    const ask = Effect.fnUntraced(function* (part: ReadonlyArray<string>) {
      schedule.hold(batch, yield* Clock.currentTimeMillis)
      yield* multiPrice
        ? askMany(() => ({ symbols: part, call }))
        : Effect.forEach(part, (symbol) => askOne(symbol, call))
    })
    const sound = schedule.soundest(symbols, canAsk)
    // While nobody was ever answered there is nobody to blame either.
    if (sound === undefined) return yield* error
    yield* ask([sound])
    const sick = symbols.length === 1 ? symbols : yield* bisect(symbols, ask, maybeOfOne)
    if (sick.length === 0) return
    const said = { account, symbols: sick.join(", "), reason: error.message }
    yield* Effect.logWarning("a call failed for some of its symbols only", said)
    yield* accept({ call, asked: sick, came: [], isNameless: false })
  })

  return {
    canAsk,
    /**
     * Asks for many at once: for what `pick` gives, the same batch however often it is called. It is called when the call has
     * its place, so that waiting for one binds no symbols. Each answer goes to `accept`. Fails when the account is not
     * answered; the batch may have been in part.
     */
    askMany: (pick: () => SweepBatch): Effect.Effect<void, KisError> =>
      Effect.catchIf(askMany(pick), maybeOfOne, (error) => askInParts(pick(), error)),
    /** Asks for one by itself, in the same way. */
    askOne: (batch: SweepBatch): Effect.Effect<void, KisError> =>
      Effect.catchIf(askOne(batch.symbols[0] ?? "", batch.call), maybeOfOne, (error) => askInParts(batch, error))
  }
})
