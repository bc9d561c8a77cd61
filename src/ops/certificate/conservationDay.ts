import type { MinuteMarker } from "../../domain/MinuteMarker.ts"
import { conservationOf, type SourceConservation } from "../../journal/dayConservation.ts"

/** What became of what each source received on a day, over all nodes that wrote it. */
export type ConservationDay =
  | { readonly recorded: false }
  | {
      readonly recorded: true
      /** Markers that tell of it. */
      readonly minutes: number
      readonly runs: number
      /** Whether nothing is lost, and no marker is missing or altered. */
      readonly holds: boolean
      readonly sources: Readonly<Record<string, SourceConservation>>
    }

const together = (a: SourceConservation | undefined, b: SourceConservation): SourceConservation =>
  a === undefined
    ? b
    : {
        received: a.received + b.received,
        stored: a.stored + b.stored,
        rejected: a.rejected + b.rejected,
        deduplicated: a.deduplicated + b.deduplicated,
        inFlight: a.inFlight + b.inFlight,
        untold: a.untold + b.untold,
        remainder: a.remainder + b.remainder
      }

/** Adds up each node's markers, which follow from each other within a node alone. */
export const conservationDay = (byNode: ReadonlyMap<string, ReadonlyArray<MinuteMarker>>): ConservationDay => {
  const days = [...byNode.values()].map(conservationOf)
  if (days.length === 0) return { recorded: false }
  const sources = new Map<string, SourceConservation>()
  for (const day of days) {
    for (const [name, source] of Object.entries(day.sources)) sources.set(name, together(sources.get(name), source))
  }
  return {
    recorded: true,
    minutes: days.reduce((sum, { markers }) => sum + markers, 0),
    runs: days.reduce((sum, { runs }) => sum + runs, 0),
    holds: days.every(({ holds }) => holds),
    sources: Object.fromEntries([...sources].sort())
  }
}
