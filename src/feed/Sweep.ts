import { Clock, Effect } from "effect"
import { marketNow } from "../calendar/MarketClock.ts"
import type { MarketSession } from "../calendar/MarketSession.ts"
import type { SweepTarget, SymbolAge } from "../domain/Assignment.ts"
import type { Delivery, Sighting } from "../domain/Sighting.ts"
import { Conservation } from "../journal/Conservation.ts"
import { Journal } from "../journal/Journal.ts"
import type { KisCredentialsRejected, KisError } from "../kis/KisError.ts"
import { multiPriceSymbols_max, type Quotations } from "../kis/Quotations.ts"
import { reject } from "./FeedRecord.ts"
import { finishing } from "./finishing.ts"
import { multiPriceSighting, priceSighting } from "./KisQuote.ts"
import { bisect } from "./sweep/bisect.ts"
import { makeSweepAnswers, type SweepProgress } from "./sweep/SweepAnswers.ts"
import { type CoverageStatus, type SweepBatch, SweepSchedule } from "./SweepSchedule.ts"

export interface SweepStatus extends SweepProgress {
  /** Symbols the broker does not answer for. */
  readonly unknown: ReadonlyArray<string>
}

/** One account's part in the sweep. */
export interface SweeperStatus {
  readonly state: "starting" | "ok" | "degraded" | "closed"
  readonly sinceMs: number
  readonly reason?: string
}

export interface SweeperOptions {
  readonly account: string
  /** 30 symbols a call, or one where the environment has no multi-price. */
  readonly multiPrice: boolean
  readonly quotations: Quotations
}

/** Calls of one account under way at once: enough to spend its whole budget at a latency of 200 ms. */
const concurrency = 4
const idle_ms_min = 20
const idle_ms_max = 1_000
const pause_ms_min = 500
const pause_ms_max = 30_000

/** Trouble with one call of many, which may be the fault of one of its symbols. */
const maybeOfOne = (error: KisError): boolean => error._tag === "KisRefused" || error._tag === "KisReplyMalformed"

/**
 * Asks for every symbol again and again, as often as the budgets of all accounts allow. Every account's workers take the
 * most overdue batch from one schedule, so an account that falls out costs time and no symbol; each reply is held against
 * what was asked.
 */
