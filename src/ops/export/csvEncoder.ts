import Papa from "papaparse"
import type { ExportColumn } from "./ExportColumn.ts"
import type { Encoder } from "./FileFormat.ts"

/** Rows that are made into text at once, so that a group is never there three times over. */
const slice_rows = 2_000

/**
 * Comma-separated values after RFC 4180, but with `\n` alone at the end of a line: a header, then a line a row. What is
 * absent is empty, and so is an empty text: the format cannot tell them apart.
 */
export const csvEncoder = (columns: ReadonlyArray<ExportColumn>): Encoder => {
  const lines = (rows: Array<Array<unknown>>) => Buffer.from(`${Papa.unparse(rows, { newline: "\n" })}\n`)
  let isBegun = false
  return {
    encode: ({ rows, values }) => {
      const parts = isBegun ? [] : [lines([columns.map(({ name }) => name)])]
      isBegun = true
      for (let first = 0; first < rows; first += slice_rows) {
        const length = Math.min(slice_rows, rows - first)
        parts.push(lines(Array.from({ length }, (_, index) => values.map((column) => column[first + index]))))
      }
      return Buffer.concat(parts)
    },
    end: () => new Uint8Array(),
    notWhole: () => 0
  }
}
