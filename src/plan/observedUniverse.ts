import { Effect, Stream } from "effect"
import { ChangeFailed, ChangeRefused, type ChangeReport, type SymbolChange } from "./Coverage.ts"
import type { DayUniverse } from "./DayUniverse.ts"
import type { PlannedUniverse, PlannerOptions } from "./Planner.ts"
import { observedOf, type Universe } from "./Universe.ts"

const planned = (universe: Universe): PlannedUniverse => ({
  symbols: observedOf(universe),
  entries: universe.entries
})

/** The day's universe as the planner sees it, and as it is changed over HTTP. */
export const observedUniverse = (day: DayUniverse["Service"]): PlannerOptions["universe"] => ({
  current: Effect.map(day.current, planned),
  // The first is the one that holds, which was planned for at the start.
  changes: Stream.drop(day.changes, 1),
  change: Effect.fnUntraced(function* ({ add, remove }: SymbolChange) {
    const { added, removed } = yield* day
      .change({ add, remove })
      .pipe(
        Effect.mapError((error) =>
          error._tag === "UniverseRefused"
            ? new ChangeRefused({ problems: [{ problem: error.message }] })
            : new ChangeFailed({ reason: error.message })
        )
      )
    const changed = new Set([...added, ...removed])
    return {
      added,
      removed,
      unchanged: [...add, ...remove].filter((code) => !changed.has(code))
    } satisfies ChangeReport
  })
})
