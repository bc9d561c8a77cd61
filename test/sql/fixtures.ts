import { Effect, Layer } from "effect"
import { Migrator } from "effect/sql"
import { mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, parse } from "node:path"
import { fileURLToPath } from "node:url"
import { makeNumberer, type JournalRecord, type RecordDraft } from "../../src/domain/JournalRecord.ts"
import * as Database from "../../src/sql/Database.ts"
import { migrate } from "../../src/sql/Migrations.ts"
import { postgresMissing, postgresServer } from "../support/postgres.ts"

const names = readdirSync(fileURLToPath(new URL("../../migrations", import.meta.url))).map((file) => parse(file).name)

/** Up to one of the migrations, as an older version left its database. They are imported through vitest, as Node 20 cannot run them from source. */
export const migratedTo = (newest: number) =>
  migrate(
    Migrator.fromGlob(
      Object.fromEntries(
        names
          .filter((name) => Number(name.slice(0, 4)) <= newest)
          .map((name) => [`${name}.ts`, () => import(`../../migrations/${name}.ts`)])
      )
    )
  )

export const migrated = migratedTo(9_999)

export const tempFolder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "observer-sql-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
)

const withTables = <A, E>(database: Layer.Layer<A, E>) =>
  Layer.effectDiscard(migrated).pipe(Layer.provideMerge(database))

const embedded = Layer.unwrap(
  Effect.map(tempFolder, (folder) => Database.layer({ _tag: "embedded", folder: join(folder, "db") }))
)
const server = Layer.unwrap(Effect.map(postgresServer, ({ url }) => Database.layer({ _tag: "server", url })))

if (postgresMissing !== undefined) console.warn(`SQL tests run on the embedded database alone: ${postgresMissing}`)

/** Every database the tests of rows run against, with the observer's tables in it. */
export const databases = [
  { name: "the embedded database", layer: withTables(embedded) },
  ...(postgresMissing === undefined ? [{ name: "a PostgreSQL server", layer: withTables(server) }] : [])
]

export const dayStartMs = Date.UTC(2025, 10, 24, 0, 0, 0)

/** Records of one node, `seq` from `first` on, a tick a millisecond apart unless the draft says otherwise. */
export const recordsOf = (
  node: string,
  first: number,
  drafts: ReadonlyArray<Partial<RecordDraft>>
): ReadonlyArray<JournalRecord> => {
  const number = makeNumberer(node)
  return drafts.map((draft, index) =>
    number(
      {
        kind: "trade",
        symbol: "005930",
        receivedAtMs: dayStartMs + first + index,
        source: "kis-ws",
        price: 70_000 + index,
        volume: 1 + index,
        cumVolume: 1_000 + index,
        payload: ["005930", "090000", String(70_000 + index)],
        ...draft
      },
      first + index
    )
  )
}

export const placeOf = (seq: number) => ({
  seq,
  file: `2025/11/24/09/file-${Math.ceil(seq / 100)}`,
  byteOffset: seq * 10
})
