import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Schema } from "effect"
import { TestClock } from "effect/testing"
import type { RecordDraft } from "../../src/domain/JournalRecord.ts"
import { KisCredentialsRejected } from "../../src/kis/KisError.ts"
import { openMs } from "../journal/fixtures.ts"
import { allListed, calm, refusal, stage } from "./weather.ts"

const codes = (count: number) => Array.from({ length: count }, (_, at) => `00${1_000 + at}`)
const targetsOf = (symbols: ReadonlyArray<string>, target_ms: number, planned_ms = target_ms) =>
  symbols.map((symbol) => ({ symbol, target_ms, planned_ms }))

const pass = Effect.fnUntraced(function* (seconds: number, look: Effect.Effect<void> = Effect.void) {
  for (let step = 0; step < seconds * 20; step++) {
    yield* TestClock.adjust(50)
    yield* look
  }
})

interface Told {
  readonly number: number
  readonly asked: number
  readonly answered: number
  readonly missing: ReadonlyArray<string>
  readonly took_ms: number
}
const roundsIn = (drafts: ReadonlyArray<RecordDraft>) =>
  drafts.flatMap(({ kind, payload, receivedAtMs }) =>
    kind === "marker" ? [{ ...(payload as unknown as Told), endedAtMs: receivedAtMs }] : []
  )
const namedIn = (drafts: ReadonlyArray<RecordDraft>) =>
  drafts.flatMap(({ kind, symbol = "" }) => (kind === "gap" ? [symbol] : []))

const share = (most: number) => Schema.Literals([0, 0, most / 4, most / 2, most])
const int = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))
const Scene = Schema.Struct({
  accounts: int(1, 8),
  callsPerSecond: int(2, 18),
  symbols: int(1, 240),
  unlisted: Schema.Array(int(0, 239)),
  sick: Schema.Array(int(0, 239)),
  latency_ms_max: Schema.Literals([0, 50, 400, 1_500]),
  lost_share: share(0.3),
  refused_share: share(0.1),
  missing_share: share(0.2),
  seed: int(0, 1_000_000)
})

