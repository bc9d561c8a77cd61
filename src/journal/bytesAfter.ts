import { Effect } from "effect"
import type { DiskError } from "./Disk.ts"
import { readManifest } from "./Manifest.ts"
import { JournalReadError } from "./JournalError.ts"
import type { Position } from "./Position.ts"
import { readRetired } from "./RetiredDay.ts"
import { listDays } from "./Segments.ts"

const unreadable = ({ message, path }: DiskError) => new JournalReadError({ file: path, detail: message })

/** Bytes of a node's record between two places, over all files between them, as the manifests say. */
export const bytesAfter = Effect.fnUntraced(function* (dataDir: string, node: string, from: Position, head: Position) {
  if (from.seq >= head.seq) return 0
  if (from.file === head.file) return Math.max(0, head.byteOffset - from.byteOffset)
  let bytes = head.byteOffset
  for (const day of yield* listDays(dataDir)) {
    if ((yield* readRetired(dataDir, day)) !== undefined) continue
    for (const line of yield* readManifest(dataDir, day)) {
      const file = `${day}/${line.file}`
      const isBetween = line.node === node && line.lastSeq > from.seq && line.firstSeq <= head.seq
      if (isBetween && file !== head.file) bytes += file === from.file ? line.bytes - from.byteOffset : line.bytes
    }
  }
  return Math.max(0, bytes)
}, Effect.mapError(unreadable))
