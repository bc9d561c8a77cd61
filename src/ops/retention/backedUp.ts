import { Effect } from "effect"
import { load, type ReceiptBook } from "../backup/Receipts.ts"
import type { OldDay } from "./inspectDay.ts"

type Kept = Pick<OldDay, "files" | "manifest">

const none: ReceiptBook = new Map()

/** Whether some target has a file of such a length, and where it is known of such a hash. */
const isAtSome = (
  book: ReceiptBook,
  { bytes, file, sha256 }: { readonly file: string; readonly bytes: number; readonly sha256?: string }
): boolean =>
  (book.get(file) ?? []).some(
    (receipt) => receipt.bytes === bytes && (sha256 === undefined || receipt.sha256 === sha256)
  )

/**
 * Whether everything of a day is kept elsewhere, by the receipts that hold. Where they cannot be read, nothing is known to
 * be kept.
 */
export const isBackedUp = Effect.fnUntraced(function* (stateDir: string, { files, manifest }: Kept) {
  const own = new Set([manifest.file, ...files.map(({ file }) => file)])
  const book = yield* load(stateDir, (file) => own.has(file)).pipe(
    Effect.catch(({ message: reason }) =>
      Effect.as(
        Effect.logWarning("the receipts of the backup cannot be read: no day counts as backed up", { reason }),
        none
      )
    )
  )
  return [manifest, ...files].every((each) => isAtSome(book, each))
})
