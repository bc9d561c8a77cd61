import { Clock, Effect } from "effect"
import { mkdir, rm, stat } from "node:fs/promises"
import { join } from "node:path"
import { marketNow } from "../../calendar/MarketClock.ts"
import { systemCode } from "../../domain/systemCode.ts"
import { DiskError } from "../../journal/Disk.ts"
import { FolderLock } from "../../journal/FolderLock.ts"
import { type BackupKind, type BackupReport, isGood, makeTally, reasonOf, totalOf } from "./BackupReport.ts"
import type { BackupTarget, HashedFile } from "./BackupTarget.ts"
import type { DaySelection } from "./DaySelection.ts"
import { hashFile, textHash } from "./hashFile.ts"
import { makeSealedFiles, type OtherFile, type OtherKind, otherFiles, type SealedFile } from "./inventory.ts"
import { listsThere, mergeLists } from "./mergeLists.ts"
import { needApart } from "./needApart.ts"
import { batchesOf, isAt, planSealed, receiptOf, type SealedPlan } from "./planSealed.ts"
import { endOrphan, OrphanNote } from "./orphan.ts"
import type { FilesProgress } from "../progressText.ts"
import { backupFolder, compact, load, type Receipt, targetsEver } from "./Receipts.ts"
import { type FailedFile, patiently, sendVerified, type Sent } from "./sendVerified.ts"
import { type Lists, listsHere, putLists, snapshotFile, snapshotHashes } from "./snapshot.ts"
import { leaveMark, needMark } from "./targetMark.ts"
import { logTransfers, readRuns, rememberRuns, type TransferEvent } from "./TransferLog.ts"

export interface BackupFolders {
  readonly dataDir: string
  readonly logDir: string
  readonly stateDir: string
}

export interface BackupOptions extends BackupFolders {
  readonly target: BackupTarget
  readonly selection: DaySelection
  /** After how many minutes sealed files are compressed; `off` where nobody will. */
  readonly gzip_minutes: number | "off"
  /** Only says what would be done. */
  readonly isDry?: boolean
  readonly onProgress?: (progress: FilesProgress) => Effect.Effect<void>
}

/** A file that got another form while it was sent is looked for again. */
const rounds_max = 3
const dayLength = "2026/11/20".length
const tick = "200 millis"

const fresh = (path: string) =>
  Effect.acquireRelease(
    Effect.tryPromise({
      try: async () => {
        await rm(path, { recursive: true, force: true })
        await mkdir(path, { recursive: true })
        return path
      },
      catch: (cause) => new DiskError({ operation: "make folder", path, code: systemCode(cause) })
    }),
    () => Effect.promise(() => rm(path, { recursive: true, force: true }).catch(() => undefined))
  )

const lengthOf = (path: string) =>
  Effect.promise(() =>
    stat(path).then(
      ({ size }) => size,
      () => undefined
    )
  )

