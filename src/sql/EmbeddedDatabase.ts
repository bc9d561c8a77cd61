import { Data, Deferred, Effect, Option, type Scope } from "effect"
import { chmod, stat } from "node:fs/promises"
import { join, resolve } from "node:path"
import { Worker } from "node:worker_threads"
import { systemCode } from "../domain/systemCode.ts"
import { FolderLock, type FolderLocked, type FolderUnwritable } from "../journal/FolderLock.ts"

/** The embedded database did not come up, or its thread ended. */
export class EmbeddedDatabaseError extends Data.TaggedError("EmbeddedDatabaseError")<{
  readonly folder: string
  readonly detail: string
}> {
  override get message() {
    return `the embedded database in ${this.folder}: ${this.detail}; move the folder away to begin a new one, and fill it with a replay`
  }
}

/** Where the embedded database listens: a Unix socket, or loopback TCP where there can be none. */
export interface Endpoint {
  readonly path?: string
  readonly host?: string
  readonly port?: number
}

type Report =
  | { readonly _tag: "listening"; readonly port: number }
  | { readonly _tag: "pong" }
  | { readonly _tag: "failed"; readonly detail: string }

/** The kernel allows 107 bytes for the path of a Unix socket, macOS 103. */
const path_bytes_max = 100
/** The first start makes the database (5 s measured on two busy cores). */
const start_limit = "90 seconds"
const stop_limit = "10 seconds"
const ping_interval = "5 seconds"
/** Without an answer for this long the thread is ended. PGlite knows no `statement_timeout`, so this also bounds a query. */
const silence_limit = "2 minutes"

const fromSource = import.meta.url.endsWith(".ts")
const entry = new URL(fromSource ? "./embeddedWorker.ts" : "./embeddedWorker.js", import.meta.url)

/** Running from source, under a test, the worker's file is loaded as the plain module it is: Node 20 knows no `.ts`. */
const asPlainModule = (): ReadonlyArray<string> => {
  const script = (text: string) => `data:text/javascript,${encodeURIComponent(text)}`
  const hook =
    'export const load = (url, context, next) => next(url, url.endsWith(".ts") ? { ...context, format: "module" } : context)'
  return ["--import", script(`import { register } from "node:module"; register(${JSON.stringify(script(hook))})`)]
}

const exitOf = (worker: Worker): Effect.Effect<void> =>
  Effect.callback((resume) => {
    const ended = () => resume(Effect.void)
    if (worker.threadId === -1) return ended()
    worker.once("exit", ended)
    return Effect.sync(() => worker.off("exit", ended))
  })

/** Asks the thread to close the database, so that the next start has nothing to recover. */
const stop = (worker: Worker) =>
  Effect.sync(() => worker.postMessage("stop")).pipe(
    Effect.andThen(exitOf(worker)),
    Effect.timeoutOrElse({ duration: stop_limit, orElse: () => Effect.promise(() => worker.terminate()) })
  )

const spawn = (workerData: object) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const worker = new Worker(entry, { workerData, ...(fromSource ? { execArgv: [...asPlainModule()] } : {}) })
      // An exception ends the thread, and is told by its end; without a listener it would end the process.
      worker.on("error", () => undefined)
      return worker
    }),
    stop
  )

const reportOf = (worker: Worker, tags: ReadonlyArray<Report["_tag"]>): Effect.Effect<Report> =>
  Effect.callback((resume) => {
    const told = (report: Report) => {
      if (!tags.includes(report._tag)) return
      unlisten()
      resume(Effect.succeed(report))
    }
    const broke = (cause: Error) => told({ _tag: "failed", detail: cause.message })
    const unlisten = () => worker.off("message", told).off("error", broke)
    worker.on("message", told).on("error", broke)
    return Effect.sync(unlisten)
  })

/** Asks the thread now and then whether it turns, and ends when it does not: a broken engine may spin without a word. */
const silenceOf = (worker: Worker): Effect.Effect<string> =>
  Effect.sleep(ping_interval).pipe(
    Effect.andThen(Effect.sync(() => worker.postMessage("ping"))),
    Effect.andThen(Effect.timeoutOption(reportOf(worker, ["pong"]), silence_limit)),
    Effect.repeat({ while: Option.isSome }),
    Effect.as(`no sign of life for ${silence_limit}`)
  )

