import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Redacted } from "effect"
import { SqlClient } from "effect/sql"
import * as Database from "../../src/sql/Database.ts"
import { postgresMissing, postgresServer } from "../support/postgres.ts"

const query = (text: string) => Effect.flatMap(SqlClient.SqlClient, (sql) => sql.unsafe<Record<string, unknown>>(text))

describe("the client of a server", () => {
  it.live("with a server that is down fails not the layer, only the statements, and those can be tried again", () =>
    Effect.gen(function* () {
      const url = Redacted.make("postgres://postgres@127.0.0.1:1/postgres")
      const context = yield* Layer.build(Database.layer({ _tag: "server", url }))
      const error = yield* Effect.flip(Effect.provideContext(query("select 1"), context))
      assert.isTrue(error.isRetryable)
    })
  )

  it.live.skipIf(postgresMissing !== undefined)("names itself, limits its statements, and outlives the server", () =>
    Effect.gen(function* () {
      const server = yield* postgresServer
      const context = yield* Layer.build(Database.layer({ _tag: "server", url: server.url }))
      const settings = Effect.provideContext(
        query("select current_setting('application_name') as name, current_setting('statement_timeout') as patience"),
        context
      )
      assert.deepStrictEqual(yield* settings, [{ name: "observer", patience: "30s" }])
      yield* server.kill
      assert.isTrue((yield* Effect.flip(settings)).isRetryable)
      yield* server.start
      assert.deepStrictEqual(yield* settings, [{ name: "observer", patience: "30s" }])
    })
  )
})