const perform = Effect.fnUntraced(function* (options: BackupOptions, startedAtMs: number) {
  const { dataDir, gzip_minutes, isDry = false, logDir, onProgress, selection, stateDir, target } = options
  const tally = makeTally()
  const failed: Array<FailedFile> = []
  let waitsUntilMs: number | undefined
  const progress = { files: 0, filesTotal: 0, bytes: 0, bytesTotal: 0 }
  const log = (events: ReadonlyArray<TransferEvent>) => Effect.ignore(logTransfers(stateDir, events))
  yield* target.prepare
  yield* needApart(target, [dataDir, logDir, stateDir])
  const receipts = new Map(yield* load(stateDir))
  const scratch = isDry ? "" : yield* fresh(join(backupFolder(stateDir), "scratch"))
  const isKnown = (yield* targetsEver(stateDir)).has(target.name)
  if (!isDry && isKnown) yield* patiently(needMark(target, scratch))
  const staging = isDry ? "" : yield* fresh(join(backupFolder(stateDir), "staging"))
  const has = (file: HashedFile) => isAt(receipts, target.name, file)
  const sealedFiles = makeSealedFiles(dataDir)
  const nowMs = yield* marketNow
  let retired: ReadonlyArray<SealedFile> = []

  /** Bytes are passed twice: there, and back as a hash. */
  const expect = (files: ReadonlyArray<HashedFile>) => {
    progress.filesTotal += files.length
    progress.bytesTotal += files.reduce((sum, { bytes }) => sum + bytes, 0)
  }
  const onBytes = (bytes: number) => void (progress.bytes += bytes / 2)

  const note = Effect.fnUntraced(function* (kind: (file: string) => BackupKind, sent: Sent) {
    for (const each of sent.verified) {
      const receipt: Receipt = { ...each, at: "", target: target.name }
      const others = receipts.get(each.file)?.filter((other) => other.target !== target.name) ?? []
      receipts.set(each.file, [...others, receipt])
      tally.add(kind(each.file), { sent: 1, bytes: each.bytes })
    }
    for (const each of sent.failed) tally.add(kind(each.file), { failed: 1 })
    failed.push(...sent.failed)
    progress.files += sent.verified.length
    yield* log([
      ...sent.verified.map(({ bytes, file }) => ({ event: "file" as const, target: target.name, file, bytes })),
      ...sent.failed.map(({ file, reason }) => ({ event: "error" as const, target: target.name, file, reason }))
    ])
  })

  const sealed = Effect.gen(function* () {
    let plan: SealedPlan | undefined
    const tried = new Set<string>()
    for (let round = 0; round < rounds_max; round++) {
      const { files: here, retired: gone } = yield* sealedFiles(selection)
      retired = gone
      const found = planSealed(here, has, gzip_minutes, nowMs)
      const toSend = found.toSend.filter(({ file }) => !tried.has(file))
      if (plan === undefined) {
        const files = found.toSend.length + found.present.length + found.waiting.length
        const { length: waiting } = found.waiting
        tally.add("journal", { files, present: found.present.length, waiting })
        waitsUntilMs = found.waitsUntilMs
      }
      plan = found
      if (isDry) {
        const bytes = toSend.reduce((sum, each) => sum + each.bytes, 0)
        tally.add("journal", { sent: toSend.length, bytes })
        return new Set(toSend.map(({ file, sha256 }) => `${file} ${sha256}`))
      }
      expect(toSend)
      const vanished: Array<HashedFile> = []
      for (const batch of batchesOf(toSend)) {
        batch.forEach(({ file }) => tried.add(file))
        const sent = yield* sendVerified(batch, { target, stateDir, scratch, root: dataDir, onBytes }, false)
        vanished.push(...sent.vanished)
        yield* note(() => "journal", sent)
      }
      if (vanished.length === 0) break
      vanished.forEach(({ file }) => tried.delete(file))
      if (round === rounds_max - 1) {
        const reason = "the manifest names it and it is not there: observer verify says more"
        yield* note(() => "journal", {
          verified: [],
          vanished: [],
          failed: vanished.map(({ file }) => ({ file, reason }))
        })
      }
    }
    return new Set<string>()
  })

  /** Which of the files that are no sealed ones have changed; lists are cut down to what is at the target first. */
  const others = Effect.fnUntraced(function* (planned: ReadonlySet<string>) {
    const found = yield* otherFiles(dataDir, logDir, selection)
    const kinds = new Map(found.map(({ file, kind }) => [file, kind]))
    const kindOf = (file: string): OtherKind => kinds.get(file) ?? "others"
    const willHave = (file: HashedFile) => has(file) || planned.has(`${file.file} ${file.sha256}`)
    const changed: Array<OtherFile> = []
    for (const each of found) {
      tally.add(each.kind, { files: 1 })
      if (each.kind === "lists" && !isDry) continue
      const receipt = receiptOf(receipts, target.name, each.file)
      const isRotated = each.kind === "logs" && !each.file.endsWith("/observer.log")
      if (isRotated && receipt !== undefined && receipt.bytes === (yield* lengthOf(each.path))) {
        tally.add(each.kind, { present: 1 })
        continue
      }
      const hash = yield* hashFile(each.path)
      if (hash !== undefined && has({ file: each.file, ...hash })) tally.add(each.kind, { present: 1 })
      else if (hash !== undefined && isDry) tally.add(each.kind, { sent: 1, bytes: hash.bytes })
      else if (hash !== undefined) changed.push(each)
    }
    if (isDry) return
    for (const each of changed) yield* snapshotFile(staging, each)
    const listed = found.filter(({ kind }) => kind === "lists").map(({ file }) => file)
    const lists = new Map<string, Lists>()
    for (const day of new Set(listed.map((file) => file.slice(0, file.lastIndexOf("/"))))) {
      const here = yield* listsHere(dataDir, day, willHave)
      if (here !== undefined) lists.set(day, here)
    }
    const isChanged = ([day, { manifest }]: readonly [string, Lists]) =>
      !has({ file: `${day}/MANIFEST.jsonl`, ...textHash(manifest) })
    const changedDays = [...lists].filter(isChanged).map(([day]) => day)
    const theirs = yield* patiently(listsThere(target, changedDays, scratch))
    const held = new Map(theirs.files.map(({ bytes, file }) => [file, bytes]))
    for (const [day, ours] of lists) {
      const merged = mergeLists(
        day,
        ours,
        theirs.manifests.get(day) ?? "",
        ({ bytes, file }) => held.get(file) === bytes
      )
      yield* putLists(staging, day, merged)
    }
    // The lists of a day whose files are gone here and never were there are waited for in vain.
    const retiredDays = new Set(retired.map(({ day }) => day))
    const hashed = yield* snapshotHashes(staging, [...changed.map(({ file }) => file), ...listed])
    const toSend = hashed.filter((file) => !has(file))
    hashed.filter(has).forEach(({ file }) => tally.add(kindOf(file), { present: 1 }))
    listed
      .filter((file) => !hashed.some((each) => each.file === file) && !retiredDays.has(file.slice(0, dayLength)))
      .forEach(() => tally.add("lists", { waiting: 1 }))
    expect(toSend)
    for (const batch of batchesOf(toSend)) {
      yield* note(kindOf, yield* sendVerified(batch, { target, stateDir, scratch, root: staging, onBytes }, true))
    }
  })

  const start = { event: "start", target: target.name, pid: process.pid, files: 0, bytes: 0 } as const
  if (!isDry) {
    const { toSend } = planSealed((yield* sealedFiles(selection)).files, has, gzip_minutes, nowMs)
    yield* log([{ ...start, files: toSend.length, bytes: toSend.reduce((sum, { bytes }) => sum + bytes, 0) }])
  }
  const told = Effect.suspend(() => onProgress?.({ ...progress }) ?? Effect.void)
  const telling = Effect.forever(Effect.andThen(Effect.sleep(tick), told))
  const marked = isDry || isKnown ? Effect.void : patiently(leaveMark(target, scratch))
  const work = Effect.andThen(marked, Effect.flatMap(sealed, others))
  const stopped = yield* (onProgress === undefined ? work : Effect.raceFirst(work, telling)).pipe(
    Effect.as(undefined),
    Effect.catchTag("TargetError", (error) => Effect.succeed(error))
  )
  const elapsed_ms = (yield* Clock.currentTimeMillis) - startedAtMs
  const waits = waitsUntilMs === undefined ? {} : { waitsUntilMs }
  const onlyThere = retired.filter(has).length
  return {
    target: target.name,
    kinds: tally.report(),
    retired: { onlyThere, nowhere: retired.length - onlyThere },
    failed,
    stopped,
    elapsed_ms,
    ...waits
  } satisfies BackupReport
})

