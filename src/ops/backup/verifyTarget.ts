import { Clock, Effect } from "effect"
import { mkdir, rm } from "node:fs/promises"
import { join } from "node:path"
import { FolderLock } from "../../journal/FolderLock.ts"
import type { BackupTarget, Found } from "./BackupTarget.ts"
import type { DaySelection } from "./DaySelection.ts"
import { endOrphan, OrphanNote } from "./orphan.ts"
import { batchesOf } from "./planSealed.ts"
import { append, backupFolder, load, type Receipt } from "./Receipts.ts"
import type { FilesProgress } from "../progressText.ts"
import { logTransfers } from "./TransferLog.ts"

export interface VerifyTargetOptions {
  readonly stateDir: string
  readonly target: BackupTarget
  readonly selection: DaySelection
  readonly onProgress?: (progress: FilesProgress) => Effect.Effect<void>
}

export interface TargetVerification {
  readonly files: number
  readonly bytes: number
  readonly wrong: ReadonlyArray<{ readonly file: string; readonly found: Exclude<Found, "same"> }>
  readonly elapsed_ms: number
}

const tick = "200 millis"

const dayOf = (file: string) => /^\d{4}\/\d{2}\/\d{2}(?=\/)/.exec(file)?.[0]

/**
 * Reads everything at a target that has a receipt, and holds it against its hash. The receipts of what is not right are
 * revoked, so that the next backup sends it again.
 */
export const verifyTarget = Effect.fn("Backup.verify")(function* (options: VerifyTargetOptions) {
  const { onProgress, selection, stateDir, target } = options
  const startedAtMs = yield* Clock.currentTimeMillis
  yield* FolderLock.acquire(backupFolder(stateDir), "backup")
  const orphanNote = join(backupFolder(stateDir), "child.json")
  yield* endOrphan(orphanNote)
  yield* target.prepare
  const isAsked = (file: string) => {
    const day = dayOf(file)
    return day === undefined ? selection.isAll : selection.has(day)
  }
  const receipts = [...(yield* load(stateDir)).values()].flatMap((each): ReadonlyArray<Receipt> =>
    each.filter((receipt) => receipt.target === target.name && isAsked(receipt.file))
  )
  const scratch = join(backupFolder(stateDir), "scratch")
  const bytesTotal = receipts.reduce((sum, { bytes }) => sum + bytes, 0)
  const progress = { files: 0, filesTotal: receipts.length, bytes: 0, bytesTotal }
  const wrong: Array<TargetVerification["wrong"][number]> = []
  yield* Effect.acquireRelease(
    Effect.promise(() => mkdir(scratch, { recursive: true })),
    () => Effect.promise(() => rm(scratch, { recursive: true, force: true }))
  )

  const look = Effect.fnUntraced(function* (batch: ReadonlyArray<Receipt>) {
    const found = yield* target.check(batch, { scratch, onBytes: (bytes) => void (progress.bytes += bytes) })
    progress.files += batch.length
    const at = new Date(yield* Clock.currentTimeMillis).toISOString()
    const bad = batch.flatMap(({ bytes, file }) => {
      const is = found.get(file) ?? "missing"
      return is === "same" ? [] : [{ file, found: is, bytes }]
    })
    wrong.push(...bad.map(({ file, found: is }) => ({ file, found: is })))
    yield* append(
      stateDir,
      bad.map(({ bytes, file }) => ({ at, target: target.name, file, bytes, damaged: true }))
    )
    const events = bad.map(({ file, found: reason }) => ({
      event: "error" as const,
      target: target.name,
      file,
      reason
    }))
    yield* Effect.ignore(logTransfers(stateDir, events))
  })
  const work = Effect.provideService(
    Effect.forEach(batchesOf(receipts), look, { discard: true }),
    OrphanNote,
    orphanNote
  )
  const told = Effect.suspend(() => onProgress?.({ ...progress }) ?? Effect.void)
  yield* onProgress === undefined
    ? work
    : Effect.raceFirst(work, Effect.forever(Effect.andThen(Effect.sleep(tick), told)))
  const elapsed_ms = (yield* Clock.currentTimeMillis) - startedAtMs
  return { files: receipts.length, bytes: bytesTotal, wrong, elapsed_ms } satisfies TargetVerification
}, Effect.scoped)
