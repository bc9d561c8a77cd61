// A PostgreSQL server of a bench's or a trial's own, from the programs of the system's package, on loopback, in a folder
// that goes with it. It runs as the user postgres where this runs as root, which PostgreSQL refuses.
import { execFileSync, spawn } from "node:child_process"
import { chownSync, existsSync, mkdtempSync, rmSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"

const places = [
  "/usr/lib/postgresql/17/bin",
  "/usr/lib/postgresql/16/bin",
  "/usr/lib/postgresql/15/bin",
  "/usr/local/bin"
]

/** The folder of the server's programs, or `undefined`; `POSTGRES_BIN` names another. */
export const postgresBin = [process.env.POSTGRES_BIN ?? [], places]
  .flat()
  .find((folder) => ["initdb", "postgres", "psql"].every((name) => existsSync(join(folder, name))))

const idOf = (flag) => Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8" }))
const owner = process.getuid?.() === 0 && postgresBin !== undefined ? { uid: idOf("-u"), gid: idOf("-g") } : {}

const freePort = () =>
  new Promise((resolve) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address()
      probe.close(() => resolve(port))
    })
  })

/** Makes a database cluster and starts its server; `settings` are as in postgresql.conf, the rest is PostgreSQL's default. */
export const startPostgres = async (settings = []) => {
  if (postgresBin === undefined) throw new Error(`no PostgreSQL in ${places.join(", ")}`)
  const folder = mkdtempSync(join(tmpdir(), "observer-pg-"))
  if (owner.uid !== undefined) chownSync(folder, owner.uid, owner.gid)
  const data = join(folder, "data")
  const initdb = ["-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-instructions"]
  execFileSync(join(postgresBin, "initdb"), initdb, { ...owner, stdio: "ignore", cwd: folder })
  const port = await freePort()
  const own = [`port=${port}`, `unix_socket_directories=${folder}`, "listen_addresses=127.0.0.1"]
  let child
  let exited
  const server = {
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    port,
    folder,
    data,
    owner,
    get pid() {
      return child.pid
    },
    start: () =>
      new Promise((resolve, reject) => {
        let said = ""
        child = spawn(
          join(postgresBin, "postgres"),
          ["-D", data, ...[...own, ...settings].flatMap((setting) => ["-c", setting])],
          { ...owner, cwd: folder, stdio: ["ignore", "ignore", "pipe"] }
        )
        exited = new Promise((ended) => child.once("exit", ended))
        child.stderr.on("data", (text) => {
          if (said.length < 100_000) said += text
          if (said.includes("ready to accept connections")) resolve()
        })
        child.once("exit", () => reject(new Error(`postgres did not start: ${said}`)))
      }),
    /** SIGQUIT is `pg_ctl stop -m immediate`: no checkpoint, connections cut. SIGINT ends it in an orderly way. */
    stop: async (signal = "SIGQUIT") => {
      child.kill(signal)
      await exited
    },
    /** Runs SQL as its owner in one session and gives what is printed, unaligned. */
    psql: (sql, database = "postgres") =>
      execFileSync(
        join(postgresBin, "psql"),
        [
          "-X",
          "-q",
          "-A",
          "-t",
          "-v",
          "ON_ERROR_STOP=1",
          "-h",
          "127.0.0.1",
          "-p",
          String(port),
          "-U",
          "postgres",
          database
        ],
        { encoding: "utf8", input: sql, maxBuffer: 1 << 30, stdio: "pipe" }
      ).trim(),
    remove: async () => {
      if (child.exitCode === null && child.signalCode === null) await server.stop()
      rmSync(folder, { recursive: true, force: true })
    }
  }
  await server.start()
  process.once("exit", () => child.kill("SIGQUIT"))
  return server
}
