import type { Sighting } from "../../domain/Sighting.ts"
import type { HeardFrame } from "./readFrames.ts"
import type { Hole } from "./Holes.ts"

/** A hole with the cumulative volumes of the symbol on both sides of it, where they are known. */
export interface EdgedHole extends Hole {
  /** That of the last trade before it. */
  readonly cumVolumeBefore?: number
  /** That on top of which the first trade after it came. */
  readonly cumVolumeAfter?: number
}

/** Whoever fills holes wants both edges, but a symbol that trades seldom must not keep its hole for ever. */
const wait_ms = 5_000

/**
 * The cumulative volumes at the edges of holes: by them it is known which listed trades the stream had already brought,
 * and whether all that was missed has been found. A hole is handed on with the first trade after it, or without.
 */
export class EdgeVolumes {
  private readonly newest = new Map<string, number>()
  private waiting: ReadonlyArray<{ readonly hole: EdgedHole; readonly untilMs: number }> = []

  /** A hole is over; times of `hole` are the record's, `nowMs` is the machine's. */
  ended(hole: Hole, nowMs: number): void {
    const cumVolumeBefore = this.newest.get(hole.symbol)
    const edged = cumVolumeBefore === undefined ? hole : { ...hole, cumVolumeBefore }
    this.waiting = [...this.waiting, { hole: edged, untilMs: nowMs + wait_ms }]
  }

  /** Data came: the holes that it ends, each with its first trade. */
  heard(sightings: ReadonlyArray<Sighting>, frames: ReadonlyArray<HeardFrame>): ReadonlyArray<EdgedHole> {
    const found = this.waiting.length === 0 ? [] : this.found(sightings)
    for (const { last } of frames) {
      if (last.kind === "trade" && last.cumVolume !== undefined) this.newest.set(last.symbol, last.cumVolume)
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
