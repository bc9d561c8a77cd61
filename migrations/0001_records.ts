import { Effect } from "effect"
import { SqlClient } from "effect/sql"

/**
 * Prices are `double precision`: the journal holds them as JSON numbers, which are doubles, so nothing is gained by
 * `numeric` and half the room is lost; the broker's own text stays in `payload_raw`. Share counts are `bigint`.
 * Partitions are made by the observer, one a market day.
 */
export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`create table pattern_records (
    id uuid not null,
    symbol text,
    kind text not null,
    received_at timestamptz not null,
    exchange_at timestamptz,
    phase text,
    price double precision,
    volume bigint,
    cum_volume bigint,
    payload_raw jsonb not null,
    quality jsonb,
    ingest_source text not null,
    node text not null,
    seq bigint not null,
    created_at timestamptz not null default now(),
    primary key (received_at, id)
  ) partition by range (received_at)`
  yield* sql`create index pattern_records_symbol on pattern_records (symbol, received_at)`
})
