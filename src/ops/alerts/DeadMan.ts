import { Effect, type Redacted, Schedule } from "effect"
import type { HealthReport } from "../Health.ts"
import type { DeliveryFailed } from "./Channel.ts"
import { post } from "./channels/post.ts"
import { meterDelivery } from "./deliveryMeter.ts"

/** Records of the broker's that are in the journal since the start; markers of our own do not count. */
const storedOf = ({ conservation }: HealthReport): number =>
  Object.entries(conservation).reduce((sum, [source, { stored }]) => (source === "observer" ? sum : sum + stored), 0)

/** Folders in these states do not keep what is written into them. */
const unusable = new Set(["full", "readOnly", "missing", "unreadable"])

/**
 * Why there must be no ping now; `undefined` when one is earned. While the market is open it is earned by data: records of
 * the broker's that were stored since the last ping, and are synced. While it is closed nothing is to be stored, and it is
 * earned by everything being fit for the morning: accounts that the broker takes, actors that run. At any time the journal
 * can be written, and folders can be used. The report's `journal.synced` may be younger than the rest of it.
 */
export const withheld = (report: HealthReport, storedBefore: number): string | undefined => {
  const { actors, disk, journal, parts } = report
  if (!journal.writable) return "the journal cannot be written"
  const folder = disk?.folders.find(({ state }) => unusable.has(state))
  if (folder !== undefined) return `the ${folder.name} folder is ${folder.state}`
  if (report.phase !== "closed") {
    if (storedOf(report) <= storedBefore) return "no data was stored since the last ping"
    return journal.synced.seq >= journal.head.seq ? undefined : "what was stored is not synced"
  }
  if (parts.accounts.status === "down") return "the broker refuses every account"
  const parked = actors.find(({ state }) => state._tag === "parked")
  return parked === undefined ? undefined : `${parked.name} rests after too many failures`
}

const pace = "1 minute"
/** Tries of one ping: the next minute brings another. */
const tries_max = 3
const pause = "3 seconds"
/** What was just appended is synced by then, or the disk is in trouble. */
const synced_seconds_max = 10
const channel = "ping"

/**
 * Calls an address once a minute, as long as it is earned, so that somebody elsewhere notices when it is not: a machine
 * that is off cannot say so itself. Never fails; what goes wrong is logged once until it works again.
 */
export const makeDeadMan = (url: Redacted.Redacted, report: Effect.Effect<HealthReport>) => {
  let before = 0
  let trouble: string | undefined

  const say = Effect.fnUntraced(function* (reason: string | undefined) {
    const isNew = (reason === undefined) !== (trouble === undefined)
    trouble = reason
    if (!isNew) return
    yield* reason === undefined
      ? Effect.logInfo("the dead-man ping is sent")
      : Effect.logWarning("the dead-man ping is not sent", { reason })
  })

  /** What is counted as stored now, and how far the record is synced once that had the time to be. */
  const look = Effect.gen(function* () {
    const seen = yield* report
    let { synced } = seen.journal
    for (let waited = 0; waited < synced_seconds_max && synced.seq < seen.journal.head.seq; waited++) {
      yield* Effect.sleep("1 second")
      synced = (yield* report).journal.synced
    }
    return { ...seen, journal: { ...seen.journal, synced } }
  })

  const send = Effect.gen(function* () {
    for (let tried = 1; ; tried++) {
      const sent = post({ channel, url })
      const error = yield* Effect.match(sent, {
        onFailure: (each): DeliveryFailed | undefined => each,
        onSuccess: () => undefined
      })
      if (error === undefined) return undefined
      if (!error.isRetryable || tried >= tries_max) return error.reason
      yield* meterDelivery(channel, "retried")
      yield* Effect.sleep(pause)
    }
  })

  const minute = Effect.gen(function* () {
    const seen = yield* look
    const reason = withheld(seen, before)
    if (reason !== undefined) return yield* say(reason)
    const failure = yield* send
    // What was told of is told; the next ping has to be earned anew.
    if (failure === undefined) before = storedOf(seen)
    yield* say(failure)
    yield* meterDelivery(channel, failure === undefined ? "sent" : "failed")
  })

  // The first minute is the start's: nothing is stored yet.
  return Effect.andThen(Effect.sleep(pace), Effect.repeat(minute, Schedule.fixed(pace))).pipe(
    Effect.andThen(Effect.never)
  )
}
