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
 * Encodes drafts of one node as the lines of the records they become, the first under `firstSeq`: byte for byte what
 * `encodeLine` makes of each record when it is numbered, and no record is made. Throws what these two throw.
 */
export const makeLinesEncoder = (node: string) => {
  const out = new JsonBytes()
  const id = makeRecordId(node)
  const receivedAtOf = remembering((atMs: number) => new Date(atMs).toISOString())
  const exchangeAtOf = remembering((atMs: number) => text(`,"exchangeAt":"`, knownInstant(atMs)))
  const originOf = rememberingOrigin()

  /** Everything of a line before its payload. */
  const headOf = (draft: RecordDraft, seq: number, receivedAt: string): string =>
    `{"v":1,"seq":${seq},"id":"${id(draft.receivedAtMs, seq)}"` +
    text(`,"kind":"`, draft.kind) +
    text(`,"symbol":"`, draft.symbol) +
    `,"receivedAt":"${receivedAt}"` +
    (draft.exchangeAtMs === undefined ? "" : exchangeAtOf(draft.exchangeAtMs)) +
    originOf(draft) +
    number(`,"price":`, draft.price) +
    number(`,"volume":`, draft.volume) +
    number(`,"cumVolume":`, draft.cumVolume) +
    number(`,"ask":`, draft.ask) +
    number(`,"bid":`, draft.bid) +
    quality(draft.quality)

  return (drafts: ReadonlyArray<RecordDraft>, firstSeq: number): EncodedLines => {
    out.clear()
    let firstReceivedAt = ""
    let lastReceivedAt = ""
    let seq = firstSeq
    for (const draft of drafts) {
      lastReceivedAt = receivedAtOf(draft.receivedAtMs)
      if (seq === firstSeq) firstReceivedAt = lastReceivedAt
      const head = headOf(draft, seq, lastReceivedAt)
      const { payload } = draft
      if (isTexts(payload)) {
        out.json(`${head},"payload":`)
        out.strings(payload)
        out.end()
      } else {
        out.json(head)
        out.json(`${member("payload", payload)}}\n`)
      }
      seq += 1
    }
    return { bytes: out.bytes, lines: drafts.length, firstReceivedAt, lastReceivedAt }
  }
}

/** What is made of the same value again is not made again: neighbours are often of the same instant. */
const remembering = <A, B>(make: (value: A) => B): ((value: A) => B) => {
  let last: { readonly value: A; readonly made: B } | undefined
  return (value) => {
    if (last === undefined || last.value !== value) last = { value, made: make(value) }
    return last.made
  }
}

/** A member of the record with the comma before it; nothing when `JSON.stringify` would leave it out. */
const member = (key: string, value: unknown): string => {
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

/** Where a record comes from: neighbours are nearly always of one source, account, venue and phase. */
const rememberingOrigin = () => {
  let last: Pick<RecordDraft, "source" | "account" | "venue" | "phase"> | undefined
  let made = ""
  return ({ account, phase, source, venue }: RecordDraft): string => {
    if (
      last === undefined ||
      last.source !== source ||
      last.account !== account ||
      last.venue !== venue ||
      last.phase !== phase
    ) {
      last = { source, account, venue, phase }
      made =
        text(`,"source":"`, source) + text(`,"account":"`, account) + text(`,"venue":"`, venue) + text(`,"phase":"`, phase)
    }
    return made
  }
}

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
