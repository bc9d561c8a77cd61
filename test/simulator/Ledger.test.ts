import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Schema } from "effect"
import { TestClock } from "effect/testing"
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Exchange } from "../../src/simulator/Exchange.ts"
import { type ExchangeOptions, exchangeOptions, Options } from "../../src/simulator/ExchangeOptions.ts"
import type { Fault } from "../../src/simulator/faults/Fault.ts"
import { Ledger, tailLines_max } from "../../src/simulator/Ledger.ts"
import { addTo, type LedgerEntry, type LedgerLine, noTotals } from "../../src/simulator/ledger/LedgerEntry.ts"
import { rowDigest } from "../../src/domain/RowDigest.ts"
import { passUntil, scratchFolder, until } from "../support/virtualTime.ts"
import { approvalOf, connect, registration, signIn } from "./client.ts"
import { rawCall } from "./rawCall.ts"

const ledgerOf = (given: Partial<ExchangeOptions> = {}) =>
  Ledger.layer.pipe(Layer.provide(Layer.succeed(Options, exchangeOptions(given))), Layer.fresh)

/** The lines of the only ledger in a folder. */
const linesIn = (folder: string): ReadonlyArray<LedgerLine> => {
  const [name = "", ...others] = readdirSync(folder)
  assert.isEmpty(others)
  return readFileSync(join(folder, name), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as LedgerLine)
}

const call = (code?: string): LedgerEntry =>
  code === undefined
    ? { kind: "call", method: "GET", path: "/", outcome: "answered", status: 200 }
    : { kind: "call", method: "GET", path: "/", outcome: "refused", status: 500, code }

describe("the ledger", () => {
  it.effect("numbers its lines without holes, from its opening to its close, and has the totals in the end", () =>
    Effect.gen(function* () {
      const folder = yield* scratchFolder
      yield* Effect.gen(function* () {
        const { note } = yield* Ledger
        for (let at = 0; at < 3_000; at++) note(call(at % 3 === 0 ? "EGW00201" : undefined))
      }).pipe(Effect.provide(ledgerOf({ ledgerDir: folder, seed: 7 })))
      const lines = linesIn(folder)
      assert.deepStrictEqual(
        lines.map(({ n }) => n),
        Array.from({ length: 3_002 }, (_, at) => at + 1)
      )
      assert.deepInclude(lines[0], { kind: "open", v: 1, seed: 7 })
      const last = lines.at(-1)
      assert.deepInclude(last?.kind === "close" ? last.totals : {}, { calls: 3_000, refused: 1_000, answered: 2_000 })
    })
  )

  it.effect("is on the disk within a second, while the exchange runs", () =>
    Effect.gen(function* () {
      const folder = yield* scratchFolder
      yield* Effect.gen(function* () {
        const { note, report } = yield* Ledger
        note(call())
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(
          linesIn(folder).map(({ kind }) => kind),
          ["open", "call"]
        )
        assert.strictEqual(report().file, join(folder, readdirSync(folder)[0] ?? ""))
      }).pipe(Effect.provide(ledgerOf({ ledgerDir: folder })))
    })
  )

  it.effect("keeps the newest lines in memory, the oldest first, and no more than it says", () =>
    Effect.gen(function* () {
      const { note, tail } = yield* Ledger
      assert.deepStrictEqual(
        tail(5).map(({ n }) => n),
        [1]
      )
      for (let at = 1; at < tailLines_max + 7; at++) note(call())
      assert.deepStrictEqual(
        tail(3).map(({ n }) => n),
        [tailLines_max + 5, tailLines_max + 6, tailLines_max + 7]
      )
      assert.strictEqual(tail(1_000_000).length, tailLines_max)
      assert.strictEqual(tail(1_000_000)[0]?.n, 8)
    }).pipe(Effect.provide(ledgerOf()))
  )

  it.effect("cannot begin where there is no folder to be had, and says where", () =>
    Effect.gen(function* () {
      const folder = yield* scratchFolder
      const file = join(folder, "file")
      writeFileSync(file, "")
      const error = yield* Effect.flip(Effect.void.pipe(Effect.provide(ledgerOf({ ledgerDir: file }))))
      assert.include(error.message, file)
    })
  )
})

const Entry = Schema.Struct({
  outcome: Schema.Literals(["answered", "refused", "unanswered"]),
  code: Schema.Literals(["EGW00201", "EGW00121"]),
  records: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 20 })),
  isFrame: Schema.Boolean
})

