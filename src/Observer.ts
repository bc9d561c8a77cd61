import { Clock, Context, Effect, Layer, Option } from "effect"
import { patient, vital } from "./actor/RestartPolicy.ts"
import { type ActorExhausted, Supervisor } from "./actor/Supervisor.ts"
import { MarketClock, marketNow } from "./calendar/MarketClock.ts"
import { MarketSession } from "./calendar/MarketSession.ts"
import { missedSpans } from "./calendar/missedSpans.ts"
import type { GapPayload } from "./domain/Gap.ts"
import type { JournalRecord, RecordDraft } from "./domain/JournalRecord.ts"
import { gap, marker } from "./feed/FeedRecord.ts"
import { KisFeed } from "./feed/KisFeed.ts"
import { Compressor } from "./journal/Compressor.ts"
import { Conservation } from "./journal/Conservation.ts"
import { meterGaps } from "./journal/gapMeters.ts"
import { Journal } from "./journal/Journal.ts"
import { Backup } from "./ops/Backup.ts"
import { ConservationWatch } from "./ops/ConservationWatch.ts"
import { DiskWatch } from "./ops/DiskWatch.ts"
import { tellEnd } from "./ops/alerts/LastWords.ts"
import { LogKeeper } from "./ops/logging/LogKeeper.ts"
import { Retention } from "./ops/Retention.ts"
import { MinuteMarkers } from "./ops/MinuteMarkers.ts"
import { DayUniverse } from "./plan/DayUniverse.ts"
import { Planner } from "./plan/Planner.ts"
import { Certifier } from "./ops/Certifier.ts"
import { onHangup } from "./onHangup.ts"
import type { KisCredentialsRejected } from "./kis/KisError.ts"
import { Shards } from "./shard/Shards.ts"
import { type DatabaseUnusable, SqlPipeline } from "./sql/SqlPipeline.ts"

export interface ObserverOptions {
  readonly version: string
  /** What is observed and how, for the start marker. */
  readonly describe: Readonly<Record<string, unknown>>
  /** All of the drain must be done by then. */
  readonly drain_seconds: number
}

/** Part of the drain time that is left for closing files, sockets and the database afterwards. */
const closing_share = 0.2

/** By then the file of what is observed is written, or its disk is in trouble that a restart of its actor has not mended. */
const recorded_seconds_max = 30

/**
 * The root of the tree: starts the actors from the journal outwards, and ends them in the order in which data flows,
 * so that what was received is stored: sources, plan and universe, shards, the last minute's count, journal, followers.
 */
export class Observer extends Context.Service<
  Observer,
  {
    /** Observes until interrupted, then drains; fails only with what no restart can mend. */
    readonly run: Effect.Effect<never, ActorExhausted | KisCredentialsRejected | DatabaseUnusable>
    /** What is left of the drain time, in milliseconds, for closing files, sockets and the database. */
    readonly left_ms: Effect.Effect<number>
  }
>()("observer/Observer") {
  static readonly layer = (options: ObserverOptions) => Layer.effect(Observer, make(options))
}

/**
 * What one shard has in hand may be older than what another has just written, by the milliseconds that an append takes; a
 * run that was killed leaves nobody to say by how many. So its downtime begins so much before its newest record.
 */
const inHand_ms = 1_000

/** A hole that the last run left open, told as far as that run came: what was after it is nobody's in particular. */
const endOf = ({ account, payload }: JournalRecord, lastMs: number, nowMs: number): RecordDraft => {
  const { cause, from, symbol, to } = payload as Partial<GapPayload> as GapPayload
  const toMs = Math.max(Date.parse(to), lastMs)
  return gap(nowMs, { cause, ...(symbol === undefined ? {} : { symbol }), fromMs: Date.parse(from), toMs }, account)
}

