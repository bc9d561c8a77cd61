import type { MinuteMarker } from "../domain/MinuteMarker.ts"

/** What the markers of a day add up to for one source, in records. */
export interface SourceConservation {
  readonly received: number
  readonly stored: number
  readonly rejected: number
  readonly deduplicated: number
  /** On its way at the newest marker. */
  readonly inFlight: number
  /** On its way at the last marker of runs that have ended since: what became of it no marker tells. */
  readonly untold: number
  /** Received and nowhere, at the last markers of all runs; below 0 counted twice. */
  readonly remainder: number
}

export interface DayConservation {
  readonly markers: number
  /** Runs of the observer that the markers are of. */
  readonly runs: number
  readonly sources: Readonly<Record<string, SourceConservation>>
  /** Whether nothing is lost and every marker follows from the one before it in its run: none is missing or altered. */
  readonly holds: boolean
}

/** Holds one node's minute markers, in the order of the journal, against the law of conservation. */
export const conservationOf = (markers: ReadonlyArray<MinuteMarker>): DayConservation => {
  const newest = markers.at(-1)?.since
  const runs = [...new Set(markers.map(({ since }) => since))]
  const names = [...new Set(markers.flatMap(({ sources }) => Object.keys(sources)))]
  let holds = true
  const sources = names.map((source): readonly [string, SourceConservation] => {
    const sum = { received: 0, stored: 0, rejected: 0, deduplicated: 0, inFlight: 0, untold: 0, remainder: 0 }
    for (const run of runs) {
      const told = ofRun(
        markers.filter(({ since }) => since === run),
        source
      )
      sum.received += told.received
      sum.stored += told.stored
      sum.rejected += told.rejected
      sum.deduplicated += told.deduplicated
      sum[run === newest ? "inFlight" : "untold"] += told.inFlight
      sum.remainder += told.remainder
      holds &&= told.follows
    }
    holds &&= sum.remainder === 0
    return [source, sum]
  })
  return { markers: markers.length, runs: runs.length, sources: Object.fromEntries(sources), holds }
}

const idle = { received: 0, stored: 0, rejected: 0, deduplicated: 0, inFlight: 0 }

/** One run's markers of one source: the sums, where they ended, and whether each takes up where the last one ended. */
const ofRun = (markers: ReadonlyArray<MinuteMarker>, source: string) => {
  const told = { ...idle, remainder: 0, follows: true }
  // Whatever was on its way before the first of these markers is in what that one says at its end.
  const [first] = markers
  let isOpen = first !== undefined && (first.from ?? first.minute) !== first.since
  for (const marker of markers) {
    const { deduplicated, inFlight, received, rejected, stored } = marker.sources[source] ?? idle
    const remainder = marker.remainder?.[source] ?? 0
    const expected = told.inFlight + told.remainder + received - stored - rejected - deduplicated
    if (!isOpen && inFlight + remainder !== expected) told.follows = false
    isOpen = false
    told.received += received
    told.stored += stored
    told.rejected += rejected
    told.deduplicated += deduplicated
    told.inFlight = inFlight
    told.remainder = remainder
  }
  return told
}
