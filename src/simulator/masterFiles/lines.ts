import { writeField } from "./cp949.ts"
import type { Column } from "./layouts.ts"

const blank = 0x20
const lineFeed = 0x0a

/** Lines of fixed width, each ended by a line feed. A column that a row says nothing of is blank. */
export const fixedWidthLines = (
  layout: ReadonlyArray<Column>,
  rows: ReadonlyArray<Readonly<Record<string, string>>>
): Uint8Array => {
  const width = layout.reduce((sum, column) => sum + column.width, 1)
  const bytes = new Uint8Array(width * rows.length).fill(blank)
  let at = 0
  for (const row of rows) {
    for (const column of layout) {
      writeField(bytes, at, column.width, row[column.name] ?? "")
      at += column.width
    }
    bytes[at++] = lineFeed
  }
  return bytes
}
