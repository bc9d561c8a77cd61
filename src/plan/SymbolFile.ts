import { Data, Effect, Result } from "effect"
import { readFile, stat } from "node:fs/promises"
import type { SymbolCode } from "../domain/SymbolCode.ts"
import { parseSymbolFile } from "../domain/SymbolSelection.ts"
import { systemCode } from "../domain/systemCode.ts"

/** The file named by `OBSERVER_SYMBOLS=@file` cannot be used. */
export class SymbolFileUnusable extends Data.TaggedError("SymbolFileUnusable")<{
  readonly path: string
  readonly detail: string
}> {
  override get message() {
    return `OBSERVER_SYMBOLS is "@${this.path}": ${this.detail}; allowed: a text file with one code a line, # for remarks`
  }
}

/** A folder of another machine may never answer. */
const read_seconds_max = 10

/** Every code of the market takes some 40 kB. */
const file_bytes_max = 1_048_576

/** Reads the codes of a file. */
export const readSymbolFile = Effect.fn("SymbolFile.read")(function* (
  path: string
): Effect.fn.Return<ReadonlyArray<SymbolCode>, SymbolFileUnusable> {
  const unusable = (detail: string) => new SymbolFileUnusable({ path, detail })
  const attempt = <A>(run: (signal: AbortSignal) => Promise<A>) =>
    Effect.tryPromise({ try: run, catch: (cause) => unusable(`it cannot be read (${systemCode(cause)})`) }).pipe(
      Effect.timeoutOrElse({
        duration: read_seconds_max * 1_000,
        orElse: () => Effect.fail(unusable(`it cannot be read within ${read_seconds_max} s`))
      })
    )
  const { size } = yield* attempt(() => stat(path))
  if (size > file_bytes_max) return yield* unusable(`it has ${size} bytes, more than ${file_bytes_max}`)
  const text = yield* attempt((signal) => readFile(path, { encoding: "utf8", signal }))
  const codes = parseSymbolFile(text)
  if (Result.isSuccess(codes)) return codes.success
  return yield* unusable(codes.failure === "no symbol is named" ? "it names no symbol" : codes.failure)
})
