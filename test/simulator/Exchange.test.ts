import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { Exchange } from "../../src/simulator/Exchange.ts"
import type { Fault } from "../../src/simulator/faults/Fault.ts"
import { limitRules } from "../../src/simulator/limits/LimitRules.ts"
import { scratchFolder, until } from "../support/virtualTime.ts"
import { approvalOf, connect, registration, signIn } from "./client.ts"
import { rawCall } from "./rawCall.ts"

const script: ReadonlyArray<Fault> = [
  { fault: "duplicateFrames", rate: 0.1 },
  { fault: "reorderFrames", from: 2, rate: 0.1 },
  { fault: "wrongCount", from: "09:00:03", rate: 0.05 },
  { fault: "moreColumns", from: 5 },
  { fault: "missingRows", rate: 0.3 },
  { fault: "storm", rate: 0.1, where: { tr: "FHKST11300006" } },
  { fault: "burst", from: 3, for: 2, factor: 5 }
]
const query = Array.from({ length: 3 }, (_, at) => at + 1)
  .map((n) => `FID_COND_MRKT_DIV_CODE_${n}=J&FID_INPUT_ISCD_${n}=${["005930", "000660", "035720"][n - 1]}`)
  .join("&")

/** Eight seconds of an exchange with a client that does the same things at the same market times; gives the ledger without wall times. */
const rehearse = Effect.fnUntraced(function* (seed: number, atMs: number) {
  const folder = yield* scratchFolder
  yield* TestClock.setTime(atMs)
  yield* Effect.gen(function* () {
    const { get } = yield* signIn("PSKEY")
    const key = yield* approvalOf("PSKEY")
    const { stats } = yield* Exchange
    const { send, socket } = yield* connect()
    let heard = 0
    socket.on("message", () => (heard += 1))
    const codes = ["005930", "000660", "035720"]
    for (const code of codes) send(registration(key, code))
    yield* until(() => heard === codes.length)
    for (let step = 0; step < 16; step++) {
      yield* TestClock.adjust("500 millis")
      yield* get("intstock-multprice", "FHKST11300006", query)
    }
    yield* stats
  }).pipe(
    Effect.provide(
      Exchange.layer({
        seed,
        faults: script,
        ledgerDir: folder,
        tradesPerSecond: 2_000,
        limits: { ...limitRules, weather: 0.1 }
      })
    ),
    Effect.scoped
  )
  const text = readFileSync(join(folder, readdirSync(folder)[0] ?? ""), "utf8")
  return text.replace(/"at":"[^"]*"/g, '"at":""')
})

// 09:00:00 in Korea
const monday = Date.UTC(2026, 10, 23)

describe("the same seed and the same script", () => {
  it.effect("put the same bytes on the wire, and another seed puts others", () =>
    Effect.gen(function* () {
      const first = yield* rehearse(11, monday)
      const again = yield* rehearse(11, monday)
      assert.strictEqual(again, first)
      for (const fault of ["duplicateFrames", "reorderFrames", "wrongCount", "moreColumns", "missingRows", "storm"]) {
        assert.include(first, `"${fault}"`)
      }
      assert.notStrictEqual(yield* rehearse(12, monday), first)
    })
  )
})

describe("an exchange", () => {
  it.effect("goes on after calls and frames that make no sense", () =>
    Effect.gen(function* () {
      const { restUrl } = yield* Exchange
      const { next, send } = yield* connect()
      send("\u0000")
      assert.include(yield* next, "OPSP9999")
      const answers = yield* Effect.forEach(["/%", "/uapi/../..", "/oauth2/tokenP", "//"], (path) =>
        rawCall(restUrl + path, { method: "POST", body: "{".repeat(1_000) })
      )
      for (const { status = 0 } of answers) assert.isAbove(status, 399)
      assert.strictEqual((yield* rawCall(`${restUrl}/simulator/stats`)).status, 200)
    }).pipe(Effect.provide(Exchange.layer({ tradesPerSecond: 0 })))
  )
})