/** Which database lies in the folder; `undefined` when none does. A disk that does not say is asked again. */
const identityOf = (folder: string): Effect.Effect<string | undefined> =>
  Effect.promise(() =>
    stat(join(folder, "PG_VERSION")).then(
      ({ dev, ino }) => `${dev}:${ino}`,
      (cause: unknown) => (systemCode(cause) === "ENOENT" ? undefined : "unknown")
    )
  )

/** An engine whose files were removed under it goes on with those it has open, and answers; nobody will find them again. */
const removalOf = Effect.fnUntraced(function* (folder: string) {
  const opened = yield* identityOf(folder)
  const isSame = Effect.map(identityOf(folder), (now) => now === opened || now === "unknown")
  yield* Effect.repeat(Effect.andThen(Effect.sleep(ping_interval), isSame), { while: (is) => is })
  return "its folder was removed by somebody; the journal fills a new one"
})

const endOf = (worker: Worker, folder: string): Effect.Effect<string> =>
  Effect.raceAll([
    silenceOf(worker),
    removalOf(folder),
    Effect.map(reportOf(worker, ["failed"]), (report) => (report._tag === "failed" ? report.detail : "failed")),
    Effect.as(exitOf(worker), "its thread ended")
  ])

export interface EmbeddedDatabase {
  /** Where it listens, once it does for the first time; it stays the same when it runs again. */
  readonly endpoint: Effect.Effect<Endpoint, EmbeddedDatabaseError>
  /** For a supervisor: opens the folder in a thread and serves it until interrupted; fails when the thread ends. */
  readonly run: Effect.Effect<never, EmbeddedDatabaseError>
}

/**
 * PostgreSQL inside this process: PGlite in a thread of its own, so that a query never stalls the data plane, behind a
 * socket that takes one connection. Owns `folder` and, beside it, `<folder>.run` (mode 0700) with the lock and the socket.
 *
 * A killed process loses nothing that was committed. PGlite cannot force its files to disk, so after a power cut the
 * folder may be damaged: the journal is the truth, and a replay fills a new one.
 */
export const make = Effect.fn("EmbeddedDatabase.make")(function* (options: {
  readonly folder: string
}): Effect.fn.Return<EmbeddedDatabase, EmbeddedDatabaseError | FolderLocked | FolderUnwritable, Scope.Scope> {
  const folder = resolve(options.folder)
  const fault = (detail: string) => new EmbeddedDatabaseError({ folder, detail })
  const runFolder = `${folder}.run`
  const held = yield* FolderLock.acquire(runFolder, "embedded database")
  const keepRunFolder = Effect.andThen(
    Effect.mapError(held.keep, ({ message }) => fault(message)),
    Effect.tryPromise({ try: () => chmod(runFolder, 0o700), catch: (cause) => fault(String(cause)) })
  )
  yield* keepRunFolder
  const socket = join(runFolder, ".s.PGSQL.5432")
  const path = process.platform === "win32" || Buffer.byteLength(socket) > path_bytes_max ? undefined : socket

  const first = yield* Deferred.make<Endpoint, EmbeddedDatabaseError>()
  let port = 0
  const run = Effect.scoped(
    Effect.gen(function* () {
      yield* keepRunFolder
      const worker = yield* spawn({ folder, path, port })
      const report = yield* reportOf(worker, ["listening", "failed"]).pipe(
        Effect.timeoutOrElse({
          duration: start_limit,
          orElse: () => Effect.fail(fault(`not ready within ${start_limit}`))
        })
      )
      if (report._tag === "failed") return yield* fault(report.detail)
      if (path === undefined && report._tag === "listening") port = report.port
      yield* Deferred.succeed(first, path === undefined ? { host: "127.0.0.1", port } : { path })
      return yield* fault(yield* endOf(worker, folder))
    })
  )
  return { endpoint: Deferred.await(first), run: Effect.tapError(run, (error) => Deferred.fail(first, error)) }
})
