import { Effect } from "effect"
import type { SqlClient } from "effect/sql"
import { MarketClock, marketNow } from "../calendar/MarketClock.ts"
import { databaseError } from "./DatabaseError.ts"
import { makePartitions } from "./Partitions.ts"
import { removeOlderThan } from "./Retention.ts"

/** Tomorrow's partition is long there when midnight comes, and a day that is over is dropped within the hour. */
const interval = "1 hour"
/** After a failure, such as a day that is being read while it should be dropped. */
const again = "5 minutes"
type Pause = typeof interval | typeof again

/**
 * What the tables need when no records come: partitions for today and tomorrow, and the removal of what is older than
 * `retention_days` market days, where that is not 0. Never fails; what the database refuses is logged and tried again.
 */
export const keepHouse = Effect.fnUntraced(function* (
  retention_days: number
): Effect.fn.Return<never, never, SqlClient.SqlClient> {
  const partitions = yield* makePartitions
  if (retention_days > 0 && (yield* MarketClock).beginsMs !== undefined) {
    yield* Effect.logInfo("a day is rehearsed: no old day is removed from the database", { retention_days })
  }
  const turn = Effect.gen(function* () {
    const nowMs = yield* marketNow
    yield* partitions.ensure([nowMs])
    if (retention_days === 0) return
    const { errors, metrics, records } = yield* removeOlderThan(retention_days, nowMs)
    if (records.length + errors + metrics === 0) return
    yield* Effect.logInfo("old days were removed from the database", { retention_days, records, errors, metrics })
  })
  return yield* turn.pipe(
    Effect.as<Pause>(interval),
    Effect.catch((error) =>
      Effect.logWarning("the database's old days are still to be removed, or its next day to be made", {
        reason: databaseError("keep its tables")(error).detail
      }).pipe(Effect.as<Pause>(again))
    ),
    Effect.flatMap((pause) => Effect.sleep(pause)),
    Effect.forever
  )
})
