/** Since when there have been records that a power cut would take. */
export class Unsynced {
  /** When the oldest of them was written, UTC milliseconds; absent while there is none. */
  oldestAtMs: number | undefined
  /** When the first record was written that the sync under way does not cover. */
  private laterAtMs: number | undefined

  wrote(atMs: number): void {
    this.oldestAtMs ??= atMs
    this.laterAtMs ??= atMs
  }

  /** What is written from now on is for the next sync. */
  begun(): void {
    this.laterAtMs = undefined
  }

  /** The sync that was begun last has succeeded. */
  synced(): void {
    this.oldestAtMs = this.laterAtMs
  }

  /** Everything survives. */
  clear(): void {
    this.oldestAtMs = undefined
    this.laterAtMs = undefined
  }
}
