import { Deferred, Effect } from "effect"
import { HttpClient } from "effect/http"
import { patient } from "../actor/RestartPolicy.ts"
import { Supervisor } from "../actor/Supervisor.ts"
import { MarketSession } from "../calendar/MarketSession.ts"
import type { AccountAbility, StreamTarget } from "../domain/Assignment.ts"
import type { Delivery } from "../domain/Sighting.ts"
import type { KisAccount } from "../kis/Account.ts"
import { makeApprovalKey } from "../kis/ApprovalKey.ts"
import { makeRememberedBudget } from "../kis/BudgetMemory.ts"
import type { BudgetStatus } from "../kis/CallBudget.ts"
import type { CallLimit } from "../kis/CallLimits.ts"
import { type GovernorStatus, makeGovernor } from "../kis/Governor.ts"
import { makeHolidays } from "../kis/Holidays.ts"
import type { KisCredentialsRejected, KisError } from "../kis/KisError.ts"
import { exchange, type KisCall, laneOfRequest } from "../kis/KisHttp.ts"
import { makeQuotations } from "../kis/Quotations.ts"
import { tracedCall } from "../kis/tracedCall.ts"
import { makeToken, type TokenStatus } from "../kis/Token.ts"
import { makeTradeLists } from "../kis/TradeList.ts"
import { MarketWord } from "./accountFeed/MarketWord.ts"
import { streamingHours } from "./accountFeed/streamingHours.ts"
import { type BackfillStatus, makeBackfill } from "./Backfill.ts"
import type { MarketStatus } from "./KisMarketStatus.ts"
import { makeStreamer, type Streamer, type StreamStatus } from "./Streamer.ts"
import type { Sweep, SweeperStatus } from "./Sweep.ts"

/** An account and what it may spend. */
export interface FedAccount extends KisAccount {
  readonly limit: CallLimit
  readonly slots: number
}

export interface AccountStatus {
  readonly account: string
  /** Why it does nothing: its credentials are refused. */
  readonly down?: string
  readonly budget: BudgetStatus
  readonly token: TokenStatus
  readonly sweeper: SweeperStatus
  readonly stream: StreamStatus
  readonly connects: GovernorStatus
  readonly backfill: BackfillStatus
  /** Symbols it is to stream. */
  readonly streamed: number
}

export interface AccountFeedOptions {
  readonly account: FedAccount
  readonly stateDir: string
  readonly sweep: Sweep
  readonly deliver: (delivery: Delivery) => Effect.Effect<void>
  readonly onMarketStatus: (status: MarketStatus) => Effect.Effect<void>
  /** What it can do has changed. */
  readonly onChange: (reason: string) => Effect.Effect<void>
}

/**
 * All that belongs to one app key: token, approval key, call budget, its part in the sweep, its streaming session and what
 * fills the holes of that. Keys that the broker refuses stop this account and no other.
 */
