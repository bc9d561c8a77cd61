import { Effect } from "effect"
import { marketNow } from "../../calendar/MarketClock.ts"
import { byteWords, spanWords } from "../amountWords.ts"
import type { BackupTarget } from "../backup/BackupTarget.ts"
import { makeSealedFiles } from "../backup/inventory.ts"
import { load } from "../backup/Receipts.ts"
import { readRuns } from "../backup/TransferLog.ts"
import { unbackedAt } from "../backup/unbacked.ts"
import { plural } from "../countWords.ts"
import type { Check } from "../Doctor.ts"
import { fail, type Finding, ok, skipped, warn } from "./Finding.ts"

const name = "backup"
const hour_ms = 3_600_000
/** A share whose server is away answers nothing; the files are told of all the same. */
const prepare_limit = "10 seconds"

/** The target as far as a look tells: its folder, or the program that is needed for it. */
const ofTarget = ({ name: target, prepare }: BackupTarget) => {
  const advice = "a target that cannot be used is not backed up to (docs/backup.md)"
  const late = fail(name, `${target} does not answer`, advice, { details: { target } })
  return prepare.pipe(
    Effect.match({
      onSuccess: (): ReadonlyArray<Finding> => [],
      onFailure: ({ message, reason }) => [fail(name, message, advice, { details: { target, reason } })]
    }),
    Effect.timeoutOrElse({ duration: prepare_limit, orElse: () => Effect.succeed([late]) })
  )
}

/** Where copies go: whether that can be used, and how long sealed files have waited for it, by the receipts that hold. */
export const backups: Check = {
  name,
  look: Effect.fnUntraced(function* ({ backup, dataDir, stateDir }) {
    if (backup === undefined) {
      const targets = new Set([...(yield* load(stateDir)).values()].flat().map(({ target }) => target))
      const before = targets.size === 0 ? "" : `; there were backups to ${[...targets].join(", ")}`
      return [skipped(name, `no target is set${before}`, "set OBSERVER_BACKUP_TARGET (docs/backup.md)")]
    }
    const { age_hours, target } = backup
    const nowMs = yield* marketNow
    const [unbacked, runs, trouble] = yield* Effect.all(
      [unbackedAt(makeSealedFiles(dataDir), stateDir, target.name), readRuns(stateDir, target.name), ofTarget(target)],
      { concurrency: 3 }
    )
    const { bytes, files, sealedAtMs = nowMs } = unbacked
    const age_ms = Math.max(0, nowMs - sealedAtMs)
    const details = { target: target.name, files, bytes, age_seconds: Math.round(age_ms / 1_000), ...runs }
    const last = runs.goodAt === undefined ? "no run has ended well yet" : `the last good run was at ${runs.goodAt}`
    const waits = `${plural(files, "sealed file")} of ${byteWords(bytes)} not there yet, the oldest for ${spanWords(age_ms)}`
    const words = `${target.name}: ${files === 0 ? "every sealed file is verified there" : waits}; ${last}`
    const advice = "observer backup says why; its schedule is OBSERVER_BACKUP_SCHEDULE"
    if (age_ms > age_hours * hour_ms) return [...trouble, warn(name, words, advice, { details })]
    if (runs.failures > 0) {
      const failed = `${words}; the last ${plural(runs.failures, "run")} failed${runs.reason === undefined ? "" : `: ${runs.reason}`}`
      return [...trouble, warn(name, failed, advice, { details })]
    }
    return [...trouble, ok(name, words, { details })]
  })
}
