import * as PgClient from "@effect/sql-pg/PgClient"
import { Effect, Layer, type Redacted } from "effect"
import type { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { patient } from "../actor/RestartPolicy.ts"
import { Supervisor } from "../actor/Supervisor.ts"
import type { FolderLocked, FolderUnwritable } from "../journal/FolderLock.ts"
import * as EmbeddedDatabase from "./EmbeddedDatabase.ts"
import { makeTypes } from "./jsonText.ts"
import { openSocket } from "./ServerSocket.ts"

/** A PostgreSQL server by its URL, or the one inside this process and the folder that is its own. */
export type DatabaseOptions =
  | { readonly _tag: "server"; readonly url: Redacted.Redacted }
  | { readonly _tag: "embedded"; readonly folder: string }

/** Nothing the observer asks takes longer. */
const statement_timeout_ms = 30_000
/** The server ends a statement before this; if it has not, it is hung, and so the connection is closed. */
const silence_ms = 40_000

const common = {
  applicationName: "observer",
  types: makeTypes(),
  connectTimeout: "5 seconds",
  startupParameters: { statement_timeout: String(statement_timeout_ms) }
} as const

const server = (url: Redacted.Redacted) =>
  PgClient.layer({ ...common, url, stream: () => openSocket(url, silence_ms), maxConnections: 4 })

const actor = "database"

/** Opens the embedded database as an actor, and waits until it listens. */
export const openEmbedded = Effect.fnUntraced(function* (folder: string) {
  const supervisor = yield* Supervisor
  const { endpoint, run } = yield* EmbeddedDatabase.make({ folder })
  yield* Effect.acquireRelease(supervisor.start({ name: actor, kind: "permanent", policy: patient, run }), () =>
    supervisor.stop(actor)
  )
  return yield* endpoint
})

const embedded = (folder: string) =>
  Layer.unwrap(
    Effect.map(openEmbedded(folder), (endpoint) =>
      PgClient.layer({
        ...common,
        ...endpoint,
        username: "postgres",
        database: "postgres",
        ssl: false,
        // PGlite is one session: a second connection mixes its answers into the first. Each new connection would also
        // leave its prepared statements behind in that session, so it is kept.
        maxConnections: 1,
        idleTimeout: "1 day"
      })
    )
  )

/**
 * The SQL client. With a server it connects when the first statement runs, so one that is down fails statements with a
 * retryable `SqlError` and never the start; the embedded database, an actor, must open its folder, or the layer fails.
 */
export const layerSupervised = (
  options: DatabaseOptions
): Layer.Layer<
  SqlClient.SqlClient | PgClient.PgClient,
  SqlError | EmbeddedDatabase.EmbeddedDatabaseError | FolderLocked | FolderUnwritable,
  Supervisor
> => (options._tag === "server" ? server(options.url) : embedded(options.folder))

/** The same for a program that has no actors but this one. */
export const layer = (options: DatabaseOptions) =>
  Layer.provide(layerSupervised(options), Layer.fresh(Supervisor.layer))
