import type { JournalRecord, RecordDraft } from "../domain/JournalRecord.ts"
import type { JournalChunk, Position } from "./Position.ts"

type Numberer = (draft: RecordDraft, seq: number) => JournalRecord

/**
 * The newest chunks of the journal, kept in memory for followers near the head. Older ones are dropped as soon as the
 * limit is passed: a follower that falls behind reads them from disk, so it costs no memory to lag. Records are made of
 * the drafts when the first follower asks, and never on the way of an append.
 */
export class RecentChunks {
  private readonly limit: number
  private readonly number: Numberer
  private chunks: Array<RecentChunk> = []
  private records = 0

  /** @param limit records kept at the most, but never less than the newest chunk. */
  constructor(limit: number, number: Numberer) {
    this.limit = limit
    this.number = number
  }

  /** What has been written up to `end`, which follows what was added before. */
  add(drafts: ReadonlyArray<RecordDraft>, end: Position): void {
    this.chunks.push(new RecentChunk(drafts, end, this.number))
    this.records += drafts.length
    while (this.records > this.limit && this.chunks.length > 1) {
      this.records -= this.chunks.shift()?.length ?? 0
    }
  }

  /** The records after `seq` up to the end of the chunk that holds the next one; `undefined` when it lies before the memory. */
  after(seq: number): JournalChunk | undefined {
    const oldest = this.chunks[0]
    if (oldest === undefined || seq + 1 < oldest.firstSeq) return undefined
    let low = 0
    let high = this.chunks.length - 1
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.chunks[middle]?.end.seq ?? 0) > seq) high = middle
      else low = middle + 1
    }
    const chunk = this.chunks[low]
    if (chunk === undefined || chunk.end.seq <= seq) return undefined
    const { end, firstSeq } = chunk
    return { records: firstSeq > seq ? chunk.records : chunk.records.slice(seq + 1 - firstSeq), end }
  }
}

class RecentChunk {
  readonly end: Position
  readonly firstSeq: number
  readonly length: number
  private made: ReadonlyArray<JournalRecord> | undefined
  private drafts: ReadonlyArray<RecordDraft>
  private readonly number: Numberer

  constructor(drafts: ReadonlyArray<RecordDraft>, end: Position, number: Numberer) {
    this.end = end
    this.length = drafts.length
    this.firstSeq = end.seq - drafts.length + 1
    this.drafts = drafts
    this.number = number
  }

  get records(): ReadonlyArray<JournalRecord> {
    if (this.made === undefined) {
      this.made = this.drafts.map((draft, index) => this.number(draft, this.firstSeq + index))
      this.drafts = []
    }
    return this.made
  }
}
