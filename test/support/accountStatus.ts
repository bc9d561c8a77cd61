import type { AccountStatus } from "../../src/feed/AccountFeed.ts"

/** What a well account says of itself, streaming 41 symbols, but for what is told otherwise. */
export const accountStatus = (told: Partial<AccountStatus> = {}): AccountStatus => ({
  account: "main",
  budget: {
    callsPerSecond: 18,
    learntPerSecond: 17,
    calls: 100,
    answered: 99,
    refusals: 1,
    callsLastSecond: 17,
    waiting: 0,
    turnedAway: 0,
    ledger: { calls: 0, refusals: 0, waiting: 0 }
  },
  token: { expiresAtMs: 1_000, issues: 1 },
  sweeper: { state: "ok", sinceMs: 0 },
  stream: {
    state: { _tag: "live" },
    sinceMs: 0,
    connects: 1,
    slotsHeld: 41,
    slotsBelieved: 41,
    lastHeardMs: 1,
    pingPongs: 0,
    wanted: 41,
    unanswered: [],
    lastDataMs: 1,
    silentSymbols: [],
    drifts: [],
    frames: 0,
    bytes: 0,
    openHoles: 0,
    holes: []
  },
  connects: { connectsLastHour: 1, connectsPerHour_max: 11 },
  backfill: {
    state: "idle",
    sinceMs: 0,
    waiting: 0,
    repaired: 0,
    complete: 0,
    trades: 0,
    volume: 0,
    lastRepairedAtMs: undefined,
    givenUp: 0,
    reasons: {},
    dropped: 0,
    failures: 0,
    lastFailure: undefined
  },
  streamed: 41,
  ...told
})
