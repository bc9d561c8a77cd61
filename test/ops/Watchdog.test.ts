import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { join } from "node:path"
import * as Watchdog from "../../src/ops/Watchdog.ts"
import { NotifyFailed, notifyAddressOf, notifySystemd } from "../../src/ops/watchdog/notifySystemd.ts"
import { openJournal, openMs, seen, settled } from "../journal/fixtures.ts"
import { type Fault, MemoryDisk } from "../support/memoryDisk.ts"
import { notifyMissing, notifySocket } from "../support/notifySocket.ts"
import { scratchFolder, until } from "../support/virtualTime.ts"

const full: Fault = { _tag: "Refused", code: "ENOSPC", done: 0 }
/** A call that never returns, as on a disk that hangs. */
const hangs: Fault = { _tag: "Killed", done: 0 }

/** A watchdog of 60 s over a journal in memory, and what it has told. */
const watched = Effect.fnUntraced(function* (words: Effect.Effect<string> = Effect.succeed("all is well")) {
  yield* TestClock.setTime(openMs)
  const disk = new MemoryDisk(yield* scratchFolder)
  const journal = yield* Effect.provide(openJournal(disk.root), disk.layer)
  const told: Array<ReadonlyArray<string>> = []
  const notify = (fields: ReadonlyArray<string>) => Effect.sync(() => void told.push(fields))
  const options = { journal, words, watchdog_seconds: 60, notify }
  const fiber = yield* Effect.forkChild(Watchdog.run(options))
  yield* settled
  const signs = () => told.filter((fields) => fields.includes("WATCHDOG=1")).length
  /** Signs of life given in the next `seconds`. */
  const signsIn = Effect.fnUntraced(function* (seconds: number) {
    const before = signs()
    yield* TestClock.adjust(`${seconds} seconds`)
    yield* settled
    return signs() - before
  })
  return { disk, fiber, journal, signsIn, told }
})

describe("the watchdog", () => {
  it.effect("is ready once the first record of the run is in the journal, and not before", () =>
    Effect.gen(function* () {
      const { journal, told } = yield* watched()
      yield* TestClock.adjust("10 minutes")
      assert.deepStrictEqual(told, [])
      yield* journal.append([seen(1)])
      yield* settled
      assert.deepStrictEqual(told[0], ["READY=1", "STATUS=all is well"])
    })
  )

  it.effect("is ready, too, while the disk refuses the first record: a restart would not mend it", () =>
    Effect.gen(function* () {
      const { disk, journal, told } = yield* watched()
      disk.fault = ({ operation }) => (operation === "write" || operation === "open" ? full : undefined)
      yield* Effect.forkChild(journal.append([seen(1)]))
      yield* TestClock.adjust("3 seconds")
      yield* settled
      assert.strictEqual(told[0]?.[0], "READY=1")
    })
  )

  it.effect("gives four signs of life a watchdog time while nothing at all is appended, as in a closed market", () =>
    Effect.gen(function* () {
      const { journal, signsIn } = yield* watched()
      yield* journal.append([seen(1)])
      yield* settled
      assert.strictEqual(yield* signsIn(3_600), 240)
    })
  )

  it.effect("gives no sign any more once the writer hangs in a write, and says so", () =>
    Effect.gen(function* () {
      const { disk, journal, signsIn, told } = yield* watched()
      yield* journal.append([seen(1)])
      yield* settled
      disk.fault = ({ operation }) => (operation === "write" ? hangs : undefined)
      yield* Effect.forkChild(journal.append([seen(2)]))
      yield* settled
      assert.strictEqual(yield* signsIn(600), 0)
      assert.deepStrictEqual(told.at(-1), ["STATUS=! the journal's writer does not answer"])
    })
  )

  it.effect("goes on giving signs while the disk is full, for the writer tries again by itself", () =>
    Effect.gen(function* () {
      const { disk, journal, signsIn } = yield* watched()
      yield* journal.append([seen(1)])
      yield* settled
      disk.fault = ({ operation }) => (operation === "write" ? full : undefined)
      const waiting = yield* Effect.forkChild(journal.append([seen(2)]))
      yield* settled
      // A beat waits half its length for an answer that does not come.
      assert.isAtLeast(yield* signsIn(600), 600 / 22.5 - 1)
      // However long it lasts, one question waits and no more.
      assert.isAtMost((yield* journal.status).waitingAppends, 1)
      disk.fault = () => undefined
      yield* TestClock.adjust("2 seconds")
      yield* Fiber.join(waiting)
      assert.strictEqual(yield* signsIn(60), 4)
    })
  )

  it.effect("gives signs though nobody finds words, or systemd cannot be told for a while", () =>
    Effect.gen(function* () {
      const { journal, signsIn } = yield* watched(Effect.never)
      yield* journal.append([seen(1)])
      yield* TestClock.adjust("2 seconds")
      assert.isAtLeast(yield* signsIn(160), 10)

      let isDeaf = true
      let signs = 0
      const notify = () =>
        isDeaf ? Effect.fail(new NotifyFailed({ detail: "no such socket" })) : Effect.sync(() => void signs++)
      yield* Effect.forkChild(Watchdog.run({ journal, words: Effect.die("no words"), watchdog_seconds: 60, notify }))
      yield* TestClock.adjust("5 minutes")
      isDeaf = false
      yield* TestClock.adjust("60 seconds")
      yield* settled
      assert.strictEqual(signs, 4)
    })
  )

  it.effect("says that it stops when it is asked to", () =>
    Effect.gen(function* () {
      const { fiber, journal, told } = yield* watched()
      yield* journal.append([seen(1)])
      yield* settled
      yield* Fiber.interrupt(fiber)
      assert.strictEqual(told.at(-1)?.[0], "STOPPING=1")
    })
  )
})