const make = Effect.fnUntraced(function* ({ describe, drain_seconds, version }: ObserverOptions) {
  const supervisor = yield* Supervisor
  const journal = yield* Journal
  const compressor = yield* Compressor
  const conservation = yield* Conservation
  const shards = yield* Shards
  const feed = yield* KisFeed
  const sql = yield* SqlPipeline
  const session = yield* MarketSession
  const universe = yield* DayUniverse
  const planner = yield* Planner
  const certifier = yield* Certifier
  const watch = yield* ConservationWatch
  const minutes = yield* MinuteMarkers
  const disks = yield* DiskWatch
  const retention = yield* Retention
  const backup = yield* Backup

  const endRecord = Effect.gen(function* () {
    yield* journal.append([marker(yield* marketNow, { event: "stop" })])
    yield* journal.close
  })

  /** The start marker, a gap for each time since the last run in which the market was open, and how far the holes went that it left open. */
  const startRecords = Effect.gen(function* () {
    const nowMs = yield* marketNow
    const { beginsMs } = yield* MarketClock
    const { head, lastReceivedAt: newest, loss, openGaps = [], quarantined, unclean } = journal.recovered
    const lastMs = newest === undefined ? nowMs : Date.parse(newest)
    const setBack_ms = Math.max(0, lastMs - nowMs)
    if (setBack_ms > 0) {
      const words = "the newest record is later than now: the clock was set back, or another day is rehearsed"
      yield* Effect.logWarning(words, { newest, now: new Date(nowMs).toISOString() })
    }
    const found = {
      previousSeq: head.seq,
      unclean,
      ...(loss === undefined ? {} : { loss }),
      quarantined,
      ...(setBack_ms > 0 ? { setBack_ms } : {})
    }
    return [
      marker(nowMs, { event: "start", version, ...found, phase: session.phaseAt(nowMs), ...describe }),
      ...missedSpans({ lastMs: unclean ? lastMs - inHand_ms : lastMs, nowMs, beginsMs }, session.openSpans).map(
        (span) => gap(nowMs, { ...span, cause: "downtime" })
      ),
      ...openGaps.map((open) => endOf(open, lastMs, nowMs))
    ]
  })

  /** Nobody observes by a list that is not on record; but what the market does meanwhile would be lost for good. */
  const awaitRecorded = Effect.gen(function* () {
    const isRecorded = yield* Effect.timeoutOption(universe.recorded, `${recorded_seconds_max} seconds`)
    if (Option.isSome(isRecorded)) return
    yield* Effect.logError("what is observed cannot be put on record; it is observed all the same, and tried again", {
      waited_seconds: recorded_seconds_max
    })
  })

  const start = Effect.gen(function* () {
    yield* supervisor.start({ name: "journal", kind: "transient", policy: vital, run: journal.run, drain: endRecord })
    const records = yield* startRecords
    yield* journal.append(records)
    // What the last run left open it has counted itself.
    yield* meterGaps(records.filter(({ symbol }) => symbol === undefined))
    yield* supervisor.start({ name: "log", kind: "permanent", policy: patient, run: (yield* LogKeeper).run })
    yield* supervisor.start({ name: "disk", kind: "permanent", policy: patient, run: disks.run })
    yield* compressor.start
    yield* sql.start
    yield* shards.start
    yield* supervisor.start({ name: "conservation", kind: "permanent", policy: patient, run: watch.run })
    const { end: drain, run } = minutes
    yield* supervisor.start({ name: "minutes", kind: "transient", policy: patient, run, drain })
    yield* supervisor.start({ name: "universe", kind: "permanent", policy: patient, run: universe.run })
    yield* supervisor.start({
      name: "universe/changes",
      kind: "transient",
      policy: patient,
      ...(yield* universe.changer)
    })
    yield* supervisor.start({ name: "universe/hangup", kind: "permanent", policy: patient, run: onHangup(universe) })
    yield* awaitRecorded
    yield* planner.start
    yield* feed.start
    yield* supervisor.start({ name: "certifier", kind: "permanent", policy: patient, run: certifier.run })
    yield* supervisor.start({ name: "retention", kind: "permanent", policy: patient, run: retention.run })
    if ((yield* backup.status) !== undefined) {
      yield* supervisor.start({ name: "backup", kind: "permanent", policy: patient, run: backup.run })
    }
  })

  /** What the drain has come to. Only what is in the journal's file is ever stored. */
  const sayStopped = Effect.fnUntraced(function* (late: ReadonlyArray<string>) {
    const { seq } = yield* journal.head
    if (late.length === 0) return yield* Effect.logInfo("stopped: everything is stored", { seq })
    const figures = { drain_seconds, late, seq }
    if (!late.includes("journal")) {
      const words = "the drain took too long and was cut off; the journal keeps what SQL has not stored"
      return yield* Effect.logWarning(words, figures)
    }
    const { reason, waitingAppends } = yield* journal.status
    const held = [...(yield* conservation.balances).values()].reduce((sum, { inFlight }) => sum + inFlight, 0)
    yield* Effect.logError("the drain took too long and was cut off; what had not come to the journal's file is lost", {
      ...figures,
      notStored_records: held,
      waitingAppends,
      ...(reason === undefined ? {} : { reason })
    })
  })

  let stopsSinceMs: number | undefined
  const left_ms = Effect.map(Clock.currentTimeMillis, (nowMs) =>
    Math.max(0, drain_seconds * 1_000 - (nowMs - (stopsSinceMs ?? nowMs)))
  )

  const stop = Effect.gen(function* () {
    stopsSinceMs = yield* Clock.currentTimeMillis
    yield* Effect.logInfo("stopping: what was received is being stored")
    const late = yield* supervisor.shutdown({
      order: [
        "systemd",
        "alerts",
        // It would hold appends back again for want of room, and what comes after it waits for them.
        "disk",
        "account",
        "planner",
        "universe",
        "certifier",
        "retention",
        "backup",
        "shard",
        "minutes",
        "compressor",
        "journal",
        "follower"
      ],
      deadline_ms: drain_seconds * (1 - closing_share) * 1_000
    })
    yield* sayStopped(late)
  })

  const fatal = Effect.tapError(
    Effect.raceFirst(supervisor.escalated, Effect.raceFirst(feed.refused, sql.unusable)),
    tellEnd
  )
  return Observer.of({ run: Effect.ensuring(Effect.andThen(start, fatal), stop), left_ms })
})
