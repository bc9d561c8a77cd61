import { Effect } from "effect"
import { load, type ReceiptBook } from "../backup/Receipts.ts"
import type { OldDay } from "./inspectDay.ts"

/** The receipts that hold of some days (`2026/11/20`). Where they cannot be read, nothing is known to be kept. */
export const receiptsOf = (stateDir: string, days: ReadonlyArray<string>): Effect.Effect<ReceiptBook> => {
  const asked = new Set(days)
  const lengthOfDay = "2026/11/20".length
  return load(stateDir, (file) => asked.has(file.slice(0, lengthOfDay))).pipe(
    Effect.catch(({ message: reason }) =>
      Effect.as(
        Effect.logWarning("the receipts of the backup cannot be read: no day counts as backed up", { reason }),
        new Map()
      )
    )
  )
}

/** Whether a target has a file of such a length, and where it is known of such a hash. */
const isAtTarget = (
  book: ReceiptBook,
  target: string,
  { bytes, file, sha256 }: { readonly file: string; readonly bytes: number; readonly sha256?: string }
): boolean =>
  (book.get(file) ?? []).some(
    (receipt) =>
      receipt.target === target && receipt.bytes === bytes && (sha256 === undefined || receipt.sha256 === sha256)
  )

/**
 * Whether everything of a day is at one target.
 *
 * @param target the one that is backed up to now, if any: a copy that was left behind elsewhere may be gone
 */
export const isBackedUp = (
  book: ReceiptBook,
  target: string | undefined,
  { files, manifest }: Pick<OldDay, "files" | "manifest">
): boolean => target !== undefined && [manifest, ...files].every((each) => isAtTarget(book, target, each))
