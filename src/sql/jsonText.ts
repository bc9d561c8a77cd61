import * as PgTypes from "@effect/sql-pg/PgTypes"
import { Result } from "effect"

const binaryVersion = 1

const textOf = (value: unknown): Result.Result<string, PgTypes.CodecError> => {
  const text: string | undefined = JSON.stringify(value)
  return text === undefined
    ? Result.fail(new PgTypes.CodecError({ message: "Value cannot be serialised as JSON" }))
    : Result.succeed(text)
}

const decode = (bytes: Uint8Array): Result.Result<unknown, PgTypes.CodecError> =>
  Result.try({
    try: (): unknown => JSON.parse(Buffer.from(bytes.subarray(1)).toString()),
    catch: (cause) => new PgTypes.CodecError({ message: String(cause) })
  })

/**
 * `jsonb` that may also be given as the bytes of its text, so that what the journal holds as JSON is neither parsed nor
 * written anew on its way; the server parses it in any case, and refuses what is no JSON.
 */
const codec: PgTypes.Codec<unknown> = {
  decode,
  encode: (value) =>
    value instanceof Uint8Array
      ? Result.succeed(Buffer.concat([Buffer.of(binaryVersion), value]))
      : Result.map(textOf(value), (text) => Buffer.concat([Buffer.of(binaryVersion), Buffer.from(text)])),
  write: (sink, value) => {
    sink.uint8(binaryVersion)
    if (value instanceof Uint8Array) return Result.succeed(sink.raw(value))
    return Result.map(textOf(value), (text) => sink.utf8(text))
  }
}

/** The client's types, with the `jsonb` above. */
export const makeTypes = (): PgTypes.Registry => {
  const types = PgTypes.makeRegistry()
  types.register(PgTypes.OID.jsonb, codec, { arrayOid: PgTypes.OID.jsonbArray })
  return types
}
