import type { ExportColumn } from "./ExportColumn.ts"
import { csvEncoder } from "./csvEncoder.ts"
import { parquetEncoder } from "./parquetEncoder.ts"
import type { RowGroup } from "./RowGroup.ts"

/** Makes the bytes of one file, in order, of groups of rows. */
export interface Encoder {
  encode(group: RowGroup): Uint8Array
  /** What comes after the last group. */
  end(): Uint8Array
  /** Values that were to be whole numbers and are not; the column is left empty there. */
  readonly notWhole: () => number
}

export const fileFormats = ["parquet", "csv"] as const
export type FileFormat = (typeof fileFormats)[number]

export const encoderOf = (format: FileFormat, columns: ReadonlyArray<ExportColumn>): Encoder =>
  format === "csv" ? csvEncoder(columns) : parquetEncoder(columns)
