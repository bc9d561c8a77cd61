import type { HealthReport } from "../../src/ops/Health.ts"
import { accountStatus } from "./accountStatus.ts"

/** What health says when all is well, but for what is told otherwise. */
export const healthReport = (told: Partial<HealthReport> = {}): HealthReport => ({
  status: "ok",
  ready: true,
  node: "seoul-1",
  version: "0.0.0",
  startedAt: "2026-11-24T00:00:00.000Z",
  uptime_seconds: 3_600,
  phase: "continuous",
  parts: {
    journal: { status: "ok" },
    sql: { status: "ok" },
    accounts: { status: "ok" },
    sweep: { status: "ok" },
    stream: { status: "ok" },
    conservation: { status: "ok" },
    disk: { status: "ok" },
    backup: { status: "ok" },
    actors: { status: "ok" }
  },
  coverage: { symbols: 2_001, seen: 2_000, stale: 10, unknown: ["ZZZZZZ"] },
  journal: {
    writable: true,
    head: { seq: 42, file: "f", byteOffset: 1 },
    synced: { seq: 42, file: "f", byteOffset: 1 },
    appended_bytes: 1,
    lastAppendAtMs: 1,
    fsync_ms: 2,
    waitingAppends: 0
  },
  sql: {
    name: "sql",
    state: "ok",
    sinceMs: 0,
    seq: 42,
    lag_records: 0,
    lag_bytes: 0,
    lag_seconds: 0,
    lastGoodAtMs: 0
  },
  feed: {
    accounts: [accountStatus()],
    sweep: { rounds: 3, lastRound_ms: 3_722, lastAnswerAtMs: 1, unknown: ["ZZZZZZ"] },
    calendar: { knownTo: "20271231", answeredOn: undefined },
    phase: { expected: "continuous", nextChangeMs: undefined, difference: undefined }
  },
  universe: {
    list: "today",
    date: "20261124",
    symbols: 2_000,
    indices: 0,
    unlisted: 0,
    recorded: true,
    file: "2026/11/24/universe-0123456789ab.json",
    sha256: "0123456789ab"
  },
  callLimitsAsOf: "2026-04-20",
  conservation: {
    "kis-rest": { received: 1_000, stored: 900, rejected: 0, deduplicated: 100, inFlight: 0, remainder: 0 }
  },
  lost: { losses: 0, trades: 0, shares: 0, foundTrades: 0, foundShares: 0 },
  disk: {
    folders: [
      { name: "data", path: "/data", state: "ok", sinceMs: 0, free_bytes: 5e11, total_bytes: 1e12, isPaceKnown: true }
    ]
  },
  backup: undefined,
  alerts: [],
  actors: [{ name: "shard/0", state: { _tag: "running" }, sinceMs: 0, restarts: 0 }],
  ...told
})

/** What an observer says of itself whose database is down, with something of everything that can be missing. */
export const troubledReport: HealthReport = healthReport({
  node: "test",
  uptime_seconds: 5,
  parts: {
    ...healthReport().parts,
    sql: { status: "degraded", reason: "the database is down" },
    disk: { status: "off" },
    backup: { status: "off" }
  },
  coverage: { symbols: 2_000, seen: 1_999, stale: 3, unknown: ["ZZZZZZ"] },
  sql: {
    name: "sql",
    state: "degraded",
    sinceMs: 0,
    seq: 40,
    lag_records: 2,
    lag_bytes: 7,
    lag_seconds: 1.5,
    lastGoodAtMs: 0
  },
  conservation: { "kis-rest": { received: 10, stored: 6, rejected: 1, deduplicated: 2, inFlight: 1, remainder: 0 } },
  disk: undefined,
  lost: { losses: 1, trades: 2, shares: 30, foundTrades: 1, foundShares: 10 },
  actors: [
    { name: "shard/0", state: { _tag: "running" }, sinceMs: 0, restarts: 2, mailboxDepth: 5, mailboxCapacity: 128 },
    { name: "journal", state: { _tag: "running" }, sinceMs: 0, restarts: 0 }
  ]
})
