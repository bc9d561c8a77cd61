import type { JournalRecord } from "../domain/JournalRecord.ts"

/** A place in the journal: after the line of `seq`, which ends at `byteOffset` of `file` (relative to the data folder). */
export interface Position {
  readonly seq: number
  readonly file: string
  readonly byteOffset: number
}

/** Before the first record of a journal. */
export const origin: Position = { seq: 0, file: "", byteOffset: 0 }

/** Consecutive records, in order, and the place after the last of them. */
export interface JournalChunk {
  readonly records: ReadonlyArray<JournalRecord>
  readonly end: Position
}
