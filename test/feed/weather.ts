import { Duration, Effect, Layer, Schedule, Semaphore } from "effect"
import { MarketSession } from "../../src/calendar/MarketSession.ts"
import type { SweepTarget } from "../../src/domain/Assignment.ts"
import type { Delivery } from "../../src/domain/Sighting.ts"
import { makeSweep } from "../../src/feed/Sweep.ts"
import { Conservation } from "../../src/journal/Conservation.ts"
import { type KisError, KisRefused, KisUnreachable } from "../../src/kis/KisError.ts"
import type { QuotationRow } from "../../src/kis/QuotationCall.ts"
import type { Quotations } from "../../src/kis/Quotations.ts"
import { memoryJournal } from "../support/memoryJournal.ts"
import { looked } from "../support/virtualTime.ts"

/** Numbers from 0 to 1 that look random and are the same for the same seed (mulberry32). */
export const randomOf = (seed: number) => {
  let state = seed >>> 0
  return (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000
  }
}

/** How calls fare; shares are from 0 to 1. */
export interface Weather {
  readonly latency_ms_max: number
  readonly lost_share: number
  readonly refused_share: number
  /** Of the rows of an answer. */
  readonly missing_share: number
}

/** What the broker has and has not. */
export interface Listing {
  /** It answers for them in no call; a call for one gives zeros. */
  readonly unlisted: ReadonlySet<string>
  /** With them it refuses the whole call. */
  readonly sick: ReadonlySet<string>
}

export const calm: Weather = { latency_ms_max: 100, lost_share: 0, refused_share: 0, missing_share: 0 }
export const allListed: Listing = { unlisted: new Set(), sick: new Set() }
export const refusal = new KisRefused({ operation: "x", status: 500, code: "EGW00300", text: "down" })
const loss = new KisUnreachable({ operation: "x", detail: "socket hang up" })

export interface StagedAccount {
  /** What comes before every call of this account; it fails as an outage does. */
  hindrance: Effect.Effect<void, KisError>
  calls: number
}

/** A call takes its time, in virtual time. */
const takes = (ms: number) => Effect.delay(Effect.void, Duration.millis(ms))

/** The quotations of one account in virtual time: so many calls a second, each with a fate of its own. */
const quotationsIn = (
  { latency_ms_max, lost_share, missing_share, refused_share }: Weather,
  { sick, unlisted }: Listing,
  callsPerSecond: number,
  random: () => number,
  staged: StagedAccount
): Quotations => {
  const turn = Semaphore.makeUnsafe(1)
  const attempt = Effect.fnUntraced(function* (pick: () => ReadonlyArray<string>) {
    yield* turn.withPermits(1)(takes(1_000 / callsPerSecond))
    const symbols = pick()
    staged.calls += 1
    yield* staged.hindrance
    yield* takes(random() * latency_ms_max)
    if (random() < lost_share) return yield* loss
    if (random() < refused_share || symbols.some((symbol) => sick.has(symbol))) return yield* refusal
    return symbols
  })
  /** As the real ones do, they try again what is lost. */
  const call = (pick: () => ReadonlyArray<string>) =>
    Effect.retry(attempt(pick), {
      while: (error) => error._tag === "KisUnreachable",
      schedule: Schedule.spaced("200 millis").pipe(Schedule.upTo({ times: 8 }))
    })
  return {
    multiPrice: (pick) =>
      Effect.map(call(pick), (symbols) =>
        symbols
          .filter((symbol) => !unlisted.has(symbol) && random() >= missing_share)
          .map((symbol): QuotationRow => ({ inter_shrn_iscd: symbol, inter2_prpr: "100", acml_vol: "1" }))
      ),
    price: (symbol) =>
      Effect.map(
        call(() => [symbol]),
        () => ({ stck_prpr: unlisted.has(symbol) ? "0" : "100", acml_vol: "1" })
      )
  }
}

/** A sweep over several accounts in virtual time, with what it delivers and what it writes. */
export const stage = Effect.fnUntraced(function* (options: {
  readonly accounts: number
  readonly callsPerSecond: number
  readonly targets: ReadonlyArray<SweepTarget>
  readonly weather: Weather
  readonly listing: Listing
  readonly seed: number
  readonly multiPrice?: boolean
  readonly mode?: "always" | "calendar"
}) {
  const { callsPerSecond, listing, mode = "always", multiPrice = true, seed, targets, weather } = options
  const { drafts, layer } = memoryJournal()
  const context = yield* Layer.build(Layer.fresh(Layer.mergeAll(layer, Conservation.layer, MarketSession.layer(mode))))
  const seen: Array<{ readonly symbol: string; readonly atMs: number; readonly account: string }> = []
  const deliver = ({ account, onTaken, sightings }: Delivery) =>
    Effect.sync(() => {
      onTaken?.(sightings.length)
      for (const { price, receivedAtMs, symbol } of sightings) {
        if (price) seen.push({ symbol, atMs: receivedAtMs, account })
      }
    })
  return yield* Effect.gen(function* () {
    const sweep = yield* makeSweep(yield* MarketSession, deliver)
    yield* sweep.assign(targets)
    const random = randomOf(seed)
    const accounts = yield* Effect.forEach(Array.from({ length: options.accounts }), (_, index) =>
      Effect.gen(function* () {
        const staged: StagedAccount = { hindrance: Effect.void, calls: 0 }
        const quotations = quotationsIn(weather, listing, callsPerSecond, random, staged)
        const sweeper = yield* sweep.sweeperOf({ account: `account-${index}`, callsPerSecond, multiPrice, quotations })
        return { staged, run: sweeper.run, statusOf: looked(sweeper.status) }
      })
    )
    return { sweep, accounts, seen, drafts, progressOf: looked(sweep.status) }
  }).pipe(Effect.provideContext(context))
})
