import { assert, describe, it } from "@effect/vitest"
import type { HealthReport } from "../../src/ops/Health.ts"
import { renderHealth } from "../../src/ops/status/renderHealth.ts"
import { troubledReport } from "../support/healthReport.ts"

const url = "http://127.0.0.1:8787"
const nowMs = Date.parse("2026-11-24T02:00:00.000Z")
const page = (given: Partial<HealthReport> = {}, colours = false) =>
  renderHealth({ report: { ...troubledReport, ...given }, url, nowMs, perSecond: { "kis-rest": 481.6 } }, colours)

/** As an observer tells its alarms. */
const alarmed = {
  alerts: [{ rule: "journalDown", severity: "critical", since: "2026-11-24T01:00:00.000Z", words: "no room" }]
} as const

describe("the status page", () => {
  it("begins with how it is, and says of each part since when and why", () => {
    const lines = page()
    assert.strictEqual(lines[0], `ok, ready  ·  observer 0.0.0 on test  ·  continuous  ·  up 2 h  ·  ${url}`)
    for (const line of [
      "journal       ok",
      "sql           degraded  the database is down",
      "backup        off",
      "symbols       1,999 of 2,000 seen, 3 stale",
      "unknown       1 the broker does not know: ZZZZZZ",
      "lost          2 trades of streams, 1 found again",
      "kis-rest      482/s; 10 received = 6 stored + 2 unchanged + 1 rejected",
      "SQL           #40, 2 records behind, 2 s",
      "gaps today    not told in time; observer gaps reads the files",
      "actors        2, none in trouble, 2 restarts"
    ]) {
      assert.include(lines, line)
    }
    assert.isTrue(lines.some((line) => line.startsWith("@main         calls 17/18 a second (learnt 17), 1 refused;")))
    assert.isFalse(lines.some((line) => line.startsWith("alarm ")))
  })

  it("names what is in trouble: parts, disks, backup, accounts, actors, alarms, and records that are missing", () => {
    const [account] = troubledReport.feed.accounts
    const lines = page({
      status: "down",
      ready: false,
      parts: {
        ...troubledReport.parts,
        journal: {
          status: "down",
          since: "2026-11-24T01:00:00.000Z",
          lastGood: "2026-11-24T01:50:00.000Z",
          reason: "write x: ENOSPC\nforged ok"
        }
      },
      conservation: {
        "kis-ws": { received: 10, stored: 6, rejected: 1, deduplicated: 0, inFlight: 0, remainder: 3 }
      },
      disk: {
        folders: [{ name: "data", path: "/d", state: "low", sinceMs: 0, free_bytes: 5e8, full_hours: 3 }]
      },
      backup: { target: "/mnt", age_seconds: 0, unbacked: { files: 3, bytes: 2e9 }, age_seconds_max: 1 },
      feed: { ...troubledReport.feed, accounts: account === undefined ? [] : [{ ...account, down: "refused" }] },
      actors: [
        {
          name: "shard/3",
          state: { _tag: "parked", cause: "boom", untilMs: 1 },
          sinceMs: nowMs - 60_000,
          restarts: 9,
          lastError: "boom"
        }
      ],
      ...alarmed
    })
    assert.match(lines[0] ?? "", /^down, not ready/)
    for (const line of [
      "alarm         journalDown, for 60 min: no room",
      "journal       down      for 60 min; last good 10 min ago; write x: ENOSPC\\nforged ok",
      "kis-ws        10 received = 6 stored + 0 unchanged + 1 rejected, 3 MISSING",
      "disk data     /d: low, 500 MB free, full in 3 h",
      "backup        /mnt: last good never, 3 files (2 GB) waiting",
      "@main         down: refused",
      "actor         shard/3 parked for 60 s: boom"
    ]) {
      assert.include(lines, line)
    }
  })

  it("says what is missing of today, and is painted on a terminal alone", () => {
    const gaps = { holes: 3, left: 1, left_all_seconds: 600, lostTrades: 4 }
    const lines = renderHealth({ report: troubledReport, url, nowMs, gaps }, false)
    assert.include(lines, "gaps today    3 holes, 1 not filled, nothing at all for 10 min, 4 trades lost")
    const none = renderHealth({ report: troubledReport, url, nowMs, gaps: { ...gaps, holes: 0 } }, false)
    assert.include(none, "gaps today    none")
    assert.include(page({}, true)[0], "\u001b[32mok, ready")
    assert.isFalse(page().some((line) => line.includes("\u001b")))
  })
})
