import { Clock, Effect } from "effect"
import { inSpan } from "../actor/inSpan.ts"
import type { MarketSession } from "../calendar/MarketSession.ts"
import type { SweepTarget, SymbolAge } from "../domain/Assignment.ts"
import type { Delivery } from "../domain/Sighting.ts"
import type { KisCredentialsRejected, KisError } from "../kis/KisError.ts"
import { finishing } from "./finishing.ts"
import { makeSweepAnswers, type SweepAnswer, type SweepProgress } from "./sweep/SweepAnswers.ts"
import { makeSweepCalls, type SweepCallsOptions } from "./sweep/SweepCalls.ts"
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

export interface SweeperOptions extends Pick<SweepCallsOptions, "account" | "multiPrice" | "quotations"> {
  readonly callsPerSecond: number
}

/** As many calls are under way at once as spend the whole budget at this latency; more would only hold symbols back. */
const latency_seconds = 0.2
const workers_min = 2
/** Calls of one account that wait for a place: those that may come together before another worker is back. */
const waiting_max = 3
/** A worker looks again so soon whether it is needed. */
const idle_ms_min = 10
/** Symbols that an account gives back must not wait long for another that has nothing to do. */
const idle_ms_max = 200
const look_ms = 500
/** An account that is not answered pauses, at first so long and at last so long, unless the broker's code asks for more. */
const pause = { min_ms: 500, max_ms: 30_000 }
const pauseAfter_ms = (failures: number, error: KisError): number => {
  const { max_ms, min_ms } = error._tag === "KisDisturbed" ? error.again : pause
  return Math.min(max_ms, min_ms * 2 ** Math.min(failures - 1, 10))
}

/**
 * Asks for every symbol again and again, as often as the budgets of all accounts allow. Every account's workers take the
 * most overdue batch from one schedule, so an account that falls out costs time and no symbol; each reply is held against
 * what was asked.
 */
