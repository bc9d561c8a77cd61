import type { Phase } from "../domain/Phase.ts"
import type { Quality, RecordDraft } from "../domain/JournalRecord.ts"
import type { RejectPayload, RejectReason } from "../domain/Reject.ts"
import type { Delivery, Sighting } from "../domain/Sighting.ts"
import { isSymbolCode } from "../domain/SymbolCode.ts"

/** A sighting as the record it becomes: with its phase, and how late it was where it says when it happened. */
export const observation = (
  { account, source }: Pick<Delivery, "account" | "source">,
  sighting: Sighting,
  flags: ReadonlyArray<string>,
  expected: Phase
): RecordDraft => {
  const { exchangeAtMs, receivedAtMs } = sighting
  const quality: Quality | undefined =
    exchangeAtMs === undefined
      ? flags.length === 0
        ? undefined
        : { flags }
      : { flags, lagMs: receivedAtMs - exchangeAtMs }
  return {
    kind: sighting.kind,
    symbol: sighting.symbol,
    receivedAtMs,
    exchangeAtMs,
    source,
    account,
    venue: sighting.venue,
    phase: sighting.phase ?? expected,
    price: sighting.price,
    volume: sighting.volume,
    cumVolume: sighting.cumVolume,
    ask: sighting.ask,
    bid: sighting.bid,
    quality,
    payload: sighting.payload
  }
}

/** A sighting that is not data: the reason, and what the source sent. */
export const rejection = (
  { account, source }: Pick<Delivery, "account" | "source">,
  { payload, receivedAtMs, symbol }: Sighting,
  reason: RejectReason
): RecordDraft => ({
  kind: "reject",
  // What a broken record holds where its symbol should be stays in `raw`.
  symbol: isSymbolCode(symbol) ? symbol : undefined,
  receivedAtMs,
  source,
  account,
  payload: { reason, raw: JSON.stringify(payload) } satisfies RejectPayload
})
