import { Clock, Effect } from "effect"
import { mkdir, rm } from "node:fs/promises"
import { join } from "node:path"
import { FolderLock } from "../../journal/FolderLock.ts"
import { type BackupTarget, type Found, TargetError } from "./BackupTarget.ts"
import type { DaySelection } from "./DaySelection.ts"
import { endOrphan, OrphanNote } from "./orphan.ts"
import { batchesOf } from "./planSealed.ts"
import { append, backupFolder, load, type Receipt } from "./Receipts.ts"
import type { FilesProgress } from "../progressText.ts"
import { leaveMark, readMark, unmarked } from "./targetMark.ts"
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

/** Why so much is missing that it must be the place itself: then nothing is revoked. */
const isElsewhere = (receipts: ReadonlyArray<Receipt>, missing: ReadonlyArray<Receipt>) => {
  if (missing.length === 0) return undefined
  if (missing.length === receipts.length) return "every file is missing there"
  const isList = ({ file }: Receipt) => /\/(MANIFEST\.jsonl|SHA256SUMS)$/.test(file)
  const lists = receipts.filter(isList)
  return lists.length > 0 && missing.filter(isList).length === lists.length ? "every list is missing there" : undefined
}

/**
 * Reads everything at a target that has a receipt, and holds it against its hash. The receipts of what is not right are
 * revoked, so that the next backup sends it again. A place without its mark is not looked at: it is an empty mount point;
 * and one where everything is missing revokes nothing, unless its mark says that it is a new one.
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

  const mark = yield* readMark(target, scratch)
  if (mark === "none" && receipts.length > 0) return yield* unmarked(target)
  const missing: Array<Receipt> = []

  const revoke = Effect.fnUntraced(function* (some: ReadonlyArray<Receipt>, found: Exclude<Found, "same">) {
    const at = new Date(yield* Clock.currentTimeMillis).toISOString()
    wrong.push(...some.map(({ file }) => ({ file, found })))
    yield* append(
      stateDir,
      some.map(({ bytes, file }) => ({ at, target: target.name, file, bytes, damaged: true }))
    )
    const events = some.map(({ file }) => ({ event: "error" as const, target: target.name, file, reason: found }))
    yield* Effect.ignore(logTransfers(stateDir, events))
  })

  const look = Effect.fnUntraced(function* (batch: ReadonlyArray<Receipt>) {
    const found = yield* target.check(batch, { scratch, onBytes: (bytes) => void (progress.bytes += bytes) })
    progress.files += batch.length
    missing.push(...batch.filter(({ file }) => (found.get(file) ?? "missing") === "missing"))
    yield* revoke(
      batch.filter(({ file }) => found.get(file) === "damaged"),
      "damaged"
    )
  })

  const settle = Effect.gen(function* () {
    const reason = mark === "new" ? undefined : isElsewhere(receipts, missing)
    if (reason !== undefined) {
      const detail = `${reason}, and no receipt was revoked: see whether this is the right place; if it is a new one, empty its .observer-backup and verify again`
      return yield* new TargetError({ target: target.name, reason: "refused", detail })
    }
    yield* revoke(missing, "missing")
    if (mark === "new" && selection.isAll) yield* leaveMark(target, scratch)
  })
  const work = Effect.provideService(
    Effect.andThen(Effect.forEach(batchesOf(receipts), look, { discard: true }), settle),
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
