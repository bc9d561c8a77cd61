import { knownInstant, knownQuality, type Quality, type RecordDraft, recordKinds } from "./JournalRecord.ts"
import { JsonBytes, piece } from "./JsonBytes.ts"
import { makeRecordId } from "./RecordId.ts"

/** Lines as they stand in a file, each with its newline. */
export interface EncodedLines {
  /** Spoilt by the next lines that are encoded. */
  readonly bytes: Uint8Array
  readonly lines: number
  readonly firstReceivedAt: string
  readonly lastReceivedAt: string
}

const pieces = {
  v: piece(`{"v":1,"seq":`),
  symbol: piece(`,"symbol":`),
  price: piece(`,"price":`),
  volume: piece(`,"volume":`),
  cumVolume: piece(`,"cumVolume":`),
  ask: piece(`,"ask":`),
  bid: piece(`,"bid":`),
  noFlags: piece(`,"quality":{"flags":[]`),
  lagMs: piece(`,"lagMs":`),
  brace: piece("}"),
  payload: piece(`,"payload":`),
  end: piece("}\n")
}
const kinds = new Map<string, Uint8Array>(recordKinds.map((kind) => [kind, piece(`","kind":"${kind}"`)]))
const nothing = piece("")
/** Of an id. */
const seqDigits = 12

/**
 * Encodes drafts of one node as the lines of the records they become: byte for byte what `encodeLine` makes of each record
 * when it is numbered, and no record is made. What is the same for neighbours (times, where they come from) is
 * remembered.
 */
export class LineEncoder {
  private readonly out = new JsonBytes()
  private readonly idOf: ReturnType<typeof makeRecordId>
  private receivedAtMs = Number.NaN
  private receivedAt = ""
  private receivedAtMember = nothing
  private id = nothing
  private exchangeAtMs = Number.NaN
  private exchangeAt = nothing
  private source: unknown
  private account: unknown
  private venue: unknown
  private phase: unknown
  private origin = nothing

  constructor(node: string) {
    this.idOf = makeRecordId(node)
  }

  /** The first becomes the line of `firstSeq`. Throws what making the record and `JSON.stringify` of it throw. */
  encode(drafts: ReadonlyArray<RecordDraft>, firstSeq: number): EncodedLines {
    this.out.clear()
    let firstReceivedAt = ""
    for (let index = 0; index < drafts.length; index++) {
      const draft = drafts[index] as RecordDraft
      this.addHead(draft, firstSeq + index)
      this.addPayload(draft.payload)
      if (index === 0) firstReceivedAt = this.receivedAt
    }
    return { bytes: this.out.bytes, lines: drafts.length, firstReceivedAt, lastReceivedAt: this.receivedAt }
  }

  /** The bytes given last stay as they are from now on. */
  letGo(): void {
    this.out.letGo()
  }

