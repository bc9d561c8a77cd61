import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { Disk } from "../../src/journal/Disk.ts"
import { type Check, diagnose, type MachineCheck } from "../../src/ops/Doctor.ts"
import { judgeRoom } from "../../src/ops/doctor/diskRoom.ts"
import { fail, type Finding, ok, skipped, warn, worstOf } from "../../src/ops/doctor/Finding.ts"
import type { Installation } from "../../src/ops/doctor/Installation.ts"
import { judgeNode } from "../../src/ops/doctor/nodeVersion.ts"
import { renderFindings } from "../../src/ops/doctor/renderFindings.ts"
import { installationAt } from "../support/installation.ts"
import { judgeZone } from "../../src/ops/doctor/timeZone.ts"

const on = installationAt("/nowhere")

const check = (name: string, look: Check["look"], needsNetwork = false): Check => ({
  name,
  needsNetwork: () => needsNetwork,
  look
})

const fine = (name: string) => check(name, () => Effect.succeed([ok(name, "fine")]))

const diagnosed = (installation: ReadonlyArray<Check>, options: Partial<Given> = {}) => {
  const { machine = [], offline = false } = options
  const given = "given" in options ? options.given : on
  return diagnose({ machine, installation }, { env: {} }, given, { offline, deadline: "40 seconds" }).pipe(
    Effect.provide(Disk.layer)
  )
}

interface Given {
  readonly given: Installation | undefined
  readonly machine: ReadonlyArray<MachineCheck>
  readonly offline: boolean
}

const names = (findings: ReadonlyArray<Finding>) => findings.map(({ name, status }) => `${name} ${status}`)

describe("a diagnosis", () => {
  it.effect("goes on whatever one check does: fail, die, throw, or be killed", () =>
    Effect.gen(function* () {
      const found = yield* diagnosed(
        [
          fine("first"),
          check("fails", () => Effect.fail("ENOENT")),
          check("dies", () => Effect.die("a bug")),
          check("throws", () => {
            throw new TypeError("no such thing")
          }),
          check("interrupts", () => Effect.interrupt),
          {
            ...fine("asks"),
            needsNetwork: () => {
              throw new TypeError("no URL")
            }
          },
          fine("last")
        ],
        { offline: true }
      )
      const expected = ["first ok", "fails fail", "dies fail", "throws fail", "interrupts fail", "asks fail", "last ok"]
      assert.deepStrictEqual(names(found), expected)
      assert.include(found[1]?.words, "the check itself failed: ENOENT")
      assert.include(found[3]?.words, "no such thing")
    })
  )

  it.effect("ends a check that hangs, and the whole by its deadline, however many hang", () =>
    Effect.gen(function* () {
      const hangs = Array.from({ length: 30 }, (_, n) => check(`hangs ${n}`, () => Effect.never))
      const running = yield* Effect.forkChild(diagnosed([fine("first"), ...hangs, fine("last")]))
      yield* TestClock.adjust("41 seconds")
      const found = yield* Fiber.join(running)
      assert.strictEqual(found.length, 32)
      assert.deepStrictEqual(names([found[0] ?? fail("", "", ""), found[1] ?? fail("", "", "")]), [
        "first ok",
        "hangs 0 fail"
      ])
      assert.include(found[1]?.words, "not done within 15 s")
    })
  )

  it.effect("looks at a few things at once, not at all of them", () =>
    Effect.gen(function* () {
      let now = 0
      let most = 0
      const busy = check("busy", () =>
        Effect.gen(function* () {
          now += 1
          most = Math.max(most, now)
          yield* Effect.yieldNow
          now -= 1
          return [ok("busy", "done")]
        })
      )
      yield* diagnosed(Array.from({ length: 40 }, () => busy))
      assert.isAbove(most, 1)
      assert.isAtMost(most, 8)
    })
  )

  it.effect("leaves out offline what asks another machine, and with wrong settings what depends on them", () =>
    Effect.gen(function* () {
      const remote = check("remote", () => Effect.die("asked"), true)
      const machine = [{ name: "node", look: () => Effect.succeed([ok("node", "Node 24")]) }]
      assert.deepStrictEqual(names(yield* diagnosed([remote, fine("local")], { offline: true })), [
        "remote skipped",
        "local ok"
      ])
      const found = yield* diagnosed([remote, fine("local")], { given: undefined, machine })
      assert.deepStrictEqual(names(found), ["node ok", "remote skipped", "local skipped"])
    })
  )
})

