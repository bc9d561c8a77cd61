import { Clock, Effect } from "effect"
import { annotateSpan } from "../../actor/inSpan.ts"
import { marketNow } from "../../calendar/MarketClock.ts"
import type { Delivery, Sighting } from "../../domain/Sighting.ts"
import { Conservation, type Hand } from "../../journal/Conservation.ts"
import { Journal } from "../../journal/Journal.ts"
import { gap, marker, reject } from "../FeedRecord.ts"
import type { SweepSchedule } from "../SweepSchedule.ts"

/** What came back for one call. */
export interface SweepAnswer {
  /** The call of the schedule that it answers. */
  readonly call: number
  readonly asked: ReadonlyArray<string>
  readonly came: ReadonlyArray<Sighting>
  /**
   * The row bears no code, as with calls for one symbol. What such a call answers for a code that is not listed is not
   * known [U]; zeros and blanks are no price whatever the reply says (kis/rest.md §7), so without a price it is no answer.
   */
  readonly isNameless: boolean
}

/** A round as status shows it. */
export interface SweepProgress {
  readonly rounds: number
  readonly lastRound_ms: number | undefined
  readonly lastAnswerAtMs: number | undefined
}

/**
 * Takes what came back for a batch: hands it to the shards, holds it against what was asked, and tells in the journal of
 * symbols the broker does not know and of every round that is complete.
 */
export const makeSweepAnswers = Effect.fnUntraced(function* (
  schedule: SweepSchedule,
  deliver: (delivery: Delivery) => Effect.Effect<void>
) {
  const journal = yield* Journal
  const conservation = yield* Conservation
  let progress: SweepProgress = { rounds: 0, lastRound_ms: undefined, lastAnswerAtMs: undefined }
  let deduplicatedBefore = 0

  const refusalsOf = (account: string, unasked: ReadonlyArray<Sighting>, atMs: number) =>
    unasked.map(({ payload }) => reject("kis-rest", account, atMs, "unknownSymbol", JSON.stringify(payload)))

  const tellUnknown = Effect.fnUntraced(function* (account: string, symbol: string) {
    const atMs = yield* marketNow
    yield* Effect.logWarning(`the broker does not know the symbol ${symbol}; check OBSERVER_SYMBOLS`, { account })
    yield* journal.append([gap(atMs, { fromMs: atMs, toMs: atMs, cause: "notCovered", symbol }, account)])
  })

  const tellRound = Effect.gen(function* () {
    const round = schedule.completed(yield* Clock.currentTimeMillis)
    if (round === undefined) return
    const { answered, asked, endedAtMs, missing, number, startedAtMs } = round
    const took_ms = endedAtMs - startedAtMs
    const { deduplicated: soFar = 0 } = (yield* conservation.balances).get("kis-rest") ?? {}
    const summary = {
      event: "sweep",
      number,
      asked,
      answered,
      missing,
      took_ms,
      deduplicated: soFar - deduplicatedBefore
    }
    deduplicatedBefore = soFar
    progress = { ...progress, rounds: number, lastRound_ms: took_ms }
    yield* journal.append([marker(yield* marketNow, summary)])
    yield* Effect.logDebug("sweep complete", summary)
  })

  return {
    progress: (): SweepProgress => progress,
    /** `why` says what hindered the sweep before this answer, for symbols that had to wait for it. */
    accept: Effect.fnUntraced(function* (
      account: string,
      { call, came, isNameless, ...answer }: SweepAnswer,
      why?: string
    ) {
      const asked = new Set(answer.asked)
      yield* annotateSpan({ asked: asked.size, answered: came.length })
      const known = came.filter(({ symbol }) => asked.has(symbol))
      const unasked = came.length === known.length ? [] : came.filter(({ symbol }) => !asked.has(symbol))
      const handOn = Effect.fnUntraced(function* ({ passOn, store }: Hand) {
        if (unasked.length > 0) {
          const refusals = refusalsOf(account, unasked, yield* marketNow)
          yield* store(journal, refusals, { rejected: refusals.length })
        }
        yield* deliver({ source: "kis-rest", account, sightings: known, onTaken: passOn })
      })
      yield* conservation.receive("kis-rest", came.length, handOn)
      const nowMs = yield* Clock.currentTimeMillis
      for (const sighting of known) {
        if (isNameless && !sighting.price) continue
        asked.delete(sighting.symbol)
        schedule.seen(sighting.symbol, nowMs, sighting, why)
      }
      for (const symbol of asked) if (schedule.missed(symbol, call, nowMs)) yield* tellUnknown(account, symbol)
      progress = { ...progress, lastAnswerAtMs: nowMs }
      yield* tellRound
    })
  }
})
