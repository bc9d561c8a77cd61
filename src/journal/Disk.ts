import { Context, Data, Effect, Layer } from "effect"
import * as fs from "node:fs/promises"
import { dirname, join } from "node:path"
import { systemCode } from "../domain/systemCode.ts"

/** A call to the file system that failed; `code` is the system's own (`ENOSPC`, `EROFS`, `ENOENT` …). */
export class DiskError extends Data.TaggedError("DiskError")<{
  readonly operation: string
  readonly path: string
  readonly code: string
  /** What to do about it, where the code does not say. */
  readonly advice?: string
}> {
  override get message() {
    const words = `${this.operation} ${this.path}: ${this.code}`
    return this.advice === undefined ? words : `${words}; ${this.advice}`
  }
}

/** What a name stands for at the moment; a link is itself, not what it leads to. */
export interface Identity {
  readonly kind: "file" | "folder" | "other"
  /** The file system, by the number that the machine has for it. */
  readonly device: number
  /** Another one when the name was given to another file or folder meanwhile. */
  readonly key: string
}

/** A file open for writing at places the writer chooses. */
export interface DiskFile {
  write(bytes: Uint8Array, at: number): Effect.Effect<void, DiskError>
  /** As `readAt`, though the file's name may be gone. */
  read(at: number, length: number): Effect.Effect<Uint8Array, DiskError>
  truncate(length: number): Effect.Effect<void, DiskError>
  /** Returns once the bytes survive a power cut. */
  readonly datasync: Effect.Effect<void, DiskError>
  readonly close: Effect.Effect<void, DiskError>
}

/**
 * The few things the journal asks of a file system. It stands between the journal and `node:fs` so that a test can fail
 * the nth call or forget what was not synced.
 */
export class Disk extends Context.Service<
  Disk,
  {
    openForWriting(path: string): Effect.Effect<DiskFile, DiskError>
    appendLine(path: string, line: string): Effect.Effect<void, DiskError>
    /** The bytes from `at` on, at most `length`; fewer at the end of the file. */
    readAt(path: string, at: number, length: number): Effect.Effect<Uint8Array, DiskError>
    writeWhole(path: string, bytes: Uint8Array): Effect.Effect<void, DiskError>
    rename(from: string, to: string): Effect.Effect<void, DiskError>
    remove(path: string): Effect.Effect<void, DiskError>
    /** Removes a folder that has nothing in it; leaves any other. */
    removeEmpty(path: string): Effect.Effect<void, DiskError>
    truncate(path: string, length: number): Effect.Effect<void, DiskError>
    makeFolder(path: string): Effect.Effect<void, DiskError>
    syncFolder(path: string): Effect.Effect<void, DiskError>
    /** Names in a folder, sorted; none when the folder is not there. */
    list(path: string): Effect.Effect<ReadonlyArray<string>, DiskError>
    /** Bytes of a file; `undefined` when it is not there. */
    size(path: string): Effect.Effect<number | undefined, DiskError>
    /** What is there under a name; `undefined` when nothing is. */
    identity(path: string): Effect.Effect<Identity | undefined, DiskError>
  }
>()("observer/journal/Disk") {
  static readonly layer = Layer.sync(Disk, () => nodeDisk)
}

const attempt = <A>(operation: string, path: string, run: () => Promise<A>): Effect.Effect<A, DiskError> =>
  Effect.tryPromise({ try: run, catch: (cause) => new DiskError({ operation, path, code: systemCode(cause) }) })

const missingAs =
  <A>(fallback: A) =>
  (error: DiskError): Effect.Effect<A, DiskError> =>
    error.code === "ENOENT" ? Effect.succeed(fallback) : Effect.fail(error)

/** Opens, uses and always closes a handle. */
const withHandle = <A>(operation: string, path: string, flags: string, use: (handle: fs.FileHandle) => Promise<A>) =>
  attempt(operation, path, async () => {
    const handle = await fs.open(path, flags)
    try {
      return await use(handle)
    } finally {
      await handle.close()
    }
  })

