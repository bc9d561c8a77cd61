import { otherKinds } from "./inventory.ts"
import type { TargetError } from "./BackupTarget.ts"
import type { FailedFile } from "./sendVerified.ts"

export const backupKinds = ["journal", ...otherKinds] as const
export type BackupKind = (typeof backupKinds)[number]

export interface KindCount {
  readonly files: number
  /** They were at the target before. */
  readonly present: number
  /** Sent and found right there. In a dry run: to be sent. */
  readonly sent: number
  /** Left for later: they are about to be compressed. */
  readonly waiting: number
  readonly failed: number
  readonly bytes: number
}

export interface BackupReport {
  readonly target: string
  readonly kinds: Readonly<Record<BackupKind, KindCount>>
  /** Files that the retention has deleted here: those that are at this target, and those that it has no receipt for. */
  readonly retired: { readonly onlyThere: number; readonly nowhere: number }
  readonly failed: ReadonlyArray<FailedFile>
  /** Why it ended before its end. */
  readonly stopped: TargetError | undefined
  /** From when on a run sends what waits now to be compressed, market time in UTC milliseconds. */
  readonly waitsUntilMs?: number
  readonly elapsed_ms: number
}

export const isGood = ({ failed, stopped }: BackupReport): boolean => failed.length === 0 && stopped === undefined

const eachCount = (of: (name: keyof KindCount) => number): KindCount => ({
  files: of("files"),
  present: of("present"),
  sent: of("sent"),
  waiting: of("waiting"),
  failed: of("failed"),
  bytes: of("bytes")
})

/** Counts of one run, by kind, as they grow. */
export const makeTally = () => {
  const kinds = new Map<BackupKind, KindCount>()
  const none: KindCount = { files: 0, present: 0, sent: 0, waiting: 0, failed: 0, bytes: 0 }
  const add = (kind: BackupKind, more: Partial<KindCount>): void => {
    const is = kinds.get(kind) ?? none
    const sum = (name: keyof KindCount) => is[name] + (more[name] ?? 0)
    kinds.set(kind, eachCount(sum))
  }
  const report = () =>
    Object.fromEntries(backupKinds.map((kind) => [kind, kinds.get(kind) ?? none])) as Record<BackupKind, KindCount>
  return { add, report }
}

/** What was sent in all, of all kinds. */
export const totalOf = ({ kinds }: BackupReport): KindCount => {
  const sum = (name: keyof KindCount) => Object.values(kinds).reduce((total, kind) => total + kind[name], 0)
  return eachCount(sum)
}

export const reasonOf = ({ failed, stopped }: BackupReport): string | undefined => {
  const [first] = failed
  if (stopped !== undefined) return stopped.message
  if (first === undefined) return undefined
  const more = failed.length === 1 ? "" : `, and ${failed.length - 1} files more`
  return `${first.file}: ${first.reason}${more}`
}