describe("the totals", () => {
  it.prop("are the sums of the lines", [Schema.Array(Entry)], ([entries]) => {
    const totals = noTotals()
    for (const { code, isFrame, outcome, records } of entries) {
      addTo(
        totals,
        isFrame
          ? { kind: "frame", session: 1, tr: "H0STCNT0", symbol: "005930", records, text: "" }
          : { kind: "call", method: "GET", path: "/", status: 200, outcome, code }
      )
    }
    const frames = entries.filter(({ isFrame }) => isFrame)
    const calls = entries.filter(({ isFrame }) => !isFrame)
    const sum = frames.reduce((left, { records }) => left + records, 0)
    assert.strictEqual(totals.calls, calls.length)
    assert.strictEqual(totals.calls, totals.answered + totals.refused + totals.unanswered)
    assert.deepStrictEqual([totals.frames, totals.records], [frames.length, sum])
    assert.deepStrictEqual(totals.recordsByTr, sum === 0 ? {} : { H0STCNT0: sum })
    for (const code of ["EGW00201", "EGW00121"] as const) {
      const refused = calls.filter((entry) => entry.outcome === "refused" && entry.code === code).length
      assert.strictEqual(totals.refusedByCode[code] ?? 0, refused)
    }
  })
})

const faults: ReadonlyArray<Fault> = [
  { fault: "duplicateFrames", rate: 0.2 },
  { fault: "reorderFrames", rate: 0.2 },
  { fault: "moreColumns", rate: 0.2 },
  { fault: "missingRows", rate: 0.5 },
  { fault: "storm", rate: 0.2 },
  { fault: "drop", rate: 0.2, where: { path: "/uapi" } }
]

describe("what a counting client saw on real sockets", () => {
  it.effect("is what the ledger says, frame by frame and row by row, faults included", () =>
    Effect.gen(function* () {
      const folder = yield* scratchFolder
      const frames: Array<string> = []
      const digests: Array<string> = []
      const seen = { answered: 0, refused: 0, dropped: 0 }
      yield* Effect.gen(function* () {
        const { restUrl, stats } = yield* Exchange
        yield* signIn("PSKEY")
        const approval = yield* approvalOf("PSKEY")
        const { send, socket } = yield* connect()
        socket.on("message", (data) => {
          const text = String(data)
          if (text.startsWith("0|")) frames.push(text)
        })
        send(registration(approval, "005930"))
        send(registration(approval, "000660"))
        yield* passUntil(() => frames.length > 60)
        const token = JSON.parse(
          (yield* rawCall(`${restUrl}/oauth2/tokenP`, {
            method: "POST",
            body: JSON.stringify({ grant_type: "client_credentials", appkey: "PSOTHER", appsecret: "SECRET" })
          })).body
        ) as { readonly access_token: string }
        const headers = {
          authorization: `Bearer ${token.access_token}`,
          appkey: "PSOTHER",
          appsecret: "SECRET",
          tr_id: "FHKST11300006"
        }
        const query =
          "FID_COND_MRKT_DIV_CODE_1=J&FID_INPUT_ISCD_1=005930&FID_COND_MRKT_DIV_CODE_2=J&FID_INPUT_ISCD_2=000660"
        for (let at = 0; at < 15; at++) {
          const { body, failed, status } = yield* rawCall(
            `${restUrl}/uapi/domestic-stock/v1/quotations/intstock-multprice?${query}`,
            { headers }
          )
          if (failed !== undefined) seen.dropped += 1
          else if (status !== 200) seen.refused += 1
          else {
            seen.answered += 1
            const { output } = JSON.parse(body) as { readonly output: ReadonlyArray<object> }
            digests.push(...output.map(rowDigest))
          }
        }
        // Everything that was written has arrived once nothing more is.
        const { framesSent } = yield* stats
        yield* until(() => frames.length === framesSent)
      }).pipe(
        Effect.provide(Exchange.layer({ faults, ledgerDir: folder, tradesPerSecond: 4_000, seed: 5 })),
        Effect.scoped
      )
      const lines = linesIn(folder)
      const sent = lines.flatMap((line) => (line.kind === "frame" ? [line] : []))
      assert.deepStrictEqual(
        sent.map(({ text }) => text),
        frames
      )
      const calls = lines.flatMap((line) => (line.kind === "call" && line.path.startsWith("/uapi") ? [line] : []))
      const count = (outcome: string) => calls.filter((each) => each.outcome === outcome).length
      assert.deepStrictEqual(
        { answered: count("answered"), refused: count("refused"), dropped: count("unanswered") },
        seen
      )
      assert.isAbove(Math.min(seen.answered, seen.refused, seen.dropped), 0)
      assert.deepStrictEqual(
        calls.flatMap(({ rows = [] }) => rows.map(([, digest]) => digest)),
        digests
      )
      const close = lines.at(-1)
      if (close?.kind !== "close") return assert.fail("the ledger has no end")
      const records = frames.reduce((sum, frame) => sum + Number(frame.split("|")[2]), 0)
      assert.deepInclude(close.totals, { frames: frames.length, records, rows: digests.length })
      assert.isAbove(close.totals.faults["duplicateFrames"] ?? 0, 0)
      const secrets = readFileSync(join(folder, readdirSync(folder)[0] ?? ""), "utf8")
      assert.notMatch(secrets, /PSKEY|PSOTHER|SECRET|eyJ/)
    })
  )
})
