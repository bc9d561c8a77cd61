import { Context } from "effect"

/** What KIS does not publish about its REST replies; each default is argued beside it. */
export interface QuotationRules {
  /**
   * The share of trades that the two trade lists leave out, the same trades in both. One hole was found in 29
   * transitions of two captured replies; nobody knows the true rate [U].
   */
  readonly lostTradeShare: number
  /**
   * `chk-holiday`: whether a next page begins with the date named by `ctx_area_nk`, which is the last one of the page
   * before. Not captured; a client that pages sees no date twice by default [U].
   */
  readonly isHolidayRepeated: boolean
  /** `chk-holiday`: the calendar ends with the last day of this many years after the asked one [U]. */
  readonly holidayYearsAhead: number
  /** The daily chart's `itewhol_loan_rmnd_ratem` comes with a stray " name" in its key, by the portal and by clients that read it. */
  readonly isLoanKeyStray: boolean
}

/** How the quotation calls behave where the broker has said nothing; provide another to change it. */
export const QuotationRules = Context.Reference<QuotationRules>("observer/simulator/QuotationRules", {
  defaultValue: () => ({
    lostTradeShare: 1 / 30,
    isHolidayRepeated: false,
    holidayYearsAhead: 1,
    isLoanKeyStray: true
  })
})
