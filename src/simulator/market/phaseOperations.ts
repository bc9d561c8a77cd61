import type { SegmentKind } from "./DaySegments.ts"
import type { MarketOperation } from "./MarketView.ts"

const whole = (operation: string): Omit<MarketOperation, "hour"> => ({
  issueCode: undefined,
  market: undefined,
  operation,
  expectedOperation: "",
  halted: false,
  reason: "",
  interrupted: false
})

/** What the documents say is announced when a part of the day begins; those of the new after-market are not known [U]. */
export const phaseOperations: Readonly<Partial<Record<SegmentKind, ReadonlyArray<Omit<MarketOperation, "hour">>>>> = {
  openingAuction: [whole("110")],
  continuous: [whole("112")],
  closingAuction: [whole("121")],
  afterClose: [whole("129")],
  closingPrice: [whole("140")],
  afterMarket: [whole("149")],
  singlePrice: [whole("149"), whole("150")]
}
