import type { Phase } from "../domain/Phase.ts"
import type { Quality, RecordDraft } from "../domain/JournalRecord.ts"
import { valuesWithoutSecrets } from "../domain/Secrets.ts"
import type { RejectPayload, RejectReason } from "../domain/Reject.ts"
import type { Delivery, Sighting } from "../domain/Sighting.ts"
import { isSymbolCode } from "../domain/SymbolCode.ts"

/** A class and not a literal, as in `KisTrade`, so that what a draft holds can be let go of with it. */
class Observation implements RecordDraft {
  declare readonly kind: RecordDraft["kind"]
  declare readonly symbol: string
  declare readonly receivedAtMs: number
  declare readonly exchangeAtMs: number | undefined
  declare readonly source: RecordDraft["source"]
  declare readonly account: string
  declare readonly venue: RecordDraft["venue"]
  declare readonly phase: Phase
  declare readonly price: number | undefined
  declare readonly volume: number | undefined
  declare readonly cumVolume: number | undefined
  declare readonly ask: number | undefined
  declare readonly bid: number | undefined
  declare readonly quality: Quality | undefined
  declare readonly payload: object

  constructor({ account, source }: Origin, sighting: Sighting, quality: Quality | undefined, expected: Phase) {
    this.kind = sighting.kind
    this.symbol = sighting.symbol
    this.receivedAtMs = sighting.receivedAtMs
    this.exchangeAtMs = sighting.exchangeAtMs
    this.source = source
    this.account = account
    this.venue = sighting.venue
    this.phase = sighting.phase ?? expected
    this.price = sighting.price
    this.volume = sighting.volume
    this.cumVolume = sighting.cumVolume
    this.ask = sighting.ask
    this.bid = sighting.bid
    this.quality = quality
    this.payload = sighting.payload
  }
}

type Origin = Pick<Delivery, "account" | "source">

/** A sighting as the record it becomes: with its phase, and how late it was where it says when it happened. */
export const observation = (
  origin: Origin,
  sighting: Sighting,
  flags: ReadonlyArray<string>,
  expected: Phase
): RecordDraft => new Observation(origin, sighting, qualityOf(sighting, flags), expected)

const qualityOf = ({ exchangeAtMs, receivedAtMs }: Sighting, flags: ReadonlyArray<string>): Quality | undefined => {
  if (exchangeAtMs !== undefined) return { flags, lagMs: receivedAtMs - exchangeAtMs }
  return flags.length === 0 ? undefined : { flags }
}

/** The same record with one flag more. */
export const flagged = (draft: RecordDraft, flag: string): RecordDraft => ({
  ...draft,
  quality: { ...draft.quality, flags: [...(draft.quality?.flags ?? []), flag] }
})

/** A sighting that is not data: the reason, and what the source sent. */
export const rejection = (
  { account, source }: Origin,
  { payload, receivedAtMs, symbol }: Sighting,
  reason: RejectReason
): RecordDraft => ({
  kind: "reject",
  // What a broken record holds where its symbol should be stays in `raw`.
  symbol: isSymbolCode(symbol) ? symbol : undefined,
  receivedAtMs,
  source,
  account,
  payload: { reason, raw: valuesWithoutSecrets(JSON.stringify(payload)) } satisfies RejectPayload
})
