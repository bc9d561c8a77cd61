import { join } from "node:path"
import { hourFolder } from "../calendar/MarketTime.ts"

/**
 * The name of one file of the journal, as its path tells: `2026/11/24/09/node-000000000001.jsonl`, with `.open` at its end
 * while it is written and `.gz` once it is compressed.
 */
export interface SegmentName {
  /** Relative to the data folder, without `.open` and `.gz`: a file has this name for its whole life. */
  readonly file: string
  readonly node: string
  readonly firstSeq: number
  /** `YYYY/MM/DD`. */
  readonly day: string
  readonly open: boolean
  readonly gzip: boolean
}

const pattern = /^(\d{4}\/\d{2}\/\d{2})\/\d{2}\/(.+)-(\d{12,})\.jsonl(\.open|\.gz)?$/

export const openSuffix = ".open"
export const gzipSuffix = ".gz"

export const segmentFile = (node: string, firstSeq: number, atMs: number): string =>
  `${hourFolder(atMs)}/${node}-${String(firstSeq).padStart(12, "0")}.jsonl`

/** Reads a path relative to the data folder; `undefined` when it does not name a file of the journal. */
export const parseSegmentName = (path: string): SegmentName | undefined => {
  const match = pattern.exec(path)
  if (!match?.[1] || !match[2] || !match[3]) return undefined
  return {
    file: match[4] ? path.slice(0, -match[4].length) : path,
    day: match[1],
    node: match[2],
    firstSeq: Number(match[3]),
    open: match[4] === openSuffix,
    gzip: match[4] === gzipSuffix
  }
}

/** The path of a segment under the data folder as it lies on disk now. */
export const segmentPath = (dataDir: string, name: SegmentName): string =>
  join(dataDir, name.file) + (name.open ? openSuffix : name.gzip ? gzipSuffix : "")

/** A segment's path relative to its day's folder, as manifest and checksums name it: `09/node-000000000001.jsonl`. */
export const nameInDay = (file: string): string => file.slice("YYYY/MM/DD/".length)

/** The days (`YYYY/MM/DD`) in whose folders segments are; a path that names none has none. */
export const daysOf = (...files: ReadonlyArray<string>): ReadonlyArray<string> =>
  files.flatMap((file) => parseSegmentName(file)?.day ?? [])
