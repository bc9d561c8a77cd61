import { Data, Effect } from "effect"
import { randomBytes } from "node:crypto"
import { dirname } from "node:path"
import { Disk, type DiskError, type DiskFile } from "../../journal/Disk.ts"

/** Of its own for every file in the making: another export of the same file, or what a killed one left, is not in the way. */
const partSuffix = () => `.${randomBytes(6).toString("hex")}.part`

const advice: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full; free some room, or let --out name a place on another disk",
  EDQUOT: "the quota of this disk is used up; let --out name a place on another disk",
  EROFS: "the disk is read-only; let --out name another place",
  EACCES: "it may not be written by this user; let --out name another place",
  ENOTDIR: "a part of its path is a file; let --out name another place"
}

/** A file of an export that is not there now, and why. Nothing of it is left behind. */
export class ExportFailed extends Data.TaggedError("ExportFailed")<{ readonly file: string; readonly detail: string }> {
  override get message() {
    return `${this.file}: ${this.detail}`
  }
}

const failed = (file: string) => (error: DiskError) =>
  new ExportFailed({ file, detail: advice[error.code] ?? error.message })

/** Fails if a file is there already. */
export const refuseExisting = Effect.fnUntraced(function* (file: string) {
  const disk = yield* Disk
  if ((yield* Effect.mapError(disk.size(file), failed(file))) === undefined) return
  return yield* new ExportFailed({ file, detail: "is there already; --overwrite replaces it" })
})

/** A file in the making. */
export interface OutputFile {
  append(bytes: Uint8Array): Effect.Effect<void, ExportFailed>
  /** Gives the file its name, in place of one that had it; survives a power cut then. Gives its size in bytes. */
  readonly finish: Effect.Effect<number, ExportFailed>
}

/**
 * Begins a file under its name with more behind it, ending in `.part`. It gets its name when it is whole: nobody reads half a file, and one that it
 * is to replace stays until then. Unless it is finished it goes with the scope.
 */
export const openOutput = Effect.fnUntraced(function* (file: string, { overwrite }: { readonly overwrite: boolean }) {
  const disk = yield* Disk
  const part = file + partSuffix()
  let handle: DiskFile | undefined
  let written = 0
  const fails = Effect.mapError(failed(file))
  const close = Effect.suspend(() => {
    const open = handle
    handle = undefined
    return open?.close ?? Effect.void
  })
  const begin = Effect.gen(function* () {
    yield* disk.makeFolder(dirname(file))
    handle = yield* disk.openForWriting(part)
  })
  let isFinished = false
  const giveUp = Effect.suspend(() =>
    isFinished ? Effect.void : Effect.ignore(close).pipe(Effect.andThen(Effect.ignore(disk.remove(part))))
  )
  yield* Effect.addFinalizer(() => giveUp)
  yield* fails(begin)

  const complete = Effect.gen(function* () {
    if (handle !== undefined) yield* handle.datasync
    yield* close
  })
  /** Another export may have finished the same file meanwhile. */
  const isFree = overwrite ? Effect.void : Effect.provideService(refuseExisting(file), Disk, disk)
  const name = Effect.gen(function* () {
    yield* disk.rename(part, file)
    isFinished = true
    yield* disk.syncFolder(dirname(file))
  })

  return {
    append: (bytes) =>
      Effect.suspend(() => handle?.write(bytes, written) ?? Effect.void).pipe(
        Effect.map(() => {
          written += bytes.length
        }),
        fails
      ),
    finish: Effect.gen(function* () {
      yield* fails(complete)
      yield* isFree
      yield* fails(name)
      return written
    })
  } satisfies OutputFile
})