describe("findings", () => {
  const some = [
    ok("settings", "all can be used"),
    warn("journal", "the last run was killed\nby whom", "start it again", { ms: 12.4 }),
    skipped("rest", "offline, as asked")
  ]

  it("are as bad as the worst; what was not looked at does not count", () => {
    assert.strictEqual(worstOf([]), "ok")
    assert.strictEqual(worstOf([ok("a", ""), skipped("b", "")]), "ok")
    assert.strictEqual(worstOf(some), "warn")
    assert.strictEqual(worstOf([...some, fail("x", "", "")]), "fail")
  })

  it("are a line each where nobody looks, with what to do, and without a control character", () => {
    assert.deepStrictEqual(renderFindings(some, { colours: false, width: undefined }), [
      "ok       settings  all can be used",
      "warn     journal   the last run was killed\\nby whom (12 ms) → start it again",
      "skipped  rest      offline, as asked",
      "",
      "it works, with something to see to: 1 ok, 1 warn, 0 fail, 1 skipped"
    ])
  })

  it("are wrapped under their own words on a terminal, none wider than it", () => {
    const lines = renderFindings(some, { colours: false, width: 44 })
    assert.deepStrictEqual(lines.slice(1, 5), [
      "warn     journal   the last run was",
      "                   killed\\nby whom (12 ms)",
      "                   → start it again",
      "skipped  rest      offline, as asked"
    ])
    const painted = renderFindings(some, { colours: true, width: 44 })
    assert.include(painted[1], "\u001b[33mwarn")
  })
})

describe("what is said of a machine", () => {
  it("Node is too old below 20.19, and not tested in odd versions", () => {
    const versions = ["18.20.8", "20.18.3", "20.19.0", "20.20.2", "21.7.0", "22.0.0", "24.11.1", "25.0.0"]
    const statuses = versions.map((version) => judgeNode(version).status)
    assert.deepStrictEqual(statuses, ["fail", "fail", "ok", "ok", "warn", "ok", "ok", "warn"])
  })

  it("time zone data are wrong when an instant is, or when there are none", () => {
    const utc = (date: Date) => date.toISOString().slice(0, 16).replace("T", " ")
    const fixed = (date: Date) => utc(new Date(date.getTime() + 9 * 3_600_000))
    assert.strictEqual(judgeZone(utc).status, "warn")
    // A table of today's offset alone does not know the summer of 1988.
    assert.include(judgeZone(fixed).words, "1988-07-01T00:00:00Z should be 1988-07-01 10:00, and is 1988-07-01 09:00")
    const none = judgeZone(() => {
      throw new RangeError("Invalid time zone specified: Asia/Seoul")
    })
    assert.include(none.words, "Asia/Seoul is not known here")
  })

  it("room is judged by its bytes and by when it will be gone", () => {
    const limits = { low_bytes: 1e9, stop_bytes: 128e6 }
    const judged = (free_bytes: number, total_bytes: number, more: { isOfRecord?: boolean; bytesPerDay?: number }) =>
      judgeRoom("disk room", {
        room: { free_bytes, total_bytes },
        limits,
        isOfRecord: more.isOfRecord ?? true,
        bytesPerDay: more.bytesPerDay
      })
    const room = (free_bytes: number, bytesPerDay = 0) => judged(free_bytes, 1e12, { bytesPerDay })
    assert.strictEqual(room(5e10).status, "ok")
    assert.strictEqual(room(9e8).status, "warn")
    assert.strictEqual(room(1e8).status, "fail")
    assert.strictEqual(room(5e10, 1e9).status, "ok")
    assert.strictEqual(room(5e10, 1e10).status, "warn")
    assert.strictEqual(room(5e10, 6e10).status, "fail")
    assert.strictEqual(room(5e10, 1e9).words, "50 GB of 1 TB free; at 1 GB a day it is full in 50 days")
    // On a small disk the limits are shares of it; of a disk without the record only how little is left counts.
    assert.strictEqual(judged(3e8, 1e9, {}).status, "ok")
    assert.strictEqual(judged(2e8, 1e9, {}).status, "warn")
    assert.strictEqual(judged(5e7, 1e9, {}).status, "fail")
    assert.strictEqual(judged(1e8, 1e12, { isOfRecord: false }).status, "warn")
  })
})
