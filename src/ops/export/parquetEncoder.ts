import { ByteWriter, ParquetWriter, type SchemaElement } from "hyparquet-writer"
import type { ExportColumn, ExportValue } from "./ExportColumn.ts"
import type { Encoder } from "./FileFormat.ts"

const elements: Record<ExportColumn["type"], Omit<SchemaElement, "name">> = {
  // Both forms of the type: readers older than the second know the first.
  instant: {
    type: "INT64",
    converted_type: "TIMESTAMP_MILLIS",
    logical_type: { type: "TIMESTAMP", isAdjustedToUTC: true, unit: "MILLIS" }
  },
  whole: { type: "INT64" },
  number: { type: "DOUBLE" },
  text: { type: "BYTE_ARRAY", converted_type: "UTF8" }
}

/**
 * One Parquet file, compressed with Snappy, which every reader knows. Of what was written only the description of each
 * group stays in memory, until the end of the file holds them all.
 */
export const parquetEncoder = (columns: ReadonlyArray<ExportColumn>): Encoder => {
  const bytes = new ByteWriter()
  const schema: Array<SchemaElement> = [
    { name: "journal", num_children: columns.length },
    ...columns.map(({ name, type }): SchemaElement => ({ name, repetition_type: "OPTIONAL", ...elements[type] }))
  ]
  const file = new ParquetWriter({ writer: bytes, schema, createdBy: "observer" })
  let notWhole = 0

  const whole = (value: ExportValue) => {
    if (value === undefined || Number.isSafeInteger(value)) return value === undefined ? value : BigInt(value)
    notWhole++
    return undefined
  }
  const physical = (type: ExportColumn["type"], values: ReadonlyArray<ExportValue>) =>
    type === "whole"
      ? values.map(whole)
      : type === "instant"
        ? values.map((value) => (value === undefined ? value : BigInt(Date.parse(String(value)))))
        : [...values]

  /** Hands over what has been written since the last time. */
  const taken = () => {
    const written = bytes.getBytes().slice()
    bytes.index = 0
    return written
  }

  return {
    encode: ({ rows, values }) => {
      const columnData = columns.map(({ bulky, name, rising, type }, index) => ({
        name,
        data: physical(type, values[index] ?? []),
        ...(rising && { encoding: "DELTA_BINARY_PACKED" as const }),
        ...(bulky && { statistics: false })
      }))
      void file.write({ columnData, rowGroupSize: rows })
      return taken()
    },
    end: () => {
      void file.finish()
      return taken()
    },
    notWhole: () => notWhole
  }
}
