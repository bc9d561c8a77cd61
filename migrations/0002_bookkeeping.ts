import { Effect } from "effect"
import { SqlClient } from "effect/sql"

/** What was kept out of the data, what was spent, and how far each follower has come. */
export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`create table ingest_errors (
    id uuid primary key,
    kind text not null,
    reason text not null,
    symbol text,
    received_at timestamptz,
    raw text,
    detail jsonb,
    repair text,
    node text not null,
    seq bigint not null,
    created_at timestamptz not null default now()
  )`
  yield* sql`create index ingest_errors_received on ingest_errors (received_at)`
  yield* sql`create table usage_metrics (
    minute timestamptz not null,
    node text not null,
    source text not null,
    calls bigint not null default 0,
    tokens bigint not null default 0,
    frames bigint not null default 0,
    records bigint not null default 0,
    rejected bigint not null default 0,
    deduplicated bigint not null default 0,
    lag_seconds double precision,
    bytes bigint not null default 0,
    primary key (minute, node, source)
  )`
  yield* sql`create table follower_cursors (
    follower text not null,
    node text not null,
    seq bigint not null,
    file text not null,
    byte_offset bigint not null,
    updated_at timestamptz not null default now(),
    primary key (follower, node)
  )`
})
