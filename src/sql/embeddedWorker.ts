/*
 * The thread of the embedded PostgreSQL. No type syntax is used in this file: under Node 20 the tests load it as it is,
 * since a worker thread there cannot run TypeScript.
 */
import { PGlite } from "@electric-sql/pglite"
import { PGLiteSocketServer } from "@electric-sql/pglite-socket"
import { existsSync, mkdirSync, renameSync, rmSync, rmdirSync } from "node:fs"
import { join } from "node:path"
import { parentPort, workerData } from "node:worker_threads"

const { folder, path, port } = workerData

const initialise = async () => {
  // Made beside its place and renamed when whole, so that a start killed half-way leaves nothing that looks like a database.
  if (existsSync(folder)) rmdirSync(folder)
  const draft = `${folder}.new`
  rmSync(draft, { recursive: true, force: true })
  mkdirSync(draft, { recursive: true, mode: 0o700 })
  const database = await PGlite.create({ dataDir: draft, relaxedDurability: false })
  await database.close()
  renameSync(draft, folder)
}

const open = async () => {
  if (!existsSync(join(folder, "PG_VERSION"))) await initialise()
  const database = await PGlite.create({ dataDir: folder, relaxedDurability: false })
  const exec = database.execProtocolRawStream.bind(database)
  database.execProtocolRawStream = async (message, options) => {
    try {
      return await exec(message, options)
    } catch (cause) {
      // SQL errors are answers, not exceptions: what lands here broke the engine, and the socket server would hang for ever.
      parentPort?.postMessage({ _tag: "failed", detail: String(cause) })
      process.exit(1)
    }
  }
  return database
}

try {
  if (path !== undefined) rmSync(path, { force: true })
  const database = await open()
  const server = new PGLiteSocketServer({ db: database, maxConnections: 1, ...(path ? { path } : { port }) })
  await server.start()
  parentPort?.on("message", async (request) => {
    if (request === "ping") return parentPort?.postMessage({ _tag: "pong" })
    await server.stop()
    await database.close()
    process.exit(0)
  })
  parentPort?.postMessage({ _tag: "listening", port: Number(server.getServerConn().split(":").pop()) })
} catch (cause) {
  parentPort?.postMessage({ _tag: "failed", detail: cause instanceof Error ? cause.message : String(cause) })
}
