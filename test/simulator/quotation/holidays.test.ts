import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { holidays } from "../../../src/simulator/quotation/holidays.ts"
import { ask, rows } from "./ask.ts"
import { captured } from "./captured.ts"
import { stagedMarket } from "./stagedMarket.ts"

const market = stagedMarket([])

describe("chk-holiday", () => {
  it.effect("repeats the captured reply to the letter, its padding and its text of 80 bytes", () =>
    Effect.gen(function* () {
      const { msg1, msg_cd, rt_cd, ...blocks } = captured("cap_chk_holiday_20260601.json").body
      const answer = yield* ask(holidays, market, "BASS_DT=20260601&CTX_AREA_NK=&CTX_AREA_FK=")
      assert.deepStrictEqual(answer.blocks, blocks)
      assert.deepStrictEqual(Object.keys(answer.blocks), Object.keys(blocks))
      assert.deepStrictEqual(
        { msg_cd, msg1, rt_cd },
        { msg_cd: answer.message?.code, msg1: answer.message?.text, rt_cd: "0" }
      )
      assert.strictEqual(answer.trCont, "F")
    })
  )

  it.effect("pages through the calendar without a hole, F then M, and ends with E", () =>
    Effect.gen(function* () {
      const dates: Array<string> = []
      const marks: Array<string> = []
      let key = ""
      for (let pages = 0; pages < 40; pages++) {
        const answer = yield* ask(holidays, market, `BASS_DT=20261101&CTX_AREA_NK=${key}&CTX_AREA_FK=20261101`, {
          isNextPage: pages > 0
        })
        dates.push(...rows(answer, "output").map((line) => line["bass_dt"] ?? ""))
        marks.push(answer.trCont ?? "")
        if (answer.trCont === "D" || answer.trCont === "E") {
          assert.strictEqual(answer.message?.code, "KIOK0510")
          break
        }
        key = String(answer.blocks["ctx_area_nk"]).trim()
      }
      assert.deepStrictEqual([marks[0], marks[1], marks.at(-1)], ["F", "M", "E"])
      assert.strictEqual(new Set(dates).size, dates.length)
      assert.strictEqual(dates.length, 30 + 31 + 365)
      assert.deepStrictEqual([dates[0], dates.at(-1)], ["20261101", "20271231"])
    })
  )

  it.effect("begins a page again with the date of its key when told so", () =>
    Effect.gen(function* () {
      const answer = yield* ask(holidays, market, "BASS_DT=20261101&CTX_AREA_NK=20261124", {
        isNextPage: true,
        isHolidayRepeated: true
      })
      assert.strictEqual(rows(answer, "output")[0]?.["bass_dt"], "20261124")
    })
  )

  it.effect("calls the day of the entrance exam open, a Sunday not, and refuses a day that does not exist", () =>
    Effect.gen(function* () {
      const answer = yield* ask(holidays, market, "BASS_DT=20261119")
      const open = Object.fromEntries(rows(answer, "output").map((line) => [line["bass_dt"], line["opnd_yn"]]))
      assert.deepInclude(open, { "20261119": "Y", "20261122": "N", "20261123": "Y" })
      const refused = yield* Effect.flip(ask(holidays, market, "BASS_DT=20260231"))
      assert.strictEqual(refused.code, "OPSQ2001")
    })
  )
})
