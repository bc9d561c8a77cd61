import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect } from "effect"
import type { AccountStatus } from "../../../src/feed/AccountFeed.ts"
import type { MachineLook } from "../../../src/ops/alerts/machineLook.ts"
import { rules } from "../../../src/ops/alerts/rules.ts"
import type { FolderStatus } from "../../../src/ops/DiskWatch.ts"
import type { HealthReport, Part } from "../../../src/ops/Health.ts"
import { accountStatus } from "../../support/accountStatus.ts"
import { alertStage, at } from "../../support/alertStage.ts"
import { healthReport } from "../../support/healthReport.ts"
import { MemoryDisk } from "../../support/memoryDisk.ts"

/** What brings a rule's alarm about; all else is well. */
interface Scene {
  readonly report?: (nowMs: number) => Partial<HealthReport>
  readonly machine?: Partial<MachineLook>
  /** On disk, and its end. */
  readonly disk?: { readonly amiss: (disk: MemoryDisk) => void; readonly well: (disk: MemoryDisk) => void }
  /** Lines that the log loses meanwhile. */
  readonly logLost?: number
  /** Besides what the rule asks for: until counts, or looks that are rare, say it. */
  readonly fires_after_seconds?: number
  readonly recovers_after_seconds?: number
  /** What the words say. */
  readonly says: string
}

const fromMs = at("20261124", "100000")

const part = (name: keyof HealthReport["parts"], status: Part["status"], reason: string): Partial<HealthReport> => ({
  parts: { ...healthReport().parts, [name]: { status, reason } }
})
const folder = (told: Partial<FolderStatus>): Partial<HealthReport> => ({
  disk: { folders: [{ name: "data", path: "/data", state: "ok", sinceMs: 0, ...told }] }
})
const account = (told: Partial<AccountStatus>): Partial<HealthReport> => {
  const report = healthReport()
  return { feed: { ...report.feed, accounts: [accountStatus(told)] } }
}
const stream = (told: Partial<AccountStatus["stream"]>) => account({ stream: { ...accountStatus().stream, ...told } })
const actor = (told: Partial<HealthReport["actors"][number]>): Partial<HealthReport> => ({
  actors: [{ name: "shard/0", state: { _tag: "running" }, sinceMs: 0, restarts: 0, ...told }]
})
const well = {
  name: "sql",
  state: "ok",
  sinceMs: 0,
  seq: 0,
  lag_records: 0,
  lag_bytes: 0,
  lag_seconds: 0,
  lastGoodAtMs: 0
} as const
const received = { stored: 0, deduplicated: 0, inFlight: 0, remainder: 0 }
const certificate = (day: string, verdict: string) =>
  Buffer.from(
    `{\n  "v": 1,\n  "day": "${day}",\n  "madeAt": "2026-11-23T11:05:01.000Z",\n  "verdict": "${verdict}"\n}\n`
  )
const day = "data/2026/11/23"
const segment = `${day}/09/node-000000000001.jsonl`