/** How a run ended: `reason` where not well. */
interface RunEnd {
  readonly reason: string | undefined
  readonly waiting: number
}

/** Keeps in mind how a run ended. One over some of the days says nothing of the others, unless it failed. */
const remember = Effect.fnUntraced(function* (
  options: BackupOptions,
  startedAtMs: number,
  { reason, waiting }: RunEnd
) {
  const { selection, stateDir, target } = options
  const isWell = reason === undefined
  if (!selection.isAll && isWell) return
  const before = yield* readRuns(stateDir, target.name)
  const endedAt = new Date(yield* marketNow).toISOString()
  const goodAt = isWell ? endedAt : before.goodAt
  yield* Effect.ignore(
    rememberRuns(stateDir, target.name, {
      startedAt: new Date(startedAtMs).toISOString(),
      endedAt,
      ...(goodAt === undefined ? {} : { goodAt }),
      failures: isWell ? 0 : before.failures + 1,
      waiting,
      ...(isWell ? {} : { reason })
    })
  )
})

/**
 * Copies to a target what is not there yet, and writes a receipt for each file that was then found right there. Sealed
 * files go first and the lists of their days last, so that at any moment the target's lists name nothing that is missing
 * there, and lists never lose a line whose file lies there. What an ended run has brought over is not brought again. Two at once exclude each other.
 */
export const runBackup = Effect.fn("Backup.run")(function* (options: BackupOptions) {
  const { isDry = false, stateDir, target } = options
  const startedAtMs = yield* Clock.currentTimeMillis
  const marketStartMs = yield* marketNow
  if (isDry) return yield* perform(options, startedAtMs)
  yield* FolderLock.acquire(backupFolder(stateDir), "backup")
  const orphanNote = join(backupFolder(stateDir), "child.json")
  yield* endOrphan(orphanNote)
  yield* compact(stateDir)
  const log = (events: ReadonlyArray<TransferEvent>) => Effect.ignore(logTransfers(stateDir, events))
  const report = yield* Effect.tapError(
    Effect.provideService(perform(options, startedAtMs), OrphanNote, orphanNote),
    ({ message: reason }) =>
      Effect.andThen(
        remember(options, marketStartMs, { reason, waiting: 0 }),
        log([{ event: "error", target: target.name, reason }])
      )
  )
  const { bytes, failed, sent: files } = totalOf(report)
  const seconds = Math.round(report.elapsed_ms / 100) / 10
  yield* remember(options, marketStartMs, { reason: reasonOf(report), waiting: report.kinds.journal.waiting })
  if (report.stopped !== undefined)
    yield* log([{ event: "error", target: target.name, reason: report.stopped.message }])
  yield* log([{ event: "end", target: target.name, ok: isGood(report), files, failed, bytes, seconds }])
  return report
}, Effect.scoped)
