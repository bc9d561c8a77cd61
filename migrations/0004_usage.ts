import { Effect } from "effect"
import { SqlClient } from "effect/sql"

/**
 * `records` is what was stored. `seq` is that of the marker that tells a row: a run that ends within a minute and the next
 * that begins in it each tell their part, and a marker that is stored again adds nothing.
 */
export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`alter table usage_metrics
    add column received bigint not null default 0,
    add column in_flight bigint not null default 0,
    add column remainder bigint not null default 0,
    add column refused bigint not null default 0,
    add column seq bigint not null default 0`
  yield* sql`alter table usage_metrics
    drop constraint usage_metrics_pkey,
    add primary key (minute, node, source, seq)`
})
