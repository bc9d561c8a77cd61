import { Effect, Result, Schema } from "effect"
import { createReadStream } from "node:fs"
import { mkdir, open } from "node:fs/promises"
import { join } from "node:path"
import { fileCall } from "./fileCall.ts"
import type { DiskError } from "../../journal/Disk.ts"
import { replaceWhole } from "../../journal/wholeFile.ts"

/** A file that was held against its hash at a target, and was right. */
export interface Receipt {
  /** UTC, ISO 8601. */
  readonly at: string
  readonly target: string
  /** Relative to the data folder with `/`, in the form in which it lies there; logs are under `logs/`. */
  readonly file: string
  readonly bytes: number
  readonly sha256: string
}

/** One line: a receipt, or the word that an earlier one holds no more, which has no hash. */
const Line = Schema.Struct({
  at: Schema.String,
  target: Schema.String,
  file: Schema.String,
  bytes: Schema.Int,
  sha256: Schema.optionalKey(Schema.String),
  damaged: Schema.optionalKey(Schema.Literal(true))
})
export type ReceiptLine = typeof Line.Type

/** Files, each with the newest receipt of every target that has it. */
export type ReceiptBook = ReadonlyMap<string, ReadonlyArray<Receipt>>

/** Lines that a newer one has replaced stay until there are so many of them, and as many as those that count. */
const stale_lines_max = 1_000

const decode = Schema.decodeUnknownResult(Schema.fromJsonString(Line))
const name = "receipts.jsonl"

/** The folder of everything that a backup remembers. */
export const backupFolder = (stateDir: string): string => join(stateDir, "backup")
/** The file of the receipts. */
export const receiptsFile = (stateDir: string): string => join(backupFolder(stateDir), name)

async function* linesOf(path: string): AsyncGenerator<string> {
  let rest = ""
  for await (const chunk of createReadStream(path, "utf8")) {
    const parts = `${rest}${chunk}`.split("\n")
    rest = parts.pop() ?? ""
    yield* parts
  }
  if (rest !== "") yield rest
}

interface Read {
  /** The newest of each target and file, in the order of the lines. */
  readonly newest: ReadonlyArray<ReceiptLine>
  /** All there are, torn ones too. */
  readonly lines: number
}

/** Goes through the lines and keeps the newest of those that are asked for; torn ones are passed over. */
const readNewest = (path: string, isAsked: (file: string) => boolean): Effect.Effect<Read, DiskError> =>
  fileCall("read", path, async () => {
    const newest = new Map<string, ReceiptLine>()
    let lines = 0
    for await (const text of linesOf(path)) {
      lines += 1
      const line = Result.getOrUndefined(decode(text))
      if (line === undefined || !isAsked(line.file)) continue
      const key = `${line.target}\n${line.file}`
      newest.delete(key)
      newest.set(key, line)
    }
    return { newest: [...newest.values()], lines }
  }).pipe(
    Effect.catchIf(
      ({ code }) => code === "ENOENT",
      () => Effect.succeed({ newest: [], lines: 0 })
    )
  )

const bookOf = (lines: ReadonlyArray<ReceiptLine>): ReceiptBook => {
  const book = new Map<string, Array<Receipt>>()
  for (const { at, bytes, file, sha256, target } of lines) {
    if (sha256 === undefined) continue
    const receipts = book.get(file) ?? []
    receipts.push({ at, target, file, bytes, sha256 })
    book.set(file, receipts)
  }
  return book
}

const all = () => true

/** Targets that ever gave a receipt, be it revoked since. */
export const targetsEver = (stateDir: string): Effect.Effect<ReadonlySet<string>, DiskError> =>
  Effect.map(readNewest(receiptsFile(stateDir), all), ({ newest }) => new Set(newest.map(({ target }) => target)))

/** Every receipt that holds, of the files that are asked for; none when there has been no backup. */
export const load = (
  stateDir: string,
  isAsked: (file: string) => boolean = all
): Effect.Effect<ReceiptBook, DiskError> =>
  Effect.map(readNewest(receiptsFile(stateDir), isAsked), ({ newest }) => bookOf(newest))

const write = (lines: ReadonlyArray<ReceiptLine>) => lines.map((line) => `${JSON.stringify(line)}\n`).join("")

/** Appends lines, and returns when they survive a power cut. A line that a crash left torn stays apart from them. */
export const append = (stateDir: string, lines: ReadonlyArray<ReceiptLine>): Effect.Effect<void, DiskError> => {
  const path = receiptsFile(stateDir)
  if (lines.length === 0) return Effect.void
  return fileCall("append to", path, async () => {
    await mkdir(backupFolder(stateDir), { recursive: true })
    const handle = await open(path, "a+")
    try {
      const { size } = await handle.stat()
      const last = size === 0 ? undefined : (await handle.read(Buffer.alloc(1), 0, 1, size - 1)).buffer[0]
      await handle.writeFile(`${last === undefined || last === 0x0a ? "" : "\n"}${write(lines)}`)
      await handle.datasync()
    } finally {
      await handle.close()
    }
  })
}

/**
 * Drops lines that newer ones have replaced, and of revoked receipts everything but one line of a target that has no other,
 * once there are many: that files were once there must stay known.
 */
export const compact = Effect.fnUntraced(function* (stateDir: string, stale_max = stale_lines_max) {
  const path = receiptsFile(stateDir)
  const { lines, newest } = yield* readNewest(path, all)
  const holding = newest.filter(({ sha256 }) => sha256 !== undefined)
  const seen = new Set(holding.map(({ target }) => target))
  const reminders = newest.filter(({ target }) => !seen.has(target) && seen.add(target))
  const kept = [...reminders, ...holding]
  const stale = lines - kept.length
  if (stale <= stale_max || stale <= kept.length) return
  yield* replaceWhole(backupFolder(stateDir), name, Buffer.from(write(kept)))
})
