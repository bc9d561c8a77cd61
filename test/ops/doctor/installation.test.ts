import { assert, describe, it } from "@effect/vitest"
import { Cause, Clock, Effect, Exit, Fiber, Redacted, Result, Scope } from "effect"
import { TestClock } from "effect/testing"
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { WebSocketServer } from "ws"
import { FolderLock } from "../../../src/journal/FolderLock.ts"
import { Disk } from "../../../src/journal/Disk.ts"
import { makeRememberedBudget } from "../../../src/kis/BudgetMemory.ts"
import { type IssueRules, makeCredential } from "../../../src/kis/Credential.ts"
import { makeGovernor } from "../../../src/kis/Governor.ts"
import { KisThrottled } from "../../../src/kis/KisError.ts"
import { ChildEnvironment } from "../../../src/ops/backup/childProgram.ts"
import { allDays } from "../../../src/ops/backup/DaySelection.ts"
import { folderTarget } from "../../../src/ops/backup/folderTarget.ts"
import { makeSealedFiles } from "../../../src/ops/backup/inventory.ts"
import { append } from "../../../src/ops/backup/Receipts.ts"
import { parseTarget } from "../../../src/ops/backup/targets.ts"
import { rememberRuns } from "../../../src/ops/backup/TransferLog.ts"
import type { Check } from "../../../src/ops/Doctor.ts"
import { callBudget } from "../../../src/ops/doctor/callBudget.ts"
import { connects } from "../../../src/ops/doctor/connects.ts"
import { tokens } from "../../../src/ops/doctor/tokens.ts"
import { backups } from "../../../src/ops/doctor/backups.ts"
import { diskRoom } from "../../../src/ops/doctor/diskRoom.ts"
import type { Finding } from "../../../src/ops/doctor/Finding.ts"
import { folders } from "../../../src/ops/doctor/folders.ts"
import type { Installation } from "../../../src/ops/doctor/Installation.ts"
import { journal } from "../../../src/ops/doctor/journal.ts"
import { oldDays } from "../../../src/ops/doctor/oldDays.ts"
import { streamHosts } from "../../../src/ops/doctor/network/hosts.ts"
import { runningObserver } from "../../../src/ops/doctor/runningObserver.ts"
import { calendar } from "../../../src/ops/doctor/calendar.ts"
import { certificate } from "../../../src/ops/doctor/certificate.ts"
import { gapsToday } from "../../../src/ops/doctor/gapsToday.ts"
import { universe } from "../../../src/ops/doctor/universe.ts"
import { healthReport, troubledReport } from "../../support/healthReport.ts"
import { accountAt, leakIn, secrets } from "../../support/accounts.ts"
import { writeArchive } from "../../support/archive.ts"
import { clockOf, quotes } from "../../support/archivedDay.ts"
import { installationAt } from "../../support/installation.ts"
import { scratchFolder } from "../../support/virtualTime.ts"

const account = {
  ...accountAt({ restUrl: "http://broker", wsUrl: "ws://broker" }),
  limit: { callsPerSecond: 18, source: "a notice" },
  slots: 41
}
const hour_ms = 3_600_000
const day_ms = 24 * hour_ms
const node = "seoul-1"

const installed = Effect.gen(function* () {
  const scratch = yield* scratchFolder
  const on: Installation = {
    ...installationAt(scratch),
    node,
    fsync_ms: 10_000,
    session: "calendar",
    accounts: [account]
  }
  mkdirSync(on.dataDir)
  mkdirSync(on.logDir)
  mkdirSync(on.stateDir, { mode: 0o700 })
  return on
})

const scene = Effect.andThen(TestClock.setTime(Date.UTC(2026, 10, 24, 3)), installed)

const looked = (check: Check, on: Installation) => Effect.orDie(Effect.provide(check.look(on), Disk.layer))
const one = (check: Check, on: Installation) =>
  Effect.map(looked(check, on), ([first]): Finding => first ?? assert.fail("nothing was found"))

/** Everything below a folder with its bytes, so that a look that changes something is found out. */
const contents = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .sort()
    .map((name) => (statSync(join(folder, name)).isFile() ? [name, readFileSync(join(folder, name), "utf8")] : [name]))

