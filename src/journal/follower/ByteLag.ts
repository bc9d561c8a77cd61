import type { JournalChunk, Position } from "../Position.ts"

/** Bytes of a file that a chunk takes which was read from a place on: a chunk of another file begins with that file. */
export const chunkBytes = (from: Position, { end }: JournalChunk): number =>
  end.file === from.file ? end.byteOffset - from.byteOffset : end.byteOffset

interface Step {
  readonly to: Position
  readonly bytes: number
}

/**
 * How many bytes of the record a follower has not stored. Measured once, when its cursor is first known, and from then on
 * counted with what is appended and what is stored, so that asking costs nothing.
 */
export class ByteLag {
  private seq: number | undefined
  private pending: Step | undefined
  private behind_bytes = 0
  private appended_bytes = 0

  /** Whether the count does not reach to a place: the first one, or one that somebody else has set. */
  isLostAt(place: Position): boolean {
    if (this.pending?.to.seq === place.seq) this.stored()
    return this.seq !== place.seq
  }

  measured(place: Position, behind_bytes: number, appended_bytes: number): void {
    this.seq = place.seq
    this.behind_bytes = behind_bytes
    this.appended_bytes = appended_bytes
  }

  /** A batch is being stored. Whether it is may be known only from the cursor, after an answer that was lost. */
  storing(step: Step): void {
    this.pending = step
  }

  stored(): void {
    if (this.pending === undefined) return
    this.seq = this.pending.to.seq
    this.behind_bytes -= this.pending.bytes
    this.pending = undefined
  }

  /** @param appended_bytes of the journal, since the same moment as when it was measured */
  now(appended_bytes: number): number {
    return this.seq === undefined ? 0 : Math.max(0, this.behind_bytes + appended_bytes - this.appended_bytes)
  }
}