const writeAll = async (handle: fs.FileHandle, bytes: Uint8Array, at: number | null) => {
  let done = 0
  while (done < bytes.length) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, at === null ? null : at + done)
    done += bytesWritten
  }
}

const readAll = async (handle: fs.FileHandle, at: number, length: number) => {
  const bytes = Buffer.allocUnsafe(length)
  let done = 0
  while (done < length) {
    const { bytesRead } = await handle.read(bytes, done, length - done, at + done)
    if (bytesRead === 0) break
    done += bytesRead
  }
  return bytes.subarray(0, done)
}

// "r+" never truncates what a crash left behind; a file that is not there yet is made first.
const openKeeping = async (path: string) => {
  try {
    return await fs.open(path, "r+")
  } catch (cause) {
    if (systemCode(cause) !== "ENOENT") throw cause
    return await fs.open(path, "w+")
  }
}

const nodeDisk = Disk.of({
  openForWriting: (path) =>
    Effect.map(
      attempt("open", path, () => openKeeping(path)),
      (handle): DiskFile => ({
        write: (bytes, at) => attempt("write", path, () => writeAll(handle, bytes, at)),
        read: (at, length) => attempt("read", path, () => readAll(handle, at, length)),
        truncate: (length) => attempt("truncate", path, () => handle.truncate(length)),
        datasync: attempt("fdatasync", path, () => handle.datasync()),
        close: attempt("close", path, () => handle.close())
      })
    ),
  appendLine: (path, line) =>
    withHandle("append to", path, "a", async (handle) => {
      await writeAll(handle, Buffer.from(`${line}\n`), null)
      await handle.datasync()
    }),
  readAt: (path, at, length) => withHandle("read", path, "r", (handle) => readAll(handle, at, length)),
  writeWhole: (path, bytes) =>
    withHandle("write", path, "w", async (handle) => {
      await writeAll(handle, bytes, 0)
      await handle.datasync()
    }),
  rename: (from, to) => attempt("rename", from, () => fs.rename(from, to)),
  remove: (path) => attempt("remove", path, () => fs.rm(path, { force: true })),
  removeEmpty: (path) =>
    attempt("remove", path, () => fs.rmdir(path)).pipe(
      Effect.catchIf(
        ({ code }) => code === "ENOTEMPTY" || code === "EEXIST" || code === "ENOENT",
        () => Effect.void
      )
    ),
  truncate: (path, length) =>
    withHandle("truncate", path, "r+", async (handle) => {
      await handle.truncate(length)
      await handle.datasync()
    }),
  makeFolder: (path) => Effect.asVoid(attempt("make folder", path, () => fs.mkdir(path, { recursive: true }))),
  syncFolder: (path) =>
    // Windows has no folder handles to sync; its journal makes renames durable by itself.
    process.platform === "win32" ? Effect.void : withHandle("sync folder", path, "r", (handle) => handle.sync()),
  list: (path) =>
    attempt("list", path, async () => (await fs.readdir(path)).sort()).pipe(Effect.catch(missingAs<Array<string>>([]))),
  size: (path) =>
    attempt("look at", path, async (): Promise<number | undefined> => (await fs.stat(path)).size).pipe(
      Effect.catch(missingAs<number | undefined>(undefined))
    ),
  identity: (path) =>
    attempt("look at", path, async (): Promise<Identity | undefined> => {
      const stats = await fs.lstat(path)
      const kind = stats.isFile() ? "file" : stats.isDirectory() ? "folder" : "other"
      // Numbers of files are given anew; the time of birth is not.
      return { kind, device: stats.dev, key: `${stats.dev}:${stats.ino}:${stats.birthtimeMs}` }
    }).pipe(Effect.catch(missingAs<Identity | undefined>(undefined)))
})

/** Makes a folder below `root`, and makes every name on the way to it durable. */
export const makeDurableFolder = Effect.fnUntraced(function* (root: string, below: string) {
  const disk = yield* Disk
  yield* disk.makeFolder(join(root, below))
  let parent = below
  do {
    parent = dirname(parent)
    yield* disk.syncFolder(join(root, parent))
  } while (parent !== ".")
})