describe("what the doctor says of keys", () => {
  const rules: IssueRules = { what: "token", kind: "token", between_ms: 61_000, atOnce: 2, lost_ms_max: 900_000 }
  const issue = Effect.succeed({ secret: Redacted.make(secrets.token), life_ms: day_ms })

  it.effect("the token's age, end and mode, without the token, a request or a change", () =>
    Effect.gen(function* () {
      const on = yield* scene
      assert.deepInclude(yield* one(tokens, on), { status: "ok" })
      const credential = yield* makeCredential(account, on.stateDir, rules, issue)
      yield* credential.current(0)
      yield* TestClock.adjust("3 hours")
      const before = contents(on.stateDir)
      const held = yield* one(tokens, on)
      assert.strictEqual(held.status, "ok")
      assert.strictEqual(held.words, "main: 3 h old, good for 21 h more")
      assert.deepInclude(held.details, { account: "main", mode: "0600", age_seconds: 10_800 })
      assert.isUndefined(leakIn(JSON.stringify(held)))
      yield* TestClock.adjust("22 hours")
      assert.include((yield* one(tokens, on)).words, "ended 60 min ago")
      assert.deepStrictEqual(contents(on.stateDir), before)

      const [file = ""] = readdirSync(on.stateDir)
      chmodSync(join(on.stateDir, file), 0o644)
      const open = yield* one(tokens, on)
      assert.deepInclude(open, { status: "fail", advice: `chmod 600 ${join(on.stateDir, file)}` })
      chmodSync(join(on.stateDir, file), 0o600)
      writeFileSync(join(on.stateDir, file), `{"secret":"${secrets.token}`)
      const approval = yield* makeCredential(account, on.stateDir, { ...rules, kind: "approval" }, issue)
      yield* approval.current(0)
      const approvalFile = join(on.stateDir, readdirSync(on.stateDir).find((name) => name.startsWith("approval")) ?? "")
      chmodSync(approvalFile, 0o640)
      assert.deepInclude(yield* one(tokens, on), { status: "fail", advice: `chmod 600 ${approvalFile}` })
      chmodSync(approvalFile, 0o600)
      const broken = yield* one(tokens, on)
      assert.strictEqual(broken.status, "warn")
      assert.isUndefined(leakIn(JSON.stringify(broken)))
    })
  )

  it.effect("connects as the governor counts them, and a budget that is spent", () =>
    Effect.gen(function* () {
      const on = yield* scene
      assert.strictEqual((yield* one(connects, on)).words, "main: 0 of at most 11 in the last hour")
      const governor = yield* makeGovernor(account, on.stateDir)
      for (let at = 1; at <= 8; at++) {
        const permit = yield* Effect.forkChild(governor.permit)
        yield* TestClock.adjust("5 seconds")
        yield* Fiber.join(permit)
      }
      const before = contents(on.stateDir)
      const spent = yield* one(connects, on)
      assert.strictEqual(spent.status, "warn")
      assert.match(spent.words, /^main: 8 of at most 11 in the last hour; the next one is allowed in 1\d min$/)
      assert.deepStrictEqual(contents(on.stateDir), before)
    })
  )

  it.effect("what was learnt of the broker's patience", () =>
    Effect.gen(function* () {
      const on = yield* scene
      assert.include((yield* one(callBudget, on)).words, "nothing is learnt yet")
      const scope = yield* Scope.make()
      const budget = yield* Scope.provide(makeRememberedBudget(account, on.stateDir, account.limit), scope)
      const refused = Effect.flip(budget.spend(Effect.fail(new KisThrottled({ operation: "price", code: "EGW00201" }))))
      const storm = yield* Effect.forkChild(Effect.forEach([1, 2, 3, 4, 5], () => refused))
      yield* TestClock.adjust("2 seconds")
      yield* Fiber.join(storm)
      yield* Scope.close(scope, Exit.void)
      const learnt = yield* one(callBudget, on)
      assert.strictEqual(learnt.status, "warn")
      assert.match(learnt.words, /the broker was found to take \d+, \d+ m?s ago$/)
    })
  )

  it.effect("nothing where the simulator in the box is observed", () =>
    Effect.gen(function* () {
      const on = { ...(yield* scene), accounts: undefined }
      for (const check of [tokens, callBudget, connects]) assert.strictEqual((yield* one(check, on)).status, "skipped")
    })
  )
})

