import { marketDay } from "../../calendar/MarketTime.ts"
import type { Sighting } from "../../domain/Sighting.ts"
import type { HeardFrame } from "./readFrames.ts"
import type { Hole } from "./Holes.ts"
import type { LateTrade } from "./LostHoles.ts"
import type { VolumeSpan } from "./VolumeSpan.ts"

/** A hole with the cumulative volumes of the symbol on both sides of it, where they are known. */
export interface EdgedHole extends Hole {
  /** That of the last trade before it. */
  readonly cumVolumeBefore?: number
  /** That on top of which the first trade after it came. */
  readonly cumVolumeAfter?: number
  /** Of several losses at once: what lies between them was heard. */
  readonly parts?: ReadonlyArray<VolumeSpan>
}

/** What trades that came say of holes. */
export interface HeardEdges {
  /** The holes that they end, each with its first trade. */
  readonly ended: ReadonlyArray<EdgedHole>
  /** Those that lie behind what had been heard of their symbol. */
  readonly late: ReadonlyArray<LateTrade>
}

/** Whoever fills holes wants both edges, but a symbol that trades seldom must not keep its hole for ever. */
const wait_ms = 5_000
/** Holes of a symbol whose volumes are remembered: losses are held against them within some ten seconds. */
const spans_max = 16

/**
 * The cumulative volumes at the edges of holes: by them it is known which listed trades the stream had already brought,
 * and whether all that was missed has been found. A hole is handed on with the first trade after it, or without.
 */
export class EdgeVolumes {
  /** The highest cumulative volume of each symbol's day: what comes out of order is behind it. */
  private readonly highest = new Map<string, { readonly cumVolume: number; readonly day: number }>()
  /** Of each symbol's newest holes, those whose upper edge is not known yet up to infinity. */
  private readonly spans = new Map<string, ReadonlyArray<VolumeSpan>>()
  /** Symbols of which there are such. */
  private readonly unbounded = new Set<string>()
  private waiting: ReadonlyArray<{ readonly hole: EdgedHole; readonly untilMs: number }> = []

  /** A hole that is over, with its lower edge; its times are those of the record. Every day counts its volume anew. */
  edged(hole: Hole): EdgedHole {
    const { symbol, toMs } = hole
    const highest = this.highest.get(symbol)
    if (highest?.day !== marketDay(toMs)) return hole
    const { cumVolume: cumVolumeBefore } = highest
    const span = { cumVolumeBefore, cumVolumeAfter: Number.POSITIVE_INFINITY }
    this.spans.set(symbol, [...(this.spans.get(symbol) ?? []).slice(1 - spans_max), span])
    this.unbounded.add(symbol)
    return { ...hole, cumVolumeBefore }
  }

  /** What the holes of a symbol are filled with; with `isOpen`, what one that is open now will be, too. */
  covered(symbol: string, isOpen: boolean): ReadonlyArray<VolumeSpan> {
    const spans = this.spans.get(symbol) ?? []
    const highest = isOpen ? this.highest.get(symbol) : undefined
    return highest === undefined
      ? spans
      : [...spans, { cumVolumeBefore: highest.cumVolume, cumVolumeAfter: Number.POSITIVE_INFINITY }]
  }

  /** Symbols of which these are the first trades since they were not listened to, or not at all yet. */
  beginning(frames: ReadonlyArray<HeardFrame>): ReadonlySet<string> | undefined {
    let begins: Set<string> | undefined
    for (const { last } of frames) {
      if (last.kind === "trade" && !this.highest.has(last.symbol)) begins = (begins ?? new Set()).add(last.symbol)
    }
    return begins
  }

  /** The gaps of such holes are written: each waits for its first trade. `nowMs` is the machine's. */
  ended(holes: ReadonlyArray<EdgedHole>, nowMs: number): void {
    this.waiting = [...this.waiting, ...holes.map((hole) => ({ hole, untilMs: nowMs + wait_ms }))]
  }

  /** Its trades are no longer streamed: what is traded from now on is not known. */
  forget(symbol: string): void {
    this.highest.delete(symbol)
    this.spans.delete(symbol)
    this.unbounded.delete(symbol)
  }

  /** Nothing is streamed any longer. */
  clear(): void {
    this.highest.clear()
    this.spans.clear()
    this.unbounded.clear()
    this.waiting = []
  }

  /** Data came. */
  heard(sightings: ReadonlyArray<Sighting>): HeardEdges {
    const ended = this.waiting.length === 0 ? [] : this.found(sightings)
    const late: Array<LateTrade> = []
    for (const sighting of sightings) if (sighting.kind === "trade") this.reach(sighting, late)
    return { ended, late }
  }

  /** The holes after which nothing was heard for long. */
  due(nowMs: number): ReadonlyArray<EdgedHole> {
    if (this.waiting.length === 0) return []
    const due = this.waiting.filter(({ untilMs }) => untilMs <= nowMs)
    this.waiting = this.waiting.filter(({ untilMs }) => untilMs > nowMs)
    return due.map(({ hole }) => hole)
  }

  /** All that still wait: no trade will come. */
  rest(): ReadonlyArray<EdgedHole> {
    return this.due(Number.POSITIVE_INFINITY)
  }

  private reach({ cumVolume, receivedAtMs, symbol, volume }: Sighting, late: Array<LateTrade>): void {
    if (cumVolume === undefined || !Number.isFinite(cumVolume)) return
    const day = marketDay(receivedAtMs)
    const highest = this.highest.get(symbol)
    const isAhead = highest === undefined || highest.day !== day || cumVolume > highest.cumVolume
    const cumVolumeBefore = cumVolume - (volume ?? Number.NaN)
    if (!isAhead && cumVolumeBefore < cumVolume) late.push({ symbol, cumVolumeBefore, cumVolumeAfter: cumVolume })
    if (!isAhead) return
    // Every day counts its volume anew.
    if (highest?.day !== day) this.spans.delete(symbol)
    this.highest.set(symbol, { cumVolume, day })
    if (this.unbounded.has(symbol) && !Number.isNaN(cumVolumeBefore)) this.bound(symbol, cumVolumeBefore)
  }

  /** The first trade after holes came on top of this volume. */
  private bound(symbol: string, cumVolume: number): void {
    this.unbounded.delete(symbol)
    const bounded = (this.spans.get(symbol) ?? []).map(({ cumVolumeAfter, cumVolumeBefore }) => ({
      cumVolumeBefore,
      cumVolumeAfter: Math.max(cumVolumeBefore, Math.min(cumVolumeAfter, cumVolume))
    }))
    this.spans.set(symbol, bounded)
  }

  private found(sightings: ReadonlyArray<Sighting>): ReadonlyArray<EdgedHole> {
    const found: Array<EdgedHole> = []
    this.waiting = this.waiting.filter(({ hole }) => {
      const { cumVolumeBefore = 0 } = hole
      // What comes late is from before it, and what cannot be read says nothing.
      const first = sightings.find(
        ({ cumVolume = Number.NaN, kind, symbol, volume = Number.NaN }) =>
          kind === "trade" && symbol === hole.symbol && cumVolume - volume >= cumVolumeBefore
      )
      if (first === undefined) return true
      found.push({ ...hole, cumVolumeAfter: (first.cumVolume ?? 0) - (first.volume ?? 0) })
      return false
    })
    return found
  }
}