export const makeSweep = Effect.fnUntraced(function* (
  session: MarketSession["Service"],
  deliver: (delivery: Delivery) => Effect.Effect<void>
) {
  const schedule = new SweepSchedule(yield* Clock.currentTimeMillis)
  const answers = yield* makeSweepAnswers(schedule, deliver)
  const clock = yield* Clock.Clock
  /** Calls for many that wait for their place, over all accounts. */
  let waiting = 0

  /** One account's workers, for a supervisor to run, and where they stand. */
  const sweeperOf = Effect.fnUntraced(function* (options: SweeperOptions) {
    const { account, callsPerSecond, multiPrice, quotations } = options
    let status: SweeperStatus = { state: "starting", sinceMs: yield* Clock.currentTimeMillis }
    let failures = 0
    let waitingHere = 0

    const turn = Effect.fnUntraced(function* (state: SweeperStatus["state"], reason?: string) {
      if (state === "degraded" && status.reason !== reason) {
        yield* Effect.logWarning("the sweep pauses", { account, reason })
      }
      if (status.state === "degraded" && state === "ok") yield* Effect.logInfo("the sweep goes on", { account })
      const sinceMs = status.state === state ? status.sinceMs : yield* Clock.currentTimeMillis
      status = { state, sinceMs, ...(reason === undefined ? {} : { reason }) }
    })

    const accept = Effect.fnUntraced(function* (answer: SweepAnswer) {
      const why = status.state === "degraded" ? status.reason : undefined
      failures = 0
      if (status.state !== "ok") yield* turn("ok")
      yield* finishing(answers.accept(account, answer, why))
    })
    const calls = yield* makeSweepCalls({ account, multiPrice, quotations, schedule, accept })

    /** Pauses, for ever longer, but no longer than until another worker of the account is answered. */
    const failed = Effect.fnUntraced(function* (error: Exclude<KisError, KisCredentialsRejected>) {
      failures += 1
      yield* turn("degraded", error.message)
      const untilMs = (yield* Clock.currentTimeMillis) + pauseAfter_ms(failures, error)
      const isOver = Effect.map(Clock.currentTimeMillis, (nowMs) => failures === 0 || nowMs >= untilMs)
      while (!(yield* isOver)) yield* Effect.sleep(look_ms)
    })

    const untilOpen = Effect.gen(function* () {
      schedule.close(yield* Clock.currentTimeMillis)
      yield* turn("closed")
      yield* session.awaitOpen
      schedule.open(yield* Clock.currentTimeMillis)
      if (status.state === "closed") yield* turn("starting")
    })

    /** An account that fails asks for ever fewer at a time: it needs an answer, and others wait for its symbols. */
    const most = () => Math.max(1, calls.canAsk.most >> Math.min(failures, 5))

    /** What comes of a call is taken in; its failure is the account's, and its symbols are anybody's. */
    const settled = (call: Effect.Effect<void, KisError>, giveBack: (nowMs: number) => void) =>
      call.pipe(
        // A crash or an interruption must not leave symbols in flight for long.
        Effect.onError(() => Effect.map(Clock.currentTimeMillis, giveBack)),
        Effect.catchIf((error) => error._tag !== "KisCredentialsRejected", failed)
      )

    const traced = <E>(ask: Effect.Effect<void, E>) => inSpan(ask, "sweep.ask", { attributes: { account } })
    const askAlone = (batch: SweepBatch) =>
      settled(traced(calls.askOne(batch)), (nowMs) => schedule.notAsked(batch, nowMs))

    /** For a place that came when nobody was due: the call is made all the same, and is no call of the schedule's. */
    const spare = (): SweepBatch => {
      const sound = schedule.soundest([], calls.canAsk)
      return { symbols: sound === undefined ? [] : [sound], alone: false, call: -1 }
    }

    /** Its symbols are those that are due when it has its place. */
    const askTogether = Effect.suspend(() => {
      let batch: SweepBatch | undefined
      waiting += 1
      waitingHere += 1
      const served = () => {
        waiting -= 1
        waitingHere -= 1
      }
      const pick = () => {
        if (batch !== undefined) return batch
        served()
        const ask = { ...calls.canAsk, most: most(), together: true }
        batch = schedule.take(clock.currentTimeMillisUnsafe(), ask) ?? spare()
        return batch
      }
      return settled(traced(calls.askMany(pick)), (nowMs) => {
        if (batch === undefined) served()
        else schedule.notAsked(batch, nowMs)
      })
    })

    const step = Effect.gen(function* () {
      if (!(yield* session.isOpen)) yield* untilOpen
      const nowMs = yield* Clock.currentTimeMillis
      const { count, isAlone } = schedule.next(nowMs)
      if (multiPrice && !isAlone) {
        // Who waits already for a place will take of those who are due now.
        if (waitingHere < waiting_max && count > waiting * calls.canAsk.most) return yield* askTogether
      } else {
        const batch = schedule.take(nowMs, { ...calls.canAsk, most: 1 })
        if (batch !== undefined) return yield* askAlone(batch)
      }
      const next = count > 0 ? 0 : (schedule.nextAtMs() ?? Number.POSITIVE_INFINITY) - nowMs
      yield* Effect.sleep(Math.min(idle_ms_max, Math.max(idle_ms_min, next)))
    })

    return {
      /** Fails only with refused credentials. */
      run: Effect.all(
        Array.from({ length: Math.max(workers_min, Math.ceil(callsPerSecond * latency_seconds)) }, () =>
          Effect.forever(step)
        ),
        { concurrency: "unbounded", discard: true }
      ),
      status: Effect.sync((): SweeperStatus => status)
    }
  })

  return {
    sweeperOf,
    assign: (targets: ReadonlyArray<SweepTarget>) =>
      Effect.map(Clock.currentTimeMillis, (nowMs) => schedule.assign(targets, nowMs)),
    coverage: (stale_seconds: number) =>
      Effect.map(Clock.currentTimeMillis, (nowMs): CoverageStatus => schedule.coverage(nowMs, stale_seconds * 1_000)),
    sweptVolume: (symbol: string) => schedule.sweptVolume(symbol),
    ages: Effect.map(Clock.currentTimeMillis, (nowMs): ReadonlyArray<SymbolAge> => schedule.ages(nowMs)),
    status: Effect.sync((): SweepStatus => ({ ...answers.progress(), unknown: schedule.unknown }))
  }
})

export type Sweep = Effect.Success<ReturnType<typeof makeSweep>>
