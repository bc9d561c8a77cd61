import { assert, describe, it } from "@effect/vitest"
import { marketDate, marketInstant, marketMidnight } from "../../src/calendar/MarketTime.ts"
import { expectedPhase } from "../../src/calendar/Phases.ts"

/** Every change of phase within a market day, to the second: `HHMMSS phase`, beginning with midnight. */
const changes = (date: string): ReadonlyArray<string> => {
  const midnight = marketMidnight(date)
  const found: Array<string> = []
  let before = ""
  for (let second = 0; second < 86_400; second++) {
    const atMs = midnight + second * 1_000
    const phase = expectedPhase(atMs)
    if (phase !== before) found.push(`${new Date(second * 1_000).toISOString().slice(11, 19)} ${phase}`)
    if (phase !== before) assert.strictEqual(expectedPhase(atMs - 1), second === 0 ? "closed" : before)
    before = phase
  }
  return found
}

const morning = ["00:00:00 closed", "08:00:00 preOpen", "08:30:00 openingAuction", "09:00:00 continuous"]
const lateMorning = ["00:00:00 closed", "09:00:00 preOpen", "09:30:00 openingAuction", "10:00:00 continuous"]
const close = ["15:20:00 closingAuction", "15:30:00 afterClose"]
const evening = ["16:00:00 afterMarket", "20:00:00 closed"]

describe("the phases of a day", () => {
  it.each(["20260914", "20261124", "20261230", "20270105"])("are the ordinary ones on %s", (date) => {
    assert.deepStrictEqual(changes(date), [...morning, ...close, ...evening])
  })

  it("ended at six until the after-market began on 14 September 2026", () => {
    assert.deepStrictEqual(changes("20260911"), [...morning, ...close, "16:00:00 afterMarket", "18:00:00 closed"])
  })

  it("are an hour later on the day of the college entrance exam, and end no later", () => {
    assert.deepStrictEqual(changes("20261119"), [
      ...lateMorning,
      "16:20:00 closingAuction",
      "16:30:00 afterClose",
      "17:00:00 afterMarket",
      "20:00:00 closed"
    ])
  })

  it("begin an hour later on the year's first trading day, and close as ever", () => {
    assert.deepStrictEqual(changes("20270104"), [...lateMorning, ...close, ...evening])
    assert.deepStrictEqual(changes("20260102"), [...lateMorning, ...close, "16:00:00 afterMarket", "18:00:00 closed"])
  })

  it.each(["20261121", "20261122", "20260912", "20270103"])("are none on the weekend day %s", (date) => {
    assert.deepStrictEqual(changes(date), ["00:00:00 closed"])
  })

  it("are none on the exchange's holidays, and only on these", () => {
    const closedWeekdays: Array<string> = []
    for (let atMs = marketMidnight("20260101"); atMs < marketMidnight("20280101"); atMs += 86_400_000) {
      const date = marketDate(atMs)
      const weekday = new Date(`${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6)}T00:00:00Z`).getUTCDay()
      const noon = expectedPhase(marketInstant(date, "120000") ?? 0)
      if (noon === "closed" && weekday !== 0 && weekday !== 6) closedWeekdays.push(date)
    }
    assert.strictEqual(
      closedWeekdays.join(" "),
      "20260101 20260216 20260217 20260218 20260302 20260501 20260505 20260525 20260603 20260717 20260817 20260924 " +
        "20260925 20261005 20261009 20261225 20261231 20270101 20270208 20270209 20270301 20270505 20270513 20270719 " +
        "20270816 20270914 20270915 20270916 20271004 20271011 20271227 20271231"
    )
  })
})
