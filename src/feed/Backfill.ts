import { Clock, Effect } from "effect"
import { Mailbox } from "../actor/Mailbox.ts"
import { marketNow } from "../calendar/MarketClock.ts"
import type { MarketSession } from "../calendar/MarketSession.ts"
import type { Repair } from "../domain/Gap.ts"
import type { Delivery } from "../domain/Sighting.ts"
import { Conservation } from "../journal/Conservation.ts"
import { meterGaps } from "../journal/gapMeters.ts"
import { Journal } from "../journal/Journal.ts"
import type { KisCredentialsRejected, KisError } from "../kis/KisError.ts"
import type { TradeLists } from "../kis/TradeList.ts"
import { isInside } from "./backfill/cut.ts"
import { type Hole, spanOf, whyHopeless } from "./backfill/Hole.ts"
import { type BackfillStatus, makeTally } from "./backfill/Tally.ts"
import { type Reading, readBack } from "./backfill/readBack.ts"
import { repairOf } from "./backfill/repairOf.ts"
import { backfilledSighting, type ListedTrade } from "./backfill/tradeRow.ts"
import { gap, reject } from "./FeedRecord.ts"
import { finishing } from "./finishing.ts"

export type { Hole } from "./backfill/Hole.ts"
export type { BackfillStatus } from "./backfill/Tally.ts"

export interface BackfillOptions {
  /** The alias of the account. */
  readonly account: string
  readonly tradeLists: TradeLists
  readonly session: MarketSession["Service"]
  /** Hands a chunk to the shards; suspends while they are full. */
  readonly deliver: (delivery: Delivery) => Effect.Effect<void>
  /** The place of a symbol in the order of importance: holes of the lowest are filled first. */
  readonly rank: (symbol: string) => number
}

/** Holes that may wait: a cut leaves one for each of 41 symbols, so a dozen cuts. Then the oldest is let go of and counted. */
const holes_max = 512
/** Waited for before a batch of holes: the lists are no faster than the stream, and a cut's holes come within seconds. */
const settle_ms = 2_000
/** Holes filled at once, the pause between two calls of one hole, and replies read for it: some 1,800 trades. */
const concurrency = 2
const pause_ms = 250
const pages_max = 60
/** A broker that was cut off from the stream is often out of reach for its other calls too: about six minutes of tries. */
const rounds_max = 8
const round_ms_min = 5_000
const round_ms_max = 90_000
/** A hole is filled when its trades are in the journal, not when they are on their way; looked at so often, for so long. */
const stored_timeout_ms = 10_000
const stored_look_ms = 25

type Failure = Exclude<KisError, KisCredentialsRejected>

/**
 * Fills the holes of streams from the broker's lists of trades, after the fact: an actor that takes holes by the batch,
 * the most important symbol first, and leaves a second `gap` record of each that says what was found. What the lists do
 * not have, or no try could bring, stays the hole it is.
 */
