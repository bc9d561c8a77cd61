import { dataKinds, type JournalRecord } from "../../domain/JournalRecord.ts"
import { type MinuteMarker, minuteMarkerOf } from "../../domain/MinuteMarker.ts"
import { makeDayGaps } from "./DayGaps.ts"
import type { PhaseSpan } from "./DayPhases.ts"
import { makeSilences } from "../Silences.ts"
import type { Span } from "../Spans.ts"

const kindIndex: ReadonlyMap<string, number> = new Map(dataKinds.map((kind, index) => [kind, index]))
const kinds = dataKinds.length

/** When a universe began to hold, by its marker. */
export interface UniverseWord {
  readonly atMs: number
  readonly file: string
}

/**
 * Counts a day's records as they are read, in memory that depends on the number of symbols and of holes and not on the
 * number of records: by symbol, phase and kind, the gaps, the rejects, the markers that a certificate is made of.
 */
export const makeDayTally = (date: string, phases: ReadonlyArray<PhaseSpan>, day: Span) => {
  const symbols = new Map<string, Int32Array>()
  const gaps = makeDayGaps(date)
  const silences = makeSilences()
  const minutes = new Map<string, Array<MinuteMarker>>()
  const rejects = new Map<string, number>()
  const nodes = new Set<string>()
  const universes: Array<UniverseWord> = []
  let coverage: Readonly<Record<string, unknown>> | undefined
  let records = 0
  let phase = 0

  /** Times rise, so the phase of the last record is mostly that of the next; past the last index is outside all. */
  const phaseAt = (atMs: number): number => {
    const is = (index: number) => {
      const span = phases[index]
      return span !== undefined && atMs >= span.fromMs && atMs < span.toMs
    }
    if (!is(phase)) {
      const found = phases.findIndex((_, index) => is(index))
      phase = found === -1 ? phases.length : found
    }
    return phase
  }
  const data = ({ exchangeAt, receivedAt, source, symbol }: JournalRecord, index: number): void => {
    if (symbol === undefined) return
    const atMs = Date.parse(receivedAt)
    const counts = symbols.get(symbol) ?? new Int32Array((phases.length + 1) * kinds)
    symbols.set(symbol, counts)
    const isLate = source === "backfill" && exchangeAt !== undefined
    const at = phaseAt(isLate ? Date.parse(exchangeAt) : atMs) * kinds + index
    counts[at] = (counts[at] ?? 0) + 1
    gaps.seen(symbol, atMs)
  }
  const minute = (told: MinuteMarker, node: string): void => {
    const before = minutes.get(node)
    if (before === undefined) minutes.set(node, [told])
    else before.push(told)
  }
  const marker = (record: JournalRecord, node: string): void => {
    const { payload, receivedAt } = record
    if (Array.isArray(payload)) return
    const event = payload as Readonly<Record<string, unknown>>
    const atMs = Date.parse(receivedAt)
    if (event["event"] === "universe" && typeof event["file"] === "string") {
      universes.push({ atMs, file: event["file"] })
    } else if (event["event"] === "coverage") coverage = event
    else {
      const told = minuteMarkerOf(record)
      if (told !== undefined) minute(told, node)
    }
  }

  return {
    see: (record: JournalRecord, node: string): void => {
      const atMs = Date.parse(record.receivedAt)
      records += 1
      nodes.add(node)
      if (atMs >= day.fromMs && atMs < day.toMs) silences.see(atMs)
      const index = kindIndex.get(record.kind)
      if (index !== undefined) data(record, index)
      else if (record.kind === "gap") gaps.gap(record)
      else if (record.kind === "marker") marker(record, node)
      else {
        const { payload } = record
        const reason = String(Array.isArray(payload) ? undefined : (payload as { readonly reason?: unknown }).reason)
        rejects.set(reason, (rejects.get(reason) ?? 0) + 1)
      }
    },
    gaps,
    silences,
    /** The minutes that each node told of, in the order of its journal. */
    minutes: (): ReadonlyMap<string, ReadonlyArray<MinuteMarker>> => minutes,
    records: () => records,
    nodes: (): ReadonlyArray<string> => [...nodes].sort(),
    rejects: (): Readonly<Record<string, number>> => Object.fromEntries([...rejects].sort()),
    universes: (): ReadonlyArray<UniverseWord> => universes,
    coverage: () => coverage,
    observed: (): ReadonlySet<string> => new Set(symbols.keys()),
    /** Records of a symbol in a phase, by kind. */
    countsOf: (symbol: string, phaseIndex: number): Readonly<Record<string, number>> => {
      const counts = symbols.get(symbol)
      return Object.fromEntries(
        dataKinds.flatMap((kind, index) => {
          const count = counts?.[phaseIndex * kinds + index] ?? 0
          return count === 0 ? [] : [[kind, count]]
        })
      )
    }
  }
}
export type DayTally = ReturnType<typeof makeDayTally>
