import { Effect } from "effect"
import { createGunzip, type Gunzip } from "node:zlib"
import { Disk, type DiskError } from "../Disk.ts"
import { JournalReadError } from "../JournalError.ts"

const block_bytes = 1 << 18
/** Each read inflates from the beginning again, so it takes more at a time than one that can step over what it does not need. */
const least_bytes = 1 << 22

/** What comes out of a gunzip, from an offset on, as much as is wanted. */
class Wanted {
  readonly parts: Array<Buffer> = []
  private skip: number
  private left: number

  constructor(skip: number, length: number) {
    this.skip = skip
    this.left = length
  }

  get isFull(): boolean {
    return this.left === 0
  }

  take(bytes: Buffer): void {
    const part = bytes.subarray(this.skip, this.skip + this.left)
    this.skip = Math.max(0, this.skip - bytes.length)
    this.left -= part.length
    if (part.length > 0) this.parts.push(part)
  }
}

/** Gives a gunzip more, and returns once it has said all it has to say of it. */
const feed = (gunzip: Gunzip, bytes: Uint8Array, damaged: (cause: unknown) => JournalReadError) =>
  Effect.callback<void, JournalReadError>((resume) => {
    const fail = (cause: unknown) => resume(Effect.fail(damaged(cause)))
    gunzip.once("error", fail)
    const done = () => {
      gunzip.off("error", fail)
      resume(Effect.void)
    }
    if (bytes.length === 0) gunzip.once("end", done).end()
    else gunzip.write(bytes, (cause) => (cause ? fail(cause) : done()))
  })

/**
 * Reads a file that another program has compressed, from the gzip header at byte `at` on: at least `length` bytes of content
 * behind the first `skip`, fewer at the end of the file.
 */
export const inflateForeign = Effect.fnUntraced(function* (
  path: string,
  at: number,
  skip: number,
  length: number
): Effect.fn.Return<Buffer, DiskError | JournalReadError, Disk> {
  const disk = yield* Disk
  const damaged = (cause: unknown) =>
    new JournalReadError({
      file: path,
      detail: `it is no whole gzip file: ${cause instanceof Error ? cause.message : String(cause)}`
    })
  const wanted = new Wanted(skip, Math.max(length, least_bytes))
  return yield* Effect.acquireUseRelease(
    Effect.sync(() => createGunzip().on("data", (bytes: Buffer) => wanted.take(bytes))),
    Effect.fnUntraced(function* (gunzip) {
      let next = at
      while (!wanted.isFull) {
        const bytes = yield* disk.readAt(path, next, block_bytes)
        yield* feed(gunzip, bytes, damaged)
        if (bytes.length === 0) break
        next += bytes.length
      }
      return Buffer.concat(wanted.parts)
    }),
    // What is left of a file that was not read to its end is no error.
    (gunzip) => Effect.sync(() => gunzip.on("error", () => undefined).destroy())
  )
})