export const makeBackfill = Effect.fnUntraced(function* (options: BackfillOptions) {
  const { account, deliver, rank, session, tradeLists } = options
  const journal = yield* Journal
  const conservation = yield* Conservation
  const mailbox = yield* Mailbox.make<Hole>({
    actor: `account/${account}/backfill`,
    capacity: holes_max,
    policy: { _tag: "dropOldest" }
  })
  const tally = makeTally(yield* Clock.currentTimeMillis)
  /** Handed over again after a crash, a hole that is done with is not filled twice. */
  const done = new WeakSet<Hole>()

  const giveUp = (hole: Hole, reason: string) =>
    Effect.suspend(() => {
      done.add(hole)
      tally.gaveUp(reason)
      return Effect.logDebug("a hole stays as it is", { account, symbol: hole.symbol, reason })
    })

  const balance = Effect.map(conservation.balances, (balances) => balances.get("backfill"))
  /** Nothing is on its way any more. A record that had been lost before is a remainder for good, and says nothing of these. */
  const untilStored = Effect.fnUntraced(function* (remainder: number) {
    for (let left_ms = stored_timeout_ms; ; left_ms -= stored_look_ms) {
      const now = yield* balance
      if (now === undefined || (now.inFlight === 0 && now.remainder <= remainder)) return true
      if (left_ms <= 0) return false
      yield* Effect.sleep(stored_look_ms)
    }
  })

  const store = Effect.fnUntraced(function* (hole: Hole, repair: Repair, inside: ReadonlyArray<ListedTrade>) {
    if (inside.length > 0) {
      const { remainder = 0 } = (yield* balance) ?? {}
      const sightings = inside.map((trade) => backfilledSighting(hole.symbol, trade, session.phaseAt(trade.atMs)))
      yield* conservation.receive("backfill", sightings.length, ({ passOn }) =>
        deliver({ source: "backfill", account, sightings, onTaken: passOn })
      )
      // Delivered once, and so never asked for again, whatever becomes of the record about it.
      done.add(hole)
      if (!(yield* untilStored(remainder))) return yield* giveUp(hole, "its trades were found and are not stored yet")
    }
    // Of lost trades the shards know one by one which have come, and say so themselves.
    if (hole.cause !== "continuity") {
      const filled = [gap(yield* marketNow, { ...hole, repairedBy: repair }, account)]
      yield* journal.append(filled)
      yield* meterGaps(filled)
    }
    done.add(hole)
    tally.repaired(repair, yield* Clock.currentTimeMillis)
  })

  const fill = Effect.fnUntraced(function* (hole: Hole) {
    const hopeless = whyHopeless(hole, yield* marketNow, session)
    if (hopeless !== undefined) return yield* giveUp(hole, hopeless)
    const span = spanOf(hole)
    const reading: Reading = yield* readBack(tradeLists, hole, span, { pages_max, pause_ms })
    const inside = reading.trades.filter((trade) => isInside(hole, span, trade))
    const repair = repairOf(hole, span, reading, inside)
    if (repair === undefined) return yield* giveUp(hole, "the broker's list of trades does not reach back to it")
    yield* finishing(store(hole, repair, inside))
  })

  const failed = Effect.fnUntraced(function* (error: Failure) {
    tally.failed(error.message)
    if (error._tag !== "KisReplyMalformed") return
    const refusal = reject("backfill", account, yield* marketNow, "replyShape", error.raw)
    yield* conservation.receive("backfill", 1, ({ store }) => store(journal, [refusal], { rejected: 1 }))
  })

  /** Tries each hole once and gives those that are still to be filled. */
  const tryAll = Effect.fnUntraced(function* (holes: ReadonlyArray<Hole>) {
    let isAnswering = true
    yield* Effect.forEach(
      holes,
      (hole) =>
        Effect.suspend(() => (isAnswering ? fill(hole) : Effect.void)).pipe(
          Effect.catchIf(
            (error) => error._tag !== "KisCredentialsRejected",
            (error) => {
              // What is said of one call leaves the others to be tried; anything else they would meet too.
              if (error._tag !== "KisRefused" && error._tag !== "KisReplyMalformed") isAnswering = false
              return finishing(failed(error))
            }
          )
        ),
      { concurrency, discard: true }
    )
    return holes.filter((hole) => !done.has(hole))
  })

  /** One line for a batch: a cut leaves dozens of holes. */
  const tell = (before: BackfillStatus) => {
    const { complete, givenUp, reasons, repaired, trades } = tally.status(mailbox)
    const said = {
      account,
      repaired: repaired - before.repaired,
      complete: complete - before.complete,
      trades: trades - before.trades
    }
    return givenUp === before.givenUp
      ? Effect.logInfo("the broker's lists were searched for what the stream had missed", said)
      : Effect.logWarning("holes of the stream stay as they are", {
          ...said,
          givenUp: givenUp - before.givenUp,
          reasons: Object.keys(reasons).filter((reason) => reasons[reason] !== before.reasons[reason])
        })
  }

  const handle = Effect.fnUntraced(function* (holes: ReadonlyArray<Hole>) {
    const before = tally.status(mailbox)
    yield* Effect.sleep(settle_ms)
    let due = holes.filter((hole) => !done.has(hole)).sort((a, b) => rank(a.symbol) - rank(b.symbol))
    yield* tally.turn("filling")
    for (let round = 1; due.length > 0 && round <= rounds_max; round++) {
      due = yield* tryAll(due)
      if (due.length === 0 || round === rounds_max) break
      yield* tally.turn("waiting")
      yield* Effect.sleep(Math.min(round_ms_max, round_ms_min * 2 ** (round - 1)))
      yield* tally.turn("filling")
    }
    yield* Effect.forEach(due, (hole) => giveUp(hole, tally.lastFailure() ?? "the broker did not answer"))
    yield* tally.turn("idle")
    yield* tell(before)
  })

  return {
    /** Takes a hole to be filled when there is time; never waits. When too many wait, the oldest stays as it is. */
    hole: (hole: Hole): Effect.Effect<void> => Effect.asVoid(mailbox.offer(hole)),
    /** The filling, for a supervisor to run. Fails only with refused credentials. */
    run: mailbox.consume({
      handle,
      onPoison: (hole) => giveUp(hole, "it crashed the backfill three times"),
      batch_max: holes_max
    }),
    mailbox,
    status: Effect.sync(() => tally.status(mailbox))
  }
})

export type Backfill = Effect.Success<ReturnType<typeof makeBackfill>>
