import { Effect } from "effect"
import { load, type ReceiptBook } from "../backup/Receipts.ts"
import type { OldDay } from "./inspectDay.ts"

type Kept = Pick<OldDay, "files" | "manifest">

const none: ReceiptBook = new Map()

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
 * Whether everything of a day is at one target, by the receipts that hold. Where they cannot be read, nothing is known to
 * be kept.
 *
 * @param target the one that is backed up to now: a copy that was left behind elsewhere may be gone
 */
export const isBackedUp = Effect.fnUntraced(function* (stateDir: string, target: string, { files, manifest }: Kept) {
  const own = new Set([manifest.file, ...files.map(({ file }) => file)])
  const book = yield* load(stateDir, (file) => own.has(file)).pipe(
    Effect.catch(({ message: reason }) =>
      Effect.as(
        Effect.logWarning("the receipts of the backup cannot be read: no day counts as backed up", { reason }),
        none
      )
    )
  )
  return [manifest, ...files].every((each) => isAtTarget(book, target, each))
})
