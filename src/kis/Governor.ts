import { Clock, Effect, Schema } from "effect"
import type { KisAccount } from "./Account.ts"
import { type Found, makeStateFile } from "./StateFile.ts"

/**
 * The broker blocks the address and the key of a client that "connects and closes repeatedly" (notice of 2026-02-24,
 * kis/websocket.md §6); the number is not published. One project allows itself two forced reconnects an hour. An honest
 * observer needs a few more at times: after an abrupt cut the broker keeps the slot for up to a minute, and the retries
 * at 5, 10, 20 and 40 s that meet it are connects, too. So eight may come close together, which is a start, one whole
 * such loss and a deploy; beyond that one every 15 minutes, which is twice the careful project's pace and costs a
 * quarter of an hour of ticks at the worst, while the sweep still covers the symbols. That is eleven in any hour.
 */
const burst = 8
const refill_ms = 900_000
const hour_ms = 3_600_000
export const connectsPerHour_max = burst + hour_ms / refill_ms - 1
/** No connect is closer to the one before: the shortest wait that the broker's kept slot makes sensible. */
export const connectDistance_ms = 5_000

const Connects = Schema.Struct({
  /** UTC milliseconds of the connects of the last hour, in order. */
  connectedAtMs: Schema.Array(Schema.Finite),
  /** When the whole burst is free again, if nothing connects until then. */
  fullAtMs: Schema.Finite
})
type Connects = typeof Connects.Type

export interface GovernorStatus {
  readonly connectsLastHour: number
  readonly connectsPerHour_max: number
  /** When the next connect is allowed; absent when it is now. */
  readonly nextAtMs?: number
}

export interface Governor {
  /** Waits until the account may connect, at the most a quarter of an hour for each who waits before. The connect is on disk when this returns. */
  readonly permit: Effect.Effect<void>
  readonly status: Effect.Effect<GovernorStatus>
}

const untouched: Connects = { connectedAtMs: [], fullAtMs: 0 }

/** What is assumed of a past that cannot be read: that the whole burst has just been spent. */
const spentAt = (atMs: number): Connects => ({
  connectedAtMs: Array.from({ length: burst }, () => atMs),
  fullAtMs: atMs + burst * refill_ms
})

const both = (one: Connects, other: Connects): Connects => ({
  connectedAtMs: [...new Set([...one.connectedAtMs, ...other.connectedAtMs])].sort((a, b) => a - b),
  fullAtMs: Math.max(one.fullAtMs, other.fullAtMs)
})

/** The record as the clock of now sees it: what lies in its future was written before the clock was set back. */
const asOf = ({ connectedAtMs, fullAtMs }: Connects, nowMs: number): Connects => ({
  connectedAtMs: connectedAtMs.map((at) => Math.min(at, nowMs)).filter((at) => at > nowMs - hour_ms),
  fullAtMs: Math.min(fullAtMs, nowMs + burst * refill_ms)
})

const connectsOf = (found: Found<Connects>, nowMs: number): Connects =>
  found._tag === "Known"
    ? asOf(found.value, nowMs)
    : found._tag === "Broken"
      ? asOf(spentAt(found.changedAtMs), nowMs)
      : untouched

const nextAtMs = ({ connectedAtMs, fullAtMs }: Connects): number =>
  Math.max((connectedAtMs.at(-1) ?? Number.NEGATIVE_INFINITY) + connectDistance_ms, fullAtMs - (burst - 1) * refill_ms)

/** Takes the next connect, or says how long to wait for it. What was healed in reading is written in either case. */
const take = (connects: Connects, nowMs: number): readonly [wait_ms: number, next: Connects] => {
  const wait_ms = nextAtMs(connects) - nowMs
  if (wait_ms > 0) return [wait_ms, connects]
  const { connectedAtMs, fullAtMs } = connects
  return [0, { connectedAtMs: [...connectedAtMs, nowMs], fullAtMs: Math.max(fullAtMs, nowMs) + refill_ms }]
}

