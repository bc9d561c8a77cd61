import type { HealthReport } from "../../src/ops/Health.ts"
import { accountStatus } from "./accountStatus.ts"

/** What a running observer says of itself: all is well but the database. */
export const healthReport: HealthReport = {
  status: "ok",
  ready: true,
  node: "test",
  version: "0.0.0",
  startedAt: "2026-11-24T00:00:00.000Z",
  uptime_seconds: 5,
  phase: "continuous",
  parts: {
    journal: { status: "ok" },
    sql: { status: "degraded", reason: "the database is down" },
    accounts: { status: "ok" },
    sweep: { status: "ok" },
    stream: { status: "ok" },
    conservation: { status: "ok" },
    disk: { status: "off" },
    backup: { status: "off" },
    actors: { status: "ok" }
  },
  coverage: { symbols: 2_000, seen: 1_999, stale: 3, unknown: ["ZZZZZZ"] },
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
    state: "degraded",
    sinceMs: 0,
    seq: 40,
    lag_records: 2,
    lag_bytes: 7,
    lag_seconds: 1.5,
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
  conservation: { "kis-rest": { received: 10, stored: 6, rejected: 1, deduplicated: 2, inFlight: 1, remainder: 0 } },
  disk: undefined,
  backup: undefined,
  lost: { losses: 1, trades: 2, shares: 30, foundTrades: 1, foundShares: 10 },
  actors: [
    { name: "shard/0", state: { _tag: "running" }, sinceMs: 0, restarts: 2, mailboxDepth: 5, mailboxCapacity: 128 },
    { name: "journal", state: { _tag: "running" }, sinceMs: 0, restarts: 0 }
  ]
}
