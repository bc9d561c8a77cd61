import { Effect } from "effect"
import { HttpClient } from "effect/http"
import { patient } from "../actor/RestartPolicy.ts"
import { Supervisor } from "../actor/Supervisor.ts"
import { MarketSession } from "../calendar/MarketSession.ts"
import type { AccountAbility, StreamTarget } from "../domain/Assignment.ts"
import type { Delivery } from "../domain/Sighting.ts"
import type { KisAccount } from "../kis/Account.ts"
import { makeApprovalKey } from "../kis/ApprovalKey.ts"
import { type BudgetStatus, makeCallBudget } from "../kis/CallBudget.ts"
import type { KisCredentialsRejected, KisError } from "../kis/KisError.ts"
import { exchange, type KisCall } from "../kis/KisHttp.ts"
import { makeQuotations } from "../kis/Quotations.ts"
import type { SessionStatus } from "../kis/StreamSession.ts"
import { makeToken, type TokenStatus } from "../kis/Token.ts"
import { makeStreamer } from "./Streamer.ts"
import type { Sweep, SweeperStatus } from "./Sweep.ts"

/** An account and what it may spend. */
export interface FedAccount extends KisAccount {
  readonly callsPerSecond: number
  readonly slots: number
}

export interface AccountStatus {
  readonly account: string
  /** Why it does nothing: its credentials are refused. */
  readonly down?: string
  readonly budget: BudgetStatus
  readonly token: TokenStatus
  readonly sweeper: SweeperStatus
  readonly stream: SessionStatus
  /** Symbols it is to stream. */
  readonly streamed: number
}

export interface AccountFeedOptions {
  readonly account: FedAccount
  readonly stateDir: string
  readonly sweep: Sweep
  readonly deliver: (delivery: Delivery) => Effect.Effect<void>
  /** What it can do has changed. */
  readonly onChange: (reason: string) => Effect.Effect<void>
}

/** The trades of a symbol come on one stream, its order book on another; each costs a slot. */
const trades = "H0STCNT0"
const book = "H0STASP0"

const registrationsOf = (targets: ReadonlyArray<StreamTarget>) => [
  ...targets.map(({ symbol }) => ({ trId: trades, trKey: symbol })),
  ...targets.flatMap((target) => (target.book ? [{ trId: book, trKey: target.symbol }] : []))
]

/**
 * All that belongs to one app key: token, approval key, call budget, its part in the sweep and its streaming session. Keys
 * that the broker refuses stop this account and no other.
 */
export const makeAccountFeed = Effect.fnUntraced(function* (options: AccountFeedOptions) {
  const { account, deliver, onChange, stateDir, sweep } = options
  const { alias, endpoints } = account
  const multiPrice = endpoints.env === "live"
  const client = yield* HttpClient.HttpClient
  const supervisor = yield* Supervisor
  const session = yield* MarketSession
  let refused: KisCredentialsRejected | undefined
  let streams: ReadonlyArray<StreamTarget> = []

  const budget = yield* makeCallBudget(account.callsPerSecond)
  const call: KisCall = (request) =>
    budget.spend(Effect.provideService(exchange(account, request), HttpClient.HttpClient, client))
  const token = yield* makeToken(account, stateDir, call)
  const approval = yield* makeApprovalKey(account, call)
  const quotations = makeQuotations(account, call, token)
  const sweeper = yield* sweep.sweeperOf({
    account: alias,
    callsPerSecond: account.callsPerSecond,
    multiPrice,
    quotations
  })
  const streamer = yield* makeStreamer({ account, approval, slots: account.slots, session, deliver })

  const name = (part: string) => `account/${alias}/${part}`
  const parts = ["token", "sweep", "stream"].map(name)

  /** Refused credentials end the account, whoever meets them first; anything else is the supervisor's to judge. */
  const orRefused = <A>(run: Effect.Effect<A, KisError>) =>
    Effect.catchTag(Effect.asVoid(run), "KisCredentialsRejected", (error) =>
      Effect.gen(function* () {
        const isFirst = refused === undefined
        refused ??= error
        if (isFirst) {
          yield* Effect.logError("the account is stopped", { account: alias, reason: error.message })
          yield* onChange(`account ${alias} is refused`)
        }
        return yield* Effect.never
      })
    )

  const start = Effect.gen(function* () {
    const runs = [token.keepFresh, sweeper.run, Effect.andThen(session.awaitOpen, streamer.run)]
    for (const [index, run] of runs.entries()) {
      const spec = { name: parts[index] ?? alias, kind: "permanent", policy: patient } as const
      yield* supervisor.start({ ...spec, run: orRefused(run) })
    }
  })

  return {
    alias,
    start,
    refused: Effect.sync(() => refused),
    want: (targets: ReadonlyArray<StreamTarget>) =>
      Effect.suspend(() => {
        streams = targets
        return streamer.want(registrationsOf(targets))
      }),
    ability: Effect.gen(function* () {
      const { learntPerSecond } = yield* budget.status
      const { slotsBelieved } = yield* streamer.status
      return {
        alias,
        callsPerSecond: learntPerSecond,
        slots: Math.min(account.slots, slotsBelieved),
        multiPrice,
        ...(refused === undefined ? {} : { down: refused.message })
      } satisfies AccountAbility
    }),
    status: Effect.gen(function* () {
      return {
        account: alias,
        ...(refused === undefined ? {} : { down: refused.message }),
        budget: yield* budget.status,
        token: yield* token.status,
        sweeper: yield* sweeper.status,
        stream: yield* streamer.status,
        streamed: streams.length
      } satisfies AccountStatus
    })
  }
})
