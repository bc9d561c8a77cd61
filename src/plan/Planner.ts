import { Clock, Context, Effect, Latch, Layer, Stream } from "effect"
import { Mailbox } from "../actor/Mailbox.ts"
import { patient } from "../actor/RestartPolicy.ts"
import { Supervisor } from "../actor/Supervisor.ts"
import { marketNow } from "../calendar/MarketClock.ts"
import { MarketSession } from "../calendar/MarketSession.ts"
import type { AccountAbility, Assignment, SymbolAge } from "../domain/Assignment.ts"
import { isIndexCode } from "../domain/SymbolCode.ts"
import { Journal } from "../journal/Journal.ts"
import {
  type ChangeFailed,
  type ChangeRefused,
  type ChangeReport,
  Coverage,
  type PlanReport,
  type SymbolChange
} from "./Coverage.ts"
import { type CoveragePlan, plan } from "./CoveragePlan.ts"
import type { Held } from "./coveragePlan/assignStreams.ts"
import { Activity } from "./planner/Activity.ts"
import { isSame } from "./planner/isSame.ts"
import { leaving_ms, Ownership } from "./planner/Ownership.ts"
import { dayCoverage } from "./planner/dayCoverage.ts"
import { accountReports, classReports, symbolCoverage } from "./planner/report.ts"
import type { TargetSeconds } from "../domain/SymbolClass.ts"
import { classOf, type PlannedSymbol } from "./PlannedSymbol.ts"

/** What the planner needs of the universe. */
export interface PlannedUniverse {
  /** The most important first. */
  readonly symbols: ReadonlyArray<string>
  readonly entries: ReadonlyMap<string, { readonly kind: string; readonly name: string; readonly turnover: number }>
}

export interface PlannerOptions {
  readonly target_seconds: TargetSeconds
  /** Of how many streamed symbols the order book is streamed, too. */
  readonly books: number
  /** Those of the universe that are watched more closely and streamed before all others. */
  readonly watched: ReadonlySet<string>
  readonly universe: {
    readonly current: Effect.Effect<PlannedUniverse>
    readonly changes: Stream.Stream<unknown>
    change(change: SymbolChange): Effect.Effect<ChangeReport, ChangeRefused | ChangeFailed>
  }
  readonly accounts: {
    readonly abilities: Effect.Effect<ReadonlyArray<AccountAbility>>
    /** A sentence whenever what an account can do has changed. */
    readonly changes: Stream.Stream<string>
    readonly ages: Effect.Effect<ReadonlyArray<SymbolAge>>
    apply(assignment: Assignment): Effect.Effect<void>
  }
  /** Whom the shards are to own. */
  observe(symbols: ReadonlyArray<string>): Effect.Effect<void>
}

/** Activity moves slowly, and a plan costs a look at every symbol. */
const replan_interval = "5 minutes"
const startReason = "the start"
/** Reasons that wait become one plan; the same reason waits once. */
const mailbox_reasons = 8

/** Keeps the plan true to what there is: made anew when the universe, an account or the market's activity changes. */
export class Planner extends Context.Service<
  Planner,
  {
    /** Puts the plan made at the start in force, then keeps it under the supervisor. */
    readonly start: Effect.Effect<void>
    readonly coverage: Coverage["Service"]
  }
>()("observer/plan/Planner") {
  static readonly layer = (options: PlannerOptions) =>
    Layer.effect(
      Coverage,
      Effect.map(Planner, ({ coverage }) => coverage)
    ).pipe(Layer.provideMerge(Layer.effect(Planner, makePlanner(options))))
}