describe("what the doctor says of folders", () => {
  it.effect("those that take writes, and nothing is left behind", () =>
    Effect.gen(function* () {
      const on = yield* scene
      const found = yield* looked(folders, on)
      assert.deepStrictEqual(
        found.map(({ name, status }) => [name, status]),
        [
          ["data folder", "ok"],
          ["log folder", "ok"],
          ["state folder", "ok"]
        ]
      )
      for (const { ms } of found) assert.isNumber(ms)
      for (const folder of [on.dataDir, on.logDir, on.stateDir]) assert.deepStrictEqual(readdirSync(folder), [])
    })
  )

  it.effect("those that are not there, cannot be made, are open to others, or slow", () =>
    Effect.gen(function* () {
      const on = yield* scene
      const file = join(on.logDir, "file")
      writeFileSync(file, "")
      chmodSync(on.stateDir, 0o755)
      const found = yield* looked(folders, {
        ...on,
        dataDir: join(on.dataDir, "not", "there"),
        logDir: join(file, "below"),
        fsync_ms: 1e9
      })
      assert.deepStrictEqual(
        found.map(({ status }) => status),
        ["ok", "fail", "warn"]
      )
      assert.include(found[0]?.words, "is not there yet; the first start makes it")
      assert.deepInclude(found[1]?.details, { code: "ENOTDIR" })
      assert.strictEqual(found[2]?.advice, `chmod 700 ${on.stateDir}`)
      assert.isFalse(readdirSync(on.dataDir).includes("not"))
      const [slow] = yield* looked(folders, { ...on, fsync_ms: 0 })
      assert.deepInclude(slow, { name: "data folder", status: "warn" })
    })
  )

  it.effect("a lock that is held is as it should be, and is looked at without being taken", () =>
    Effect.gen(function* () {
      const on = yield* scene
      const holder = FolderLock.holder(on.dataDir)
      assert.isUndefined(yield* holder)
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* FolderLock.acquire(on.dataDir, "journal")
          const before = contents(on.dataDir)
          assert.deepStrictEqual(yield* holder, { pid: process.pid, purpose: "journal" })
          const [data] = yield* looked(folders, { ...on, holder: Effect.orDie(holder) })
          assert.deepInclude(data, { status: "ok" })
          assert.include(data?.words, `process ${process.pid} (journal) holds it, as it should`)
          assert.deepStrictEqual(contents(on.dataDir), before)
        })
      )
      assert.isUndefined(yield* holder)
      assert.isUndefined(yield* FolderLock.holder(join(on.dataDir, "nowhere")))
    })
  )
})

const held = Effect.succeed({ pid: 7, purpose: "journal" })

