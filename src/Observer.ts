import { Clock, Context, Effect, Layer } from "effect"
import { vital } from "./actor/RestartPolicy.ts"
import { type ActorExhausted, Supervisor } from "./actor/Supervisor.ts"
import { gap, marker } from "./feed/FeedRecord.ts"
import { KisFeed } from "./feed/KisFeed.ts"
import { Journal } from "./journal/Journal.ts"
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

/**
 * The root of the tree: starts the actors from the journal outwards, and ends them in the order in which data flows,
 * so that what was received is stored: sources, shards, journal, followers.
 */
export class Observer extends Context.Service<
  Observer,
  {
    /** Observes until interrupted, then drains; fails only with what no restart can mend. */
    readonly run: Effect.Effect<never, ActorExhausted | KisCredentialsRejected | DatabaseUnusable>
  }
>()("observer/Observer") {
  static readonly layer = (options: ObserverOptions) => Layer.effect(Observer, make(options))
}

const make = Effect.fnUntraced(function* ({ describe, drain_seconds, version }: ObserverOptions) {
  const supervisor = yield* Supervisor
  const journal = yield* Journal
  const shards = yield* Shards
  const feed = yield* KisFeed
  const sql = yield* SqlPipeline

  const endRecord = Effect.gen(function* () {
    yield* journal.append([marker(yield* Clock.currentTimeMillis, { event: "stop" })])
    yield* journal.close
  })

  const start = Effect.gen(function* () {
    yield* supervisor.start({ name: "journal", kind: "transient", policy: vital, run: journal.run, drain: endRecord })
    const now = yield* Clock.currentTimeMillis
    const { head, lastReceivedAt, quarantined, unclean } = journal.recovered
    yield* journal.append([
      marker(now, { event: "start", version, previousSeq: head.seq, unclean, quarantined, ...describe }),
      ...(lastReceivedAt === undefined
        ? []
        : [gap(now, { fromMs: Date.parse(lastReceivedAt), toMs: now, cause: "downtime" })])
    ])
    yield* sql.start
    yield* shards.start
    yield* feed.start
  })

  const stop = Effect.gen(function* () {
    yield* Effect.logInfo("stopping: what was received is being stored")
    const late = yield* supervisor.shutdown({
      order: ["account", "shard", "journal", "follower"],
      deadline_ms: drain_seconds * (1 - closing_share) * 1_000
    })
    const { seq } = yield* journal.head
    yield* late.length === 0
      ? Effect.logInfo("stopped: everything is stored", { seq })
      : Effect.logWarning("the drain took too long and was cut off; the journal keeps what SQL has not stored", {
          drain_seconds,
          late,
          seq
        })
  })

  const fatal = Effect.raceFirst(supervisor.escalated, Effect.raceFirst(feed.refused, sql.unusable))
  return Observer.of({ run: Effect.ensuring(Effect.andThen(start, fatal), stop) })
})