  /** Everything of a line before its payload. */
  private addHead(draft: RecordDraft, seq: number): void {
    const { out } = this
    if (draft.receivedAtMs !== this.receivedAtMs) {
      this.receivedAt = new Date(draft.receivedAtMs).toISOString()
      this.receivedAtMember = piece(`,"receivedAt":"${this.receivedAt}"`)
      this.id = piece(`,"id":"${this.idOf(draft.receivedAtMs, 0).slice(0, -seqDigits)}`)
      this.receivedAtMs = draft.receivedAtMs
    }
    out.piece(pieces.v)
    out.number(seq)
    out.piece(this.id)
    out.hex(seq, seqDigits)
    out.piece(kinds.get(draft.kind) ?? piece(`"${text(`,"kind":"`, draft.kind)}`))
    if (typeof draft.symbol === "string") {
      out.piece(pieces.symbol)
      out.string(draft.symbol)
    } else if (draft.symbol !== undefined) out.json(member("symbol", draft.symbol))
    out.piece(this.receivedAtMember)
    if (draft.exchangeAtMs !== undefined) this.addExchangeAt(draft.exchangeAtMs)
    this.addOrigin(draft)
    this.addNumber(pieces.price, draft.price)
    this.addNumber(pieces.volume, draft.volume)
    this.addNumber(pieces.cumVolume, draft.cumVolume)
    this.addNumber(pieces.ask, draft.ask)
    this.addNumber(pieces.bid, draft.bid)
    this.addQuality(draft.quality)
  }

  private addExchangeAt(atMs: number) {
    if (atMs !== this.exchangeAtMs) {
      this.exchangeAt = piece(text(`,"exchangeAt":"`, knownInstant(atMs)))
      this.exchangeAtMs = atMs
    }
    this.out.piece(this.exchangeAt)
  }

  private addOrigin({ account, phase, source, venue }: RecordDraft) {
    if (source !== this.source || account !== this.account || venue !== this.venue || phase !== this.phase) {
      this.origin = piece(
        text(`,"source":"`, source) +
          text(`,"account":"`, account) +
          text(`,"venue":"`, venue) +
          text(`,"phase":"`, phase)
      )
      this.source = source
      this.account = account
      this.venue = venue
      this.phase = phase
    }
    this.out.piece(this.origin)
  }

  private addNumber(before: Uint8Array, value: number | undefined) {
    if (value === undefined || !Number.isFinite(value)) return
    this.out.piece(before)
    this.out.number(value)
  }

  private addQuality(value: Quality | undefined) {
    if (value === undefined) return
    if (!isUsual(value)) return this.out.json(member("quality", value && knownQuality(value)))
    if (value.flags.length === 0) this.out.piece(pieces.noFlags)
    else this.out.json(`,"quality":{"flags":${JSON.stringify(value.flags)}`)
    this.addNumber(pieces.lagMs, value.lagMs)
    this.out.piece(pieces.brace)
  }

  private addPayload(payload: unknown): void {
    const { out } = this
    if (isTexts(payload)) {
      out.piece(pieces.payload)
      out.strings(payload)
    } else if (!this.addRow(payload)) out.json(member("payload", payload))
    out.piece(pieces.end)
  }

  /** A payload of named texts, as every row of a reply is. */
  private addRow(payload: unknown): boolean {
    if (typeof payload !== "object" || payload === null || "toJSON" in payload) return false
    if (Object.getPrototypeOf(payload) !== Object.prototype) return false
    const texts = Object.values(payload)
    if (!isTexts(texts)) return false
    this.out.piece(pieces.payload)
    this.out.members(Object.keys(payload), texts)
    return true
  }
}

/** A member of the record with the comma before it; nothing when `JSON.stringify` would leave it out. */
const member = (key: string, value: unknown): string => {
  if (typeof value === "object" && value !== null && !("toJSON" in value)) return `,"${key}":${JSON.stringify(value)}`
  const object = JSON.stringify({ [key]: value })
  return object === "{}" ? "" : `,${object.slice(1, -1)}`
}

/** `before` is all that stands before the text, its quote included. */
const text = (before: string, value: string | undefined): string => {
  if (value === undefined) return ""
  return isPlain(value) ? `${before}${value}"` : member(before.slice(2, -3), value)
}

/** With the usual keys in the usual order. */
const isUsual = (value: Quality): boolean => {
  if (typeof value !== "object" || value === null || "toJSON" in value) return false
  if (!Array.isArray(value.flags) || "toJSON" in value.flags) return false
  const keys = Object.keys(value)
  return keys[0] === "flags" && (keys.length === 1 || (keys.length === 2 && keys[1] === "lagMs"))
}

/** A text that stands in JSON as it is. */
const isPlain = (value: unknown): value is string => {
  if (typeof value !== "string") return false
  for (let at = 0; at < value.length; at++) {
    const code = value.charCodeAt(at)
    if (code < 0x20 || code > 0x7e || code === 0x22 || code === 0x5c) return false
  }
  return true
}

const isTexts = (value: unknown): value is ReadonlyArray<string> => {
  if (!Array.isArray(value) || "toJSON" in value) return false
  for (let index = 0; index < value.length; index++) if (typeof value[index] !== "string") return false
  return true
}
