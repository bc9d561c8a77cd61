import { Effect } from "effect"
import { join } from "node:path"
import { Disk } from "./Disk.ts"
import { parseSegmentName, type SegmentName } from "./SegmentName.ts"

const digits = (width: number) => (name: string) => name.length === width && /^\d+$/.test(name)

/** The days (`YYYY/MM/DD`) that have a folder, in order, beginning with `fromDay` where given. */
export const listDays = Effect.fnUntraced(function* (dataDir: string, fromDay = "") {
  const disk = yield* Disk
  const days: Array<string> = []
  for (const year of (yield* disk.list(dataDir)).filter(digits(4))) {
    if (year < fromDay.slice(0, 4)) continue
    for (const month of (yield* disk.list(join(dataDir, year))).filter(digits(2))) {
      if (`${year}/${month}` < fromDay.slice(0, 7)) continue
      for (const day of (yield* disk.list(join(dataDir, year, month))).filter(digits(2))) {
        const name = `${year}/${month}/${day}`
        if (name >= fromDay) days.push(name)
      }
    }
  }
  return days
})

/**
 * The segments in one day's folder, by first `seq`. One that is there plain and compressed, as between two steps of the
 * compressor, is one segment, and plain.
 */
export const listSegments = Effect.fnUntraced(function* (dataDir: string, day: string) {
  const disk = yield* Disk
  const found = new Map<string, SegmentName>()
  for (const hour of (yield* disk.list(join(dataDir, day))).filter(digits(2))) {
    for (const name of yield* disk.list(join(dataDir, day, hour))) {
      const segment = parseSegmentName(`${day}/${hour}/${name}`)
      if (segment && !(segment.gzip && found.has(segment.file))) found.set(segment.file, segment)
    }
  }
  return [...found.values()].sort((a, b) => a.firstSeq - b.firstSeq)
})

/** One node's segments from a day on. Sorted by first `seq`: a clock that went back must not reorder the record. */
export const segmentsSince = Effect.fnUntraced(function* (dataDir: string, node: string, fromDay = "") {
  const found: Array<SegmentName> = []
  for (const day of yield* listDays(dataDir, fromDay)) {
    for (const segment of yield* listSegments(dataDir, day)) if (segment.node === node) found.push(segment)
  }
  return found.sort((a, b) => a.firstSeq - b.firstSeq)
})