/** One for each rule: a rule without one fails. */
const scenes: Readonly<Record<string, Scene>> = {
  journalUnwritable: {
    report: () => ({ journal: { ...healthReport().journal, writable: false, reason: "no room (ENOSPC)" } }),
    says: "ENOSPC"
  },
  folderUnusable: { report: () => folder({ state: "readOnly", reason: "EROFS" }), says: "readOnly: EROFS" },
  folderLow: { report: () => folder({ state: "low", free_bytes: 9e8 }), says: "900 MB free" },
  diskFullSoon: { report: () => folder({ full_hours: 3.25 }), says: "full in 3 h" },
  sqlDown: { report: () => part("sql", "degraded", "connection refused"), says: "connection refused" },
  sqlLag: {
    report: () => ({ sql: { ...well, lag_records: 900, lag_seconds: 301 } }),
    says: "900 records behind"
  },
  sweepSilent: { report: () => part("sweep", "down", "no answer for 61 s"), says: "no answer for 61 s" },
  streamDown: { report: () => part("stream", "down", "parked"), says: "parked" },
  streamTroubled: { report: () => part("stream", "degraded", "ECONNRESET"), says: "ECONNRESET" },
  streamSilent: {
    report: (nowMs) => stream({ state: { _tag: "live" }, sinceMs: fromMs, lastDataMs: Math.min(nowMs, fromMs) }),
    fires_after_seconds: 90,
    says: "on 1 connections"
  },
  gapsOpen: { report: () => stream({ openHoles: 11 }), says: "11 of 41" },
  accountRefused: { report: () => part("accounts", "degraded", "main: EGW00103"), says: "EGW00103" },
  refusals: {
    report: (nowMs) => {
      const calls = Math.floor((nowMs - fromMs) / 1_000)
      return account({ budget: { ...accountStatus().budget, calls: calls * 10, refusals: calls } })
    },
    fires_after_seconds: 20,
    recovers_after_seconds: 600,
    says: "11 %"
  },
  reconnects: {
    report: () => account({ connects: { connectsLastHour: 6, connectsPerHour_max: 11 } }),
    says: "main: 6 connects"
  },
  staleSymbols: {
    report: () => ({ coverage: { symbols: 1_001, seen: 980, stale: 40, unknown: ["ZZZZZZ"] } }),
    says: "60 of 1000 symbols"
  },
  universeOld: {
    report: () => ({ universe: { ...healthReport().universe, list: "yesterday", date: "20261123" } }),
    says: "yesterday list, of 20261123"
  },
  conservation: { report: () => part("conservation", "degraded", "kis-ws: 3 records"), says: "kis-ws: 3 records" },
  actorParked: {
    report: () => actor({ state: { _tag: "parked", cause: "boom", untilMs: 0 } }),
    says: "shard/0: boom"
  },
  actorRestarts: {
    report: (nowMs) => actor({ restarts: Math.floor((nowMs - fromMs) / 10_000), lastError: "boom" }),
    fires_after_seconds: 50,
    recovers_after_seconds: 600,
    says: "last boom"
  },
  rejects: {
    report: (nowMs) => {
      const records = Math.floor((nowMs - fromMs) / 100)
      return { conservation: { "kis-ws": { ...received, received: records, rejected: Math.floor(records / 20) } } }
    },
    fires_after_seconds: 60,
    recovers_after_seconds: 600,
    says: "5 %"
  },
  layoutChanged: { report: () => stream({ drifts: ["H0STCNT0 47"] }), says: "H0STCNT0 47" },
  lostTrades: {
    report: (nowMs) => {
      const trades = Math.floor((nowMs - fromMs) / 10)
      return { lost: { losses: 1, trades, shares: trades, foundTrades: 0, foundShares: 0 } }
    },
    fires_after_seconds: 10,
    recovers_after_seconds: 600,
    says: "trades within 10 min"
  },
  certificateBad: {
    disk: {
      amiss: (disk) => disk.put(`${day}/CERTIFICATE.json`, certificate("2026-11-23", "incomplete")),
      well: (disk) => disk.put(`${day}/CERTIFICATE.json`, certificate("2026-11-23", "complete"))
    },
    fires_after_seconds: 600,
    recovers_after_seconds: 600,
    says: "2026-11-23 says incomplete"
  },
  certificateMissing: {
    disk: {
      amiss: (disk) => disk.put(segment, Buffer.from("{}\n")),
      well: (disk) => disk.put(`${day}/CERTIFICATE.json`, certificate("2026-11-23", "completeButFor"))
    },
    fires_after_seconds: 600,
    recovers_after_seconds: 600,
    says: "2026-11-23"
  },
  backupOld: { report: () => part("backup", "degraded", "3 files wait, the oldest for 31 h"), says: "31 h" },
  logLost: { logLost: 7, recovers_after_seconds: 600, says: "7 lines" },
  loopBusy: { machine: { loopBusy_share: 0.97 }, says: "97 %" },
  memoryHigh: { machine: { heapUsed_bytes: 3.6e9 }, says: "90 % of 4 GB" }
}

