import { Effect } from "effect"
import type { GapPayload } from "../../domain/Gap.ts"
import type { JournalRecord } from "../../domain/JournalRecord.ts"
import { readLines } from "../Reader.ts"
import type { Recovered } from "../Recovery.ts"
import { daysOf, parseSegmentName } from "../SegmentName.ts"
import { listSegments } from "../Segments.ts"

/** An open hole is told again once a minute while the market is open, so its newest record is no older than this. */
const told_ms = 120_000

const mark = Buffer.from('"kind":"gap"')

/**
 * The holes that the last run left open: the newest record of each, where that says that the hole lasted still. They are
 * found in the newest files, as many as the last two minutes of the record fill, so that the time this takes has a bound.
 */
export const openGaps = Effect.fnUntraced(function* (
  dataDir: string,
  node: string,
  { head: { file: newest }, lastReceivedAt }: Pick<Recovered, "head" | "lastReceivedAt">
) {
  const [day] = daysOf(newest)
  if (day === undefined || lastReceivedAt === undefined) return []
  const head = parseSegmentName(newest)?.firstSeq ?? 0
  const segments = (yield* listSegments(dataDir, day)).filter((each) => each.node === node && each.firstSeq <= head)
  const sinceMs = Date.parse(lastReceivedAt) - told_ms
  const gaps: Array<JournalRecord> = []
  for (const { file, firstSeq } of segments.reverse()) {
    const begin = { seq: firstSeq - 1, file, byteOffset: 0 }
    const found: Array<JournalRecord> = []
    for (let at = begin; ;) {
      const chunk = yield* readLines(dataDir, at, { holding: mark })
      if (chunk === undefined) break
      found.push(...chunk.records.filter(({ kind }) => kind === "gap"))
      at = { ...at, byteOffset: chunk.end.byteOffset }
    }
    gaps.unshift(...found)
    const [first] = (yield* readLines(dataDir, begin))?.records ?? []
    if (first !== undefined && Date.parse(first.receivedAt) <= sinceMs) break
  }
  const newestOf = new Map<string, JournalRecord>()
  for (const gap of gaps) {
    const { cause, from } = gap.payload as Partial<GapPayload>
    newestOf.set([gap.account, gap.symbol, cause, from].join(" "), gap)
  }
  return [...newestOf.values()].filter(({ payload }) => (payload as Partial<GapPayload>).open === true)
})