export const makePlanner = Effect.fnUntraced(function* (options: PlannerOptions) {
  const { accounts, universe } = options
  const journal = yield* Journal
  const supervisor = yield* Supervisor
  const session = yield* MarketSession
  const activity = new Activity()
  const mailbox = yield* Mailbox.make<string>({
    actor: "planner",
    capacity: mailbox_reasons,
    policy: { _tag: "conflate", key: (reason) => reason }
  })
  let planned: ReadonlyArray<PlannedSymbol> = []
  let names: PlannedUniverse["entries"] = new Map()
  let held = new Map<string, Held>()
  const owned = new Ownership()
  const leaving = Latch.makeUnsafe(false)

  const plannedOf = ({ entries, symbols }: PlannedUniverse): ReadonlyArray<PlannedSymbol> =>
    symbols.map((symbol) => {
      const { kind, turnover = 0 } = entries.get(symbol) ?? {}
      return {
        symbol,
        class: classOf(kind, isIndexCode(symbol), options.watched.has(symbol)),
        activity: activity.of(symbol, turnover)
      }
    })

  const heldIn = ({ streams }: CoveragePlan, nowMs: number): Map<string, Held> =>
    new Map(
      [...streams].flatMap(([account, targets]) =>
        targets.map(({ book, symbol }): [string, Held] => {
          const before = held.get(symbol)
          const stays = before?.account === account
          const { bookSinceMs = nowMs, sinceMs = nowMs } = stays ? before : {}
          return [symbol, { symbol, account, sinceMs, ...(book ? { bookSinceMs } : {}) }]
        })
      )
    )

  const tell = Effect.fnUntraced(function* (made: CoveragePlan, reason: string) {
    const { callsPerSecond, callsPerSweep, classes, notCovered, streamed, streams, unmet } = made
    const said = { symbols: made.sweep.length, streamed, callsPerSecond, callsPerSweep, classes, unmet, notCovered }
    const codes = Object.fromEntries([...streams].map(([alias, of]) => [alias, of.map(({ symbol }) => symbol)]))
    const receivedAtMs = yield* marketNow
    const payload = { event: "plan", reason, ...said, streams: codes }
    yield* journal.append([{ kind: "marker", receivedAtMs, source: "observer", payload }])
    yield* Effect.logInfo(`the plan: ${reason}`, {
      swept: made.sweep.length,
      streamed,
      calls_per_second: callsPerSecond,
      expected_seconds: classes.map((each) => `${each.class} ${each.expected_seconds}`).join(", ")
    })
    for (const { class: name, expected_seconds, needs, target_seconds } of unmet) {
      yield* Effect.logWarning(
        `${name}: a target of ${target_seconds} s cannot be met, ${expected_seconds} s is what there is`,
        { needs }
      )
    }
  })

  /** The plan for what there is now. */
  const planNow = Effect.gen(function* () {
    const nowMs = yield* Clock.currentTimeMillis
    activity.look(yield* accounts.ages, nowMs)
    const now = yield* universe.current
    const { books, target_seconds } = options
    planned = plannedOf(now)
    names = now.entries
    const abilities = yield* accounts.abilities
    return plan({ symbols: planned, accounts: abilities, target_seconds, books, held: [...held.values()], nowMs })
  })

  // Made at once, so that whoever looks sees it; in force from the start on.
  let current = { plan: yield* planNow, reason: startReason, madeAtMs: yield* Clock.currentTimeMillis }

  const enforce = Effect.fnUntraced(function* (made: CoveragePlan, reason: string) {
    const nowMs = yield* Clock.currentTimeMillis
    // The shards know a symbol before the first sighting of it can come, and until after the last.
    owned.want(planned.map(({ symbol }) => symbol))
    yield* options.observe(owned.symbols)
    yield* accounts.apply(made)
    owned.applied(yield* Clock.currentTimeMillis)
    if (owned.isShrinking) yield* leaving.open
    held = heldIn(made, nowMs)
    current = { plan: made, reason, madeAtMs: nowMs }
    yield* tell(made, reason)
  })

  /** Lets go of symbols that are wanted no longer, once nobody hears of them any more. */
  const letGo = Effect.gen(function* () {
    yield* leaving.await
    yield* Effect.sleep(leaving_ms)
    owned.release(yield* Clock.currentTimeMillis)
    if (!owned.isShrinking) yield* leaving.close
    yield* options.observe(owned.symbols)
  })

  const replan = Effect.fnUntraced(function* (reason: string) {
    const made = yield* planNow
    // What is in force stays what it is, or a plan could creep away from what was applied.
    if (!isSame(current.plan, made)) yield* enforce(made, reason)
  })

  const report = Effect.gen(function* () {
    const { madeAtMs, plan: made, reason } = current
    const ages = new Map((yield* accounts.ages).map((age) => [age.symbol, age]))
    const { callsPerSecond, callsPerSweep, classes, notCovered, streamed, unmet } = made
    return {
      madeAt: new Date(madeAtMs).toISOString(),
      reason,
      symbols: planned.length,
      streamed,
      callsPerSecond,
      callsPerSweep,
      classes: classReports(classes, planned, ages),
      accounts: accountReports(yield* accounts.abilities, made),
      unmet,
      notCovered
    } satisfies PlanReport
  })

  const symbols = Effect.gen(function* () {
    const made = current.plan
    const ages = new Map((yield* accounts.ages).map((age) => [age.symbol, age]))
    const sweep = new Map(made.sweep.map(({ planned_ms, symbol }) => [symbol, planned_ms]))
    const streams = new Map([...held.values()].map(({ account, symbol }) => [symbol, account]))
    return planned.map((each) =>
      symbolCoverage(
        each,
        names.get(each.symbol)?.name,
        { sweep, streams },
        options.target_seconds[each.class],
        ages.get(each.symbol)
      )
    )
  })

  /** Writes down what the day got, at its end. */
  const tellDay = Effect.gen(function* () {
    yield* session.awaitChange(yield* marketNow)
    const receivedAtMs = yield* marketNow
    if (session.phaseAt(receivedAtMs) !== "closed") return
    const payload = dayCoverage(yield* report, yield* symbols)
    yield* journal.append([{ kind: "marker", receivedAtMs, source: "observer", payload }])
    yield* Effect.logInfo("the day's coverage", {
      symbols: payload.symbols,
      late: payload.lateSymbols,
      outside: payload.outsideSymbols
    })
  })

  const triggers = Stream.mergeAll(
    [
      Stream.map(universe.changes, () => "the symbols have changed"),
      accounts.changes,
      Stream.map(Stream.tick(replan_interval), () => "a look at who is lively").pipe(Stream.drop(1))
    ],
    { concurrency: "unbounded" }
  )
  const listen = Stream.runForEach(triggers, (reason) => mailbox.offer(reason))
  const work = mailbox.consume({
    handle: (reasons) => replan(reasons.join("; ")),
    batch_max: mailbox_reasons,
    onPoison: (reason) => Effect.logError("the plan could not be made", { reason })
  })

  return {
    coverage: Coverage.of({
      plan: report,
      symbols,
      symbol: (code) => Effect.map(symbols, (all) => all.find(({ symbol }) => symbol === code)),
      change: universe.change
    }),
    start: Effect.gen(function* () {
      yield* enforce(yield* planNow, startReason)
      // What changed while nobody listened is seen by a look of its own.
      const run = Effect.andThen(
        mailbox.offer("a look after a start"),
        Effect.raceAllFirst([listen, Effect.forever(tellDay), Effect.forever(letGo), work])
      )
      yield* supervisor.start({
        name: mailbox.actor,
        kind: "transient",
        policy: patient,
        mailbox,
        run,
        drain: mailbox.end
      })
    })
  }
})
