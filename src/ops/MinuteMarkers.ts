import { Context, Deferred, Effect, Layer } from "effect"
import { marketNow, sleepTowards } from "../calendar/MarketClock.ts"
import { MarketSession } from "../calendar/MarketSession.ts"
import type { MinuteMarker } from "../domain/MinuteMarker.ts"
import { marker } from "../feed/FeedRecord.ts"
import { KisFeed } from "../feed/KisFeed.ts"
import { Conservation } from "../journal/Conservation.ts"
import { Journal } from "../journal/Journal.ts"
import { SqlPipeline } from "../sql/SqlPipeline.ts"
import { amountsBetween, isNothing, type Totals, zero } from "./minuteMarkers/totals.ts"

const minute_ms = 60_000

/**
 * Writes once a minute what was received and what has become of it, so that the record itself can be held against the law
 * of conservation. Aligned to the minutes of the market's clock; none of a closed market in which nothing happened. While
 * the journal cannot be written the amounts go on growing, and the next marker says from when they are.
 */
export class MinuteMarkers extends Context.Service<
  MinuteMarkers,
  {
    /** For a supervisor to run; returns when it has been asked to end and the last part of a minute is written. */
    readonly run: Effect.Effect<void>
    readonly end: Effect.Effect<void>
  }
>()("observer/ops/MinuteMarkers") {
  static readonly layer = Layer.effect(
    MinuteMarkers,
    Effect.suspend(() => make)
  )
}

const make = Effect.gen(function* () {
  const conservation = yield* Conservation
  const journal = yield* Journal
  const feed = yield* KisFeed
  const sql = yield* SqlPipeline
  const session = yield* MarketSession
  const ending = yield* Deferred.make<void>()
  const sinceMs = yield* marketNow
  /** What the markers so far have told, and until when. Of the actor's identity: a restart tells nothing twice. */
  let told: { readonly totals: Totals; readonly toMs: number } = { totals: zero, toMs: sinceMs }

  const totals = Effect.gen(function* () {
    const { accounts } = yield* feed.status
    const sum = (of: (status: (typeof accounts)[number]) => number) => accounts.reduce((all, each) => all + of(each), 0)
    return {
      calls: new Map(
        accounts.map(({ account, budget: { answered, ledger, refusals } }) => [
          account,
          { answered, refused: refusals + ledger.refusals }
        ])
      ),
      tokens: sum(({ token }) => token.issues),
      frames: sum(({ stream }) => stream.frames),
      bytes: sum(({ stream }) => stream.bytes),
      balances: yield* conservation.balances
    } satisfies Totals
  })

  /** Tells what has come about since the last marker. */
  const tell = Effect.fnUntraced(function* (toMs: number) {
    const now = yield* totals
    const amounts = amountsBetween(told.totals, now)
    const minuteMs = Math.floor((toMs - 1) / minute_ms) * minute_ms
    // A clock that was set back leaves no span; the amounts are of the minute at hand.
    const fromMs = told.toMs < toMs ? told.toMs : minuteMs
    const isOpen = session.openSpans(fromMs, toMs).length > 0
    if ((isOpen && told.toMs !== toMs) || !isNothing(amounts)) {
      const status = yield* sql.status
      const payload: MinuteMarker = {
        event: "minute",
        minute: utc(minuteMs),
        ...(fromMs === minuteMs ? {} : { from: utc(fromMs) }),
        ...(toMs === minuteMs + minute_ms ? {} : { to: utc(toMs) }),
        since: utc(sinceMs),
        ...amounts,
        ...(status === undefined ? {} : { lag_seconds: status.lag_seconds })
      }
      yield* journal.append([marker(yield* marketNow, payload)])
    }
    told = { totals: now, toMs }
  })

  const minuteNow = Effect.map(marketNow, (nowMs) => Math.floor(nowMs / minute_ms) * minute_ms)

  const run = Effect.gen(function* () {
    while (!Deferred.isDoneUnsafe(ending)) {
      yield* Effect.raceFirst(sleepTowards((yield* minuteNow) + minute_ms), Deferred.await(ending))
      if (Deferred.isDoneUnsafe(ending)) break
      const { writable } = yield* journal.status
      const toMs = yield* minuteNow
      // A clock that was set back a little has not come to the minute's end yet.
      if (writable && toMs !== told.toMs) yield* tell(toMs)
    }
    yield* tell(yield* marketNow)
  })

  return MinuteMarkers.of({ run, end: Effect.asVoid(Deferred.succeed(ending, undefined)) })
})

const utc = (atMs: number): string => new Date(atMs).toISOString()
