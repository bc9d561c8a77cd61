import type { RecordDraft } from "../../domain/JournalRecord.ts"
import type { MarketStatus } from "../KisMarketStatus.ts"

/** The market's own word as a record: the code as it came, what is known of it, and every value beside it. */
export const statusMarker = (
  { atMs, code, expectedCode, isHalted, isInterrupted, meaning, phase, symbol }: MarketStatus,
  values: ReadonlyArray<string>,
  account: string
): RecordDraft => ({
  kind: "marker",
  receivedAtMs: atMs,
  source: "kis-ws",
  account,
  payload: {
    event: "marketStatus",
    ...(symbol === undefined ? {} : { symbol }),
    code,
    ...(meaning === undefined ? {} : { meaning }),
    ...(phase === undefined ? {} : { phase }),
    expectedCode,
    halted: isHalted,
    interrupted: isInterrupted,
    values
  }
})
