import type { FolderState } from "./judgeLook.ts"

const again_ms = 60_000

/** When old days are to be looked at because room is short: at once, and each minute while it is so, for what was not yet backed up may be by then. */
export class RoomWish {
  private state: FolderState = "ok"
  private askedAtMs = Number.NEGATIVE_INFINITY

  /** Asked after each look. */
  isDue(state: FolderState, atMs: number): boolean {
    const isNew = state !== this.state
    this.state = state
    if (state !== "low" && state !== "full") return false
    if (!isNew && Math.abs(atMs - this.askedAtMs) < again_ms) return false
    this.askedAtMs = atMs
    return true
  }
}
