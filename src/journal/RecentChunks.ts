import type { JournalRecord } from "../domain/JournalRecord.ts"
import type { JournalChunk } from "./Position.ts"

/**
 * The newest chunks of the journal, kept in memory for followers near the head. Older ones are dropped as soon as the
 * limit is passed: a follower that falls behind reads them from disk, so it costs no memory to lag.
 */
export class RecentChunks {
  private readonly limit: number
  private chunks: Array<JournalChunk> = []
  private records = 0

  /** @param limit records kept at the most, but never less than the newest chunk. */
  constructor(limit: number) {
    this.limit = limit
  }

  add(chunk: JournalChunk): void {
    this.chunks.push(chunk)
    this.records += chunk.records.length
    while (this.records > this.limit && this.chunks.length > 1) {
      this.records -= this.chunks.shift()?.records.length ?? 0
    }
  }

  /** The records after `seq` up to the end of the chunk that holds the next one; `undefined` when it lies before the memory. */
  after(seq: number): JournalChunk | undefined {
    const oldest = this.chunks[0]?.records[0]?.seq
    if (oldest === undefined || seq + 1 < oldest) return undefined
    let low = 0
    let high = this.chunks.length - 1
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.chunks[middle]?.end.seq ?? 0) > seq) high = middle
      else low = middle + 1
    }
    const chunk = this.chunks[low]
    if (chunk === undefined || chunk.end.seq <= seq) return undefined
    const first = chunk.records[0]?.seq ?? 0
    if (first > seq) return chunk
    const records: ReadonlyArray<JournalRecord> = chunk.records.slice(seq + 1 - first)
    return { records, end: chunk.end }
  }
}
