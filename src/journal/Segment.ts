import { Effect, Semaphore } from "effect"
import { createHash } from "node:crypto"
import { dirname, join } from "node:path"
import type { EncodedLines } from "../domain/LineEncoder.ts"
import { Disk, type DiskError, type DiskFile, makeDurableFolder } from "./Disk.ts"
import { enter, type ManifestLine } from "./Manifest.ts"
import { nameInDay, openSuffix, parseSegmentName, segmentFile } from "./SegmentName.ts"

/** The file being written. Owned by the journal's writer alone; only `sync` may be called from beside it. */
export interface Segment {
  readonly file: string
  readonly bytes: () => number
  append(encoded: EncodedLines): Effect.Effect<void, DiskError>
  /** Makes every appended byte survive a power cut; `false` when all of them already did. */
  readonly sync: Effect.Effect<boolean, DiskError>
  /** Whether the file still has its name. */
  readonly isThere: Effect.Effect<boolean, DiskError>
  /** Flush, fdatasync, rename, sync the folder, enter into the manifest. May be repeated after a failure. */
  seal(sealedAtMs: number): Effect.Effect<void, DiskError, Disk>
}

const openEmpty = Effect.fnUntraced(function* (path: string) {
  const disk = yield* Disk
  const handle = yield* disk.openForWriting(path)
  yield* handle.truncate(0).pipe(
    Effect.andThen(disk.syncFolder(dirname(path))),
    Effect.tapError(() => Effect.ignore(handle.close))
  )
  return handle
})

const copy_bytes = 1 << 20

/** Makes the file anew that somebody has removed, of what the open one still holds; it has its name once it is whole. */
const putBack = Effect.fnUntraced(function* (dataDir: string, file: string, from: DiskFile, bytes: number) {
  const disk = yield* Disk
  const path = join(dataDir, file) + openSuffix
  yield* makeDurableFolder(dataDir, dirname(file))
  const to = yield* openEmpty(`${path}.new`)
  const copy = Effect.gen(function* () {
    for (let at = 0; at < bytes; at += copy_bytes) {
      yield* to.write(yield* from.read(at, Math.min(copy_bytes, bytes - at)), at)
    }
    yield* to.datasync
    yield* disk.rename(`${path}.new`, path)
    yield* disk.syncFolder(dirname(path))
  })
  yield* Effect.tapError(copy, () => Effect.ignore(to.close))
  yield* Effect.ignore(from.close)
  yield* Effect.logError("the file being written was removed by somebody; it is put back from what is open", { file })
  return to
})

/** Opens a new segment that begins with `firstSeq`, in the folder of the market hour of `atMs`. */
export const openSegment = Effect.fnUntraced(function* (
  dataDir: string,
  node: string,
  firstSeq: number,
  atMs: number
): Effect.fn.Return<Segment, DiskError, Disk> {
  const disk = yield* Disk
  const file = segmentFile(node, firstSeq, atMs)
  const sealedPath = join(dataDir, file)
  const openPath = sealedPath + openSuffix
  const folder = dirname(sealedPath)
  yield* makeDurableFolder(dataDir, dirname(file))
  // The next try may come in another hour, and must not leave this file behind.
  let handle = yield* Effect.tapError(openEmpty(openPath), () => Effect.ignore(disk.remove(openPath)))

  // A seal waits for a sync in flight, for it closes the handle under it.
  const handleInUse = yield* Semaphore.make(1)
  let hash = createHash("sha256")
  let written = 0
  let synced = 0
  /** The newest fdatasync has failed, or was left before its answer. */
  let isDoubtful = false
  let torn = false
  let closed = false
  let isRenamed = false
  let lines = 0
  let firstReceivedAt = ""
  let lastReceivedAt = ""

  /**
   * A system that could not write pages to the disk may hold them for clean, and an fdatasync that then succeeds says nothing
   * of them: they are made dirty again.
   */
  const writeAnew = Effect.fnUntraced(function* (from: number, to: number) {
    for (let at = from; at < to; at += copy_bytes) {
      yield* handle.write(yield* handle.read(at, Math.min(copy_bytes, to - at)), at)
    }
  })

  const sync = handleInUse.withPermits(1)(
    Effect.suspend(() => {
      const target = written
      if (closed || target === synced) return Effect.succeed(false)
      const anew = isDoubtful ? writeAnew(synced, target) : Effect.void
      isDoubtful = true
      return Effect.map(Effect.andThen(anew, handle.datasync), () => {
        isDoubtful = false
        synced = target
        return true
      })
    })
  )

  const isThere = Effect.map(disk.identity(openPath), (found) => closed || isRenamed || found !== undefined)

  const renamed = Effect.suspend(() => {
    isRenamed = true
    return Effect.tapError(disk.rename(openPath, sealedPath), ({ code }) =>
      Effect.sync(() => {
        isRenamed = code !== "ENOENT"
      })
    )
  })

  return {
    file,
    bytes: () => written,
    isThere,
    append: ({ bytes, ...encoded }) =>
      Effect.suspend(() => {
        // After a failed write the end of the file is unknown: cut back to the last whole line before trying again.
        const cut = torn ? handle.truncate(written) : Effect.void
        torn = true
        // Another thread writes meanwhile. A copy, for what is not written must not have been hashed.
        const hashed = Effect.sync(() => hash.copy().update(bytes))
        return Effect.andThen(cut, Effect.all([handle.write(bytes, written), hashed], { concurrency: 2 }))
      }).pipe(
        Effect.map(([, hashed]) => {
          torn = false
          written += bytes.length
          hash = hashed
          if (lines === 0) firstReceivedAt = encoded.firstReceivedAt
          lastReceivedAt = encoded.lastReceivedAt
          lines += encoded.lines
        })
      ),
    sync,
    seal: Effect.fnUntraced(function* (sealedAtMs) {
      if (!closed) {
        // A repeated seal finds the file already renamed.
        const isOpen = (yield* disk.size(sealedPath)) === undefined
        if (torn) yield* handle.truncate(written)
        torn = false
        if (isOpen && !(yield* isThere)) {
          const lost = handle
          handle = yield* handleInUse.withPermits(1)(putBack(dataDir, file, lost, written))
        }
        yield* sync
        // Before it is closed: should somebody remove it in this moment, it is put back from what is open.
        if (isOpen && lines > 0) yield* renamed
        yield* handleInUse.withPermits(1)(handle.close)
        closed = true
      }
      if (lines === 0) {
        yield* disk.remove(openPath)
        return
      }
      yield* disk.syncFolder(folder)
      const day = parseSegmentName(file)?.day ?? dirname(dirname(file))
      yield* enter(dataDir, day, {
        file: nameInDay(file),
        node,
        firstSeq,
        lastSeq: firstSeq + lines - 1,
        lines,
        bytes: written,
        sha256: hash.copy().digest("hex"),
        firstReceivedAt,
        lastReceivedAt,
        sealedAt: new Date(sealedAtMs).toISOString()
      } satisfies ManifestLine)
    })
  }
})
