import * as NodeServices from "@effect/platform-node/NodeServices"
import { Clock, Data, type Duration, Effect, Redacted, Result } from "effect"
import { SqlClient } from "effect/sql"
import { isSqlError } from "effect/sql/SqlError"
import { existsSync } from "node:fs"
import { readdir, stat } from "node:fs/promises"
import { join } from "node:path"
import { isLoopback } from "../../domain/SettingValue.ts"
import { FolderLock } from "../../journal/FolderLock.ts"
import { newestRecord } from "../../journal/newestRecord.ts"
import * as Database from "../../sql/Database.ts"
import { databaseError } from "../../sql/DatabaseError.ts"
import { hasTables } from "../../sql/HourRows.ts"
import { migrationsIn } from "../../sql/Migrations.ts"
import { migrationState } from "../../sql/MigrationState.ts"
import { byteWords, spanWords } from "../amountWords.ts"
import { count, plural } from "../countWords.ts"
import type { Check } from "../Doctor.ts"
import { fail, type Finding, ok, skipped, warn } from "./Finding.ts"
import { judgeSkew } from "./clockSkew.ts"
import type { Installation } from "./Installation.ts"

const name = "database"
const version_min = 15
/** A follower stores within a second; this long behind its journal it does not store. */
const lag_ms_max = 300_000

/** Milliseconds of one question, beside its answer. */
const timed = <A, E, R>(question: Effect.Effect<A, E, R>) =>
  Effect.suspend(() => {
    const began = performance.now()
    return Effect.map(question, (answer) => [answer, performance.now() - began] as const)
  })

const server = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  // The first question opens the connection as well.
  const [, ms] = yield* timed(sql`select 1`)
  const [found] = yield* sql<{ version: string; number: number; size: string; timescale: string | null }>`select
    current_setting('server_version') as version, current_setting('server_version_num')::int as number,
    pg_database_size(current_database())::text as size,
    (select extversion from pg_extension where extname = 'timescaledb') as timescale`
  const { number = 0, size = "0", timescale = null, version = "?" } = found ?? {}
  const beside = { ms, details: { version, size_bytes: Number(size), timescaledb: timescale ?? "none" } }
  if (number < version_min * 10_000) {
    return fail(name, `PostgreSQL ${version} is too old`, `upgrade it to ${version_min} or newer`, beside)
  }
  const scale = timescale === null ? "without TimescaleDB" : `with TimescaleDB ${timescale}`
  return ok(name, `PostgreSQL ${version} ${scale}, ${byteWords(Number(size))}`, beside)
})

const migrations = Effect.fnUntraced(function* (folder: string) {
  const what = "migrations"
  const { ahead, applied, pending } = yield* Effect.provide(migrationState(migrationsIn(folder)), NodeServices.layer)
  const details = { applied, pending, ahead }
  if (ahead.length > 0) {
    const words = `the database has ${ahead.join(", ")}, which this version does not know`
    return fail(what, words, "run the version that made them, or a newer one", { details })
  }
  if (applied.length === 0) return ok(what, "no tables yet; the observer makes them when it starts", { details })
  if (pending.length === 0) return ok(what, `all ${applied.length} were run`, { details })
  const words = `${pending.join(", ")} ${pending.length === 1 ? "was" : "were"} not run yet`
  return warn(what, words, "observer migrate, or the next start of the observer, runs them", { details })
})

interface Rights {
  readonly readonly: boolean
  readonly create: boolean
  readonly schema: string
  readonly owner: boolean | null
}

/** A partition a day is made in the schema and attached to a table, which is its owner's right. */
const rights = Effect.gen(function* () {
  const what = "database rights"
  const sql = yield* SqlClient.SqlClient
  const [found] = yield* sql<Rights>`select
    pg_is_in_recovery() or current_setting('default_transaction_read_only') = 'on' as readonly,
    coalesce(has_schema_privilege(current_schema(), 'create'), false) as create,
    coalesce(current_schema(), 'none') as schema,
    (select pg_has_role(relowner, 'usage') from pg_class where oid = to_regclass('pattern_records')) as owner`
  if (found === undefined) return skipped(what, "the server does not say")
  if (found.readonly) {
    return fail(what, "the server takes no writes (read-only, or a standby)", "name the primary in DATABASE_URL")
  }
  if (!found.create) {
    const words = `no table may be made in schema ${found.schema}, and each day needs its partition`
    return fail(what, words, `grant create on schema ${found.schema} to the user of DATABASE_URL`)
  }
  if (found.owner === false) {
    const words = "pattern_records belongs to another user, and only its owner may attach a day's partition"
    return fail(what, words, "alter table pattern_records owner to the user of DATABASE_URL")
  }
  return ok(what, `tables and partitions can be made in schema ${found.schema}`)
})

const clock = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const sentMs = yield* Clock.currentTimeMillis
  const [[found], ms] = yield* timed(sql<{ now: string }>`select
    (extract(epoch from clock_timestamp()) * 1000)::text as now`)
  const skew_ms = sentMs + ms / 2 - Number(found?.now ?? Number.NaN)
  const { status } = judgeSkew(skew_ms, ms)
  const words = `this machine is ${spanWords(Math.abs(skew_ms))} ${skew_ms < 0 ? "behind" : "ahead of"} the server`
  const beside = { ms, details: { skew_ms: Math.round(skew_ms) } }
  // Rows bear the observer's times; the server's clock is only in created_at.
  return status === "ok"
    ? ok("database clock", words, beside)
    : warn("database clock", words, "let both clocks be kept (chrony); rows are right, created_at is not", beside)
})

