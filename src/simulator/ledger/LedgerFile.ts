import { closeSync, mkdirSync, openSync, writeSync } from "node:fs"
import { join } from "node:path"

/** Text that may wait in memory before it is written. */
const buffered_chars = 262_144

/**
 * The file of one run of the exchange. Writes are synchronous and large: the ledger is written from inside a market
 * step, which cannot wait, and a queue that grows while the disk is slow would be worse than a short stop. When the disk
 * refuses, the file ends there, with the reason; the exchange goes on.
 */
export const openLedgerFile = (folder: string, name: string) => {
  mkdirSync(folder, { recursive: true })
  const path = join(folder, name)
  const handle = openSync(path, "wx")
  let waiting = ""
  let failed: string | undefined

  const flush = (): void => {
    if (failed !== undefined || waiting === "") return
    const bytes = Buffer.from(waiting)
    waiting = ""
    try {
      for (let at = 0; at < bytes.length;) at += writeSync(handle, bytes, at)
    } catch (cause) {
      failed = cause instanceof Error ? cause.message : String(cause)
    }
  }
  return {
    path,
    /** Why nothing is written any more. */
    failed: (): string | undefined => failed,
    append: (line: string): void => {
      if (failed !== undefined) return
      waiting += `${line}\n`
      if (waiting.length >= buffered_chars) flush()
    },
    flush,
    close: (): void => {
      flush()
      closeSync(handle)
    }
  }
}

export type LedgerFile = ReturnType<typeof openLedgerFile>
