import { Effect } from "effect"
import { marketDate, marketMidnight, marketWeekday } from "../../calendar/MarketTime.ts"
import { dayKind } from "../../calendar/TradingDays.ts"
import { type Endpoint, quotations } from "./Endpoint.ts"
import { dayField } from "./fields.ts"
import { allRead, moreFollows } from "./messages.ts"

const pageDays = 24
const day_ms = 86_400_000
const key_bytes = 20

/** 01 is Sunday. `tr_day_yn` was Y even on Sundays, as captured. */
const dayRow = (date: string) => {
  const weekday = marketWeekday(marketMidnight(date))
  const isOpen = dayKind(date, weekday) !== "closed"
  const isWeekend = weekday === 0 || weekday === 6
  return {
    bass_dt: date,
    wday_dvsn_cd: `0${weekday + 1}`,
    // On the last day of the year the exchange rests and the banks do not.
    bzdy_yn: isOpen || (!isWeekend && date.endsWith("1231")) ? "Y" : "N",
    tr_day_yn: "Y",
    opnd_yn: isOpen ? "Y" : "N",
    sttl_day_yn: isOpen ? "Y" : "N"
  }
}

/** `chk-holiday`: 24 days a page from the asked date on; the next key is the last date of the page. */
export const holidays: Endpoint = {
  path: `${quotations}chk-holiday`,
  trId: "CTCA0903R",
  inMock: false,
  ledger: true,
  answer: Effect.fnUntraced(function* ({ isNextPage, query, rules }) {
    const asked = yield* dayField(query, "BASS_DT")
    const key = isNextPage ? (query.get("CTX_AREA_NK") ?? "") : ""
    const after = key === "" ? undefined : yield* dayField(query, "CTX_AREA_NK")
    const first =
      after === undefined ? marketMidnight(asked) : marketMidnight(after) + (rules.isHolidayRepeated ? 0 : day_ms)
    const end = marketMidnight(`${Number(asked.slice(0, 4)) + rules.holidayYearsAhead}1231`)
    const days = Math.min(pageDays, Math.max(0, Math.round((end - first) / day_ms) + 1))
    const output = Array.from({ length: days }, (_, day) => dayRow(marketDate(first + day * day_ms)))
    const hasMore = first + days * day_ms <= end
    return {
      blocks: {
        ctx_area_nk: (hasMore ? (output.at(-1)?.bass_dt ?? "") : "").padEnd(key_bytes),
        ctx_area_fk: asked.padEnd(key_bytes),
        output
      },
      message: hasMore ? moreFollows : allRead,
      // Which of F and M, D and E stands for what is not published; taken for first and middle, only and last page [U].
      trCont: hasMore ? (after === undefined ? "F" : "M") : after === undefined ? "D" : "E"
    }
  })
}
