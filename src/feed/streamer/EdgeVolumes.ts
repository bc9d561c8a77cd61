import { marketDay } from "../../calendar/MarketTime.ts"
import type { LostTrades } from "../../domain/LostTrades.ts"
import type { Sighting } from "../../domain/Sighting.ts"
import type { HeardFrame } from "./readFrames.ts"
import type { Hole } from "./Holes.ts"

/** A hole with the cumulative volumes of the symbol on both sides of it, where they are known. */
export interface EdgedHole extends Hole {
  /** That of the last trade before it. */
  readonly cumVolumeBefore?: number
  /** That on top of which the first trade after it came. */
  readonly cumVolumeAfter?: number
  /** Of several losses at once: what lies between them was heard. */
  readonly parts?: ReadonlyArray<{ readonly cumVolumeBefore: number; readonly cumVolumeAfter: number }>
}

/** Whoever fills holes wants both edges, but a symbol that trades seldom must not keep its hole for ever. */
const wait_ms = 5_000

/**
 * The cumulative volumes at the edges of holes: by them it is known which listed trades the stream had already brought,
 * and whether all that was missed has been found. A hole is handed on with the first trade after it, or without.
 */
export class EdgeVolumes {
  private readonly newest = new Map<string, { readonly cumVolume: number; readonly day: number }>()
  /** The lower edge of the newest hole of each symbol. */
  private readonly told = new Map<string, number>()
  private waiting: ReadonlyArray<{ readonly hole: EdgedHole; readonly untilMs: number }> = []

  /** A hole that is over, with its lower edge; its times are those of the record. Every day counts its volume anew. */
  edged(hole: Hole): EdgedHole {
    const newest = this.newest.get(hole.symbol)
    if (newest?.day !== marketDay(hole.toMs)) return hole
    this.told.set(hole.symbol, newest.cumVolume)
    return { ...hole, cumVolumeBefore: newest.cumVolume }
  }

  /** Whether lost trades are those of a symbol's newest hole: both begin at the same trade. */
  isOfHole({ cumVolumeBefore, symbol }: LostTrades): boolean {
    return this.told.get(symbol) === cumVolumeBefore
  }

  /** Symbols of which these are the first trades since they were not listened to, or not at all yet. */
  beginning(frames: ReadonlyArray<HeardFrame>): ReadonlySet<string> | undefined {
    let begins: Set<string> | undefined
    for (const { last } of frames) {
      if (last.kind === "trade" && !this.newest.has(last.symbol)) begins = (begins ?? new Set()).add(last.symbol)
    }
    return begins
  }

  /** The gaps of such holes are written: each waits for its first trade. `nowMs` is the machine's. */
  ended(holes: ReadonlyArray<EdgedHole>, nowMs: number): void {
    this.waiting = [...this.waiting, ...holes.map((hole) => ({ hole, untilMs: nowMs + wait_ms }))]
  }

  /** Its trades are no longer streamed: what is traded from now on is not known. */
  forget(symbol: string): void {
    this.newest.delete(symbol)
    this.told.delete(symbol)
  }

  /** Nothing is streamed any longer. */
  clear(): void {
    this.newest.clear()
    this.told.clear()
    this.waiting = []
  }

  /** Data came: the holes that it ends, each with its first trade. */
  heard(sightings: ReadonlyArray<Sighting>, frames: ReadonlyArray<HeardFrame>): ReadonlyArray<EdgedHole> {
    const found = this.waiting.length === 0 ? [] : this.found(sightings)
    for (const { last } of frames) {
      const { cumVolume, kind, receivedAtMs, symbol } = last
      if (kind === "trade" && cumVolume !== undefined)
        this.newest.set(symbol, { cumVolume, day: marketDay(receivedAtMs) })
    }
    return found
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

  private found(sightings: ReadonlyArray<Sighting>): ReadonlyArray<EdgedHole> {
    const found: Array<EdgedHole> = []
    this.waiting = this.waiting.filter(({ hole }) => {
      const first = sightings.find(({ kind, symbol }) => kind === "trade" && symbol === hole.symbol)
      if (first === undefined) return true
      const { cumVolume = Number.NaN, volume = Number.NaN } = first
      const after = cumVolume - volume
      // A counter that fell is that of another day, and says nothing.
      const isKnown = after >= (hole.cumVolumeBefore ?? 0)
      found.push(isKnown ? { ...hole, cumVolumeAfter: after } : hole)
      return false
    })
    return found
  }
}
