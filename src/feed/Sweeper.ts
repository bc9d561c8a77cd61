import { Clock, Effect } from "effect"
import type { MarketSession } from "../calendar/MarketSession.ts"
import type { Delivery, Sighting } from "../domain/Sighting.ts"
import { Conservation } from "../journal/Conservation.ts"
import { Journal } from "../journal/Journal.ts"
import type { KisCredentialsRejected, KisError } from "../kis/KisError.ts"
import { multiPriceSymbols_max, type Quotations } from "../kis/Quotations.ts"
import { gap, marker, reject } from "./FeedRecord.ts"
import { finishing } from "./finishing.ts"
import { multiPriceSighting, priceSighting } from "./KisQuote.ts"
import { SweepSchedule } from "./SweepSchedule.ts"

export interface SweepStatus {
  readonly state: "starting" | "ok" | "degraded" | "closed"
  readonly sinceMs: number
  readonly reason?: string
  readonly rounds: number
  readonly lastRound_ms: number | undefined
  readonly lastAnswerAtMs: number | undefined
  /** Symbols the broker does not answer for. */
  readonly unknown: ReadonlyArray<string>
}

export interface SweeperOptions {
  readonly account: string
  readonly symbols: ReadonlyArray<string>
  /** 30 symbols a call, or one where the environment has no multi-price. */
  readonly multiPrice: boolean
  readonly quotations: Quotations
  readonly session: MarketSession["Service"]
  /** Hands a chunk to the shards; suspends while they are full. */
  readonly deliver: (delivery: Delivery) => Effect.Effect<void>
}

/** Calls under way at once: enough to spend the whole budget at a latency of 200 ms. */
const concurrency = 4
/** A symbol is not asked again sooner, however few there are. */
const target_ms = 1_000
const idle_ms = 20
const pause_ms_min = 1_000
const pause_ms_max = 30_000

/**
 * Asks for every symbol again and again, as often as the budget allows, and holds each reply against what was asked: a
 * symbol that did not come back is asked again at once, named when the broker does not know it, and never in the way of
 * the others.
 */