describe("a sweep in any weather", () => {
  it.effect.prop(
    "misses no symbol in any round, names those the broker does not have once, and its sums are right",
    [Scene],
    ([scene]) =>
      Effect.gen(function* () {
        const symbols = codes(scene.symbols)
        const some = (places: ReadonlyArray<number>) =>
          new Set(places.slice(0, 4).flatMap((place) => symbols[place] ?? []))
        const listing = { unlisted: some(scene.unlisted), sick: some(scene.sick) }
        const lost = new Set([...listing.unlisted, ...listing.sick])
        const { accounts, drafts, progressOf, seen } = yield* stage({
          ...scene,
          listing,
          weather: scene,
          targets: targetsOf(symbols, 10_000)
        })
        for (const { run } of accounts) yield* Effect.forkScoped(run)
        yield* pass(90)

        const rounds = roundsIn(drafts)
        const named = namedIn(drafts)
        if (lost.size < symbols.length) assert.isAtLeast(rounds.length, 1)
        assert.deepStrictEqual(
          rounds.map(({ number }) => number),
          rounds.map((_, index) => index + 1)
        )
        for (const { answered, asked, endedAtMs, missing, number } of rounds) {
          assert.strictEqual(asked, answered + missing.length)
          const answers = new Map<string, number>()
          for (const { atMs, symbol } of seen) {
            if (atMs <= endedAtMs) answers.set(symbol, (answers.get(symbol) ?? 0) + 1)
          }
          // As many answers as rounds. Whom it named in an earlier round, the sweep does not wait for.
          const left = symbols.filter(
            (symbol) => (answers.get(symbol) ?? 0) < number && ![...missing, ...named].includes(symbol)
          )
          assert.deepStrictEqual(left, [], `round ${number}`)
        }
        const everSeen = new Set(seen.map(({ symbol }) => symbol))
        assert.deepStrictEqual(
          symbols.filter((symbol) => !lost.has(symbol) && !everSeen.has(symbol)),
          []
        )
        if (lost.size < symbols.length) {
          for (const symbol of lost) assert.strictEqual(named.filter((each) => each === symbol).length, 1, symbol)
        }
        // A broker that refuses at random may refuse the very call for one; else nobody is named whom it has.
        if (scene.refused_share === 0) assert.sameMembers(named, [...progressOf().unknown])
      }),
    { arbitrary: { runs: 12 }, timeout: 120_000 }
  )

  it.effect.prop(
    "visits a class with a third of the target about three times as often when calls are short",
    [int(1, 8), int(1, 2), Schema.Literals([1, 2]), Schema.Literals([50, 900, 2_500]), share(0.1), int(0, 1_000_000)],
    ([accounts, callsPerSecond, stretch, latency_ms_max, lost_share, seed]) =>
      Effect.gen(function* () {
        const symbols = codes(accounts * callsPerSecond * 30 * 9 * stretch)
        const watched = symbols.slice(0, symbols.length / 10)
        const others = symbols.slice(symbols.length / 10)
        // The plan counts on every call; latency and losses take some of them.
        const planned = (watched.length / 3 + others.length / 9) / (accounts * callsPerSecond * 30)
        const { accounts: all, seen } = yield* stage({
          accounts,
          callsPerSecond,
          seed,
          listing: allListed,
          weather: { ...calm, latency_ms_max, lost_share },
          targets: [...targetsOf(watched, 3_000, 3_000 * planned), ...targetsOf(others, 9_000, 9_000 * planned)]
        })
        for (const { run } of all) yield* Effect.forkScoped(run)
        yield* pass(180)
        const counts = new Map(symbols.map((symbol) => [symbol, 0]))
        for (const { symbol } of seen) counts.set(symbol, (counts.get(symbol) ?? 0) + 1)
        const visits = (of: ReadonlyArray<string>) =>
          of.reduce((sum, symbol) => sum + (counts.get(symbol) ?? 0), 0) / of.length
        assert.approximately(visits(watched) / visits(others), 3, 0.3)
        // And nobody pays for it alone.
        for (const symbol of others) assert.isAtLeast(counts.get(symbol) ?? 0, visits(others) - 2, symbol)
      }),
    { arbitrary: { runs: 8 }, timeout: 120_000 }
  )

  /** Two accounts that could see everybody in 3.3 s together, and in 6.7 s alone. */
  const twoAccounts = Effect.gen(function* () {
    const symbols = codes(600)
    const targets = targetsOf(symbols, 10_000, 3_400)
    const options = { accounts: 2, callsPerSecond: 3, targets, weather: calm, listing: allListed, seed: 1 }
    const staged = yield* stage(options)
    const [first, second] = staged.accounts
    assert(first !== undefined && second !== undefined)
    const oldest = Effect.map(staged.sweep.ages, (ages) => Math.max(...ages.map(({ staleness_ms }) => staleness_ms)))
    /** Lets time pass, and says how old a symbol became at the most. */
    const worstOver = (seconds: number) =>
      Effect.gen(function* () {
        let worst_ms = 0
        const look = Effect.map(oldest, (now_ms) => void (worst_ms = Math.max(worst_ms, now_ms)))
        yield* pass(seconds, look)
        return worst_ms
      })
    return { ...staged, first, second, oldest, worstOver }
  })

  it.effect("spends every call of both accounts, on nobody twice before everybody once", () =>
    Effect.gen(function* () {
      const { first, oldest, second, seen } = yield* twoAccounts
      yield* Effect.forkScoped(first.run)
      yield* Effect.forkScoped(second.run)
      yield* pass(60)
      assert.isAtLeast(first.staged.calls, 178)
      assert.isAtLeast(second.staged.calls, 178)
      assert.isAtMost(yield* oldest, 4_500)
      assert.isAtLeast(seen.length, 350 * 30)
      assert.sameMembers([...new Set(seen.map(({ account }) => account))], ["account-0", "account-1"])
    })
  )

  it.effect(
    "pauses an account whose every call is refused, and that one alone; the other has its symbols at once",
    () =>
      Effect.gen(function* () {
        const { drafts, first, oldest, progressOf, second, worstOver } = yield* twoAccounts
        yield* Effect.forkScoped(first.run)
        yield* Effect.forkScoped(second.run)
        yield* pass(10)
        first.staged.hindrance = Effect.fail(refusal)
        const worst_ms = yield* worstOver(60)
        assert.deepInclude(first.statusOf(), { state: "degraded", reason: refusal.message })
        assert.strictEqual(second.statusOf().state, "ok")
        // What one account can do, and no moment more for what the other held.
        assert.isAtMost(worst_ms, 7_500)
        assert.deepStrictEqual([namedIn(drafts), progressOf().unknown], [[], []])
        assert.isTrue(roundsIn(drafts).every(({ missing }) => missing.length === 0))
        const { calls } = first.staged
        yield* pass(60)
        assert.isAtMost(first.staged.calls - calls, 20)

        first.staged.hindrance = Effect.void
        while (first.statusOf().state !== "ok") yield* TestClock.adjust(50)
        // Answered once, it spends all its calls again, whatever pauses its other workers were in.
        const before = first.staged.calls
        yield* pass(10)
        assert.isAtLeast(first.staged.calls - before, 28)
        assert.strictEqual(first.statusOf().state, "ok")
        assert.isAtMost(yield* oldest, 4_500)
      })
  )

  it.effect("lets the other account ask for what hangs with one that has gone silent", () =>
    Effect.gen(function* () {
      const { drafts, first, oldest, second, worstOver } = yield* twoAccounts
      yield* Effect.forkScoped(first.run)
      yield* Effect.forkScoped(second.run)
      yield* pass(10)
      first.staged.hindrance = Effect.never
      const worst_ms = yield* worstOver(60)
      assert.isAtMost(worst_ms, 12_000)
      assert.deepStrictEqual(namedIn(drafts), [])
      assert.isAtMost(yield* oldest, 7_500)
    })
  )

  it.effect("lets an account whose keys are refused stop alone, with its symbols at the other at once", () =>
    Effect.gen(function* () {
      const { drafts, first, second, worstOver } = yield* twoAccounts
      const running = yield* Effect.forkScoped(Effect.flip(first.run))
      yield* Effect.forkScoped(second.run)
      yield* pass(10)
      const rejected = new KisCredentialsRejected({ account: "account-0", code: "EGW00103" })
      first.staged.hindrance = Effect.fail(rejected)
      const worst_ms = yield* worstOver(30)
      assert.strictEqual(yield* Fiber.join(running), rejected)
      const { calls } = first.staged
      assert.isAtMost(worst_ms, 7_500)
      yield* pass(10)
      assert.strictEqual(first.staged.calls, calls)
      assert.strictEqual(second.statusOf().state, "ok")
      assert.deepStrictEqual(namedIn(drafts), [])
    })
  )

  it.effect("is over an outage of all accounts in one pass, and says whom it made late and why", () =>
    Effect.gen(function* () {
      const { drafts, first, oldest, second, sweep } = yield* twoAccounts
      yield* Effect.forkScoped(first.run)
      yield* Effect.forkScoped(second.run)
      yield* pass(10)
      for (const { staged } of [first, second]) staged.hindrance = Effect.fail(refusal)
      yield* pass(60)
      for (const { staged } of [first, second]) staged.hindrance = Effect.void
      yield* pass(50)
      assert.isAtMost(yield* oldest, 4_500)
      const late = (yield* sweep.ages).filter((each) => each.late.times > 0)
      assert.strictEqual(late.length, 600)
      assert.isAbove(Math.min(...late.map((each) => each.late.worst_ms)), 50_000)
      assert.include(
        late.map((each) => each.late.reason),
        refusal.message
      )
      assert.deepStrictEqual(namedIn(drafts), [])
    })
  )

  it.effect("finds those that are sick at the very start, when nobody was ever answered, though they come first", () =>
    Effect.gen(function* () {
      const symbols = codes(20)
      const sick = symbols.slice(0, 8)
      const targets = targetsOf(symbols, 10_000)
      const listing = { unlisted: new Set<string>(), sick: new Set(sick) }
      const { accounts, drafts, progressOf, seen } = yield* stage({
        accounts: 1,
        callsPerSecond: 3,
        targets,
        weather: calm,
        listing,
        seed: 1
      })
      for (const { run } of accounts) yield* Effect.forkScoped(run)
      yield* pass(120)
      assert.sameMembers(namedIn(drafts), sick)
      assert.sameMembers([...progressOf().unknown], sick)
      assert.sameMembers([...new Set(seen.map(({ symbol }) => symbol))], symbols.slice(8))
      assert.strictEqual(accounts[0]?.statusOf().state, "ok")
    })
  )

  it.effect("rests for the night without a call, finds nobody late for it, and counts ages from the opening on", () =>
    Effect.gen(function* () {
      const closeMs = openMs + 11 * 3_600_000
      yield* TestClock.setTime(closeMs - 20_000)
      const targets = targetsOf(codes(60), 10_000, 700)
      const options = { accounts: 1, callsPerSecond: 3, targets, weather: calm, listing: allListed, seed: 1 }
      const { accounts, drafts, progressOf, sweep } = yield* stage({ ...options, mode: "calendar" })
      const [only] = accounts
      assert(only !== undefined)
      yield* Effect.forkScoped(only.run)
      const oldest = Effect.map(sweep.ages, (ages) => Math.max(...ages.map(({ staleness_ms }) => staleness_ms)))
      yield* pass(40)
      assert.strictEqual(only.statusOf().state, "closed")
      const { calls } = only.staged
      yield* TestClock.adjust("11 hours")
      assert.strictEqual(only.staged.calls, calls)
      assert.isAtMost(yield* oldest, 2_000)
      assert.deepInclude(yield* sweep.coverage(1), { seen: 60, stale: 0 })

      yield* TestClock.setTime(closeMs + 12 * 3_600_000 - 15_000)
      yield* pass(60)
      assert.strictEqual(only.statusOf().state, "ok")
      assert.isAbove(only.staged.calls, calls + 90)
      assert.isTrue((yield* sweep.ages).every(({ late }) => late.times === 0))
      // The round that the night cut short began anew.
      assert.isTrue(roundsIn(drafts).every(({ took_ms }) => took_ms < 5_000))
      only.staged.hindrance = Effect.fail(refusal)
      yield* pass(50)
      assert.strictEqual(only.statusOf().state, "degraded")
      assert.isAtLeast(yield* oldest, 50_000)
      assert.strictEqual((yield* sweep.coverage(40)).stale, 60)
      assert.deepStrictEqual(progressOf().unknown, [])
    })
  )
})
