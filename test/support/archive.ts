import { createHash } from "node:crypto"
import { appendFileSync, mkdirSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { gzipSync } from "node:zlib"
import { hourFolder } from "../../src/calendar/MarketTime.ts"
import { encodeLine, makeNumberer, type RecordDraft } from "../../src/domain/JournalRecord.ts"
import type { ManifestLine } from "../../src/journal/Manifest.ts"

export const sha256 = (bytes: Uint8Array | string) => createHash("sha256").update(bytes).digest("hex")

/** Numbers in [0, 1) that are the same for the same seed (mulberry32). */
export const seeded = (seed: number) => {
  let state = seed >>> 0
  return (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

export interface ArchiveShape {
  readonly node: string
  /** The first number; later archives of the same node go on. */
  readonly firstSeq?: number
  /** Lines after which a file is sealed; an hour's end seals it, too. */
  readonly lines_max?: number
  /** Whether a sealed file is compressed. */
  readonly isPacked?: (index: number) => boolean
  /** Whether the last file is still being written. */
  readonly isOpen?: boolean
}

/** Writes drafts as the files a journal would have made of them; gives the lines of the manifests, with their days. */
export const writeArchive = (
  dataDir: string,
  drafts: ReadonlyArray<RecordDraft>,
  { firstSeq = 1, isOpen = false, isPacked = () => false, lines_max = Number.POSITIVE_INFINITY, node }: ArchiveShape
): ReadonlyArray<{ readonly day: string; readonly line: ManifestLine }> => {
  const number = makeNumberer(node)
  const records = drafts.map((draft, index) => number(draft, firstSeq + index))
  const parts: Array<{ readonly hour: string; readonly records: Array<(typeof records)[number]> }> = []
  for (const record of records) {
    const hour = hourFolder(Date.parse(record.receivedAt))
    const part = parts.at(-1)
    if (part?.hour === hour && part.records.length < lines_max) part.records.push(record)
    else parts.push({ hour, records: [record] })
  }
  return parts.flatMap(({ hour, records: own }, index) => {
    const day = hour.slice(0, 10)
    const [first, last] = [own[0], own.at(-1)]
    if (first === undefined || last === undefined) return []
    const path = `${hour}/${node}-${String(first.seq).padStart(12, "0")}.jsonl`
    const bytes = Buffer.from(own.map((record) => `${encodeLine(record)}\n`).join(""))
    mkdirSync(dirname(join(dataDir, path)), { recursive: true })
    if (isOpen && index === parts.length - 1) {
      writeFileSync(join(dataDir, `${path}.open`), bytes)
      return []
    }
    const file = path.slice(11)
    // As the observer does, in members that can be unpacked one by one.
    const half = Math.floor(bytes.length / 2)
    const members = [bytes.subarray(0, half), bytes.subarray(half)].map((member) => gzipSync(member))
    const packed = isPacked(index) ? Buffer.concat(members) : undefined
    const line: ManifestLine = {
      file,
      node,
      firstSeq: first.seq,
      lastSeq: last.seq,
      lines: own.length,
      bytes: bytes.length,
      sha256: sha256(bytes),
      firstReceivedAt: first.receivedAt,
      lastReceivedAt: last.receivedAt,
      sealedAt: new Date(Date.parse(last.receivedAt) + 1_000).toISOString(),
      ...(packed && { gzip: { file: `${file}.gz`, bytes: packed.length, sha256: sha256(packed) } })
    }
    writeFileSync(join(dataDir, packed ? `${path}.gz` : path), packed ?? bytes)
    appendFileSync(join(dataDir, day, "MANIFEST.jsonl"), `${JSON.stringify(line)}\n`)
    const { file: name, sha256: sum } = line.gzip ?? line
    appendFileSync(join(dataDir, day, "SHA256SUMS"), `${sum}  ${name}\n`)
    return [{ day, line }]
  })
}
