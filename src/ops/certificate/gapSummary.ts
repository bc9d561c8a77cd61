import type { GapCause } from "../../domain/Gap.ts"
import { type DayGap, leftOf } from "./DayGaps.ts"
import { common, inside_ms, type Span, union } from "../Spans.ts"

/** Some holes together. */
export interface HoleCount {
  readonly gaps: number
  /** How many symbols they touch; absent where one of them touches all. */
  readonly symbols?: number
  /** In which at least one symbol was missed, in the hours that count. */
  readonly seconds: number
}

/** All holes of one cause. */
export interface CauseDay extends HoleCount {
  readonly cause: GapCause
  /** Those that were not repaired, or in part only. */
  readonly missing: HoleCount
  /** Holes in which nothing is missing any longer, and those of which a part was found. */
  readonly repaired: number
  readonly partlyRepaired: number
  readonly lostVolume: number
  readonly lostTrades: number
}

/** Where holes of one cause lie in the day, for a picture; neighbours are drawn as one. */
export interface CauseLane {
  readonly cause: GapCause | "unrecorded"
  readonly spans: ReadonlyArray<{ readonly from: string; readonly to: string; readonly isRepaired?: true }>
}

export interface NamedHole {
  readonly from: string
  readonly to: string
  readonly seconds: number
  readonly cause: GapCause
  /** Absent: all of them. */
  readonly symbol?: string
}

/** Holes that are named; the others are in the journal, every one of them. */
const named_max = 100
/** Holes closer than this are drawn as one: a pixel of the picture is about as long. */
const drawn_ms = 60_000

const iso = (atMs: number) => new Date(atMs).toISOString()
const seconds = (ms: number) => Math.round(ms) / 1_000
const sum = (gaps: ReadonlyArray<DayGap>, of: (gap: DayGap) => number) =>
  gaps.reduce((total, gap) => total + of(gap), 0)

const causesOf = (gaps: ReadonlyArray<DayGap>): ReadonlyArray<readonly [GapCause, ReadonlyArray<DayGap>]> => {
  const causes = new Map<GapCause, Array<DayGap>>()
  for (const gap of gaps) {
    const known = causes.get(gap.cause)
    if (known === undefined) causes.set(gap.cause, [gap])
    else known.push(gap)
  }
  return [...causes]
}

const isRepaired = ({ repair }: DayGap) => repair === "whole"

const countOf = (
  own: ReadonlyArray<DayGap>,
  phases: ReadonlyArray<Span>,
  spanOf: (gap: DayGap) => Span = (gap) => gap
): HoleCount => ({
  gaps: own.length,
  ...(own.some(({ symbol }) => symbol === undefined) ? {} : { symbols: new Set(own.map(({ symbol }) => symbol)).size }),
  seconds: seconds(phases.reduce((total, phase) => total + inside_ms(union(own.map(spanOf)), phase), 0))
})

const drawn = (spans: ReadonlyArray<Span>) =>
  union(spans.map(({ fromMs, toMs }) => ({ fromMs, toMs: Math.max(toMs, fromMs + 1) + drawn_ms }))).map(
    ({ fromMs, toMs }) => ({ from: iso(fromMs), to: iso(toMs - drawn_ms) })
  )

/** The holes of a day by cause, those that are named, and where they lie. */
export const summariseGaps = (
  gaps: ReadonlyArray<DayGap>,
  phases: ReadonlyArray<Span>,
  unrecorded: ReadonlyArray<Span>
) => {
  const causes = causesOf(gaps)
  const open = gaps.filter((gap) => !isRepaired(gap))
  // Of a hole whose loss nobody counted it is not known how much of it was found.
  const counted = gaps.filter(({ lostTrades, lostVolume }) => lostTrades > 0 || lostVolume > 0)
  return {
    causes: causes
      .map(([cause, own]): CauseDay => ({
        cause,
        ...countOf(own, phases),
        missing: countOf(
          own.filter((gap) => !isRepaired(gap)),
          phases,
          leftOf
        ),
        repaired: own.filter(isRepaired).length,
        partlyRepaired: own.filter(({ repair }) => repair === "partly").length,
        lostVolume: sum(own, ({ lostVolume }) => lostVolume),
        lostTrades: sum(own, ({ lostTrades }) => lostTrades)
      }))
      .sort((a, b) => b.missing.seconds - a.missing.seconds || b.seconds - a.seconds),
    lostVolume: sum(gaps, ({ lostVolume }) => lostVolume),
    lostTrades: sum(gaps, ({ lostTrades }) => lostTrades),
    foundVolume: sum(counted, ({ foundVolume }) => foundVolume),
    foundTrades: sum(counted, ({ foundTrades }) => foundTrades),
    holes: open
      .toSorted((a, b) => b.toMs - b.fromMs - (a.toMs - a.fromMs))
      .slice(0, named_max)
      .map(({ cause, fromMs, symbol, toMs }): NamedHole => ({
        from: iso(fromMs),
        to: iso(toMs),
        seconds: seconds(toMs - fromMs),
        cause,
        ...(symbol === undefined ? {} : { symbol })
      })),
    lanes: [
      ...(unrecorded.length === 0 ? [] : [{ cause: "unrecorded" as const, spans: drawn(unrecorded) }]),
      ...causes.map(([cause, own]): CauseLane => ({
        cause,
        spans: [
          ...drawn(common(union(own.map(({ fromMs, leftFromMs: toMs }) => ({ fromMs, toMs }))), phases)).map(
            (span) => ({
              ...span,
              isRepaired: true as const
            })
          ),
          ...drawn(common(union(own.map(leftOf)), phases))
        ]
      }))
    ]
  }
}
