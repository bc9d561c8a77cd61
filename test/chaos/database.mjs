// Does to PostgreSQL what happens to databases while records keep coming, and then holds the rows against the journal:
// `npm run build && node test/chaos/database.mjs [--outage SECONDS] [--hang SECONDS] [--kills N] [--rate RECORDS] [--only NAME,…]`
// The faults: `start` (down from the start), `stopped`, `hung` (SIGSTOP of every process of the server), `killed` (its
// session killed in a transaction, which takes the whole server down with it), `lost` (the connection cut after COMMIT, before
// the answer), `poison` (rows that the server refuses), `full` (SQLSTATE 53300) and `readonly`. Each lasts 3 seconds if nothing
// is said; `--outage` is for the first two, `--hang` for the third. For every fault it prints what the observer's process took
// of memory while it lasted, if that was half a minute or more, and how fast the rest was stored afterwards while new records went on coming. At the end
// (`replay`) the journal is replayed into another database: by one that is killed, then by two at once.
// The child is the observer's own journal and SQL pipeline, with nothing else in its process.
import { fork, spawn } from "node:child_process"
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { connect, createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { postgresBin, startPostgres } from "../../bench/support/postgres.mjs"

const node = "chaos"
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

/** Appends records for ever, and tells now and then how far it is; poison on demand. */
const child = async ([dataDir, url, rate]) => {
  const { Effect, Layer, Redacted } = await import("effect")
  const { Supervisor } = await import("../../dist/actor/Supervisor.js")
  const { Disk } = await import("../../dist/journal/Disk.js")
  const { Journal } = await import("../../dist/journal/Journal.js")
  const { SqlPipeline } = await import("../../dist/sql/SqlPipeline.js")
  const { marketDrafts } = await import("../../bench/support/market.mjs")
  const migrations = fileURLToPath(new URL("../../dist/migrations", import.meta.url))
  const draftOf = marketDrafts(Date.now(), Number(rate))
  const asked = { poison: false, stop: false }
  process.on("message", (request) => (asked[request] = true))
  process.on("disconnect", () => process.exit(1))

  const work = Effect.gen(function* () {
    const journal = yield* Journal
    const supervisor = yield* Supervisor
    const sql = yield* SqlPipeline
    yield* supervisor.start({
      name: "journal",
      kind: "transient",
      policy: (yield* Effect.promise(() => import("../../dist/actor/RestartPolicy.js"))).vital,
      run: journal.run,
      drain: journal.close
    })
    yield* sql.start
    const beganMs = performance.now()
    let appended = 0
    let saidAtMs = 0
    let collectedAtMs = 0
    while (true) {
      const due = Math.floor(((performance.now() - beganMs) * Number(rate)) / 1_000)
      if (due > appended && !asked.stop) {
        // One that fell behind, on a busy machine, catches up in pieces.
        const count = Math.min(due - appended, 2_000)
        const drafts = Array.from({ length: count }, (_, at) => ({
          ...draftOf(appended + at),
          receivedAtMs: Date.now()
        }))
        if (asked.poison) {
          drafts.splice(count >> 1, 0, { ...drafts[0], payload: ["\u0000"] }, { ...drafts[0], volume: 1e30 })
          asked.poison = false
        }
        yield* journal.append(drafts)
        appended += count
      }
      if (performance.now() - saidAtMs >= 250) {
        saidAtMs = performance.now()
        // What is left of the heap after a collection says whether something grows; collecting is slow.
        const isCollected = saidAtMs - collectedAtMs >= 2_000
        if (isCollected) {
          collectedAtMs = saidAtMs
          globalThis.gc?.()
        }
        const { rss, heapUsed } = process.memoryUsage()
        const { seq, state, reason } = yield* sql.status
        const head = (yield* journal.head).seq
        process.send({ atMs: Date.now(), head, seq, state, reason, rss, heapUsed, isCollected })
        if (asked.stop && head === seq) break
      }
      yield* Effect.sleep("20 millis")
    }
    yield* supervisor.shutdown({ order: ["journal", "follower"], deadline_ms: 10_000 })
  })
  const journal = Layer.provide(Journal.layer({ dataDir, node, segment_bytes: 16e6, fsync_ms: 200 }), Disk.layer)
  const pipeline = SqlPipeline.layer({
    database: { _tag: "server", url: Redacted.make(url) },
    node,
    migrations,
    retention_days: 0
  })
  await Effect.runPromise(
    Effect.provide(work, Layer.provideMerge(pipeline, Layer.merge(journal, Supervisor.layer))).pipe(Effect.scoped)
  )
  process.exit(0)
}

/** The tag of a commit's CommandComplete, as the server sends it. */
const committed = Buffer.from("COMMIT\0")

/** Between the observer and its server; told to, it keeps the answer to the next commit and cuts the connection instead. */
const startProxy = async (port) => {
  const proxy = { loseCommits: 0, lost: 0 }
  const server = createServer((client) => {
    const upstream = connect(port, "127.0.0.1")
    const end = () => {
      client.destroy()
      upstream.destroy()
    }
    client.pipe(upstream)
    upstream.on("data", (bytes) => {
      if (proxy.loseCommits > 0 && bytes.includes(committed)) {
        proxy.loseCommits -= 1
        proxy.lost += 1
        return end()
      }
      client.write(bytes)
    })
    for (const socket of [client, upstream]) socket.on("error", end).on("close", end)
  })
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve))
  return Object.assign(proxy, { port: server.address().port, close: () => server.close() })
}