export const makeSweeper = Effect.fnUntraced(function* (options: SweeperOptions) {
  const { account, deliver, multiPrice, quotations, session } = options
  const journal = yield* Journal
  const conservation = yield* Conservation
  const schedule = new SweepSchedule(options.symbols, target_ms, yield* Clock.currentTimeMillis)
  let state: SweepStatus["state"] = "starting"
  let sinceMs = yield* Clock.currentTimeMillis
  let reason: string | undefined
  let rounds = 0
  let lastRound_ms: number | undefined
  let lastAnswerAtMs: number | undefined
  let failures = 0
  let deduplicatedBefore = 0

  const turn = Effect.fnUntraced(function* (to: SweepStatus["state"], why?: string) {
    if (to === "degraded" && reason !== why) yield* Effect.logWarning("the sweep pauses", { account, reason: why })
    if (state === "degraded" && to === "ok") yield* Effect.logInfo("the sweep goes on", { account })
    reason = why
    if (state === to) return
    state = to
    sinceMs = yield* Clock.currentTimeMillis
  })

  /** Asks for one batch; gives what came back, by symbol, and rows nobody asked for. */
  const ask = Effect.fnUntraced(function* (batch: ReadonlyArray<string>) {
    if (!multiPrice) {
      const symbol = batch[0] ?? ""
      const row = yield* quotations.price(symbol)
      return [priceSighting(symbol, row, yield* Clock.currentTimeMillis)]
    }
    const rows = yield* quotations.multiPrice(batch)
    const receivedAtMs = yield* Clock.currentTimeMillis
    return rows.map((row) => multiPriceSighting(row, receivedAtMs))
  })

  const accept = Effect.fnUntraced(function* (batch: ReadonlyArray<string>, seen: ReadonlyArray<Sighting>) {
    const now = yield* Clock.currentTimeMillis
    const asked = new Set(batch)
    const known = seen.filter(({ symbol }) => asked.has(symbol))
    const strange = seen.length - known.length
    yield* conservation.add("kis-rest", { received: seen.length, rejected: strange })
    if (strange > 0) {
      const unasked = seen.filter(({ symbol }) => !asked.has(symbol))
      yield* journal.append(
        unasked.map(({ payload }) => reject("kis-rest", account, now, "unknownSymbol", JSON.stringify(payload)))
      )
    }
    yield* deliver({ source: "kis-rest", account, sightings: known })
    const answered = new Set(known.map(({ symbol }) => symbol))
    for (const symbol of answered) schedule.seen(symbol, now)
    for (const symbol of batch) {
      if (answered.has(symbol) || !schedule.missed(symbol, now)) continue
      yield* Effect.logWarning(`the broker does not know the symbol ${symbol}; check OBSERVER_SYMBOLS`, { account })
      yield* journal.append([gap(now, { fromMs: now, toMs: now, cause: "notCovered", symbol }, account)])
    }
    const round = schedule.completed(now)
    if (round === undefined) return
    rounds = round.number
    lastRound_ms = round.endedAtMs - round.startedAtMs
    const { deduplicated: soFar = 0 } = (yield* conservation.tallies).get("kis-rest") ?? {}
    const deduplicated = soFar - deduplicatedBefore
    deduplicatedBefore = soFar
    const { answered: count, asked: askedCount, missing, number } = round
    const summary = {
      event: "sweep",
      number,
      asked: askedCount,
      answered: count,
      missing,
      took_ms: lastRound_ms,
      deduplicated
    }
    yield* journal.append([marker(now, summary, account)])
    yield* Effect.logDebug("sweep complete", summary)
  })

  const failed = Effect.fnUntraced(function* (
    batch: ReadonlyArray<string>,
    error: Exclude<KisError, KisCredentialsRejected>
  ) {
    schedule.notAsked(batch)
    failures += 1
    yield* turn("degraded", error.message)
    if (error._tag === "KisReplyMalformed") {
      const now = yield* Clock.currentTimeMillis
      yield* conservation.add("kis-rest", { received: 1, rejected: 1 })
      yield* journal.append([reject("kis-rest", account, now, "replyShape", error.raw)])
    }
    yield* Effect.sleep(Math.min(pause_ms_max, pause_ms_min * 2 ** Math.min(failures - 1, 10)))
  })

  const step = Effect.gen(function* () {
    if (!(yield* session.isOpen)) {
      yield* turn("closed")
      yield* session.awaitOpen
    }
    const now = yield* Clock.currentTimeMillis
    const batch = schedule.take(now, multiPrice ? multiPriceSymbols_max : 1)
    if (batch.length === 0) {
      const due = schedule.nextDueAtMs()
      return yield* Effect.sleep(due === undefined ? idle_ms : Math.max(idle_ms, Math.min(target_ms, due - now)))
    }
    yield* ask(batch).pipe(
      Effect.flatMap((seen) => {
        failures = 0
        return Effect.andThen(turn("ok"), finishing(accept(batch, seen)))
      }),
      Effect.tap(() => Clock.currentTimeMillis.pipe(Effect.map((at) => (lastAnswerAtMs = at)))),
      Effect.catchIf(
        (error) => error._tag !== "KisCredentialsRejected",
        (error) => failed(batch, error)
      ),
      // A crash or an interruption must not leave symbols in flight for ever.
      Effect.onExit((exit) => (exit._tag === "Failure" ? Effect.sync(() => schedule.notAsked(batch)) : Effect.void))
    )
  })

  return {
    /** The sweep, for a supervisor to run. Fails only with refused credentials. */
    run: Effect.all(
      Array.from({ length: concurrency }, () => Effect.forever(step)),
      { concurrency: "unbounded", discard: true }
    ),
    status: Effect.sync((): SweepStatus => ({
      state,
      sinceMs,
      ...(reason === undefined ? {} : { reason }),
      rounds,
      lastRound_ms,
      lastAnswerAtMs,
      unknown: schedule.unknown
    }))
  }
})
