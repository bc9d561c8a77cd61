import { type Context, Effect, Metric } from "effect"
import { gapCauses, type GapPayload } from "../domain/Gap.ts"
import { type RecordDraft, recordSources } from "../domain/JournalRecord.ts"
import { type RejectPayload, rejectReasons } from "../domain/Reject.ts"

const counter = (name: string, description: string) => Metric.counter(name, { description, incremental: true })

const rejects = counter("observer_rejects_total", "Records of what was refused, by source and reason")
const seconds = counter("observer_gap_seconds_total", "Seconds of holes of the record that are over, by cause")

/** Begins every series at 0, so that the first refusal and the first hole are seen as one more. */
export const beginIncidents: Effect.Effect<void> = Effect.forEach(
  [
    ...gapCauses.map((cause) => Metric.withAttributes(seconds, { cause })),
    ...recordSources.flatMap((source) =>
      rejectReasons.map((reason) => Metric.withAttributes(rejects, { source, reason }))
    )
  ],
  (series) => Metric.update(series, 0),
  { discard: true }
)

/**
 * Counts what a write has put on record of refusals and of holes; data is passed over. Done in the step in which the
 * write is known to have succeeded, so that whoever is interrupted after it counts nothing twice.
 */
export const meterIncidents = (drafts: ReadonlyArray<RecordDraft>, services: Context.Context<never>): void => {
  const add = (metric: Metric.Counter<number>, amount: number, labels: Record<string, string>) =>
    Metric.withAttributes(metric, labels).updateUnsafe(amount, services)
  for (const { kind, payload, source } of drafts) {
    if (kind === "reject") add(rejects, 1, { source, reason: (payload as RejectPayload).reason })
    else if (kind === "gap") {
      const { cause, from, open, repairedBy, to } = payload as GapPayload
      // An open hole is told again and again, and as a whole when it is over.
      if (open === true || repairedBy !== undefined) continue
      add(seconds, Math.max(0, (Date.parse(to) - Date.parse(from)) / 1_000), { cause })
    }
  }
}