export const makeSweep = Effect.fnUntraced(function* (
  session: MarketSession["Service"],
  deliver: (delivery: Delivery) => Effect.Effect<void>
) {
  const journal = yield* Journal
  const conservation = yield* Conservation
  const schedule = new SweepSchedule(yield* Clock.currentTimeMillis)
  const answers = yield* makeSweepAnswers(schedule, deliver)
  let isClosed = false

  /** One account's workers, for a supervisor to run, and where they stand. */
  const sweeperOf = Effect.fnUntraced(function* ({ account, multiPrice, quotations }: SweeperOptions) {
    let status: SweeperStatus = { state: "starting", sinceMs: yield* Clock.currentTimeMillis }
    let failures = 0

    const turn = Effect.fnUntraced(function* (state: SweeperStatus["state"], reason?: string) {
      if (state === "degraded" && status.reason !== reason) {
        yield* Effect.logWarning("the sweep pauses", { account, reason })
      }
      if (status.state === "degraded" && state === "ok") yield* Effect.logInfo("the sweep goes on", { account })
      const sinceMs = status.state === state ? status.sinceMs : yield* Clock.currentTimeMillis
      status = { state, sinceMs, ...(reason === undefined ? {} : { reason }) }
    })

    /** An answer that is none is kept as what it was. */
    const tellMalformed = <A>(call: Effect.Effect<A, KisError>) =>
      Effect.tapError(call, (error) =>
        error._tag === "KisReplyMalformed"
          ? Effect.gen(function* () {
              yield* conservation.add("kis-rest", { received: 1, rejected: 1 })
              yield* journal.append([reject("kis-rest", account, yield* marketNow, "replyShape", error.raw)])
            })
          : Effect.void
      )
    const askMany = Effect.fnUntraced(function* (batch: ReadonlyArray<string>) {
      const rows = yield* tellMalformed(quotations.multiPrice(batch))
      const receivedAtMs = yield* marketNow
      return rows.map((row) => multiPriceSighting(row, receivedAtMs))
    })
    /** The row of `inquire-price` bears no name: what comes is what was asked for, or a blank that the guard refuses. */
    const askOne = Effect.fnUntraced(function* (symbol: string) {
      const row = yield* tellMalformed(quotations.price(symbol))
      return [priceSighting(symbol, row, yield* marketNow)]
    })
    const askAlone = (symbol: string) =>
      askOne(symbol).pipe(
        // Refused for itself alone: the broker does not have it.
        Effect.catchIf(
          (error) => maybeOfOne(error) && multiPrice,
          () => Effect.succeed<ReadonlyArray<Sighting>>([])
        )
      )
    const ask = ({ alone, symbols: [only = "", ...others], symbols: batch }: SweepBatch) => {
      if (!multiPrice) return askOne(only)
      if (alone) return askAlone(only)
      if (others.length === 0) return askMany(batch)
      return askMany(batch).pipe(
        Effect.catchIf(maybeOfOne, (error) =>
          Effect.gen(function* () {
            const { answers: parts, sick } = yield* bisect(batch, askMany)
            yield* Effect.logWarning("a call failed for some of its symbols only", {
              account,
              symbols: sick.join(", "),
              reason: error.message
            })
            return parts.flat()
          })
        )
      )
    }

    const accept = Effect.fnUntraced(function* (batch: SweepBatch, came: ReadonlyArray<Sighting>) {
      const { reason, state } = status
      failures = 0
      if (state !== "ok") yield* turn("ok")
      yield* finishing(answers.accept(account, batch.symbols, came, state === "degraded" ? reason : undefined))
    })

    const failed = Effect.fnUntraced(function* (error: Exclude<KisError, KisCredentialsRejected>) {
      failures += 1
      yield* turn("degraded", error.message)
      yield* Effect.sleep(Math.min(pause_ms_max, pause_ms_min * 2 ** Math.min(failures - 1, 10)))
    })

    const giveBack = ({ symbols: batch }: SweepBatch) =>
      Effect.map(Clock.currentTimeMillis, (nowMs) => schedule.notAsked(batch, nowMs))

    const untilOpen = Effect.gen(function* () {
      isClosed = true
      yield* turn("closed")
      yield* session.awaitOpen
      if (isClosed) schedule.open(yield* Clock.currentTimeMillis)
      isClosed = false
    })

    const step = Effect.gen(function* () {
      if (!(yield* session.isOpen)) yield* untilOpen
      const nowMs = yield* Clock.currentTimeMillis
      const batch = schedule.take(nowMs, multiPrice ? multiPriceSymbols_max : 1, multiPrice)
      if (batch === undefined) {
        const next = (schedule.nextAtMs() ?? Number.POSITIVE_INFINITY) - nowMs
        return yield* Effect.sleep(Math.min(idle_ms_max, Math.max(idle_ms_min, next)))
      }
      yield* ask(batch).pipe(
        Effect.flatMap((came) => accept(batch, came)),
        // A crash or an interruption must not leave symbols in flight for long.
        Effect.onError(() => giveBack(batch)),
        Effect.catchIf((error) => error._tag !== "KisCredentialsRejected", failed)
      )
    })

    return {
      /** Fails only with refused credentials. */
      run: Effect.all(
        Array.from({ length: concurrency }, () => Effect.forever(step)),
        { concurrency: "unbounded", discard: true }
      ),
      status: Effect.sync((): SweeperStatus => status)
    }
  })

  return {
    sweeperOf,
    assign: (targets: ReadonlyArray<SweepTarget>) =>
      Effect.map(Clock.currentTimeMillis, (nowMs) => schedule.assign(targets, nowMs)),
    /** Nobody grows stale while the market is closed. */
    coverage: (stale_seconds: number) =>
      Effect.map(Clock.currentTimeMillis, (nowMs): CoverageStatus =>
        schedule.coverage(nowMs, isClosed ? Number.POSITIVE_INFINITY : stale_seconds * 1_000)
      ),
    ages: Effect.map(Clock.currentTimeMillis, (nowMs): ReadonlyArray<SymbolAge> => schedule.ages(nowMs)),
    status: Effect.sync((): SweepStatus => ({ ...answers.progress(), unknown: schedule.unknown }))
  }
})

export type Sweep = Effect.Success<ReturnType<typeof makeSweep>>
export type Sweeper = Effect.Success<ReturnType<Sweep["sweeperOf"]>>
