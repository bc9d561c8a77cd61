import { Clock, Effect } from "effect"
import { join } from "node:path"
import { Disk } from "../../journal/Disk.ts"
import { spanWords } from "../amountWords.ts"
import type { Check } from "../Doctor.ts"
import { ok, skipped, warn } from "./Finding.ts"

/** A backup a day, and some hours for the transfer. */
const age_ms_max = 30 * 3_600_000
/** The newest receipts are at the end, a line each of some two hundred bytes. */
const tail_bytes = 65_536

interface Receipt {
  readonly at: string
  readonly target: string
}

const isReceipt = (value: unknown): value is Receipt =>
  typeof value === "object" &&
  value !== null &&
  "at" in value &&
  "target" in value &&
  typeof value.at === "string" &&
  typeof value.target === "string" &&
  !Number.isNaN(Date.parse(value.at))

const receiptsIn = (text: string): ReadonlyArray<Receipt> =>
  text.split("\n").flatMap((line) => {
    try {
      const value: unknown = JSON.parse(line)
      return isReceipt(value) ? [value] : []
    } catch {
      return []
    }
  })

/** When a file was last verified at a target, by the receipts. */
export const backups: Check = {
  name: "backup",
  look: Effect.fnUntraced(function* ({ stateDir }) {
    const name = "backup"
    const nowMs = yield* Clock.currentTimeMillis
    const disk = yield* Disk
    const path = join(stateDir, "backup", "receipts.jsonl")
    const size = yield* disk.size(path)
    if (size === undefined || size === 0) {
      return [skipped(name, "nothing was ever backed up from here", "set OBSERVER_BACKUP_TARGET (docs/backup.md)")]
    }
    const from = Math.max(0, size - tail_bytes)
    const receipts = receiptsIn(Buffer.from(yield* disk.readAt(path, from, size - from)).toString("utf8"))
    const newest = new Map(receipts.map(({ at, target }) => [target, at]))
    if (newest.size === 0) {
      return [warn(name, "the receipts cannot be read", `look at ${path}; observer backup writes new ones`)]
    }
    return [...newest].map(([target, at]) => {
      const age_ms = nowMs - Date.parse(at)
      const words = `a file was last verified at ${target} ${spanWords(age_ms)} ago`
      const details = { target, at, age_seconds: Math.round(age_ms / 1_000) }
      return age_ms <= age_ms_max
        ? ok(name, words, { details })
        : warn(name, words, "observer backup says why; its schedule is OBSERVER_BACKUP_SCHEDULE", { details })
    })
  })
}