describe("the table of rules", () => {
  it("has a scene for each rule, and no rule twice", () => {
    assert.deepStrictEqual(
      Object.keys(scenes),
      rules.map(({ name }) => name)
    )
  })

  for (const rule of rules) {
    const found = scenes[rule.name]
    if (found === undefined) continue
    it.effect(`tells once that ${rule.name} fires, and once that it is over`, () =>
      Effect.gen(function* () {
        const stage = yield* alertStage({ fromMs })
        // Whatever has to be counted begins before the trouble does.
        yield* stage.pass(10)
        assert.deepStrictEqual(stage.told(), [])

        const { disk, logLost = 0, machine, report } = found
        let endedMs = Number.POSITIVE_INFINITY
        if (report !== undefined) {
          // Counts stay where they were when the trouble ends.
          const counted = new Set(["refusals", "actorRestarts", "rejects", "lostTrades"])
          stage.scene.report = (nowMs) =>
            nowMs < endedMs || counted.has(rule.name) ? healthReport(report(Math.min(nowMs, endedMs))) : healthReport()
        }
        stage.scene.machine = { ...stage.scene.machine, ...machine }
        disk?.amiss(stage.disk)
        stage.scene.lostLines += logLost
        const { fire_seconds, recover_seconds } = rule
        if (fire_seconds > 4) yield* stage.pass(fire_seconds - 2)
        if (fire_seconds > 4) assert.deepStrictEqual(stage.told(), [])
        yield* stage.pass((found.fires_after_seconds ?? 0) + 10)
        assert.deepStrictEqual(stage.told(), [`fired ${rule.name}`])
        assert.include(stage.events()[0]?.words, found.says)
        assert.deepInclude((yield* stage.firing)[0], { rule: rule.name, severity: rule.severity })
        assert.include(stage.lines, `${rule.severity === "critical" ? "Error" : "Warn"} alarm: ${rule.title}`)

        endedMs = fromMs + 1_000 * (10 + fire_seconds + (found.fires_after_seconds ?? 0) + 8)
        stage.scene.machine = { loopBusy_share: 0.1, heapUsed_bytes: 1e8, heapLimit_bytes: 4e9 }
        disk?.well(stage.disk)
        if (recover_seconds > 4) yield* stage.pass(recover_seconds - 4)
        assert.deepStrictEqual(stage.told(), [`fired ${rule.name}`])
        yield* stage.pass((found.recovers_after_seconds ?? 0) + 20)
        assert.deepStrictEqual(stage.told(), [`fired ${rule.name}`, `recovered ${rule.name}`])
        assert.deepStrictEqual(yield* stage.firing, [])
        assert.include(stage.lines, `Info alarm over: ${rule.title}`)
      })
    )
  }
})

/** What health says for a while after a start, when it does not know yet; nothing of it is amiss, and nothing is over. */
const unsure: Readonly<Record<string, (nowMs: number) => Partial<HealthReport>>> = {
  folderUnusable: () => folder({}),
  folderLow: () => folder({}),
  diskFullSoon: () => folder({ free_bytes: 5e11 }),
  sqlDown: () => part("sql", "starting", ""),
  sqlLag: () => ({ sql: { ...well, state: "starting" } }),
  sweepSilent: () => part("sweep", "starting", ""),
  streamDown: () => part("stream", "starting", ""),
  streamSilent: (nowMs) => stream({ sinceMs: nowMs, lastDataMs: undefined }),
  refusals: () => ({}),
  actorParked: () => actor({ state: { _tag: "backingOff", attempt: 1, untilMs: 0 } }),
  actorRestarts: () => ({}),
  rejects: () => ({}),
  layoutChanged: () => stream({ lastDataMs: undefined }),
  lostTrades: () => ({}),
  certificateBad: () => ({}),
  certificateMissing: () => ({}),
  backupOld: () => part("backup", "starting", ""),
  logLost: () => ({})
}

