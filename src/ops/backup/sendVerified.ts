import { Clock, Effect, Schedule } from "effect"
import { join } from "node:path"
import type { DiskError } from "../../journal/Disk.ts"
import type { BackupTarget, Found, HashedFile, OnBytes, TargetError } from "./BackupTarget.ts"
import { hashFile } from "./hashFile.ts"
import { append } from "./Receipts.ts"

export interface FailedFile {
  readonly file: string
  readonly reason: string
}

export interface Sent {
  readonly verified: ReadonlyArray<HashedFile>
  readonly failed: ReadonlyArray<FailedFile>
  /** They were there when the batch was made, and are not now: they have another form. */
  readonly vanished: ReadonlyArray<HashedFile>
}

const retries_max = 2
const retry = Schedule.exponential("2 seconds").pipe(Schedule.jittered, Schedule.upTo({ times: retries_max }))

/** Tries again what may go well a little later. */
export const patiently = <A, E extends TargetError | DiskError>(effect: Effect.Effect<A, E>) =>
  Effect.retry(effect, { schedule: retry, while: (error: E) => error._tag === "TargetError" && error.retryable })

interface SendOptions {
  readonly target: BackupTarget
  readonly stateDir: string
  readonly scratch: string
  /** The folder the files are below of. */
  readonly root: string
  readonly onBytes: OnBytes
}

/** Of some files those whose content here is what it should be: a damaged one must not take the place of a good copy. */
const judgeHere = Effect.fnUntraced(function* (root: string, files: ReadonlyArray<HashedFile>) {
  const [good, vanished, failed]: [Array<HashedFile>, Array<HashedFile>, Array<FailedFile>] = [[], [], []]
  for (const each of files) {
    const is = yield* hashFile(join(root, ...each.file.split("/")))
    if (is === undefined) vanished.push(each)
    else if (is.sha256 === each.sha256 && is.bytes === each.bytes) good.push(each)
    else {
      const reason =
        "here it is not what was sealed, and was not sent: observer verify says more, observer restore brings it back"
      failed.push({ file: each.file, reason })
    }
  }
  return { good, vanished, failed }
})

/**
 * Sends files and holds them against their hashes at the target; what is not right there is sent once more, whatever its
 * length and time say. What is right then has its receipt, on disk, before this returns.
 */
export const sendVerified: (
  files: ReadonlyArray<HashedFile>,
  options: SendOptions,
  isForced: boolean
) => Effect.Effect<Sent, TargetError | DiskError> = Effect.fn("Backup.send")(function* (
  files,
  { onBytes, root, scratch, stateDir, target },
  isForced
) {
  const { failed, good, vanished } = yield* judgeHere(root, files)
  const look = (some: ReadonlyArray<HashedFile>) =>
    some.length === 0
      ? Effect.succeed<ReadonlyMap<string, Found>>(new Map())
      : patiently(target.check(some, { root, scratch, onBytes }))
  const send = (some: ReadonlyArray<HashedFile>, again: boolean) =>
    some.length === 0 ? Effect.undefined : patiently(target.send(root, some, { again, onBytes }))

  const complaint = yield* send(good, isForced)
  const first = yield* look(good)
  const wrong = good.filter(({ file }) => first.get(file) !== "same")
  const second = yield* send(wrong, true)
  const later = yield* look(wrong)
  const stillWrong = wrong.filter(({ file }) => later.get(file) !== "same")
  const isWrong = new Set(stillWrong.map(({ file }) => file))
  const verified = good.filter(({ file }) => !isWrong.has(file))

  const at = new Date(yield* Clock.currentTimeMillis).toISOString()
  yield* append(
    stateDir,
    verified.map(({ bytes, file, sha256 }) => ({ at, target: target.name, file, bytes, sha256 }))
  )
  // It may have got its other form between the hash and the copy.
  const gone = yield* judgeHere(root, stillWrong)
  return {
    verified,
    vanished: [...vanished, ...gone.vanished],
    failed: [
      ...failed,
      ...stillWrong
        .filter(({ file }) => !gone.vanished.some((each) => each.file === file))
        .map(({ file }) => {
          const said = second ?? complaint
          const how = later.get(file) === "damaged" ? "its content there is another, sent twice" : "it did not arrive"
          return { file, reason: said === undefined ? how : `${how}: ${said}` }
        })
    ]
  }
})