const follower = Effect.fnUntraced(function* ({ dataDir, holder, node }: Installation) {
  const what = "SQL follower"
  if (!(yield* hasTables)) return ok(what, "has stored nothing yet")
  const sql = yield* SqlClient.SqlClient
  const [cursor] = yield* sql<{ seq: string; idle_ms: number }>`select seq::text as seq,
    (extract(epoch from clock_timestamp() - updated_at) * 1000)::float8 as idle_ms
    from follower_cursors where follower = 'sql' and node = ${node}`
  // The cursor first: what is appended meanwhile is no lag, and a cursor is never ahead.
  const head = yield* newestRecord(dataDir, node)
  const seq = Number(cursor?.seq ?? 0)
  const headSeq = head?.seq ?? 0
  const lag = headSeq - seq
  const details = { seq, headSeq, lag_records: lag }
  if (lag < 0) {
    const words = `it has stored #${count(seq)}, and the journal ends at #${count(headSeq)}: it is another journal`
    return fail(what, words, "give it another OBSERVER_NODE, or bring the old data folder back", { details })
  }
  const words = `stored #${count(seq)}, ${plural(lag, "record")} behind the journal`
  const isLate = lag > 0 && (cursor?.idle_ms ?? Number.POSITIVE_INFINITY) > lag_ms_max
  if ((yield* holder) === undefined) {
    return ok(what, `${words}${lag > 0 ? "; the next start goes on there" : ""}`, { details })
  }
  return isLate
    ? warn(what, `${words}, and nothing was stored for ${spanWords(lag_ms_max)}`, "observer status says why", {
        details
      })
    : ok(what, words, { details })
})

/** The server's own words, and what to do by their kind. */
const unreachable = (words: string): Finding => {
  const advice = /password|authentication|role .* does not exist|no pg_hba/i.test(words)
    ? "look at the user and the password in DATABASE_URL; the journal keeps everything meanwhile"
    : /database .* does not exist/i.test(words)
      ? "create the database, or name another in DATABASE_URL"
      : "start the server, or look at the address in DATABASE_URL; the journal keeps everything meanwhile"
  return fail(name, `it cannot be used: ${words}`, advice)
}

const wordsOf = (error: unknown): string =>
  isSqlError(error) ? databaseError("be asked")(error).detail : error instanceof Error ? error.message : String(error)

class NoAnswer extends Data.TaggedError("NoAnswer")<{ readonly duration: string }> {
  override get message() {
    return `no answer in ${this.duration}`
  }
}

/** A migration that runs meanwhile holds the tables. */
const question_limit = "2 seconds"

const within = <A, E, R>(question: Effect.Effect<A, E, R>, duration: string & Duration.Input) =>
  Effect.timeoutOrElse(question, { duration, orElse: () => new NoAnswer({ duration }) })

/** One question that fails says so in its own line, and the others are asked all the same. */
const asked = <E, R>(what: string, question: Effect.Effect<Finding, E, R>) =>
  Effect.catch(within(question, question_limit), (error) =>
    Effect.succeed(fail(what, `it cannot be told: ${wordsOf(error)}`, "look at the rights of the user of DATABASE_URL"))
  )

const connect_limit = "6 seconds"

const ofServer = (on: Installation, url: Redacted.Redacted) =>
  Effect.gen(function* () {
    const first = yield* Effect.result(within(server, connect_limit))
    if (Result.isFailure(first)) return [unreachable(wordsOf(first.failure))]
    const others = [
      asked("migrations", migrations(on.migrations)),
      asked("database rights", rights),
      asked("database clock", clock),
      asked("SQL follower", follower(on))
    ]
    return [first.success, ...(yield* Effect.all(others))]
  }).pipe(Effect.provide(Database.layer({ _tag: "server", url })))

const sizeOf = async (folder: string): Promise<number> => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const sizes = entries
    .filter((entry) => entry.isFile())
    .map((entry) =>
      stat(join(entry.parentPath, entry.name)).then(
        ({ size }) => size,
        () => 0
      )
    )
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
}

/** Opening it would take its lock and write in it, so that its folder has to do. */
const ofFolder = Effect.fnUntraced(function* (folder: string) {
  if (!existsSync(folder)) return [ok(name, `the embedded one in ${folder} is not there yet; the first start makes it`)]
  const size = yield* Effect.tryPromise(() => sizeOf(folder))
  const holder = yield* FolderLock.holder(`${folder}.run`)
  const held = holder === undefined ? "nobody has it open" : `open in process ${holder.pid}`
  const words = `embedded, in ${folder}, ${byteWords(size)}; ${held}`
  return [ok(name, words, { details: { folder, size_bytes: size, ...(holder === undefined ? {} : { holder }) } })]
})

const hostIn = (url: Redacted.Redacted): string => {
  const { hostname, searchParams } = new URL(Redacted.value(url))
  return searchParams.get("host") ?? hostname
}

const isLocal = (host: string) => host === "" || host.startsWith("/") || isLoopback(host.replace(/^\[|\]$/g, ""))

/** The database of the settings: a server and what it lets us do, or the folder of the embedded one. */
export const database: Check = {
  name,
  needsNetwork: ({ database: options }) => options?._tag === "server" && !isLocal(hostIn(options.url)),
  look: (on) => {
    if (on.database === undefined) return Effect.succeed([skipped(name, "OBSERVER_SQL is off")])
    return on.database._tag === "server" ? ofServer(on, on.database.url) : ofFolder(on.database.folder)
  }
}