describe("an alarm that was told before a restart", () => {
  for (const rule of rules) {
    const found = scenes[rule.name]
    if (found === undefined) continue
    const { disk: files, logLost = 0, machine, report } = found
    const told_seconds = rule.fire_seconds + (found.fires_after_seconds ?? 0) + 20
    const rest = { loopBusy_share: 0.1, heapUsed_bytes: 1e8, heapLimit_bytes: 4e9 }

    it.effect(`is not over, and not told again, because ${rule.name} cannot be judged yet; then it is over once`, () =>
      Effect.gen(function* () {
        const disk = new MemoryDisk("/scene")
        disk.put("state/keep", Buffer.from(""))
        files?.amiss(disk)
        const troubled = (nowMs: number) => healthReport(report?.(nowMs) ?? {})
        yield* Effect.scoped(
          Effect.gen(function* () {
            const stage = yield* alertStage({ fromMs, disk })
            stage.scene.report = troubled
            stage.scene.machine = { ...rest, ...machine }
            yield* stage.pass(10)
            stage.scene.lostLines += logLost
            yield* stage.pass(told_seconds)
            assert.deepStrictEqual(stage.told(), [`fired ${rule.name}`])
          })
        )

        const kept = disk.afterKill()
        const refused = { _tag: "Refused", code: "EIO", done: 0 } as const
        kept.fault = ({ path }) => (path.startsWith("/scene/data") ? refused : undefined)
        const stage = yield* alertStage({ fromMs: fromMs + 1_000 * (told_seconds + 60), disk: kept })
        // What lasts unsure for so long may be another rule's alarm.
        const told = () => stage.told().filter((line) => line.endsWith(` ${rule.name}`))
        const fresh = unsure[rule.name]
        stage.scene.report = (nowMs) => healthReport(fresh?.(nowMs) ?? {})
        stage.scene.machine = rest
        // What can be judged at once may still have to come up.
        yield* stage.pass(fresh === undefined ? 110 : 500)
        assert.deepStrictEqual(told(), [])

        kept.fault = () => undefined
        stage.scene.report = troubled
        stage.scene.machine = { ...rest, ...machine }
        stage.scene.lostLines += logLost
        yield* stage.pass(told_seconds + (files === undefined ? 0 : 600))
        assert.deepStrictEqual(told(), [])

        const endMs = yield* Clock.currentTimeMillis
        files?.well(kept)
        stage.scene.report = (nowMs) =>
          unsure[rule.name] === undefined || found.recovers_after_seconds === undefined || nowMs < endMs
            ? healthReport()
            : healthReport(report?.(endMs) ?? {})
        stage.scene.machine = rest
        yield* stage.pass(rule.recover_seconds + (found.recovers_after_seconds ?? 0) + 620)
        assert.deepStrictEqual(told(), [`recovered ${rule.name}`])
      })
    )
  }
})

describe("the phase", () => {
  const quiet = {
    ...part("sweep", "down", "no answer"),
    coverage: { symbols: 2_001, seen: 0, stale: 2_000, unknown: [] }
  }

  it.effect("keeps what the market brings about from being an alarm at night and at weekends", () =>
    Effect.gen(function* () {
      const stage = yield* alertStage({ fromMs: at("20261127", "210000") })
      stage.scene.report = () => healthReport(quiet)
      // Friday night, and Saturday at noon.
      yield* stage.pass(3_600)
      assert.deepStrictEqual(stage.told(), [])
      yield* stage.pass(15 * 3_600)
      assert.deepStrictEqual(stage.told(), [])
    })
  )

  it.effect("does not keep a folder that vanishes from being told within five seconds, at night too", () =>
    Effect.gen(function* () {
      const stage = yield* alertStage({ fromMs: at("20261128", "030001") })
      yield* stage.pass(61)
      stage.scene.report = () => healthReport(folder({ state: "missing" }))
      yield* stage.pass(5)
      assert.deepStrictEqual(stage.told(), ["fired folderUnusable"])
    })
  )

  it.effect("changes in peace: half a minute on both sides nothing begins and nothing ends", () =>
    Effect.gen(function* () {
      const stage = yield* alertStage({ fromMs: at("20261124", "085920") })
      yield* stage.pass(11)
      stage.scene.report = () => healthReport(part("sweep", "down", "no answer"))
      // 09:00:30 is half a minute after the opening.
      yield* stage.pass(58)
      assert.deepStrictEqual(stage.told(), [])
      yield* stage.pass(10)
      assert.deepStrictEqual(stage.told(), ["fired sweepSilent"])
    })
  )

  it.effect("ends what is not judged any more, and says so", () =>
    Effect.gen(function* () {
      const stage = yield* alertStage({ fromMs: at("20261124", "195800") })
      stage.scene.report = () => healthReport(part("sweep", "down", "no answer"))
      yield* stage.pass(60)
      assert.deepStrictEqual(stage.told(), ["fired sweepSilent"])
      yield* stage.pass(180)
      assert.deepStrictEqual(stage.told(), ["fired sweepSilent", "recovered sweepSilent"])
      assert.strictEqual(stage.events()[1]?.words, "not judged any more: the phase is closed")
    })
  )

  it.effect("of a halt leaves a stream's silence alone", () =>
    Effect.gen(function* () {
      const stage = yield* alertStage({ fromMs })
      const silent = healthReport(stream({ state: { _tag: "live" }, sinceMs: fromMs, lastDataMs: fromMs }))
      const difference = { phase: "halt", sinceMs: fromMs } as unknown as NonNullable<
        HealthReport["feed"]["phase"]["difference"]
      >
      stage.scene.report = () => ({ ...silent, feed: { ...silent.feed, phase: { ...silent.feed.phase, difference } } })
      yield* stage.pass(600)
      assert.deepStrictEqual(stage.told(), [])
    })
  )
})
