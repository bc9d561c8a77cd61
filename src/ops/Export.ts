import { Clock, Effect, Scope, Stream } from "effect"
import { join } from "node:path"
import type { JournalRecord, RecordKind } from "../domain/JournalRecord.ts"
import type { Disk } from "../journal/Disk.ts"
import type { JournalReadError } from "../journal/JournalError.ts"
import { type ArchiveChunk, listArchive, readArchive } from "../journal/Reader.ts"
import { brokerColumns, recordColumns } from "./export/ExportColumn.ts"
import { encoderOf, type FileFormat } from "./export/FileFormat.ts"
import { type ExportFailed, openOutput, refuseExisting } from "./export/OutputFile.ts"
import type { Progress } from "./progressText.ts"
import { makeGrouper, type RowGroup } from "./export/RowGroup.ts"

/** Where the rows go: a file for each day and kind in a folder, or all into one file. */
export type ExportTarget =
  | { readonly _tag: "Folder"; readonly path: string }
  | { readonly _tag: "File"; readonly path: string }

/** Days are `YYYYMMDD` in market time, both included. */
export interface ExportOptions {
  readonly dataDir: string
  readonly fromDay: string
  readonly toDay: string
  readonly kinds: ReadonlySet<RecordKind>
  /** Every symbol where it is absent. Of gaps those stay that name no symbol, for they are every symbol's. */
  readonly symbols?: ReadonlySet<string> | undefined
  readonly format: FileFormat
  /** Whether the broker's values of a stream record have columns of their own. */
  readonly withBrokerColumns: boolean
  readonly target: ExportTarget
  readonly overwrite: boolean
  /** Told after every part of the archive. */
  readonly onProgress: (progress: Progress) => Effect.Effect<void>
}

export interface ExportedFile {
  readonly file: string
  readonly rows: number
  readonly bytes: number
  /** Numbers of shares that were not whole and are left empty; the payload has what the broker sent. */
  readonly notWhole: number
}

/** `2026/11/24` of a segment as `2026-11-24`. */
const dashed = (day: string) => day.replaceAll("/", "-")

const isWanted =
  ({ kinds, symbols }: ExportOptions) =>
  ({ kind, symbol }: JournalRecord): boolean =>
    kinds.has(kind) && (symbols === undefined || (symbol === undefined ? kind === "gap" : symbols.has(symbol)))

/** One file, gathered and written group by group; begun with its first row. */
const makeFile = (
  path: string,
  kind: RecordKind,
  { format, overwrite, withBrokerColumns }: ExportOptions,
  scope: Scope.Scope
) =>
  Effect.gen(function* () {
    const columns = withBrokerColumns ? [...recordColumns, ...brokerColumns(kind)] : recordColumns
    const encoder = encoderOf(format, columns)
    const grouper = makeGrouper(columns)
    const output = yield* Scope.provide(openOutput(path, { overwrite }), scope)
    let rows = 0
    const write = (group: RowGroup) => {
      if (group.rows === 0) return Effect.void
      rows += group.rows
      return output.append(encoder.encode(group))
    }
    return {
      add: grouper.add,
      flushFull: Effect.suspend(() => (grouper.isFull() ? write(grouper.take()) : Effect.void)),
      finish: Effect.gen(function* () {
        yield* write(grouper.take())
        yield* output.append(encoder.end())
        const bytes = yield* output.finish
        return { file: path, rows, bytes, notWhole: encoder.notWhole() }
      })
    }
  })

type File = Effect.Success<ReturnType<typeof makeFile>>

/**
 * Writes a part of the journal as files for other programs, in one pass over the archive and with one group of rows in
 * memory for each file that is being written. Rows stand in the journal's order, node after node as their files come.
 */
export const exportJournal = Effect.fn("Export.exportJournal")(function* (
  options: ExportOptions
): Effect.fn.Return<ReadonlyArray<ExportedFile>, ExportFailed | JournalReadError, Disk> {
  const { dataDir, format, fromDay, kinds, target, toDay } = options
  const archive = yield* listArchive({ dataDir, fromDay, toDay })
  const days = [...new Set(archive.map(({ segment }) => segment.day))]
  const pathOf = (day: string, kind: RecordKind) =>
    target._tag === "File" ? target.path : join(target.path, `${dashed(day)}.${kind}.${format}`)
  if (!options.overwrite) {
    const paths = new Set(days.flatMap((day) => [...kinds].map((kind) => pathOf(day, kind))))
    yield* Effect.forEach(paths, refuseExisting, { discard: true })
  }

  const wanted = isWanted(options)
  const startedAtMs = yield* Clock.currentTimeMillis
  let bytes = 0
  let rows = 0
  const told = Effect.suspend(() =>
    Effect.flatMap(Clock.currentTimeMillis, (nowMs) => {
      const elapsed_ms = nowMs - startedAtMs
      const rowsPerSecond = elapsed_ms === 0 ? 0 : Math.round((rows * 1_000) / elapsed_ms)
      return options.onProgress({ bytes, elapsed_ms, rowsPerSecond })
    })
  )

  /** Days whose rows go into the same files. */
  const exportDays = Effect.fnUntraced(function* (group: ReadonlyArray<string>) {
    const scope = yield* Effect.scope
    const files = new Map<string, File>()
    const fileOf = Effect.fnUntraced(function* (kind: RecordKind, day: string) {
      const path = pathOf(day, kind)
      const begun = files.get(path) ?? (yield* makeFile(path, kind, options, scope))
      files.set(path, begun)
      return begun
    })
    const take = Effect.fnUntraced(function* (chunk: ArchiveChunk, day: string) {
      const touched = new Map<RecordKind, File>()
      for (const record of chunk.records) {
        if (!wanted(record)) continue
        const file = touched.get(record.kind) ?? (yield* fileOf(record.kind, day))
        touched.set(record.kind, file)
        file.add(record, chunk.node)
        rows++
      }
      yield* Effect.forEach(new Set(touched.values()), ({ flushFull }) => flushFull, { discard: true })
      bytes += chunk.bytes
      yield* told
    })
    for (const day of group) {
      const compact = day.replaceAll("/", "")
      yield* Stream.runForEach(readArchive({ dataDir, fromDay: compact, toDay: compact }), (chunk) => take(chunk, day))
    }
    return yield* Effect.forEach(files.values(), ({ finish }) => finish)
  }, Effect.scoped)

  const groups = target._tag === "File" ? [days] : days.map((day) => [day])
  return (yield* Effect.forEach(groups, exportDays)).flat()
})