describe("where systemd listens", () => {
  it("is read from the environment it gives", () => {
    const socket = "/run/systemd/notify"
    assert.isUndefined(notifyAddressOf({}, 7))
    assert.isUndefined(notifyAddressOf({ NOTIFY_SOCKET: "" }, 7))
    assert.deepStrictEqual(notifyAddressOf({ NOTIFY_SOCKET: socket }, 7), { socket, watchdog_seconds: undefined })
    const env = { NOTIFY_SOCKET: socket, WATCHDOG_USEC: "60000000" }
    assert.strictEqual(notifyAddressOf(env, 7)?.watchdog_seconds, 60)
    assert.strictEqual(notifyAddressOf({ ...env, WATCHDOG_PID: "7" }, 7)?.watchdog_seconds, 60)
    assert.isUndefined(notifyAddressOf({ ...env, WATCHDOG_PID: "8" }, 7)?.watchdog_seconds)
    assert.isUndefined(notifyAddressOf({ ...env, WATCHDOG_USEC: "soon" }, 7)?.watchdog_seconds)
  })
})

describe.skipIf(notifyMissing)(`systemd-notify${notifyMissing ? ` (skipped: ${notifyMissing})` : ""}`, () => {
  it.effect("brings what is told to a real socket, line for line, and fails where nobody listens", () =>
    Effect.gen(function* () {
      const socket = join(yield* scratchFolder, "notify")
      const heard = yield* notifySocket(socket)
      yield* notifySystemd(socket)(["READY=1", 'STATUS=14:02 KST · symbols 2,003/2,003 "seen" $HOME # 한국'])
      yield* notifySystemd(socket)(["WATCHDOG=1"])
      yield* until(() => heard().includes("WATCHDOG=1"))
      assert.deepStrictEqual(heard(), [
        "READY=1",
        'STATUS=14:02 KST · symbols 2,003/2,003 "seen" $HOME # 한국',
        "WATCHDOG=1"
      ])
      const nobody = yield* Effect.flip(notifySystemd(`${socket}-none`)(["WATCHDOG=1"]))
      assert.include(nobody.message, "systemd-notify")
    })
  )
})
