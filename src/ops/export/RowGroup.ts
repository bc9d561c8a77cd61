import type { JournalRecord } from "../../domain/JournalRecord.ts"
import type { ExportColumn, ExportValue } from "./ExportColumn.ts"

/** Rows that are written together, column by column. */
export interface RowGroup {
  readonly rows: number
  /** The values of each column, in the columns' order. */
  readonly values: ReadonlyArray<ReadonlyArray<ExportValue>>
}

/** So many rows are written together at the most: readers skip and spread work by the group, memory holds one a file. */
export const group_rows_max = 50_000
/** So many characters, if that is sooner: a book is four times as long as a trade. */
export const group_characters_max = 1 << 24

/** Gathers records into groups. What it holds between two groups is values alone, the records are let go. */
export const makeGrouper = (columns: ReadonlyArray<ExportColumn>) => {
  let values = columns.map((): Array<ExportValue> => [])
  let rows = 0
  let characters = 0
  return {
    add: (record: JournalRecord, node: string): void => {
      columns.forEach((column, index) => {
        const value = column.value(record, node)
        values[index]?.push(value)
        if (typeof value === "string") characters += value.length
      })
      rows++
    },
    isFull: () => rows >= group_rows_max || characters >= group_characters_max,
    /** What was gathered, and begins anew. */
    take: (): RowGroup => {
      const group = { rows, values }
      values = columns.map(() => [])
      rows = 0
      characters = 0
      return group
    }
  }
}
