import { Effect, Result, Schema } from "effect"
import { join } from "node:path"
import { readWhole, replaceWhole } from "./wholeFile.ts"

/**
 * Says in a day's folder, as `RETIRED.json`, that the files of its records are deleted on purpose. It is there before the
 * first of them goes, so that a deletion that was cut off is no damage; the lists and the certificate stay.
 */
export const RetiredDay = Schema.Struct({
  v: Schema.Literal(1),
  /** `YYYY-MM-DD`. */
  day: Schema.String,
  /** UTC, ISO 8601, in market time: when the deletion began. */
  at: Schema.String,
  /** Files and bytes as they lay on disk. */
  files: Schema.Int,
  bytes: Schema.Int,
  /** Whether every one of them was known to be kept elsewhere. */
  backedUp: Schema.Boolean,
  /** When the last of them was gone and the journal said so. */
  finishedAt: Schema.optionalKey(Schema.String)
})
export type RetiredDay = typeof RetiredDay.Type

const name = "RETIRED.json"
const decode = Schema.decodeUnknownResult(Schema.fromJsonString(RetiredDay))

/** Of a day, `YYYY/MM/DD`; `undefined` of one whose files are to be there. */
export const readRetired = Effect.fnUntraced(function* (dataDir: string, day: string) {
  const decoded = decode((yield* readWhole(join(dataDir, day, name))) ?? "")
  return Result.isSuccess(decoded) ? decoded.success : undefined
})

/** Makes it durable. */
export const writeRetired = (dataDir: string, day: string, retired: RetiredDay) =>
  replaceWhole(join(dataDir, day), name, Buffer.from(`${JSON.stringify(retired)}\n`))
