import { Effect, Schema } from "effect"
import { join } from "node:path"
import type { Disk, DiskError } from "../journal/Disk.ts"
import { readWhole, replaceWhole } from "../journal/wholeFile.ts"

/** What the record last said is observed, kept so that the next start can say what it changes. */
const LastUniverse = Schema.Struct({ sha256: Schema.String, codes: Schema.Array(Schema.String) })
export type LastUniverse = typeof LastUniverse.Type

const name = "universe.json"
const decode = Schema.decodeUnknownEffect(Schema.fromJsonString(LastUniverse))

/** `undefined` before the first time; also when the file is spoilt, which costs a comparison and no more. */
export const recallLast = (stateDir: string): Effect.Effect<LastUniverse | undefined, never, Disk> =>
  readWhole(join(stateDir, name)).pipe(
    Effect.flatMap((text) => (text === undefined ? Effect.undefined : decode(text))),
    Effect.orElseSucceed(() => undefined)
  )

export const keepLast = (stateDir: string, last: LastUniverse): Effect.Effect<void, DiskError, Disk> =>
  replaceWhole(stateDir, name, Buffer.from(JSON.stringify(last)))
