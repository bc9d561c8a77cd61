import { Effect } from "effect"
import { awaitInstant, marketNow } from "../calendar/MarketClock.ts"
import { MarketSession } from "../calendar/MarketSession.ts"
import { type PhaseDifference, type PhaseVote, PhaseWatch } from "../calendar/PhaseWatch.ts"
import type { Phase } from "../domain/Phase.ts"
import type { Delivery, Sighting } from "../domain/Sighting.ts"
import { Journal } from "../journal/Journal.ts"
import { marker } from "./FeedRecord.ts"
import { concludedPhase } from "./KisPhase.ts"

export interface PhaseStatus {
  readonly expected: Phase
  /** The next change by the tables, UTC milliseconds of market time. */
  readonly nextChangeMs: number | undefined
  /** What the market does instead, while it does. */
  readonly difference: PhaseDifference | undefined
}

export interface PhaseKeeperOptions {
  /** Symbols whose trades are streamed; without any, silence says nothing. */
  readonly streamed: number
}

/** A weekday without any trade so long after the open is suspicious (kis/sessions.md §4). */
const silentOpening_ms = 5 * 60_000

/**
 * Holds the phases that the wire tells of against those that the tables expect, and records both: a marker for each
 * change by the table, and one when the market does something else. It changes nothing: a wrong table is for people.
 */
export const makePhaseKeeper = Effect.fnUntraced(function* ({ streamed }: PhaseKeeperOptions) {
  const journal = yield* Journal
  const session = yield* MarketSession
  const watch = new PhaseWatch(session.phaseAt)
  /** A market that never closes has no table to be held against. */
  const compares = session.mode === "calendar"
  let lastTradeMs: number | undefined
  let toldMs: number | undefined

  const tell = Effect.fnUntraced(function* (difference: PhaseDifference | undefined) {
    if (difference === undefined) return
    const { sinceMs, ...words } = difference
    const since = new Date(sinceMs).toISOString()
    yield* Effect.logWarning("the market is in another phase than the calendar expects", { ...words, since })
    yield* journal.append([marker(yield* marketNow, { event: "phase", ...words, since })])
  })

  const voteOf = (sighting: Sighting): ReadonlyArray<PhaseVote> => {
    const { exchangeAtMs, kind, payload, phase, receivedAtMs: heardMs, symbol, venue } = sighting
    // The tables are the exchange's: Nextrade has other hours.
    if (venue !== "KRX") return []
    if (kind === "trade") lastTradeMs = Math.max(lastTradeMs ?? heardMs, heardMs)
    const observed = kind === "trade" && Array.isArray(payload) ? concludedPhase(payload) : phase
    return observed === undefined ? [] : [{ symbol, observed, happenedMs: exchangeAtMs ?? heardMs, heardMs }]
  }

  const tellChanges = Effect.gen(function* () {
    // Kept over a restart, so that a change which fell into it is told late and not never.
    const sinceMs = (toldMs ??= yield* marketNow)
    yield* session.awaitChange(sinceMs)
    const changeMs = session.nextChange(sinceMs)
    if (changeMs === undefined) return
    toldMs = changeMs
    watch.begin()
    const phase = session.phaseAt(changeMs)
    yield* Effect.logInfo("the market's phase changes", { phase })
    yield* journal.append([marker(yield* marketNow, { event: "phase", phase })])
  })

  /** Says when the opening passes without a trade; a holiday is not concluded from it. */
  const watchOpening = Effect.gen(function* () {
    const sinceMs = yield* marketNow
    yield* session.awaitChange(sinceMs)
    const openMs = session.nextChange(sinceMs)
    if (openMs === undefined || session.phaseAt(openMs) !== "continuous") return
    yield* awaitInstant(openMs + silentOpening_ms)
    if ((lastTradeMs ?? 0) >= openMs || session.phaseAt(openMs) !== "continuous") return
    yield* Effect.logWarning("no trade has come since the market should have opened; is this a trading day?", {
      streamed
    })
    const since = new Date(openMs).toISOString()
    yield* journal.append([
      marker(yield* marketNow, { event: "phase", expected: "continuous", observed: "none", since })
    ])
  })

  const loops = [Effect.forever(tellChanges), ...(streamed > 0 ? [Effect.forever(watchOpening)] : [])]
  return {
    /** Takes what a stream delivered; one call per chunk. */
    observe: ({ sightings, source }: Delivery) =>
      compares && source === "kis-ws" ? tell(watch.observe(sightings.flatMap(voteOf))) : Effect.void,
    /** Takes the phase that a market-status stream says begins, if it names one, and its market instant. */
    announced: (phase: Phase | undefined, atMs: number) =>
      phase === undefined || !compares ? Effect.void : tell(watch.announce(phase, atMs)),
    /** The keeper's work, for a supervisor to run. */
    run: Effect.all(loops, { concurrency: "unbounded", discard: true }),
    status: Effect.map(marketNow, (now): PhaseStatus => ({
      expected: session.phaseAt(now),
      nextChangeMs: session.nextChange(now),
      difference: watch.current
    }))
  }
})