const statusOf = (connects: Connects, nowMs: number): GovernorStatus => {
  const next = nextAtMs(connects)
  return {
    connectsLastHour: connects.connectedAtMs.length,
    connectsPerHour_max,
    ...(next > nowMs ? { nextAtMs: next } : {})
  }
}

/** What the state folder says of an account's connects; counts nothing and changes nothing. */
export const readConnects = Effect.fnUntraced(function* (account: KisAccount, stateDir: string) {
  const found = yield* makeStateFile(stateDir, "connects", account, Connects).read
  const nowMs = yield* Clock.currentTimeMillis
  return statusOf(connectsOf(found, nowMs), nowMs)
})

/**
 * Decides when an account may connect its stream, over every run and process that shares the state folder: a hundred
 * starts within a minute stay within the budget of one. A connect is written down before it is allowed, so that one
 * killed in the middle is counted; a record that cannot be read, or a folder that cannot be written, counts as a budget
 * just spent. A server that was started for this run has seen no connect before.
 */
export const makeGovernor = Effect.fnUntraced(function* (account: KisAccount, stateDir: string) {
  const { alias, endpoints } = account
  const file = makeStateFile(stateDir, "connects", account, Connects)
  const startedAtMs = yield* Clock.currentTimeMillis
  let known: Connects | undefined
  let unwritten = false

  /** Reads, decides, writes; from memory where the disk fails, which then begins with nothing to spend. */
  const decided = Effect.fnUntraced(function* (
    decide: (connects: Connects, nowMs: number) => readonly [wait_ms: number, next: Connects]
  ) {
    const outcome = yield* file
      .change((found, nowMs) => {
        const onDisk = connectsOf(found, nowMs)
        // What was allowed while the disk failed is not on it yet.
        const connects = unwritten && known !== undefined ? asOf(both(onDisk, known), nowMs) : onDisk
        const [wait_ms, next] = decide(connects, nowMs)
        return [{ wait_ms, next }, found._tag === "Known" && unchanged(found.value, next) ? undefined : next]
      })
      .pipe(
        Effect.tap(() => Effect.sync(() => void (unwritten = false))),
        Effect.catchTag("StateFileUnwritable", (error) =>
          Effect.gen(function* () {
            yield* Effect.logError("connects cannot be written down: the stream connects at the slow pace only", {
              account: alias,
              reason: error.message
            })
            const nowMs = yield* Clock.currentTimeMillis
            // The runs before may have connected and not been able to say so.
            if (!unwritten) known = both(known ?? untouched, spentAt(startedAtMs))
            unwritten = true
            const [wait_ms, next] = decide(asOf(known ?? untouched, nowMs), nowMs)
            return { wait_ms, next }
          })
        )
      )
    known = outcome.next
    return outcome.wait_ms
  })

  yield* decided((connects) => [0, endpoints.startedForUs === true ? untouched : connects])

  const inHour = () => known?.connectedAtMs.length ?? 0
  const permit = Effect.gen(function* () {
    while (true) {
      const wait_ms = yield* decided(take)
      if (wait_ms <= 0) return
      const untilMs = (yield* Clock.currentTimeMillis) + wait_ms
      const words = { account: alias, wait_seconds: Math.ceil(wait_ms / 1_000), connects_last_hour: inHour() }
      yield* wait_ms > connectDistance_ms
        ? Effect.logWarning("the stream may not connect yet: too many connects get the key blocked", words)
        : Effect.logDebug("the stream waits a moment before it connects", words)
      yield* Effect.sleep(Math.max(0, untilMs - (yield* Clock.currentTimeMillis)))
    }
  })

  return {
    permit,
    status: Effect.map(Clock.currentTimeMillis, (nowMs) => statusOf(asOf(known ?? untouched, nowMs), nowMs))
  } satisfies Governor
})

const unchanged = (before: Connects, after: Connects): boolean =>
  before.fullAtMs === after.fullAtMs &&
  before.connectedAtMs.length === after.connectedAtMs.length &&
  before.connectedAtMs.every((at, index) => at === after.connectedAtMs[index])
