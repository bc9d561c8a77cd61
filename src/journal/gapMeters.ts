import { Effect, Metric } from "effect"
import { gapCauses, type GapPayload } from "../domain/Gap.ts"
import type { RecordDraft } from "../domain/JournalRecord.ts"

const counter = (name: string, description: string) => Metric.counter(name, { description, incremental: true })

const gaps = counter("observer_gaps_total", "Holes of the record, by cause, as they were told")
const repaired = counter("observer_gaps_repaired_total", "Records of what filled a hole, by cause")

/** Begins every series at 0, so that the first hole is seen as one more. */
export const beginGaps: Effect.Effect<void> = Effect.forEach(
  gapCauses.flatMap((cause) => [gaps, repaired].map((metric) => Metric.withAttributes(metric, { cause }))),
  (series) => Metric.update(series, 0),
  { discard: true }
)

/** Counts gap records that have been written; other drafts are passed over. Once per append that has some. */
export const meterGaps = Effect.fnUntraced(function* (drafts: ReadonlyArray<RecordDraft>) {
  for (const { kind, payload } of drafts) {
    if (kind !== "gap") continue
    const { cause, repairedBy } = payload as GapPayload
    yield* Metric.update(Metric.withAttributes(repairedBy === undefined ? gaps : repaired, { cause }), 1)
  }
})
