import { Effect } from "effect"
import type { HashedFile } from "./BackupTarget.ts"
import { allDays } from "./DaySelection.ts"
import type { makeSealedFiles } from "./inventory.ts"
import { isAt } from "./planSealed.ts"
import { load } from "./Receipts.ts"

export interface Unbacked {
  readonly files: number
  readonly bytes: number
  /** UTC milliseconds of market time, of the oldest; absent when there is none. */
  readonly sealedAtMs?: number
}

/** Sealed files that are here and have no receipt of a target yet. */
export const unbackedAt = Effect.fnUntraced(function* (
  sealedFiles: ReturnType<typeof makeSealedFiles>,
  stateDir: string,
  target: string
) {
  const receipts = yield* load(stateDir)
  const files = (yield* sealedFiles(allDays)).files.filter((file: HashedFile) => !isAt(receipts, target, file))
  const sealedAtMs = Math.min(...files.map((file) => file.sealedAtMs))
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0)
  return { files: files.length, bytes, ...(files.length === 0 ? {} : { sealedAtMs }) } satisfies Unbacked
})
