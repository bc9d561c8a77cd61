import { Effect } from "effect"
import type { FoundFile } from "./Listing.ts"
import { type OnRecord, scanFile } from "./scanFile.ts"

/** What a file is scanned with while an observer may be writing. */
export interface Listening {
  readonly dataDir: string
  readonly onBytes: (bytes: number) => Effect.Effect<void>
  readonly onRecord: OnRecord | undefined
  /** Lines told of each file, by the name it has once it is sealed. */
  readonly told: Map<string, number>
}

/**
 * Scans a file; `undefined` when it is not there, or is sealed, or packed and removed, while it is read. Whatever was told
 * of it until then is not told again when it is scanned in its next form: its lines are the same.
 */
export const scanListened = Effect.fnUntraced(function* (
  { dataDir, onBytes, onRecord, told }: Listening,
  file: FoundFile
) {
  const { day, name, node = "", path } = file
  const key = `${day}/${name}`
  const alreadyTold = told.get(key) ?? 0
  let lastTold = alreadyTold
  let read_bytes = 0
  const count = (bytes: number) => {
    read_bytes += bytes
    return onBytes(bytes)
  }
  const listen: Parameters<typeof scanFile>[3] =
    onRecord &&
    ((record, line) => {
      if (line <= alreadyTold) return
      lastTold = line
      onRecord(record, node, path)
    })
  return yield* scanFile(dataDir, file, count, listen).pipe(
    Effect.catchIf(
      ({ code }) => code === "ENOENT",
      () => Effect.as(onBytes(-read_bytes), undefined)
    ),
    Effect.ensuring(Effect.sync(() => told.set(key, lastTold)))
  )
})
