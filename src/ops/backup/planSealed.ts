import type { HashedFile } from "./BackupTarget.ts"
import type { SealedFile } from "./inventory.ts"
import type { Receipt, ReceiptBook } from "./Receipts.ts"

/** A plain file that is about to be compressed is waited for so long beyond its time, so that it is not sent twice. */
const compressor_late_ms = 3 * 3_600_000

export interface SealedPlan {
  readonly toSend: ReadonlyArray<SealedFile>
  readonly present: ReadonlyArray<SealedFile>
  readonly waiting: ReadonlyArray<SealedFile>
  /** When the last of those that wait is compressed at the latest, market time; absent where none waits. */
  readonly waitsUntilMs?: number
}

/** The compressor takes files one by one. */
export const compressed_ms = 10 * 60_000

/** The receipt that one target has given for a file, if any. */
export const receiptOf = (book: ReceiptBook, target: string, file: string): Receipt | undefined =>
  book.get(file)?.find((receipt) => receipt.target === target)

/** Whether a target has a file with this very content. */
export const isAt = (book: ReceiptBook, target: string, { bytes, file, sha256 }: HashedFile): boolean => {
  const receipt = receiptOf(book, target, file)
  return receipt?.sha256 === sha256 && receipt.bytes === bytes
}

/** What of the sealed files is to be sent, the oldest first. Market time, UTC milliseconds. */
export const planSealed = (
  files: ReadonlyArray<SealedFile>,
  has: (file: HashedFile) => boolean,
  gzip_minutes: number | "off",
  nowMs: number
): SealedPlan => {
  const wait_ms = gzip_minutes === "off" ? 0 : gzip_minutes * 60_000 + compressor_late_ms
  const isSoonPacked = ({ isPacked, sealedAtMs }: SealedFile) => !isPacked && nowMs - sealedAtMs < wait_ms
  const [toSend, present, waiting]: [Array<SealedFile>, Array<SealedFile>, Array<SealedFile>] = [[], [], []]
  for (const file of files) (has(file) ? present : isSoonPacked(file) ? waiting : toSend).push(file)
  const last_ms = Math.max(0, ...waiting.map(({ sealedAtMs }) => sealedAtMs))
  if (gzip_minutes === "off" || waiting.length === 0) return { toSend, present, waiting }
  // One that is late already is waited for as long as one of now.
  const waitsUntilMs = Math.max(last_ms + gzip_minutes * 60_000, nowMs) + compressed_ms
  return { toSend, present, waiting, waitsUntilMs }
}

const batch_bytes_max = 256 * 1024 * 1024
const batch_files_max = 200

/** Files in parts, each of which is sent, held against its hashes and receipted before the next. */
export const batchesOf = <F extends { readonly bytes: number }>(
  files: ReadonlyArray<F>
): ReadonlyArray<ReadonlyArray<F>> => {
  const batches: Array<Array<F>> = []
  let bytes = 0
  for (const file of files) {
    const last = batches.at(-1)
    if (last === undefined || last.length >= batch_files_max || bytes + file.bytes > batch_bytes_max) {
      batches.push([file])
      bytes = 0
    } else last.push(file)
    bytes += file.bytes
  }
  return batches
}
