import { Context, Deferred, Effect, Layer } from "effect"
import { HttpClient } from "effect/http"
import { patient } from "../actor/RestartPolicy.ts"
import { Supervisor } from "../actor/Supervisor.ts"
import { MarketSession } from "../calendar/MarketSession.ts"
import type { Delivery } from "../domain/Sighting.ts"
import type { KisAccount } from "../kis/Account.ts"
import { makeApprovalKey } from "../kis/ApprovalKey.ts"
import { type BudgetStatus, makeCallBudget } from "../kis/CallBudget.ts"
import type { KisCredentialsRejected, KisError } from "../kis/KisError.ts"
import { exchange, type KisCall, laneOfRequest } from "../kis/KisHttp.ts"
import { makeQuotations } from "../kis/Quotations.ts"
import type { SessionStatus } from "../kis/StreamSession.ts"
import { makeToken, type TokenStatus } from "../kis/Token.ts"
import { makeStreamer } from "./Streamer.ts"
import { makeSweeper, type SweepStatus } from "./Sweeper.ts"

export interface FeedStatus {
  readonly account: string
  readonly budget: BudgetStatus
  readonly token: TokenStatus
  readonly sweep: SweepStatus
  readonly stream: SessionStatus
  readonly streamed: number
}

export interface KisFeedOptions {
  readonly account: KisAccount
  readonly stateDir: string
  readonly callsPerSecond: number
  readonly slots: number
  readonly sweep: ReadonlyArray<string>
  readonly stream: ReadonlyArray<string>
  readonly multiPrice: boolean
  readonly deliver: (delivery: Delivery) => Effect.Effect<void>
}

/** What one account of the broker offers: a sweep over many symbols and a stream of a few, under one budget. */
export class KisFeed extends Context.Service<
  KisFeed,
  {
    /** Starts the account's actors under the supervisor; once they are stopped, what they have delivered is with the shards. */
    readonly start: Effect.Effect<void>
    readonly status: Effect.Effect<FeedStatus>
    /** Fails when the broker refuses the credentials; else never returns. */
    readonly refused: Effect.Effect<never, KisCredentialsRejected>
  }
>()("observer/feed/KisFeed") {
  static readonly layer = (options: KisFeedOptions) => Layer.effect(KisFeed, make(options))
}

const make = Effect.fnUntraced(function* (options: KisFeedOptions) {
  const { account, deliver, slots, stateDir } = options
  const { alias } = account
  const client = yield* HttpClient.HttpClient
  const supervisor = yield* Supervisor
  const session = yield* MarketSession
  const refused = yield* Deferred.make<never, KisCredentialsRejected>()

  const budget = yield* makeCallBudget(options.callsPerSecond)
  const call: KisCall = (request) =>
    budget.spend(Effect.provideService(exchange(account, request), HttpClient.HttpClient, client), {
      lane: laneOfRequest(request)
    })
  const token = yield* makeToken(account, stateDir, call)
  const approval = yield* makeApprovalKey(account, call)
  const quotations = makeQuotations(account, call, token)
  const symbols = options.sweep
  const { multiPrice } = options
  const sweeper = yield* makeSweeper({ account: alias, symbols, multiPrice, quotations, session, deliver })
  const streamer = yield* makeStreamer({ account, approval, symbols: options.stream, slots, deliver })

  /** Refused credentials end the account, whoever meets them first; anything else is the supervisor's to judge. */
  const orRefused = <A>(run: Effect.Effect<A, KisError>) =>
    Effect.catchTag(Effect.asVoid(run), "KisCredentialsRejected", (error) =>
      Effect.andThen(Deferred.fail(refused, error), Effect.never)
    )

  const streams = options.stream.length > 0 && slots > 0
  const name = (part: string) => `account/${alias}/${part}`
  return KisFeed.of({
    start: Effect.gen(function* () {
      const kind = "permanent" as const
      yield* supervisor.start({ name: name("token"), kind, policy: patient, run: orRefused(token.keepFresh) })
      yield* supervisor.start({ name: name("sweep"), kind, policy: patient, run: orRefused(sweeper.run) })
      if (!streams) return
      const whenOpen = Effect.andThen(session.awaitOpen, streamer.run)
      yield* supervisor.start({ name: name("stream"), kind, policy: patient, run: whenOpen })
    }),
    status: Effect.gen(function* () {
      return {
        account: alias,
        budget: yield* budget.status,
        token: yield* token.status,
        sweep: yield* sweeper.status,
        stream: yield* streamer.status,
        streamed: streams ? Math.min(options.stream.length, slots) : 0
      }
    }),
    refused: Deferred.await(refused)
  })
})
