import { Clock, Deferred, Effect, Exit } from "effect"
import { AnswerBegun } from "./AnswerBegun.ts"
import { type CallLane, ledgerCallsPerSecond } from "./CallLimits.ts"
import { makeCallQueue } from "./callBudget/CallQueue.ts"
import { makePace } from "./callBudget/Pace.ts"
import { makePlaces } from "./callBudget/Places.ts"
import { KisBudgetBusy, KisThrottled, KisUnreachable } from "./KisError.ts"
import { initialRate, type LearntRate, onAnswered, onRefused, type RecalledRate } from "./LearntRate.ts"

export interface BudgetStatus {
  /** The published limit. */
  readonly callsPerSecond: number
  /** The date of it, where it is the broker's. */
  readonly asOf?: string
  /** What the broker was found to take. */
  readonly learntPerSecond: number
  readonly calls: number
  /** Calls that the broker has answered, with whatever but a refusal for their number. */
  readonly answered: number
  /** For the number of calls, by the gateway. */
  readonly refusals: number
  /** Calls begun in the last second. */
  readonly callsLastSecond: number
  /** Calls that wait for their place, of all callers. */
  readonly waiting: number
  /** Calls that were not made, for their caller had too many waiting or their turn did not come in time. */
  readonly turnedAway: number
  /** The account ledger's lane; its calls count above as well. */
  readonly ledger: { readonly calls: number; readonly refusals: number; readonly waiting: number }
}

/** Whose call it is, and where it is counted. */
export interface Spending {
  /** `quotes` if not given. */
  readonly lane?: CallLane | undefined
  /** Callers take turns: `sweep`, `backfill`, `calendar` … Names are few and fixed. */
  readonly caller?: string | undefined
}

export interface CallBudget {
  /**
   * Runs one call, one exchange with the broker, when the budget has room for it. Every call of the key must pass here, or
   * the promise is void. Fails with `KisBudgetBusy`, the call not made, when its caller has too many waiting or its turn
   * does not come in time.
   */
  spend<A, E, R>(call: Effect.Effect<A, E, R>, spending?: Spending): Effect.Effect<A, E | KisBudgetBusy, R>
  readonly status: Effect.Effect<BudgetStatus>
  /** What the next run should know. */
  readonly standing: Effect.Effect<BudgetStanding>
}

export interface BudgetStanding {
  readonly learnt: LearntRate
  /** Monotonic milliseconds at which the places taken become free. */
  readonly spentMs: ReadonlyArray<number>
}

export interface CallBudgetOptions {
  readonly asOf?: string | undefined
  readonly recalled?: RecalledRate | undefined
  /** Places that the run before has left taken: all of them if it is not known, for a run just killed may have spent them. */
  readonly spent?: number | undefined
  /** Calls of one caller that may wait. */
  readonly waiting_max?: number
  /** How long one may wait: long enough for a full queue at a call a second, and for nothing else. */
  readonly wait_ms_max?: number
}

/** A call on its way through the budget. */
interface Spent {
  readonly caller: string
  readonly lane: CallLane
  readonly joinedMs: number
  state: "waiting" | "placed" | "sent" | "answered" | "expired"
  sentAtMs: number
  bell: Deferred.Deferred<void>
}

/** A call given up without an answer may still be on its way; it is taken for counted so long after its sending. */
const stray_ms = 1_000
/** The ledger has refused: its next call waits so much longer than the second between any two (kis/limits.md §2). */
const ledger_pause_ms = 1_000

/**
 * At most `callsPerSecond` calls in any one-second window, counted where the broker counts them (`Places`), evenly spread
 * (`Pace`), to callers in turn (`CallQueue`), at a rate that learns (`LearntRate`). The ledger's calls need a place of its
 * counter as well, and its refusals are its own matter.
 *
 * Nothing runs here by itself: one of those who wait sleeps until the next moment at which anything can happen, gives
 * places to whoever's turn it is, and hands this watch on when its own turn has come or it is interrupted. Everything
 * that is changed is changed in one go, with no step between in which a fiber could be interrupted.
 */
