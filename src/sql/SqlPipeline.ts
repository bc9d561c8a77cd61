import * as NodeServices from "@effect/platform-node/NodeServices"
import { Clock, Context, Deferred, Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { patient } from "../actor/RestartPolicy.ts"
import { Supervisor } from "../actor/Supervisor.ts"
import type { FolderLocked, FolderUnwritable } from "../journal/FolderLock.ts"
import { drive, type FollowerDriver, type FollowerStatus } from "../journal/Follower.ts"
import { Journal } from "../journal/Journal.ts"
import * as Database from "./Database.ts"
import type { EmbeddedDatabaseError } from "./EmbeddedDatabase.ts"
import { migrate, migrationsIn } from "./Migrations.ts"
import { keepHouse } from "./SqlHousekeeping.ts"
import { makeSqlFollower } from "./SqlFollower.ts"

/** The embedded database cannot be opened; a server that is down is no such error, it is waited for. */
export type DatabaseUnusable = EmbeddedDatabaseError | FolderLocked | FolderUnwritable

export interface SqlPipelineOptions {
  readonly database: Database.DatabaseOptions
  readonly node: string
  /** The folder of the compiled migrations. */
  readonly migrations: string
  /** Market days that are kept besides today; 0 keeps all. */
  readonly retention_days: number
}

const batchSize = 1_000
const catchUpSize = 5_000
const linger = "100 millis"
const actor = "follower/sql"

/** The follower that brings the journal into SQL, with its database: opened beside everything else, so that no tick waits for it. */
export class SqlPipeline extends Context.Service<
  SqlPipeline,
  {
    readonly start: Effect.Effect<void>
    /** `undefined` when SQL is off. */
    readonly status: Effect.Effect<FollowerStatus | undefined>
    /** The open database, for counting what is in it; `undefined` while there is none. A server may still be down. */
    readonly client: Effect.Effect<SqlClient.SqlClient | undefined>
    /** Fails when the embedded database cannot be opened; else never returns. */
    readonly unusable: Effect.Effect<never, DatabaseUnusable>
  }
>()("observer/sql/SqlPipeline") {
  static readonly layerOff = Layer.succeed(SqlPipeline, {
    start: Effect.void,
    status: Effect.undefined,
    client: Effect.undefined,
    unusable: Effect.never
  })
  static readonly layer = (options: SqlPipelineOptions) => Layer.effect(SqlPipeline, make(options))
}

const make = Effect.fnUntraced(function* (options: SqlPipelineOptions) {
  const supervisor = yield* Supervisor
  const journal = yield* Journal
  const unusable = yield* Deferred.make<never, DatabaseUnusable>()
  const createdAtMs = yield* Clock.currentTimeMillis
  let driver: FollowerDriver | undefined
  let client: SqlClient.SqlClient | undefined

  const prepare = Effect.provide(migrate(migrationsIn(options.migrations)), NodeServices.layer)
  const follow = Effect.gen(function* () {
    const own = yield* SqlClient.SqlClient
    client = own
    const isPrepared = yield* Deferred.make<void>()
    const follower = yield* makeSqlFollower({
      node: options.node,
      batchSize,
      catchUpSize,
      linger,
      prepare: Effect.andThen(
        Effect.provideService(prepare, SqlClient.SqlClient, own),
        Deferred.succeed(isPrepared, undefined)
      )
    })
    driver = yield* drive(follower)
    const keeping = Effect.andThen(Deferred.await(isPrepared), keepHouse(options.retention_days))
    yield* Effect.raceFirst(driver.run, keeping)
  }).pipe(Effect.ensuring(Effect.sync(() => (client = undefined))))
  const giveUp = (error: DatabaseUnusable) => Effect.andThen(Deferred.fail(unusable, error), Effect.never)
  // A fresh layer for every run: a restarted follower gets a database opened anew.
  const run = Effect.suspend(() => Effect.provide(follow, Database.layerSupervised(options.database))).pipe(
    Effect.provideService(Journal, journal),
    Effect.provideService(Supervisor, supervisor),
    Effect.catchTag(["EmbeddedDatabaseError", "FolderLocked", "FolderUnwritable"], giveUp)
  )

  return SqlPipeline.of({
    // Asked to end it goes on until a closed journal is stored to its end and the database is closed.
    start: supervisor.start({ name: actor, kind: "transient", policy: patient, run, drain: Effect.void }),
    status: Effect.suspend(() => {
      if (driver !== undefined) return driver.status
      return Effect.map(journal.head, ({ seq }) => ({
        name: "sql",
        state: "starting" as const,
        sinceMs: createdAtMs,
        seq: 0,
        lag_records: seq,
        lag_bytes: 0,
        lag_seconds: 0,
        lastGoodAtMs: undefined
      }))
    }),
    client: Effect.sync(() => client),
    unusable: Deferred.await(unusable)
  })
})
