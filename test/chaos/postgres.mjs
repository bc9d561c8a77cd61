// A PostgreSQL server of a script's own: on loopback, in a folder that goes with it, from the binaries of the machine.
import { execFileSync, spawn } from "node:child_process"
import { chownSync, existsSync, mkdtempSync, rmSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"

const candidates = [17, 16, 15].map((version) => `/usr/lib/postgresql/${version}/bin`).concat("/usr/local/bin")

/** The folder of the server's programs; `undefined` where there is no PostgreSQL. */
export const postgresBinaries = candidates.find((folder) =>
  ["initdb", "postgres", "psql"].every((name) => existsSync(join(folder, name)))
)

const idOf = (flag) => Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8" }))

const freePort = () =>
  new Promise((resolve) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address()
      probe.close(() => resolve(port))
    })
  })

/**
 * Starts a server with settings of its own, such as `max_connections=20`. Gives its URL, the pid of its first process,
 * and `start`, `kill` (the hard way, connections and all) and `remove`.
 */
export const startPostgres = async (settings = []) => {
  // PostgreSQL refuses to run as root, as which scripts run in containers.
  const owner = process.getuid?.() === 0 ? { uid: idOf("-u"), gid: idOf("-g") } : {}
  const folder = mkdtempSync(join(tmpdir(), "observer-pg-"))
  if (owner.uid !== undefined) chownSync(folder, owner.uid, owner.gid)
  const data = join(folder, "data")
  const options = { ...owner, cwd: folder }
  const initdb = ["-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync", "--no-instructions"]
  execFileSync(join(postgresBinaries, "initdb"), initdb, { ...options, stdio: "ignore" })
  const port = await freePort()
  const all = [`port=${port}`, `unix_socket_directories=${folder}`, "listen_addresses=127.0.0.1", ...settings]
  let child
  let exit

  const start = () =>
    new Promise((resolve, reject) => {
      const args = ["-D", data, ...all.flatMap((setting) => ["-c", setting])]
      child = spawn(join(postgresBinaries, "postgres"), args, { ...options, stdio: ["ignore", "ignore", "pipe"] })
      exit = new Promise((done) => child.once("exit", done))
      let said = ""
      child.stderr.on("data", (text) => {
        said = `${said}${text}`.slice(-10_000)
        if (said.includes("ready to accept connections")) resolve()
      })
      child.once("exit", () => reject(new Error(`postgres did not start: ${said}`)))
    })
  const kill = async () => {
    child.kill("SIGQUIT")
    await exit
  }

  await start()
  process.once("exit", () => child.kill("SIGQUIT"))
  return {
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    get pid() {
      return child.pid
    },
    start,
    kill,
    remove: async () => {
      await kill()
      rmSync(folder, { recursive: true, force: true })
    }
  }
}
