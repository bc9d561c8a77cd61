import { Effect, Metric } from "effect"
import type { BackupStatus } from "../Backup.ts"
import type { DiskStatus, FolderStatus } from "../DiskWatch.ts"

const gauge = (name: string, description: string) => Metric.gauge(name, { description })

const free = gauge("observer_disk_free_bytes", "Bytes that may still be written to a folder's file system")
const full = gauge(
  "observer_disk_full_hours",
  "Hours until a folder's file system is full at the pace of late; +Inf while it does not fill"
)
const state = gauge("observer_folder_state", "1 for the state that a folder is in, 0 for the others")
const age = gauge("observer_backup_age_seconds", "Age of the oldest sealed file that is not verified at the target")
const unbacked = gauge("observer_backup_unbacked_bytes", "Bytes of sealed files that are not verified at the target")

const states: ReadonlyArray<FolderStatus["state"]> = ["ok", "low", "full", "readOnly", "missing", "unreadable"]

/** Writes what is known of the folders into the metrics. */
export const refreshDiskMeters = Effect.fnUntraced(function* ({ folders }: DiskStatus) {
  for (const { free_bytes, full_hours, name, state: found } of folders) {
    const of = <Input, State>(metric: Metric.Metric<Input, State>, more: Record<string, string> = {}) =>
      Metric.withAttributes(metric, { folder: name, ...more })
    if (free_bytes !== undefined) yield* Metric.update(of(free), free_bytes)
    yield* Metric.update(of(full), full_hours ?? Number.POSITIVE_INFINITY)
    for (const each of states) yield* Metric.update(of(state, { state: each }), each === found ? 1 : 0)
  }
})

/** Writes how far the backup has come into the metrics. */
export const refreshBackupMeters = Effect.fnUntraced(function* ({ age_seconds, unbacked: waiting }: BackupStatus) {
  yield* Metric.update(age, age_seconds)
  yield* Metric.update(unbacked, waiting.bytes)
})