export const makeCallBudget = Effect.fnUntraced(function* (callsPerSecond: number, options: CallBudgetOptions = {}) {
  const { asOf, recalled, spent, wait_ms_max = 120_000, waiting_max = 128 } = options
  const clock = yield* Clock.Clock
  const monotonicMs = () => Number(clock.monotonicTimeNanosUnsafe()) / 1e6
  const startMs = monotonicMs()
  let learnt = initialRate(callsPerSecond, startMs, recalled)
  const gateway = makePlaces(spent ?? callsPerSecond, startMs)
  const ledger = makePlaces(Math.min(ledgerCallsPerSecond, spent ?? ledgerCallsPerSecond), startMs)
  const pace = makePace(startMs)
  const queue = makeCallQueue<Spent>(waiting_max)
  let watch: { readonly by: Spent; untilMs: number } | undefined
  let begunAtMs: Array<number> = []
  let turnedAway = 0
  let answered = 0
  const calls = { all: 0, ledger: 0 }
  const refusals = { gateway: 0, ledger: 0 }

  const even_ms = () => 1_000 / learnt.rate
  const ring = (call: Spent) => void Deferred.doneUnsafe(call.bell, Exit.void)
  const opensAtMs = (lane: CallLane, now: number): number => {
    const atMs = Math.max(gateway.openAtMs(learnt.rate, now), pace.openAtMs(even_ms()))
    return lane === "quotes" ? atMs : Math.max(atMs, ledger.openAtMs(ledgerCallsPerSecond, now))
  }
  const waiting = () => queue.waiting("quotes") + queue.waiting("ledger")

  /** The next moment at which a place can be given or a wait is over. */
  const nextMs = (now: number): number =>
    Math.min(
      queue.waiting("quotes") > 0 ? opensAtMs("quotes", now) : Infinity,
      queue.waiting("ledger") > 0 ? opensAtMs("ledger", now) : Infinity,
      (queue.oldest()?.joinedMs ?? Infinity) + wait_ms_max
    )

  const place = (call: Spent, now: number) => {
    call.state = "placed"
    gateway.take()
    if (call.lane === "ledger") ledger.take()
    pace.started(now, even_ms())
    ring(call)
  }

  /** Does what is due, and sees to it that the watch is kept until the next thing is. */
  const turn = (now: number) => {
    for (let call = queue.oldest(); call !== undefined && now >= call.joinedMs + wait_ms_max; call = queue.oldest()) {
      queue.leave(call)
      call.state = "expired"
      ring(call)
    }
    const open = (lane: CallLane) => opensAtMs(lane, now) <= now
    for (let call = queue.take(open); call !== undefined; call = queue.take(open)) place(call, now)
    if (watch !== undefined && watch.by.state !== "waiting") watch = undefined
    if (watch === undefined) {
      const by = queue.first()
      watch = by && { by, untilMs: 0 }
      if (by !== undefined) ring(by)
    } else if (nextMs(now) < watch.untilMs) ring(watch.by)
  }

  /** Waits until the call has its place, keeping the watch meanwhile if it is this one's. */
  const awaitPlace = (call: Spent): Effect.Effect<void, KisBudgetBusy> =>
    Effect.suspend(() => {
      const now = monotonicMs()
      turn(now)
      if (call.state === "placed") {
        call.state = "sent"
        call.sentAtMs = now
        calls.all += 1
        if (call.lane === "ledger") calls.ledger += 1
        begunAtMs = [...begunAtMs.filter((at) => at > now - 1_000), now]
        return Effect.void
      }
      if (call.state === "expired") return turnAway(call, "timeout")
      call.bell = Deferred.makeUnsafe()
      const rung = Deferred.await(call.bell)
      if (watch?.by !== call) return Effect.andThen(rung, awaitPlace(call))
      watch.untilMs = nextMs(now)
      const left_ms = watch.untilMs - now
      // Timers are whole milliseconds; the nearest costs less than the next, and one too early only looks again.
      const woken = left_ms === Infinity ? rung : Effect.timeoutOption(rung, Math.max(1, Math.round(left_ms)))
      return Effect.andThen(woken, awaitPlace(call))
    })

  const turnAway = (call: Spent, reason: "full" | "timeout") =>
    Effect.suspend(() => {
      turnedAway += 1
      return Effect.fail(new KisBudgetBusy({ caller: call.caller, reason, waiting: waiting() }))
    })

  /** The gateway has counted the call by now. */
  const counted = (call: Spent, byMs: number) => {
    if (call.state !== "sent") return
    call.state = "answered"
    gateway.giveBack(byMs)
  }

  const learn = (call: Spent, refusal: KisThrottled | undefined, now: number) => {
    const times = { sentAtMs: call.sentAtMs, nowMs: now }
    if (refusal === undefined) answered += 1
    if (refusal !== undefined && refusal.code !== ledgerRefusal) {
      refusals.gateway += 1
      learnt = onRefused(learnt, times)
    } else learnt = onAnswered(learnt, times)
    if (call.lane === "ledger") {
      const refused = refusal?.code === ledgerRefusal
      if (refused) refusals.ledger += 1
      ledger.giveBack(refused ? now + ledger_pause_ms : now)
    }
  }

  const leave = (call: Spent, exit: Exit.Exit<unknown, unknown>) =>
    Effect.sync(() => {
      const now = monotonicMs()
      if (call.state === "waiting") {
        queue.leave(call)
        call.state = "expired"
      } else if (call.state === "placed") {
        gateway.spare()
        if (call.lane === "ledger") ledger.spare()
      } else if (call.state !== "expired") {
        const strayed = call.state === "sent" && isUnanswered(exit)
        const byMs = strayed ? Math.max(now, call.sentAtMs + stray_ms) : now
        counted(call, byMs)
        if (!strayed) learn(call, refusalIn(exit), now)
        else if (call.lane === "ledger") ledger.giveBack(byMs)
      }
      turn(now)
    })

  const spend: CallBudget["spend"] = (call, { caller = "other", lane = "quotes" } = {}) =>
    Effect.suspend(() => {
      const joinedMs = monotonicMs()
      const own: Spent = { caller, lane, joinedMs, state: "waiting", sentAtMs: 0, bell: Deferred.makeUnsafe() }
      if (queue.waiting("quotes") === 0) pace.wanted(joinedMs)
      if (!queue.join(own)) return turnAway(own, "full")
      const begun = () => {
        const now = monotonicMs()
        counted(own, now)
        turn(now)
      }
      return Effect.andThen(awaitPlace(own), Effect.provideService(call, AnswerBegun, begun)).pipe(
        Effect.onExit((exit) => leave(own, exit))
      )
    })

  return {
    spend,
    status: Effect.sync(() => ({
      callsPerSecond,
      ...(asOf === undefined ? {} : { asOf }),
      learntPerSecond: learnt.rate,
      calls: calls.all,
      answered,
      refusals: refusals.gateway,
      callsLastSecond: begunAtMs.filter((at) => at > monotonicMs() - 1_000).length,
      waiting: waiting(),
      turnedAway,
      ledger: { calls: calls.ledger, refusals: refusals.ledger, waiting: queue.waiting("ledger") }
    })),
    standing: Effect.sync(() => ({ learnt, spentMs: gateway.spentMs(monotonicMs()) }))
  } satisfies CallBudget
})

const ledgerRefusal = "EGW00215"

const refusalIn = (exit: Exit.Exit<unknown, unknown>): KisThrottled | undefined =>
  Exit.isSuccess(exit)
    ? undefined
    : exit.cause.reasons.flatMap((r) => (r._tag === "Fail" && r.error instanceof KisThrottled ? [r.error] : []))[0]

/** Interrupted, crashed, cut off or timed out: the broker may yet count it. */
const isUnanswered = (exit: Exit.Exit<unknown, unknown>): boolean =>
  Exit.isFailure(exit) && exit.cause.reasons.some((r) => r._tag !== "Fail" || r.error instanceof KisUnreachable)
