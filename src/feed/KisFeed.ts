import { Context, Deferred, Effect, Layer, PubSub, Stream } from "effect"
import { patient } from "../actor/RestartPolicy.ts"
import { Supervisor } from "../actor/Supervisor.ts"
import { MarketSession } from "../calendar/MarketSession.ts"
import type { AccountAbility, Assignment, SymbolAge } from "../domain/Assignment.ts"
import type { LostTrades } from "../domain/LostTrades.ts"
import type { Delivery } from "../domain/Sighting.ts"
import type { Holidays } from "../kis/Holidays.ts"
import type { KisCredentialsRejected } from "../kis/KisError.ts"
import { type AccountFeed, type AccountStatus, type FedAccount, makeAccountFeed } from "./AccountFeed.ts"
import { type CalendarStatus, makeHolidayKeeper } from "./HolidayKeeper.ts"
import { makePhaseKeeper, type PhaseStatus } from "./PhaseKeeper.ts"
import type { StreamStatus } from "./Streamer.ts"
import { makeSweep, type SweepStatus } from "./Sweep.ts"
import type { CoverageStatus } from "./SweepSchedule.ts"

export interface FeedStatus {
  readonly accounts: ReadonlyArray<AccountStatus>
  readonly sweep: SweepStatus
  readonly calendar: CalendarStatus
  readonly phase: PhaseStatus
}

export interface KisFeedOptions {
  /** One at least. */
  readonly accounts: readonly [FedAccount, ...ReadonlyArray<FedAccount>]
  readonly stateDir: string
  readonly deliver: (delivery: Delivery) => Effect.Effect<void>
  /** What was lost of the streams, as it is found; filled from the broker's lists. */
  readonly losses: Stream.Stream<LostTrades>
}

/** The account's own parts have met the refusal by then, and it is asked for nothing any longer. */
const afterRefusal = "1 minute"
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
    /** Symbols that are to be streamed and do not reach us now; UTC milliseconds of market time. */
    readonly openHoles: Effect.Effect<ReadonlyArray<StreamStatus["holes"][number] & { readonly account: string }>>
    /** Fails when the broker has refused the credentials of every account; else never returns. */
    readonly refused: Effect.Effect<never, KisCredentialsRejected>
  }
>()("observer/feed/KisFeed") {
  static readonly layer = (options: KisFeedOptions) => Layer.effect(KisFeed, make(options))
}

const make = Effect.fnUntraced(function* (options: KisFeedOptions) {
  const { deliver, stateDir } = options
  const session = yield* MarketSession
  const supervisor = yield* Supervisor
  const refused = yield* Deferred.make<never, KisCredentialsRejected>()
  const changes = yield* PubSub.sliding<string>(waitingChanges)
  const sweep = yield* makeSweep(session, deliver)
  const phases = yield* makePhaseKeeper({ streamed: options.accounts.reduce((sum, { slots }) => sum + slots, 0) })
  const accounts: Array<AccountFeed> = []

  const onChange = Effect.fnUntraced(function* (reason: string) {
    const errors = yield* Effect.forEach(accounts, (account) => account.refused)
    const [first] = errors
    if (first !== undefined && errors.every((error) => error !== undefined)) yield* Deferred.fail(refused, first)
    yield* PubSub.publish(changes, reason)
  })
  for (const account of options.accounts) {
    const feed = yield* makeAccountFeed({
      account,
      stateDir,
      sweep,
      deliver: (delivery) => Effect.andThen(phases.observe(delivery), deliver(delivery)),
      onMarketStatus: ({ atMs, phase }) => phases.announced(phase, atMs),
      onChange
    })
    accounts.push(feed)
  }

  /** Any account will do, and the calendar is the same for all; only the mock has none. */
  const live = options.accounts.findIndex(({ endpoints }) => endpoints.env === "live")
  const holidays: Holidays = {
    openDays: Effect.fnUntraced(function* (from, to) {
      const errors = yield* Effect.forEach(accounts, (account) => account.refused)
      const asked = accounts.findIndex((_, at) => options.accounts[at]?.endpoints.env === "live" && !errors[at])
      const { holidays: calls } = accounts[asked] ?? accounts[Math.max(0, live)] ?? (yield* Effect.die("no account"))
      return yield* calls.openDays(from, to)
    })
  }
  const calendar = yield* makeHolidayKeeper({
    account: options.accounts[Math.max(0, live)] ?? options.accounts[0],
    stateDir,
    holidays
  })

  return KisFeed.of({
    start: Effect.gen(function* () {
      yield* Effect.forEach(accounts, ({ start }) => start, { discard: true })
      const spec = { kind: "permanent", policy: patient } as const
      // Refused keys are their account's affair; another one is asked then, as often as the keeper may ask in a day.
      const asking = Effect.forever(
        Effect.catchTag(calendar.run, "KisCredentialsRejected", () => Effect.sleep(afterRefusal))
      )
      yield* supervisor.start({ ...spec, name: "account/calendar", run: asking })
      yield* supervisor.start({ ...spec, name: "account/phases", run: phases.run })
      const filling = Stream.runForEach(
        options.losses,
        (loss) => accounts.find(({ alias }) => alias === loss.account)?.lost(loss) ?? Effect.void
      )
      yield* supervisor.start({ ...spec, name: "account/losses", run: filling })
    }),
    apply: Effect.fnUntraced(function* (assignment) {
      yield* sweep.assign(assignment.sweep)
      for (const { alias, want } of accounts) yield* want(assignment.streams.get(alias) ?? [])
    }),
    abilities: Effect.suspend(() => Effect.forEach(accounts, ({ ability }) => ability)),
    changes: Stream.fromPubSub(changes),
    ages: sweep.ages,
    coverage: sweep.coverage,
    status: Effect.gen(function* () {
      return {
        accounts: yield* Effect.forEach(accounts, ({ status }) => status),
        sweep: yield* sweep.status,
        calendar: yield* calendar.status,
        phase: yield* phases.status
      }
    }),
    openHoles: Effect.suspend(() =>
      Effect.map(
        Effect.forEach(accounts, ({ status }) => status),
        (all) => all.flatMap(({ account, stream }) => stream.holes.map((hole) => ({ ...hole, account })))
      )
    ),
    refused: Deferred.await(refused)
  })
})