/** What memory does in less says nothing. */
const slope_seconds_min = 30

/** Bytes a second that a value has grown by, of the straight line through what was measured. */
const slopeOf = (samples, value) => {
  if (samples.length < 3) return 0
  const mean = (of) => samples.reduce((sum, sample) => sum + of(sample), 0) / samples.length
  const at = (sample) => (sample.atMs - samples[0].atMs) / 1_000
  const [meanAt, meanValue] = [mean(at), mean(value)]
  const spread = samples.reduce((sum, sample) => sum + (at(sample) - meanAt) ** 2, 0)
  return samples.reduce((sum, sample) => sum + (at(sample) - meanAt) * (value(sample) - meanValue), 0) / spread
}

const linesOf = (dataDir) =>
  readdirSync(dataDir, { recursive: true })
    .filter((name) => /-\d{12,}\.jsonl(\.gz)?$/.test(name))
    .flatMap((name) => readFileSync(join(dataDir, name), "utf8").split("\n"))
    .filter((line) => line !== "")
    .map((line) => ({ id: /"id":"([^"]+)"/.exec(line)[1], isPoison: /\["\\u0000"\]|"volume":1e\+30/.test(line) }))

const processesOf = (pid) => {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim()
  return [pid, ...(children === "" ? [] : children.split(" ").map(Number))]
}

const trial = async ({ hang, kills, only, outage, rate }) => {
  const work = mkdtempSync(join(tmpdir(), "observer-chaos-db-"))
  const dataDir = join(work, "data")
  const server = await startPostgres()
  const proxy = await startProxy(server.port)
  const problems = []
  // A role of its own: what has no rights of a superuser meets the limits that users meet.
  server.psql("create role observer login; create database observer owner observer")
  const url = `postgres://observer@127.0.0.1:${proxy.port}/observer`
  const sessions = "pg_stat_activity where usename = 'observer' and pid <> pg_backend_pid()"
  const chosen = (name) => only === undefined || only.includes(name)
  if (chosen("start")) await server.stop()

  const observer = fork(fileURLToPath(import.meta.url), ["--child", dataDir, url, String(rate)], {
    execArgv: ["--expose-gc"],
    stdio: ["ignore", "ignore", "inherit", "ipc"]
  })
  const ended = new Promise((resolve) => observer.once("exit", (code, signal) => resolve(signal ?? code)))
  const samples = []
  observer.on("message", (sample) => samples.push(sample))
  const now = () => samples.at(-1) ?? { head: 0, seq: 0, state: "starting" }
  const until = async (what, happened, limit_ms) => {
    const deadline = Date.now() + limit_ms
    while (!happened(now())) {
      if (Date.now() > deadline || observer.exitCode !== null) {
        throw new Error(`${what} did not happen within ${limit_ms / 1_000} s: ${JSON.stringify(now())}`)
      }
      await wait(50)
    }
  }
  const near = ({ head, seq, state }) => state === "ok" && head - seq < rate / 2

  /** Has a fault last, mends it, waits for the follower to be at the head again, and says what it took. */
  const during = async (name, seconds, begin, mend) => {
    if (!chosen(name)) return
    const beganMs = Date.now()
    const from = now().seq
    await begin()
    await wait(seconds * 1_000)
    await mend()
    const mendedMs = Date.now()
    await until(`${name}: the catch-up`, (sample) => near(sample) && sample.atMs > mendedMs, 180_000 + seconds * 1_000)
    // The first samples are those of a process that warms up, or still has what it had.
    const lasting = samples.filter(
      ({ atMs, isCollected }) => isCollected && atMs > beganMs + seconds * 250 && atMs < mendedMs
    )
    const behind = samples.filter(({ atMs, head, seq }) => atMs > mendedMs && seq > from && head - seq > 5_000)
    const [first, last] = [behind[0], behind.at(-1)]
    const speed = behind.length < 3 ? undefined : ((last.seq - first.seq) * 1_000) / (last.atMs - first.atMs)
    const per = (value) => `${((slopeOf(lasting, value) * 60) / 1e6).toFixed(2)} MB/min`
    const most = Math.max(0, ...samples.filter(({ atMs }) => atMs > beganMs).map(({ head, seq }) => head - seq))
    const memory = `, heap ${per(({ heapUsed }) => heapUsed)}, resident ${per(({ rss }) => rss)}`
    console.log(
      `${name.padEnd(9)} ${String(seconds).padStart(4)} s: lag at most ${most}${seconds < slope_seconds_min ? "" : memory}` +
        `${speed === undefined ? "" : `; caught up at ${speed.toFixed(0)} records/s`}`
    )
  }
  const replay = (database) => {
    const env = {
      PATH: process.env.PATH,
      DATABASE_URL: `postgres://observer@127.0.0.1:${server.port}/${database}`,
      OBSERVER_DATA_DIR: dataDir,
      OBSERVER_NODE: node
    }
    const program = fileURLToPath(new URL("../../dist/replay.js", import.meta.url))
    const child = spawn(process.execPath, [program], { env, cwd: work, stdio: ["ignore", "pipe", "pipe"] })
    let said = ""
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (said += text))
    const exit = new Promise((resolve) => child.once("exit", (code, signal) => resolve({ end: signal ?? code, said })))
    return { child, exit }
  }
  const checkpoint = "select count(*) from follower_cursors where follower like 'replay %'"

  /** Into an empty database: one that is killed once it has stored something, then two at once; and one beside the follower. */
  const replayAll = async () => {
    server.psql("create database replayed owner observer")
    const first = replay("replayed")
    let begun = "0"
    while (begun === "0" && first.child.exitCode === null) {
      await wait(20)
      begun = await Promise.resolve()
        .then(() => server.psql(checkpoint, "replayed"))
        .catch(() => "0")
    }
    first.child.kill("SIGKILL")
    const { end } = await first.exit
    const stored = server.psql("select count(*) from pattern_records", "replayed")
    const three = await Promise.all(["replayed", "replayed", "observer"].map((database) => replay(database).exit))
    for (const { end: code, said } of three) if (code !== 0) problems.push(`a replay ended with ${code}: ${said}`)
    const passed = three.slice(0, 2).filter(({ said }) => said.includes("lines passed over")).length
    if (end === "SIGKILL" && passed === 0) problems.push(`no replay went on where the killed one was: ${three[0].said}`)
    return {
      said: `one killed after ${stored} rows, two at once gone on with it, one beside the follower`,
      finish: async () => {
        const { end: code, said } = await replay("replayed").exit
        if (code !== 0) problems.push(`the last replay ended with ${code}: ${said}`)
        if (server.psql(checkpoint, "replayed") !== "0") problems.push("a replay that is done has left its checkpoint")
      }
    }
  }
  const terminate = () => server.psql(`select pg_terminate_backend(pid) from ${sessions}`)

  try {
    await until("the first record", ({ head }) => head > 0, 60_000)
    await during("start", outage, async () => undefined, server.start)
    await until("the beginning", near, 60_000)
    await during("stopped", outage, () => server.stop(), server.start)
    await during(
      "hung",
      hang,
      async () => {
        for (const pid of processesOf(server.pid)) process.kill(pid, "SIGSTOP")
      },
      async () => {
        for (const pid of processesOf(server.pid)) process.kill(pid, "SIGCONT")
      }
    )
    for (let kill = 1; kill <= kills; kill++) {
      await during(
        "killed",
        0,
        async () => {
          let pid = ""
          while (pid === "") {
            await wait(Math.random() * 200)
            pid = server.psql(`select pid from ${sessions} and state <> 'idle' and xact_start is not null limit 1`)
          }
          process.kill(Number(pid), "SIGKILL")
        },
        async () => {
          const deadline = Date.now() + 30_000
          while (Date.now() < deadline) {
            try {
              return server.psql("select 1")
            } catch {
              await wait(100)
            }
          }
        }
      )
    }
    await during(
      "lost",
      3,
      async () => {
        proxy.loseCommits = 3
      },
      async () => {
        const deadline = Date.now() + 60_000
        while (proxy.loseCommits > 0 && Date.now() < deadline) await wait(50)
      }
    )
    if (chosen("lost") && proxy.lost < 3) problems.push(`only ${proxy.lost} answers to a commit were lost`)
    await during(
      "poison",
      3,
      async () => void observer.send("poison"),
      async () => undefined
    )
    await during(
      "full",
      3,
      async () => {
        server.psql("alter role observer connection limit 0")
        terminate()
      },
      async () => server.psql("alter role observer connection limit -1")
    )
    await during(
      "readonly",
      3,
      async () => {
        server.psql("alter role observer set default_transaction_read_only = on")
        terminate()
      },
      async () => {
        server.psql("alter role observer reset default_transaction_read_only")
        terminate()
      }
    )
    const replays = chosen("replay") ? await replayAll() : undefined
    observer.send("stop")
    const code = await Promise.race([ended, wait(120_000)])
    if (code !== 0) problems.push(`the observer ended with ${code}: ${JSON.stringify(now())}`)
    await replays?.finish()
    const lines = linesOf(dataDir)
    const rows = (query) => server.psql(query, "observer").split("\n")
    const stored = rows("select id from pattern_records")
    const refused = new Set(rows("select id from ingest_errors where kind = 'failure'"))
    const kept = new Set(stored)
    const missing = lines.filter(({ id, isPoison }) => !(isPoison ? refused : kept).has(id)).length
    const unknown = kept.size - lines.filter(({ id }) => kept.has(id)).length
    const duplicates = stored.length - kept.size
    const poison = lines.filter(({ isPoison }) => isPoison).length
    console.log(
      `${lines.length} lines, ${stored.length} rows, ${poison} refused rows set aside: ${missing} missing, ${duplicates} twice, ${unknown} unknown`
    )
    if (missing + duplicates + unknown > 0) problems.push("journal and SQL differ")
    if (replays !== undefined) {
      const digest = "select md5(string_agg(id::text || payload_raw::text, '' order by id)) from pattern_records"
      const errors = "select md5(string_agg(id::text || kind, '' order by id)) from ingest_errors"
      const equal = [digest, errors].every((query) => server.psql(query, "observer") === server.psql(query, "replayed"))
      console.log(`replay: ${replays.said}; the rows of both databases are ${equal ? "the same" : "different"}`)
      if (!equal) problems.push("the replays' rows are not the follower's")
    }
    if (chosen("poison") && poison !== 2) problems.push(`${poison} poison rows instead of 2`)
  } catch (error) {
    problems.push(error.message)
  } finally {
    observer.kill("SIGKILL")
    proxy.close()
    await server.remove()
    rmSync(work, { recursive: true, force: true })
  }
  for (const problem of problems) console.log(`PROBLEM: ${problem}`)
  console.log(problems.length === 0 ? "every fault survived, nothing lost" : `${problems.length} problems`)
  process.exitCode = problems.length === 0 ? 0 : 1
}

if (process.argv[2] === "--child") await child(process.argv.slice(3))
else if (postgresBin === undefined) console.log("there is no PostgreSQL on this machine: nothing was tried")
else {
  const text = (value) => ({ type: "string", default: value })
  const { values } = parseArgs({
    options: { outage: text("3"), hang: text("3"), kills: text("1"), rate: text("2000"), only: { type: "string" } }
  })
  await trial({
    outage: Number(values.outage),
    hang: Number(values.hang),
    kills: Number(values.kills),
    rate: Number(values.rate),
    only: values.only?.split(",")
  })
}
