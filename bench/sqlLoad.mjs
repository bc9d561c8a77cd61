// How fast records get into SQL, beside `psql \copy` of the same rows into the same table with its indexes:
// `npm run build && node bench/sqlLoad.mjs [records] [rounds]`, 300,000 and 5 if nothing is said.
//  - copy: `psql \copy` of a file prepared before, one transaction.
//  - follower: the SQL follower with a journal on disk and an empty database, from its first question to its last commit.
//  - replay: the process `dist/replay.js` from its start to its end, with the comparison of files and rows afterwards.
// The three take turns on one PostgreSQL server of the bench's own with the settings PostgreSQL comes with (`fsync` and
// `synchronous_commit` on); each begins with empty tables, partitioned by day and indexed as the migrations make them.
// With `--follow <journal> <url>` it is the follower's process.
import { Effect, Layer, Redacted } from "effect"
import { execFileSync, spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs"
import { cpus, tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { Supervisor } from "../dist/actor/Supervisor.js"
import { Disk } from "../dist/journal/Disk.js"
import { Journal } from "../dist/journal/Journal.js"
import { SqlPipeline } from "../dist/sql/SqlPipeline.js"
import { marketDrafts } from "./support/market.mjs"
import { postgresBin, startPostgres } from "./support/postgres.mjs"

const node = "bench"
const chunk_records = 500
/** Records a second of the market that is loaded: so many of them make a day that lies in one partition. */
const marketPerSecond = 2_000
const migrations = fileURLToPath(new URL("../dist/migrations", import.meta.url))
const columns =
  "id, symbol, kind, received_at, exchange_at, phase, price, volume, cum_volume, payload_raw, quality, ingest_source, node, seq"

const journalOf = (dataDir) =>
  Layer.provide(Journal.layer({ dataDir, node, segment_bytes: 128e6, fsync_ms: 200 }), Disk.layer)

const writeJournal = (dataDir, records) =>
  Effect.gen(function* () {
    const journal = yield* Journal
    yield* Effect.forkScoped(journal.run)
    const draftOf = marketDrafts(Date.UTC(2026, 8, 14, 0, 0, 0), marketPerSecond)
    for (let from = 0; from < records; from += chunk_records) {
      const length = Math.min(chunk_records, records - from)
      yield* journal.append(Array.from({ length }, (_, at) => draftOf(from + at)))
    }
    yield* journal.close
  }).pipe(Effect.scoped, Effect.provide(journalOf(dataDir)), Effect.runPromise)

/** The follower as the observer starts it; the milliseconds until it has stored everything. */
const follow = (dataDir, url) =>
  Effect.gen(function* () {
    const journal = yield* Journal
    const { seq: headSeq } = yield* journal.head
    const sql = yield* SqlPipeline
    const began = performance.now()
    yield* sql.start
    while ((yield* sql.status)?.seq !== headSeq) yield* Effect.sleep("2 millis")
    return performance.now() - began
  }).pipe(
    Effect.provide(
      Layer.provideMerge(
        SqlPipeline.layer({
          database: { _tag: "server", url: Redacted.make(url) },
          node,
          migrations,
          retention_days: 0
        }),
        Layer.merge(journalOf(dataDir), Supervisor.layer)
      )
    ),
    Effect.scoped,
    Effect.runPromise
  )

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]
const spread = (values, digits) =>
  `${median(values).toFixed(digits)} (${Math.min(...values).toFixed(digits)}–${Math.max(...values).toFixed(digits)})`

const measure = async (records, rounds) => {
  const work = mkdtempSync(join(tmpdir(), "observer-sql-load-"))
  const dataDir = join(work, "data")
  const server = await startPostgres()
  const env = { PATH: process.env.PATH, DATABASE_URL: server.url, OBSERVER_DATA_DIR: dataDir, OBSERVER_NODE: node }
  try {
    await writeJournal(dataDir, records)
    const run = (program, ...args) => {
      const ended = spawnSync(process.execPath, [program, ...args], { env, encoding: "utf8", cwd: work })
      if (ended.status !== 0) throw new Error(`${program} ended with ${ended.status}: ${ended.stdout}${ended.stderr}`)
      return ended.stdout
    }
    const replayProgram = fileURLToPath(new URL("../dist/replay.js", import.meta.url))
    const prepared = join(work, "rows.copy")
    run(replayProgram)
    const copy = (direction) =>
      execFileSync(
        join(postgresBin, "psql"),
        ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", server.url, "-c", direction],
        { stdio: ["ignore", "ignore", "inherit"] }
      )
    copy(`\\copy (select ${columns} from pattern_records order by seq) to '${prepared}'`)
    const rows = Number(server.psql("select count(*) from pattern_records"))
    // With the time of the sessions that have ended; the clock of /proc ticks a hundred times a second.
    const serverCpu_ms = () => {
      const usage = readFileSync(`/proc/${server.pid}/stat`, "utf8").split(") ")[1].split(" ")
      return usage.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks) * 10, 0)
    }
    const childrenCpu_ms = () => {
      const usage = readFileSync("/proc/self/stat", "utf8").split(") ")[1].split(" ")
      return usage.slice(13, 15).reduce((sum, ticks) => sum + Number(ticks) * 10, 0)
    }
    const since = (began) => performance.now() - began
    const ways = {
      copy: () => {
        const began = performance.now()
        copy(`\\copy pattern_records (${columns}) from '${prepared}'`)
        return since(began)
      },
      follower: () => Number(run(fileURLToPath(import.meta.url), "--follow", dataDir, server.url)),
      replay: () => {
        const began = performance.now()
        run(replayProgram)
        return since(began)
      }
    }
    const speeds = { copy: [], follower: [], replay: [] }
    const spent = { copy: [], follower: [], replay: [] }
    for (let round = 0; round < rounds; round++) {
      for (const [name, load] of Object.entries(ways)) {
        server.psql("truncate pattern_records, ingest_errors, usage_metrics, follower_cursors; checkpoint")
        const before = { server: serverCpu_ms(), client: childrenCpu_ms() }
        const took_ms = load()
        // A session ends a moment after its client.
        await new Promise((resolve) => setTimeout(resolve, 500))
        spent[name].push([serverCpu_ms() - before.server, childrenCpu_ms() - before.client])
        const loaded = Number(server.psql("select count(*) from pattern_records"))
        if (loaded !== rows) throw new Error(`${name} stored ${loaded} of ${rows} rows`)
        speeds[name].push((rows / took_ms) * 1_000)
      }
    }
    const version = server.psql("show server_version")
    console.log(`${cpus().length} cores, Node ${process.version}, PostgreSQL ${version}, its settings as they come`)
    console.log(
      `${records} records, ${(statSync(prepared).size / rows).toFixed(0)} bytes a row in the file of \\copy; rows/s, median of ${rounds} (least–most)`
    )
    for (const [name, values] of Object.entries(speeds)) {
      const [ofServer, ofClient] = [0, 1].map((at) => median(spent[name].map((both) => both[at] / rows)) * 1_000)
      const processor = `processor time a row: server ${ofServer.toFixed(1)} µs, client ${ofClient.toFixed(1)} µs`
      console.log(`  ${name.padEnd(16)} ${spread(values, 0).padEnd(24)} ${processor}`)
    }
    const ratio = (name) => speeds[name].map((speed, round) => speed / speeds.copy[round])
    console.log(`  follower ÷ copy  ${spread(ratio("follower"), 2)}, at least 0.60`)
    console.log(`  replay ÷ copy    ${spread(ratio("replay"), 2)}`)
  } finally {
    await server.remove()
    rmSync(work, { recursive: true, force: true })
  }
}

const [first, second, third] = process.argv.slice(2)
if (first === "--follow") {
  console.log(await follow(second, third))
  process.exit(0)
}
await measure(Number(first ?? 300_000), Number(second ?? 5))