describe("what the doctor says of the record", () => {
  const clock = clockOf("20261123")

  it.effect("its newest record, by its age and by whether anybody writes", () =>
    Effect.gen(function* () {
      const on = yield* scene
      assert.deepInclude(yield* one(journal, on), { status: "ok", words: "there are no records of this node yet" })
      assert.strictEqual((yield* one(journal, { ...on, holder: held })).status, "warn")
      writeArchive(on.dataDir, quotes(["005930"], clock("0900"), clock("1000")), { node })
      const alone = yield* one(journal, on)
      assert.strictEqual(alone.status, "ok")
      assert.match(alone.words, /^the newest record is #60, \d+ h old; no observer runs$/)
      assert.strictEqual((yield* one(journal, { ...on, holder: held })).status, "fail")
      yield* TestClock.setTime(clock("0930"))
      assert.strictEqual((yield* one(journal, on)).status, "warn")
      yield* TestClock.setTime(clock("1001"))
      assert.strictEqual((yield* one(journal, { ...on, holder: held })).status, "ok")
    })
  )

  it.effect(
    "its silence only in the hours in which something is to be written, unless the observer says that it cannot",
    () =>
      Effect.gen(function* () {
        const on = { ...(yield* scene), holder: held }
        writeArchive(on.dataDir, quotes(["005930"], clock("1900"), clock("2000")), { node })
        const statusAt = (atMs: number, changes: Partial<Installation> = {}) =>
          Effect.andThen(TestClock.setTime(atMs), one(journal, { ...on, ...changes }))
        const statuses = [
          yield* statusAt(clock("2019")),
          yield* statusAt(clock("2350")),
          yield* statusAt(clockOf("20261124")("0801")),
          yield* statusAt(clockOf("20261124")("0804")),
          yield* statusAt(clock("2019"), { session: "always" })
        ].map(({ status }) => status)
        assert.deepStrictEqual(statuses, ["ok", "ok", "ok", "fail", "fail"])
        const { journal: written } = healthReport()
        const health = Effect.succeed(
          healthReport({ journal: { ...written, writable: false, reason: "no space is left" } })
        )
        const stuck = yield* statusAt(clock("2350"), { health })
        assert.strictEqual(stuck.status, "fail")
        assert.include(stuck.words, "no space is left")
      })
  )

  it.effect("what was put aside, loudly while it is new", () =>
    Effect.gen(function* () {
      const on = yield* scene
      const aside = (found: ReadonlyArray<Finding>) => found.find(({ name }) => name === "quarantine")
      assert.strictEqual(aside(yield* looked(journal, on))?.status, "ok")
      mkdirSync(join(on.dataDir, "quarantine"))
      const file = join(on.dataDir, "quarantine", "torn")
      writeFileSync(file, "half a li")
      const nowMs = yield* Clock.currentTimeMillis
      utimesSync(file, nowMs / 1_000, (nowMs - hour_ms) / 1_000)
      const fresh = aside(yield* looked(journal, on))
      assert.deepInclude(fresh, { status: "warn", words: "1 file of 9 bytes, the newest 60 min old" })
      utimesSync(file, nowMs / 1_000, (nowMs - 30 * day_ms) / 1_000)
      assert.strictEqual(aside(yield* looked(journal, on))?.status, "ok")
    })
  )

  it.effect("a day that is over wants a certificate, and a verdict is told as it is", () =>
    Effect.gen(function* () {
      const on = yield* scene
      assert.deepInclude(yield* one(certificate, on), { status: "ok", words: "no day is over yet" })
      writeArchive(on.dataDir, quotes(["005930"], clock("0900"), clock("0901")), { node })
      assert.deepInclude(yield* one(certificate, on), { status: "warn", advice: "observer certify 2026-11-23" })
      for (const [verdict, status] of [
        ["complete", "ok"],
        ["completeButFor", "ok"],
        ["incomplete", "warn"],
        ["damaged", "fail"]
      ]) {
        const head = `{\n "v": 1,\n "day": "2026-11-23",\n "verdict": "${verdict}",\n "madeAt": "2026-11-23T11:05:00.000Z"\n}\n`
        writeFileSync(join(on.dataDir, "2026", "11", "23", "CERTIFICATE.json"), head)
        assert.strictEqual((yield* one(certificate, on)).status, status)
      }
    })
  )

  it.effect("the gaps of today, and the universe that is observed", () =>
    Effect.gen(function* () {
      const on = yield* scene
      assert.deepInclude(yield* one(gapsToday, on), { status: "ok", words: "none is on record" })
      assert.strictEqual((yield* one(universe, on)).status, "ok")
      assert.strictEqual((yield* one(universe, { ...on, holder: held })).status, "warn")
      const hours = join(on.dataDir, "2026", "11", "24", "10")
      mkdirSync(hours, { recursive: true })
      const payload = { from: "2026-11-24T01:00:00.000Z", to: "2026-11-24T01:10:00.000Z", cause: "downtime" }
      const line = { v: 1, seq: 1, id: "", kind: "gap", receivedAt: payload.to, source: "observer", payload }
      writeFileSync(join(hours, `${node}-000000000001.jsonl`), `${JSON.stringify(line)}\n`)
      const found = yield* one(gapsToday, on)
      assert.deepInclude(found, { status: "warn" })
      assert.include(found.words, "1 hole left open, nothing at all for 10 min")
      writeFileSync(join(on.dataDir, "2026", "11", "24", "universe-0123456789ab.json"), "{}")
      assert.strictEqual((yield* one(universe, { ...on, holder: held })).status, "ok")
    })
  )

  it.effect("how far the calendar is known", () =>
    Effect.gen(function* () {
      const on = yield* scene
      assert.deepInclude(yield* one(calendar, on), { status: "ok", words: "known until 2027-12-31" })
      yield* TestClock.setTime(Date.UTC(2027, 11, 10))
      assert.strictEqual((yield* one(calendar, on)).status, "warn")
      yield* TestClock.setTime(Date.UTC(2028, 5, 1))
      assert.include((yield* one(calendar, on)).words, "not even of today")
      assert.strictEqual((yield* one(calendar, { ...on, session: "always" })).status, "ok")
    })
  )

  it.effect("whether sealed files are at the backup's target, and for how long one has waited", () =>
    Effect.gen(function* () {
      const bare = yield* scene
      assert.include((yield* one(backups, bare)).words, "no target is set")
      yield* append(bare.stateDir, [{ at: "", target: "/mnt/a", file: "f", bytes: 1, sha256: "0" }])
      assert.deepInclude(yield* one(backups, bare), {
        status: "skipped",
        words: "no target is set; there were backups to /mnt/a"
      })
      const target = folderTarget(join(bare.dataDir, "..", "copies"))
      const on = { ...bare, backup: { target, age_hours: 30 } }
      const [missing, rest] = yield* looked(backups, on)
      assert.deepInclude(missing, { status: "fail" })
      assert.include(missing?.words, "there is no such folder")
      assert.deepInclude(rest, { status: "ok" })
      mkdirSync(target.name)
      writeArchive(on.dataDir, quotes(["005930"], clock("0900"), clock("0901")), { node })
      const { files: sealedFiles } = yield* Effect.provide(makeSealedFiles(on.dataDir)(allDays), Disk.layer)
      const [sealed] = sealedFiles
      const { bytes = 0, file = "", sealedAtMs = 0, sha256 = "" } = sealed ?? {}
      const at = "2026-11-23T12:00:00.000Z"
      const receipt = { at, target: target.name, file, bytes, sha256 }
      yield* TestClock.setTime(sealedAtMs + 29 * hour_ms)
      assert.deepInclude(yield* one(backups, on), { status: "ok" })
      assert.deepInclude(yield* one(backups, { ...on, backup: { target, age_hours: 28 } }), { status: "warn" })
      yield* TestClock.setTime(sealedAtMs + 31 * hour_ms)
      const late = yield* one(backups, on)
      assert.deepInclude(late, { status: "warn" })
      assert.match(late.words, /: 1 sealed file of .* not there yet, the oldest for 31 h; no run has ended well yet$/)
      yield* append(on.stateDir, [receipt])
      yield* rememberRuns(on.stateDir, target.name, { failures: 0, waiting: 0, goodAt: at })
      assert.deepInclude(yield* one(backups, on), {
        status: "ok",
        words: `${target.name}: every sealed file is verified there; the last good run was at ${at}`
      })
      yield* rememberRuns(on.stateDir, target.name, { failures: 2, waiting: 0, reason: "it is full" })
      assert.include((yield* one(backups, on)).words, "the last 2 runs failed: it is full")
      // A receipt that was revoked is none.
      const { sha256: _hash, ...named } = receipt
      yield* append(on.stateDir, [{ ...named, damaged: true }])
      assert.include((yield* one(backups, on)).words, "1 sealed file of")
    }).pipe(Effect.provide(Disk.layer))
  )

  it.live("the program that the backup's target needs and that is not there", () =>
    Effect.gen(function* () {
      const on = yield* installed
      for (const [address, program] of [
        ["rclone:drive:observer", "rclone"],
        ["rsync:nobody@nowhere:/x", "rsync"]
      ] as const) {
        const target = Result.getOrThrow(parseTarget(address))
        const found = yield* one(backups, { ...on, backup: { target, age_hours: 30 } }).pipe(
          Effect.provideService(ChildEnvironment, { PATH: on.dataDir })
        )
        assert.deepInclude(found, { status: "fail", name: "backup" })
        assert.include(found.words, `there is no ${program} on the PATH`)
      }
    })
  )

  it.effect("which old days are to be deleted, and which wait for a backup or are left as they are", () =>
    Effect.gen(function* () {
      const bare = yield* scene
      assert.deepInclude(yield* one(oldDays, bare), { status: "ok" })
      for (const day of ["20261120", "20261121", "20261122", "20261123"]) {
        const hour = clockOf(day)
        writeArchive(bare.dataDir, quotes(["005930"], hour("0900"), hour("0901")), { node })
      }
      const backup = { target: folderTarget("/mnt/a"), age_hours: 30 }
      const on = { ...bare, backup, retention: { days: 2, unbacked: "keep" as const } }
      const waiting = yield* one(oldDays, on)
      assert.deepInclude(waiting, { status: "warn" })
      assert.include(waiting.words, "2 older days not backed up and so kept, the oldest 2026-11-20")
      const { files } = yield* Effect.provide(makeSealedFiles(on.dataDir)(allDays), Disk.layer)
      const receipts = files.map(({ bytes, file, sha256 }) => ({ at: "", target: "/mnt/a", file, bytes, sha256 }))
      const lists = ["2026/11/20", "2026/11/21"].map((day) => {
        const file = `${day}/MANIFEST.jsonl`
        return { at: "", target: "/mnt/a", file, bytes: statSync(join(on.dataDir, file)).size, sha256: "0" }
      })
      yield* append(on.stateDir, [...receipts, ...lists])
      const before = contents(on.dataDir)
      const going = { status: "ok" as const, words: "2 days kept besides today; 2 days to be deleted" }
      assert.deepInclude(yield* one(oldDays, on), going)
      assert.deepStrictEqual(contents(on.dataDir), before)
      yield* append(on.stateDir, [{ at: "", target: "/mnt/a", file: files[0]?.file ?? "", bytes: 1, damaged: true }])
      assert.include((yield* one(oldDays, on)).words, "1 older day not backed up")
      assert.deepInclude(yield* one(oldDays, { ...on, retention: { days: 2, unbacked: "delete" } }), going)
      writeFileSync(join(on.dataDir, files[1]?.file ?? ""), "short")
      const [, left] = yield* looked(oldDays, on)
      assert.deepInclude(left, { status: "warn" })
      assert.match(left?.words ?? "", /^2026-11-21 is not deleted: .* is not as long as it was sealed$/)
    })
  )

  it.effect("the room there is, and the pace of the days before today", () =>
    Effect.gen(function* () {
      const on = yield* scene
      assert.notInclude((yield* one(diskRoom, on)).words, "a day")
      writeArchive(on.dataDir, quotes(["005930"], clock("0900"), clock("1000")), { node })
      const found = yield* one(diskRoom, on)
      assert.include(found.words, "data, log, state: ")
      assert.match(found.words, /at \d+(\.\d+)? kB a day it is full in/)
    })
  )

  it.effect("a folder that is no folder is a failure of its own check", () =>
    Effect.gen(function* () {
      const on = yield* scene
      const file = join(on.dataDir, "file")
      writeFileSync(file, "")
      const exit = yield* Effect.exit(Effect.provide(journal.look({ ...on, dataDir: file }), Disk.layer))
      assert.isTrue(Exit.isFailure(exit) && Cause.pretty(exit.cause).includes("ENOTDIR"))
    })
  )
})

describe("what the doctor says of a running observer", () => {
  it.effect("none, one that does not answer, one that is well, and one in trouble", () =>
    Effect.gen(function* () {
      const on = yield* scene
      const running = (given: Partial<Installation>) => one(runningObserver, { ...on, ...given })
      assert.deepInclude(yield* running({}), { status: "ok", words: "none runs here" })
      const mute = yield* running({ holder: held })
      assert.strictEqual(mute.status, "warn")
      assert.include(mute.words, "process 7 holds the data folder and does not answer over HTTP")
      const well = yield* running({ holder: held, health: Effect.succeed(troubledReport) })
      assert.deepInclude(well, { status: "ok", words: "version 0.0.0 runs and is ok, ready" })
      const other = yield* running({ health: Effect.succeed(troubledReport) })
      assert.include(other.words, "no process of this machine holds the data folder")
      const ill = yield* running({ holder: held, health: Effect.succeed({ ...troubledReport, status: "degraded" }) })
      assert.strictEqual(ill.status, "warn")
      assert.include(ill.words, "sql: the database is down")
    })
  )

  it.live("its live stream has proved the way to the broker: no connect is spent on it", () =>
    Effect.gen(function* () {
      const on = yield* installed
      const http = createServer()
      const sockets = new WebSocketServer({ server: http })
      let connected = 0
      sockets.on("connection", () => (connected += 1))
      const port = yield* Effect.acquireRelease(
        Effect.callback<number>((resume) => {
          http.listen(0, "127.0.0.1", () => resume(Effect.succeed((http.address() as AddressInfo).port)))
        }),
        () => Effect.sync(() => http.close())
      )
      const wsUrl = `ws://127.0.0.1:${port}`
      const near = { ...account, endpoints: { ...account.endpoints, wsUrl } }
      const ask = (given: Partial<Installation>) =>
        Effect.map(looked(streamHosts, { ...on, accounts: [near], ...given }), (found) => found.at(-1))
      const live = yield* ask({ health: Effect.succeed(troubledReport) })
      assert.deepInclude(live, { name: "stream upgrade", status: "ok" })
      assert.include(live?.words, "the running observer's stream is live")
      assert.strictEqual(connected, 0)
      const governor = yield* makeGovernor(near, on.stateDir)
      assert.deepInclude(yield* ask({}), { status: "ok" })
      assert.strictEqual(connected, 1)
      // A connect that has just been made leaves no room for another.
      yield* governor.permit
      assert.deepInclude(yield* ask({}), { status: "skipped" })
      assert.strictEqual(connected, 1)
    })
  )
})
