import { Context, Deferred, Effect, Layer, PubSub, Stream } from "effect"
import { MarketSession } from "../calendar/MarketSession.ts"
import type { AccountAbility, Assignment, SymbolAge } from "../domain/Assignment.ts"
import type { Delivery } from "../domain/Sighting.ts"
import type { KisCredentialsRejected } from "../kis/KisError.ts"
import { type AccountStatus, type FedAccount, makeAccountFeed } from "./AccountFeed.ts"
import { makeSweep, type SweepStatus } from "./Sweep.ts"
import type { CoverageStatus } from "./SweepSchedule.ts"

export interface FeedStatus {
  readonly accounts: ReadonlyArray<AccountStatus>
  readonly sweep: SweepStatus
}

export interface KisFeedOptions {
  readonly accounts: ReadonlyArray<FedAccount>
  readonly stateDir: string
  readonly deliver: (delivery: Delivery) => Effect.Effect<void>
}

/** Whoever replans looks at what is, not at what was said of it: a few sentences that wait are enough. */
const waitingChanges = 16

/** What the broker offers through all accounts: one sweep over many symbols, and a stream of a few by each account. */
export class KisFeed extends Context.Service<
  KisFeed,
  {
    /** Starts the accounts' actors under the supervisor; once they are stopped, what they have delivered is with the shards. */
    readonly start: Effect.Effect<void>
    /** Who is swept how often from now on, and who streams what. */
    apply(assignment: Assignment): Effect.Effect<void>
    readonly abilities: Effect.Effect<ReadonlyArray<AccountAbility>>
    /** A sentence whenever what an account can do has changed. */
    readonly changes: Stream.Stream<string>
    readonly ages: Effect.Effect<ReadonlyArray<SymbolAge>>
    coverage(stale_seconds: number): Effect.Effect<CoverageStatus>
    readonly status: Effect.Effect<FeedStatus>
    /** Fails when the broker has refused the credentials of every account; else never returns. */
    readonly refused: Effect.Effect<never, KisCredentialsRejected>
  }
>()("observer/feed/KisFeed") {
  static readonly layer = (options: KisFeedOptions) => Layer.effect(KisFeed, make(options))
}

const make = Effect.fnUntraced(function* (options: KisFeedOptions) {
  const { deliver, stateDir } = options
  const session = yield* MarketSession
  const refused = yield* Deferred.make<never, KisCredentialsRejected>()
  const changes = yield* PubSub.sliding<string>(waitingChanges)
  const sweep = yield* makeSweep(session, deliver)

  const onChange = (reason: string) =>
    Effect.gen(function* () {
      const errors = yield* Effect.forEach(accounts, (account) => account.refused)
      const [first] = errors
      if (first !== undefined && errors.every((error) => error !== undefined)) yield* Deferred.fail(refused, first)
      yield* PubSub.publish(changes, reason)
    })
  const accounts = yield* Effect.forEach(options.accounts, (account) =>
    makeAccountFeed({ account, stateDir, sweep, deliver, onChange })
  )

  return KisFeed.of({
    start: Effect.forEach(accounts, ({ start }) => start, { discard: true }),
    apply: Effect.fnUntraced(function* (assignment) {
      yield* sweep.assign(assignment.sweep)
      for (const { alias, want } of accounts) yield* want(assignment.streams.get(alias) ?? [])
    }),
    abilities: Effect.forEach(accounts, ({ ability }) => ability),
    changes: Stream.fromPubSub(changes),
    ages: sweep.ages,
    coverage: sweep.coverage,
    status: Effect.gen(function* () {
      return { accounts: yield* Effect.forEach(accounts, ({ status }) => status), sweep: yield* sweep.status }
    }),
    refused: Deferred.await(refused)
  })
})
