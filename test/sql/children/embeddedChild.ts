// A process that holds the embedded database of the folder it is told, commits rows, says so, and waits to be killed.
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import * as Database from "../../../src/sql/Database.ts"

const folder = process.argv[2] ?? ""

const work = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`create table if not exists committed (n int primary key)`
  for (let n = 0; n < 20; n++) yield* sql`insert into committed values (${n})`
  yield* Effect.sync(() => process.send?.("committed"))
  for (let n = 20; ; n++) yield* sql`insert into committed values (${n})`
})

Effect.runPromise(Effect.provide(work, Database.layer({ _tag: "embedded", folder })))
