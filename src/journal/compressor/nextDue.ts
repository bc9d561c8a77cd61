import { Effect } from "effect"
import { type ManifestLine, readManifest } from "../Manifest.ts"
import { nameInDay } from "../SegmentName.ts"
import { listDays, listSegments } from "../Segments.ts"

/** A sealed file that is to be compressed. */
export interface Due {
  readonly day: string
  readonly line: ManifestLine
}

export interface DueOptions {
  readonly dataDir: string
  /** Days before it hold nothing to compress. */
  readonly fromDay: string
  readonly nowMs: number
  /** How long a file has been sealed before it is due. */
  readonly after_ms: number
  /** Files, relative to the data folder, that are left as they are. */
  readonly except: ReadonlySet<string>
}

/** Sealed so long ago. What the clock says is sealed later than now is older than a clock that was set back. */
const isDue = ({ sealedAt }: ManifestLine, { after_ms, nowMs }: DueOptions): boolean => {
  const age_ms = nowMs - Date.parse(sealedAt)
  return age_ms < 0 || age_ms >= after_ms
}

/**
 * The oldest file that is due, and the day from which on there may be more. A file that is in no manifest is not known to
 * be whole, and left.
 */
export const nextDue = Effect.fnUntraced(function* (options: DueOptions) {
  const { dataDir, except } = options
  let fromDay: string | undefined
  let newestDay = options.fromDay
  for (const day of yield* listDays(dataDir, options.fromDay)) {
    newestDay = day
    const segments = yield* listSegments(dataDir, day)
    const plain = segments.filter(({ file, gzip, open }) => !gzip && !open && !except.has(file))
    if (plain.length === 0) continue
    const names = new Set(plain.map(({ file }) => nameInDay(file)))
    for (const line of yield* readManifest(dataDir, day)) {
      if (!names.has(line.file)) continue
      fromDay ??= day
      if (isDue(line, options)) return { fromDay, due: { day, line } satisfies Due }
    }
  }
  return { fromDay: fromDay ?? newestDay, due: undefined }
})
