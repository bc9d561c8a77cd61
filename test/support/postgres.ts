import { Effect, Redacted, type Scope } from "effect"
import { execFileSync, spawn, type ChildProcess } from "node:child_process"
import { chownSync, existsSync, mkdtempSync, rmSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"

/** A PostgreSQL server of the test's own, on loopback, in a folder that goes with the scope. */
export interface PostgresServer {
  readonly url: Redacted.Redacted
  /** Ends the server the hard way, connections and all (`pg_ctl stop -m immediate`). */
  readonly kill: Effect.Effect<void>
  /** Brings it up again on the same port and the same data. */
  readonly start: Effect.Effect<void>
}

const candidates = [
  "/usr/lib/postgresql/17/bin",
  "/usr/lib/postgresql/16/bin",
  "/usr/lib/postgresql/15/bin",
  "/usr/local/bin"
]

/** The folder of the server's programs; `undefined` where there is no PostgreSQL. */
export const postgresBinaries = candidates.find((folder) =>
  ["initdb", "postgres", "pg_ctl"].every((name) => existsSync(join(folder, name)))
)

/** Why the tests against a server are not run here; printed by those that skip. */
export const postgresMissing = postgresBinaries === undefined ? `no PostgreSQL in ${candidates.join(", ")}` : undefined

const idOf = (flag: string) => Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8" }))

/** PostgreSQL refuses to run as root, as which tests run in containers. */
const owner = process.getuid?.() === 0 && postgresMissing === undefined ? { uid: idOf("-u"), gid: idOf("-g") } : {}

const freePort = Effect.callback<number>((resume) => {
  const probe = createServer().listen(0, "127.0.0.1", () => {
    const address = probe.address()
    probe.close(() => resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0)))
  })
})

const exited = (child: ChildProcess) =>
  Effect.callback<void>((resume) => {
    if (child.exitCode !== null || child.signalCode !== null) return resume(Effect.void)
    child.once("exit", () => resume(Effect.void))
  })

const ready = (child: ChildProcess) =>
  Effect.callback<void>((resume) => {
    let said = ""
    child.stderr?.on("data", (text) => {
      said += String(text)
      if (said.includes("ready to accept connections")) resume(Effect.void)
    })
    child.once("exit", () => resume(Effect.die(new Error(`postgres did not start: ${said}`))))
  })

/** Of the server's programs that have TimescaleDB beside them, the folder; `TIMESCALE_BIN` names one elsewhere. */
export const timescaleBinaries = [process.env["TIMESCALE_BIN"] ?? [], candidates].flat().find((folder) => {
  const version = /postgresql\/(\d+)\/bin$/.exec(folder)?.[1] ?? ""
  return existsSync(join(folder, "../../../../share/postgresql", version, "extension/timescaledb.control"))
})

/** Starts a server; only where `postgresMissing` is undefined. `settings` are as in postgresql.conf. */
export const postgresServerWith = Effect.fnUntraced(function* ({
  bin = postgresBinaries ?? "",
  settings: given = []
}: {
  readonly bin?: string
  readonly settings?: ReadonlyArray<string>
}): Effect.fn.Return<PostgresServer, never, Scope.Scope> {
  const folder = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "observer-pg-"))),
    (made) => Effect.sync(() => rmSync(made, { recursive: true, force: true }))
  )
  if (owner.uid !== undefined) chownSync(folder, owner.uid, owner.gid)
  const data = join(folder, "data")
  const initdb = ["-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync", "--no-instructions"]
  execFileSync(join(bin, "initdb"), initdb, { ...owner, stdio: "ignore", cwd: folder })
  const port = yield* freePort

  let child: ChildProcess | undefined
  const start = Effect.suspend(() => {
    const settings = [
      `port=${port}`,
      `unix_socket_directories=${folder}`,
      "listen_addresses=127.0.0.1",
      "fsync=off",
      ...given
    ]
    child = spawn(join(bin, "postgres"), ["-D", data, ...settings.flatMap((setting) => ["-c", setting])], {
      ...owner,
      cwd: folder,
      stdio: ["ignore", "ignore", "pipe"]
    })
    return ready(child)
  })
  const kill = Effect.suspend(() => {
    child?.kill("SIGQUIT")
    return child === undefined ? Effect.void : exited(child)
  })
  yield* Effect.acquireRelease(start, () => kill)
  return { url: Redacted.make(`postgres://postgres@127.0.0.1:${port}/postgres`), kill, start }
})

/** A server as it comes. */
export const postgresServer = postgresServerWith({})