export const makeAccountFeed = Effect.fnUntraced(function* (options: AccountFeedOptions) {
  const { account, deliver, onChange, onMarketStatus, stateDir, sweep } = options
  const { alias, endpoints, slots } = account
  const multiPrice = endpoints.env === "live"
  const { callsPerSecond } = account.limit
  const client = yield* HttpClient.HttpClient
  const supervisor = yield* Supervisor
  const session = yield* MarketSession
  let refused: KisCredentialsRejected | undefined
  const ended = yield* Deferred.make<void>()
  let streams: ReadonlyArray<StreamTarget> = []
  const word = new MarketWord(multiPrice)

  const budget = yield* makeRememberedBudget(account, stateDir, account.limit)
  /** Callers take turns, so that neither holes nor the calendar wait for the sweep, which is never done. */
  const callOf =
    (caller: string): KisCall =>
    (request) =>
      tracedCall(
        request,
        { account: alias, caller },
        Effect.provideService(exchange(account, request), HttpClient.HttpClient, client),
        (call) => budget.spend(call, { lane: laneOfRequest(request), caller })
      )
  const token = yield* makeToken(account, stateDir, callOf("keys"))
  const approval = yield* makeApprovalKey(account, stateDir, callOf("keys"))
  const governor = yield* makeGovernor(account, stateDir)
  const quotations = makeQuotations(account, callOf("sweep"), token)
  const sweeper = yield* sweep.sweeperOf({ account: alias, callsPerSecond, multiPrice, quotations })
  const backfill = yield* makeBackfill({
    account: alias,
    tradeLists: makeTradeLists(account, callOf("backfill"), token),
    session,
    deliver,
    rank: (symbol) => {
      const at = streams.findIndex((target) => target.symbol === symbol)
      // What is streamed no longer comes last.
      return at < 0 ? streams.length : at
    }
  })
  const streamer: Streamer = yield* makeStreamer({
    account,
    approval,
    governor,
    slots,
    session,
    deliver,
    onHole: backfill.hole,
    onMarketStatus,
    onStatusRefused: Effect.suspend(() =>
      word.refused() ? reworded("is not told of the market's halts") : Effect.void
    ),
    onSlots: (believed) => reworded(`streams ${believed} registrations`),
    restVolume: sweep.sweptVolume
  })

  const room = Effect.map(streamer.status, ({ slotsBelieved }) => Math.min(slots, slotsBelieved))
  const register = Effect.flatMap(room, (fits) => streamer.want(word.registrations(streams, fits)))
  /** Another number of slots is left to the plan. */
  const reworded = (what: string) => Effect.andThen(register, onChange(`account ${alias} ${what}`))

  const stop = Effect.fnUntraced(function* (error: KisCredentialsRejected) {
    if (refused !== undefined) return
    refused = error
    yield* Effect.logError("the account is stopped", { account: alias, reason: error.message })
    yield* onChange(`account ${alias} is refused`)
    yield* Deferred.succeed(ended, undefined)
  })
  /** Refused credentials end every part of the account, whichever meets them; anything else is the supervisor's to judge. */
  const orRefused = <A>(run: Effect.Effect<A, KisError>) => {
    const judged = Effect.catchTag(Effect.asVoid(run), "KisCredentialsRejected", stop)
    return Effect.suspend(() =>
      refused === undefined ? Effect.raceFirst(judged, Deferred.await(ended)) : Effect.void
    ).pipe(Effect.andThen(Effect.suspend(() => (refused === undefined ? Effect.void : Effect.never))))
  }

  const streaming = Effect.andThen(
    Effect.suspend(() => (word.again() ? reworded("asks for the market's halts again") : Effect.void)),
    streamer.run
  )

  const start = Effect.gen(function* () {
    const spec = (part: string) => ({ name: `account/${alias}/${part}`, kind: "permanent", policy: patient }) as const
    yield* supervisor.start({ ...spec("budget"), run: budget.keep })
    yield* supervisor.start({ ...spec("token"), run: orRefused(token.keepFresh) })
    yield* supervisor.start({ ...spec("sweep"), run: orRefused(sweeper.run) })
    const { mailbox, run } = backfill
    yield* supervisor.start({ ...spec("backfill"), name: mailbox.actor, mailbox, run: orRefused(run) })
    if (slots > 0) yield* supervisor.start({ ...spec("stream"), run: orRefused(streamingHours(session, streaming)) })
  })

  const down = () => (refused === undefined ? {} : { down: refused.message })
  return {
    alias,
    start,
    holidays: makeHolidays(account, callOf("calendar"), token),
    refused: Effect.sync(() => refused),
    /** Trades that its stream has lost, as the shards find. */
    lost: streamer.lost,
    want: (targets: ReadonlyArray<StreamTarget>) =>
      Effect.suspend(() => {
        streams = targets
        return register
      }),
    ability: Effect.gen(function* () {
      const { learntPerSecond } = yield* budget.status
      return {
        alias,
        callsPerSecond: learntPerSecond,
        slots: word.leaves(yield* room),
        multiPrice,
        ...down()
      } satisfies AccountAbility
    }),
    status: Effect.gen(function* () {
      return {
        account: alias,
        ...down(),
        budget: yield* budget.status,
        token: yield* token.status,
        sweeper: yield* sweeper.status,
        stream: yield* streamer.status,
        connects: yield* governor.status,
        backfill: yield* backfill.status,
        streamed: streams.length
      } satisfies AccountStatus
    })
  }
})

export type AccountFeed = Effect.Success<ReturnType<typeof makeAccountFeed>>
