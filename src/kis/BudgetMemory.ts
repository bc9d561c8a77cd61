import { Clock, Effect, Schema } from "effect"
import type { KisAccount } from "./Account.ts"
import { type BudgetStanding, type CallBudget, makeCallBudget } from "./CallBudget.ts"
import type { CallLimit } from "./CallLimits.ts"
import { makeStateFile, type StateFile } from "./StateFile.ts"

/**
 * What one key's budget remembers across restarts. Of `effect/persistence`, `KeyValueStore.layerFileSystem` writes in place
 * (a kill leaves half a file) with the folder's mode, so the file is ours, as the token's is. `RateLimiter` gives tokens
 * back by the clock of the sender, not by the answer, which is the one thing that keeps a second of the broker's within
 * its limit; it has neither turns nor refusals to learn from (its `adaptive` half waits for a `Retry-After`, which the
 * broker does not send), and `PersistedCache` and `PersistedQueue` keep values, not rates.
 */
const Remembered = Schema.Struct({
  /** The published limit at that time, and what was found instead. */
  callsPerSecond: Schema.Int,
  learntPerSecond: Schema.Int,
  ceiling: Schema.optionalKey(Schema.Int),
  /** UTC milliseconds of the last change of it. */
  learntAtMs: Schema.Finite,
  /** UTC milliseconds at which the places of the last second become free: only after an orderly end. */
  spentUntilMs: Schema.optionalKey(Schema.Array(Schema.Finite))
})
type Remembered = typeof Remembered.Type

/** A change is on disk so much later at the most; a rate that swings costs no more writes than that. */
const write_every_ms = 5_000

/** A failure is logged, not fatal: the next run learns again. */
const remember = (state: StateFile<Remembered>, memory: Remembered) =>
  Effect.catch(
    state.change(() => [undefined, memory]),
    ({ message }) =>
      Effect.logWarning("the call budget could not be remembered; a restart will learn again", { reason: message })
  )

/** The places still taken of the run before; `undefined` when it did not end in order, or the clock was set back since. */
const spentBefore = ({ endpoints }: KisAccount, known: Remembered | undefined, nowMs: number): number | undefined => {
  if (endpoints.startedForUs === true) return 0
  const until = known?.spentUntilMs
  if (until === undefined || until.some((at) => at > nowMs + 3_000)) return undefined
  return until.filter((at) => at > nowMs).length
}

export interface RememberedBudget extends CallBudget {
  /** Writes what is learnt, for ever; for a supervisor to run. */
  readonly keep: Effect.Effect<never>
}

/**
 * The call budget of one key, which goes on where the run before was: at the rate it had learnt, and with the calls of its
 * last second, which count as spent whenever they are not known. The scope's end writes them down, so it has to come
 * after the last call.
 */
export const makeRememberedBudget = Effect.fn("BudgetMemory.make")(function* (
  account: KisAccount,
  stateDir: string,
  limit: CallLimit
) {
  const state = makeStateFile(stateDir, "budget", account, Remembered)
  const found = yield* state.read
  const known = found._tag === "Known" ? found.value : undefined
  const clock = yield* Clock.Clock
  const wallMs = () => clock.currentTimeMillisUnsafe()
  const startMs = wallMs()
  const { callsPerSecond } = limit
  const budget = yield* makeCallBudget(callsPerSecond, {
    asOf: limit.asOf,
    spent: spentBefore(account, known, startMs),
    recalled: known && {
      limit: known.callsPerSecond,
      rate: known.learntPerSecond,
      ...(known.ceiling === undefined ? {} : { ceiling: known.ceiling }),
      age_ms: startMs - known.learntAtMs
    }
  })
  const { learnt: first } = yield* budget.standing
  yield* Effect.logInfo(`at most ${callsPerSecond} calls a second`, {
    account: account.alias,
    source: limit.source,
    ...(limit.asOf === undefined ? {} : { as_of: limit.asOf }),
    ...(first.rate === callsPerSecond ? {} : { learnt_per_second: first.rate })
  })

  /** Unchanged since the start, what was learnt is as old as it was. */
  const memoryOf = ({ learnt }: BudgetStanding): Remembered => ({
    callsPerSecond,
    learntPerSecond: learnt.rate,
    ...(learnt.ceiling === undefined ? {} : { ceiling: learnt.ceiling }),
    learntAtMs:
      learnt.changedAtMs === first.changedAtMs
        ? (known?.learntAtMs ?? startMs)
        : Math.round(wallMs() - (monotonicMs() - learnt.changedAtMs))
  })
  const monotonicMs = () => Number(clock.monotonicTimeNanosUnsafe()) / 1e6
  const write = (memory: Remembered) => remember(state, memory)

  // From here on the last second is not known to whoever comes after a kill.
  yield* write(memoryOf(yield* budget.standing))
  yield* Effect.addFinalizer(() =>
    Effect.flatMap(budget.standing, (standing) => {
      const spentUntilMs = standing.spentMs.map((at) => Math.ceil(wallMs() + at - monotonicMs()))
      return write({ ...memoryOf(standing), spentUntilMs })
    })
  )

  let writtenMs = first.changedAtMs
  const keep = Effect.gen(function* () {
    yield* Effect.sleep(write_every_ms)
    const standing = yield* budget.standing
    const { changedAtMs, rate } = standing.learnt
    if (changedAtMs === writtenMs) return
    writtenMs = changedAtMs
    yield* Effect.logInfo(`the broker takes ${rate} calls a second`, { account: account.alias, limit: callsPerSecond })
    yield* write(memoryOf(standing))
  }).pipe(Effect.forever)

  return { ...budget, keep } satisfies RememberedBudget
})

/** What the last run has learnt of the calls that the broker takes; `undefined` where there is nothing that can be read. */
export const readLearnt = Effect.fnUntraced(function* (account: KisAccount, stateDir: string) {
  const found = yield* makeStateFile(stateDir, "budget", account, Remembered).read
  if (found._tag !== "Known") return undefined
  const { callsPerSecond, learntAtMs, learntPerSecond } = found.value
  return { callsPerSecond, learntPerSecond, learntAtMs }
})
