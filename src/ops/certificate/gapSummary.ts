import type { GapCause } from "../../domain/Gap.ts"
import type { DayGap } from "./DayGaps.ts"
import { common, inside_ms, type Span, union } from "./Spans.ts"

/** All holes of one cause. */
export interface CauseDay {
  readonly cause: GapCause
  readonly gaps: number
  /** How many symbols they touch; absent where one of them touches all. */
  readonly symbols?: number
  /** In which at least one symbol was missed, in the hours that count. */
  readonly seconds: number
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
  return [...causes].toSorted(([, a], [, b]) => b.length - a.length)
}

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
  const open = gaps.filter(({ repair }) => repair?.isWhole !== true)
  const found = gaps.flatMap(({ cause, repair }) => (cause === "continuity" && repair !== undefined ? [repair] : []))
  return {
    causes: causes.map(([cause, own]): CauseDay => {
      const isOfAll = own.some(({ symbol }) => symbol === undefined)
      const inHours = phases.reduce((total, phase) => total + inside_ms(union(own), phase), 0)
      return {
        cause,
        gaps: own.length,
        ...(isOfAll ? {} : { symbols: new Set(own.map(({ symbol }) => symbol)).size }),
        seconds: seconds(inHours),
        repaired: own.filter(({ repair }) => repair?.isWhole === true).length,
        partlyRepaired: own.filter(({ repair }) => repair?.isWhole === false).length,
        lostVolume: sum(own, ({ lostVolume }) => lostVolume),
        lostTrades: sum(own, ({ lostTrades }) => lostTrades)
      }
    }),
    lostVolume: sum(gaps, ({ lostVolume }) => lostVolume),
    lostTrades: sum(gaps, ({ lostTrades }) => lostTrades),
    foundVolume: found.reduce((total, { volume }) => total + volume, 0),
    foundTrades: found.reduce((total, { trades }) => total + trades, 0),
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
          ...drawn(common(union(own.filter(({ repair }) => repair?.isWhole === true)), phases)).map((span) => ({
            ...span,
            isRepaired: true as const
          })),
          ...drawn(common(union(own.filter(({ repair }) => repair?.isWhole !== true)), phases))
        ]
      }))
    ]
  }
}
