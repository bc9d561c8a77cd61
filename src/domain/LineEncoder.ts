import { knownInstant, knownNumber, knownQuality, type Quality, type RecordDraft } from "./JournalRecord.ts"
import { JsonBytes } from "./JsonBytes.ts"
import { makeRecordId } from "./RecordId.ts"

/** Lines as they stand in a file, each with its newline. */
export interface EncodedLines {
  /** Spoilt by the next lines that are encoded. */
  readonly bytes: Uint8Array
  readonly lines: number
  readonly firstReceivedAt: string
  readonly lastReceivedAt: string
}

/**
 * Encodes drafts of one node as the lines of the records they become: byte for byte what `encodeLine` makes of each record
 * when it is numbered, and no record is made. What is the same for neighbours (times, where they come from) is written
 * once and remembered.
 */
export class LineEncoder {
  private readonly out = new JsonBytes()
  private readonly id: ReturnType<typeof makeRecordId>
  private receivedAtMs = Number.NaN
  private receivedAt = ""
  private exchangeAtMs = Number.NaN
  private exchangeAt = ""
  private source: unknown
  private account: unknown
  private venue: unknown
  private phase: unknown
  private origin = ""

  constructor(node: string) {
    this.id = makeRecordId(node)
  }

  /** The first becomes the line of `firstSeq`. Throws what making the record and `JSON.stringify` of it throw. */
  encode(drafts: ReadonlyArray<RecordDraft>, firstSeq: number): EncodedLines {
    this.out.clear()
    let firstReceivedAt = ""
    for (let index = 0; index < drafts.length; index++) {
      const draft = drafts[index] as RecordDraft
      const head = this.headOf(draft, firstSeq + index)
      if (isTexts(draft.payload)) {
        this.out.json(`${head},"payload":`)
        this.out.strings(draft.payload)
        this.out.json("}\n")
      } else {
        // In two, for a text that holds hangul takes twice the room in memory.
        this.out.json(head)
        this.out.json(`${member("payload", draft.payload)}}\n`)
      }
      if (index === 0) firstReceivedAt = this.receivedAt
    }
    return { bytes: this.out.bytes, lines: drafts.length, firstReceivedAt, lastReceivedAt: this.receivedAt }
  }

  /** Everything of a line before its payload. */
  private headOf(draft: RecordDraft, seq: number): string {
    if (draft.receivedAtMs !== this.receivedAtMs) {
      this.receivedAt = new Date(draft.receivedAtMs).toISOString()
      this.receivedAtMs = draft.receivedAtMs
    }
    return (
      `{"v":1,"seq":${seq},"id":"${this.id(draft.receivedAtMs, seq)}"` +
      text(`,"kind":"`, draft.kind) +
      text(`,"symbol":"`, draft.symbol) +
      `,"receivedAt":"${this.receivedAt}"` +
      this.exchangeAtOf(draft.exchangeAtMs) +
      this.originOf(draft) +
      number(`,"price":`, draft.price) +
      number(`,"volume":`, draft.volume) +
      number(`,"cumVolume":`, draft.cumVolume) +
      number(`,"ask":`, draft.ask) +
      number(`,"bid":`, draft.bid) +
      quality(draft.quality)
    )
  }

  private exchangeAtOf(atMs: number | undefined): string {
    if (atMs === undefined) return ""
    if (atMs !== this.exchangeAtMs) {
      this.exchangeAt = text(`,"exchangeAt":"`, knownInstant(atMs))
      this.exchangeAtMs = atMs
    }
    return this.exchangeAt
  }

  private originOf({ account, phase, source, venue }: RecordDraft): string {
    if (source !== this.source || account !== this.account || venue !== this.venue || phase !== this.phase) {
      this.origin =
        text(`,"source":"`, source) + text(`,"account":"`, account) + text(`,"venue":"`, venue) + text(`,"phase":"`, phase)
      this.source = source
      this.account = account
      this.venue = venue
      this.phase = phase
    }
    return this.origin
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

const number = (before: string, value: number | undefined): string =>
  knownNumber(value) === undefined ? "" : before + value

const quality = (value: Quality | undefined): string => {
  if (value === undefined) return ""
  if (!isUsual(value)) return member("quality", value && knownQuality(value))
  return `,"quality":{"flags":${value.flags.length === 0 ? "[]" : JSON.stringify(value.flags)}${number(`,"lagMs":`, value.lagMs)}}`
}

/** With the usual keys in the usual order. */
const isUsual = (value: Quality): boolean => {
  if (value === null || "toJSON" in value || !Array.isArray(value.flags) || "toJSON" in value.flags) return false
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
