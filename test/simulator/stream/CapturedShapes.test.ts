import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { capturedFrames } from "../../support/samples.ts"
import { sample } from "../fixtures.ts"
import { kospi200, type ScriptedMarket } from "../../support/scriptedMarket.ts"
import { type Stage, type DecodedFrame, frameOf, makeStage, shapeOf } from "../../support/streamStage.ts"

const code = "005930"

/** The trading day on which the broker sent so many columns. */
const dateOf: Readonly<Record<string, string>> = {
  "H0STCNT0/46": "20260608",
  "H0STCNT0/47": "20260922",
  "H0STASP0/59": "20241011",
  "H0STASP0/62": "20260608",
  "H0STASP0/63": "20260922",
  "H0STANC0/45": "20260707",
  "H0STANC0/46": "20260707",
  "H0UPCNT0/30": "20261001",
  "H0STMKO0/10": "20260626"
}

const makeOne: Readonly<Record<string, (market: ScriptedMarket, note: string) => void>> = {
  H0STCNT0: (market, note) => {
    const isPrint = note.startsWith("opening auction print")
    market.trade(code, isPrint ? { side: "none", auction: true, size: 200_607 } : { size: 2_500 })
  },
  H0STASP0: (market) => market.book(code),
  H0STANC0: (market) => market.expect(code, { price: market.issue(code).ask, volume: 313_469, hourClass: "B" }),
  H0UPCNT0: (market) => market.index(kospi200),
  H0STMKO0: (market) =>
    market.operation({
      issueCode: code,
      market: undefined,
      hour: "100000",
      operation: "",
      expectedOperation: "311",
      halted: false,
      reason: "",
      interrupted: false
    })
}

/** One frame of a stream on a day, as it comes off the wire. */
const sent = Effect.fnUntraced(function* ({ connect, market }: Stage, trId: string, date: string, note: string) {
  market.to(date, trId === "H0STANC0" ? "085130" : "114827")
  market.phaseIs(trId === "H0STANC0" ? "openingAuction" : "continuous")
  market.opened(code, { price: 300_000, volume: 694_593, hourClass: "0" })
  const client = yield* connect()
  assert.strictEqual((yield* client.ask(trId, trId === "H0UPCNT0" ? "2001" : code)).body.msg_cd, "OPSP0000")
  makeOne[trId]?.(market, note)
  market.step()
  return frameOf(yield* client.next)
})

/** Digits, decimals, blanks and letters, column by column. */
const assertAlike = (ours: DecodedFrame, captured: DecodedFrame) => {
  assert.strictEqual(ours.columns, captured.columns)
  const [mine = []] = ours.records
  for (const record of captured.records) {
    record.forEach((value, column) => {
      assert.strictEqual(shapeOf(mine[column] ?? ""), shapeOf(value), `${ours.trId} column ${column}: ${value}`)
    })
  }
}

describe("what the simulator sends has the width and the kinds of columns of", () => {
  const known = capturedFrames.filter(({ tr }) => tr in makeOne)
  assert.isAbove(known.length, 60)
  const groups = new Map<string, Array<(typeof known)[number]>>()
  for (const frame of known) {
    const group = `${frame.tr}/${frame.columns}${frame.note.startsWith("opening auction print") ? "/print" : ""}`
    groups.set(group, [...(groups.get(group) ?? []), frame])
  }
  for (const [group, frames] of groups) {
    it.effect(`every captured frame of ${group} (${frames.length})`, () =>
      Effect.gen(function* () {
        const [trId = "", columns = ""] = group.split("/")
        const stage = yield* makeStage({
          stream: {
            expectedColumns: columns === "45" ? 45 : 46,
            operationColumns: columns === "10" ? 10 : 11
          }
        })
        const note = frames[0]?.note ?? ""
        const ours = yield* sent(stage, trId, dateOf[`${trId}/${columns}`] ?? "", note)
        for (const captured of frames) assertAlike(ours, frameOf(captured.frame))
      })
    )
  }

  it.effect("all 17 captured H0UNMKO0 records", () =>
    Effect.gen(function* () {
      const { connect, market } = yield* makeStage()
      const client = yield* connect()
      yield* client.ask("H0UNMKO0", code)
      const operation = { issueCode: code, market: undefined, hour: "094016", halted: false, reason: "" }
      market.operation({ ...operation, operation: "AB1", expectedOperation: "112", interrupted: true })
      market.step()
      const [mine = []] = frameOf(yield* client.next).records
      const lines = sample("ws/H0UNMKO0-20260921-23.tsv").trim().split("\n").slice(1)
      assert.strictEqual(lines.length, 17)
      for (const line of lines) {
        const values = (line.split("\t")[1] ?? "").split("^")
        assert.strictEqual(mine.length, values.length)
        values.forEach((value, column) => {
          // Y or N as the interruption stands, every other column alike.
          if (column === 8) assert.include(["Y", "N"], mine[column])
          else assert.strictEqual(shapeOf(mine[column] ?? ""), shapeOf(value), `column ${column}: ${value}`)
        })
      }
    })
  )
})

describe("widths follow the date and the table", () => {
  const widths: ReadonlyArray<readonly [trId: string, date: string, columns: number]> = [
    ["H0STCNT0", "20260911", 46],
    ["H0STCNT0", "20260914", 47],
    ["H0UNCNT0", "20260911", 46],
    ["H0UNCNT0", "20260914", 47],
    ["H0NXCNT0", "20260914", 47],
    ["H0STASP0", "20260911", 62],
    ["H0STASP0", "20260914", 63],
    ["H0UNASP0", "20260911", 65],
    ["H0UNASP0", "20260914", 66],
    ["H0NXASP0", "20260914", 65],
    ["H0STMKO0", "20260914", 11],
    ["H0NXMKO0", "20260914", 11],
    ["H0STOUP0", "20260911", 43]
  ]
  for (const [trId, date, columns] of widths) {
    it.effect(`${trId} has ${columns} columns on ${date}`, () =>
      Effect.gen(function* () {
        const { connect, market } = yield* makeStage()
        market.to(date, "114827")
        const client = yield* connect()
        assert.strictEqual((yield* client.ask(trId, code)).body.msg_cd, "OPSP0000")
        if (trId === "H0STOUP0") market.trade(code, { operationCode: "40" })
        else market.trade(code, { venue: trId === "H0NXCNT0" ? "NXT" : "KRX" })
        market.book(code)
        makeOne["H0STMKO0"]?.(market, "")
        market.step()
        const frame = frameOf(yield* client.next)
        assert.deepStrictEqual([frame.trId, frame.columns], [trId, columns])
        assert.strictEqual(frame.records[0]?.[0], code)
      })
    )
  }
})
