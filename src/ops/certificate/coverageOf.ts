import { Effect } from "effect"
import { type DayGap, leftOf } from "./DayGaps.ts"
import type { PhaseSpan } from "./DayPhases.ts"
import type { DayTally } from "./DayTally.ts"
import { common, inside_ms, type Span, union, without } from "../Spans.ts"
import type { WantedSymbol } from "./Wanted.ts"

/** What was to be seen in a phase and what was; `repaired_seconds` is the part of the rest that was found afterwards. */
export interface PhaseCoverage {
  readonly phase: string
  readonly expected_seconds: number
  readonly actual_seconds: number
  readonly repaired_seconds: number
  readonly records: Readonly<Record<string, number>>
}

export interface SymbolDay {
  readonly symbol: string
  readonly name?: string
  /** Nothing of it is in the record although it was to be observed. */
  readonly isUnseen?: true
  readonly phases: ReadonlyArray<PhaseCoverage>
}

/** A part of the day on the way through all symbols, in symbol-seconds. */
export interface TimelineBin {
  readonly from: string
  readonly expected_seconds: number
  readonly missing_seconds: number
  readonly repaired_seconds: number
}

export interface CoverageInput {
  readonly phases: ReadonlyArray<PhaseSpan>
  readonly wanted: ReadonlyArray<WantedSymbol>
  readonly gaps: ReadonlyArray<DayGap>
  /** Times in which nothing was written and no gap says why. */
  readonly unrecorded: ReadonlyArray<Span>
  readonly tally: Pick<DayTally, "countsOf" | "observed">
}

const seconds = (ms: number) => Math.round(ms) / 1_000
export const bin_ms = 300_000
/** Symbols between two turns of the loop. */
const turn_symbols = 100

interface Holes {
  /** What is missing for good, and all of it, repaired parts included. */
  readonly missing: ReadonlyArray<Span>
  readonly all: ReadonlyArray<Span>
}

const holesOf = (gaps: ReadonlyArray<DayGap>, more: Holes): Holes => ({
  missing: union([...more.missing, ...gaps.map(leftOf)]),
  all: union([...more.all, ...gaps])
})

const makeTimeline = (phases: ReadonlyArray<PhaseSpan>) => {
  const fromMs = Math.floor(Math.min(...phases.map((each) => each.fromMs)) / bin_ms) * bin_ms
  const toMs = Math.max(...phases.map((each) => each.toMs))
  const bins = phases.length === 0 ? 0 : Math.ceil((toMs - fromMs) / bin_ms)
  const sums = { expected: new Float64Array(bins), missing: new Float64Array(bins), repaired: new Float64Array(bins) }
  const add = (into: Float64Array, spans: ReadonlyArray<Span>) => {
    for (const span of spans) {
      const first = Math.max(0, Math.floor((span.fromMs - fromMs) / bin_ms))
      for (let bin = first; bin < bins && fromMs + bin * bin_ms < span.toMs; bin++) {
        const window = { fromMs: fromMs + bin * bin_ms, toMs: fromMs + (bin + 1) * bin_ms }
        into[bin] = (into[bin] ?? 0) + inside_ms([span], window)
      }
    }
  }
  return {
    add: (expected: ReadonlyArray<Span>, missing: ReadonlyArray<Span>, repaired: ReadonlyArray<Span>) => {
      add(sums.expected, expected)
      add(sums.missing, missing)
      add(sums.repaired, repaired)
    },
    bins: (): ReadonlyArray<TimelineBin> =>
      Array.from({ length: bins }, (_, bin) => ({
        from: new Date(fromMs + bin * bin_ms).toISOString(),
        expected_seconds: seconds(sums.expected[bin] ?? 0),
        missing_seconds: seconds(sums.missing[bin] ?? 0),
        repaired_seconds: seconds(sums.repaired[bin] ?? 0)
      }))
  }
}

/**
 * Holds what was to be seen against what was, symbol by symbol and phase by phase: the time of the phase in which the
 * symbol was wanted, less every hole that touches it. Gives other fibers their turn every hundred symbols.
 */
export const coverageOf = Effect.fn("certificate.coverage")(function* (input: CoverageInput) {
  const { gaps, phases, tally, unrecorded, wanted } = input
  const own = new Map<string, Array<DayGap>>()
  for (const gap of gaps) {
    if (gap.symbol === undefined) continue
    const known = own.get(gap.symbol)
    if (known === undefined) own.set(gap.symbol, [gap])
    else known.push(gap)
  }
  const everybody = holesOf(
    gaps.filter(({ symbol }) => symbol === undefined),
    { missing: unrecorded, all: unrecorded }
  )
  const observed = tally.observed()
  const timeline = makeTimeline(phases)
  const symbols: Array<SymbolDay> = []

  for (const [index, { name, spans, symbol }] of wanted.entries()) {
    if (index % turn_symbols === turn_symbols - 1) yield* Effect.yieldNow
    const isUnseen = !observed.has(symbol)
    const gapsOfIt = own.get(symbol)
    const holes = isUnseen
      ? { missing: spans, all: spans }
      : gapsOfIt === undefined
        ? everybody
        : holesOf(gapsOfIt, everybody)
    const expected = common(spans, phases)
    const missing = common(holes.missing, expected)
    const repaired = without(common(holes.all, expected), missing)
    timeline.add(expected, missing, repaired)
    symbols.push({
      symbol,
      ...(name === undefined ? {} : { name }),
      ...(isUnseen ? { isUnseen } : {}),
      phases: phases.map((phase, at) => {
        const expected_ms = inside_ms(expected, phase)
        const repaired_ms = inside_ms(repaired, phase)
        return {
          phase: phase.phase,
          expected_seconds: seconds(expected_ms),
          actual_seconds: seconds(expected_ms - repaired_ms - inside_ms(missing, phase)),
          repaired_seconds: seconds(repaired_ms),
          records: tally.countsOf(symbol, at)
        }
      })
    })
  }
  return { symbols, timeline: timeline.bins() }
})
