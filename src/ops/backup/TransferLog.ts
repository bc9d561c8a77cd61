import { Clock, Effect, Result, Schema } from "effect"
import { appendFile, mkdir, readFile, rename, stat } from "node:fs/promises"
import { join } from "node:path"
import { Disk } from "../../journal/Disk.ts"
import { replaceWhole } from "../../journal/wholeFile.ts"
import { fileCall } from "./fileCall.ts"
import { backupFolder } from "./Receipts.ts"

/** One line of `transfers.jsonl`: what a backup did, as it did it. */
export type TransferEvent =
  | {
      readonly event: "start"
      readonly target: string
      readonly pid: number
      readonly files: number
      readonly bytes: number
    }
  | { readonly event: "file"; readonly target: string; readonly file: string; readonly bytes: number }
  | { readonly event: "error"; readonly target: string; readonly file?: string; readonly reason: string }
  | {
      readonly event: "end"
      readonly target: string
      readonly ok: boolean
      readonly files: number
      readonly failed: number
      readonly bytes: number
      readonly seconds: number
    }

/** What is remembered of the runs to one target. */
const Runs = Schema.Struct({
  /** Market time and the wall's, UTC ISO 8601, of the last run that came to an end, good or not. */
  startedAt: Schema.optionalKey(Schema.String),
  endedAt: Schema.optionalKey(Schema.String),
  /** When a run last ended with nothing wrong. */
  goodAt: Schema.optionalKey(Schema.String),
  /** Runs since then that ended otherwise. */
  failures: Schema.Int,
  /** Files that the last run left for later: they are about to be compressed. */
  waiting: Schema.Int,
  reason: Schema.optionalKey(Schema.String)
})
export type Runs = typeof Runs.Type

const noRuns: Runs = { failures: 0, waiting: 0 }
const Memory = Schema.Record(Schema.String, Runs)
const decode = Schema.decodeUnknownResult(Schema.fromJsonString(Memory))

/** At this size the log is put aside, in the place of the one that was put aside before. */
const log_bytes_max = 8 * 1024 * 1024

/** Writes events down, each with its time. */
export const logTransfers = Effect.fnUntraced(function* (
  stateDir: string,
  events: ReadonlyArray<TransferEvent>,
  bytes_max = log_bytes_max
) {
  if (events.length === 0) return
  const path = join(backupFolder(stateDir), "transfers.jsonl")
  const at = new Date(yield* Clock.currentTimeMillis).toISOString()
  const text = events.map((event) => `${JSON.stringify({ at, ...event })}\n`).join("")
  yield* fileCall("append to", path, async () => {
    await mkdir(backupFolder(stateDir), { recursive: true })
    const size = await stat(path).then(
      (found) => found.size,
      () => 0
    )
    if (size > 0 && size + text.length > bytes_max)
      await rename(path, join(backupFolder(stateDir), "transfers.1.jsonl"))
    await appendFile(path, text)
  })
})

const memoryName = "runs.json"

const readMemory = (stateDir: string): Effect.Effect<typeof Memory.Type> =>
  Effect.promise(() => readFile(join(backupFolder(stateDir), memoryName), "utf8").catch(() => "")).pipe(
    Effect.map((text) => Result.getOrElse(decode(text), () => ({})))
  )

/** What is remembered of a target's runs. A memory that cannot be read is none: the next backup finds what is there. */
export const readRuns = (stateDir: string, target: string): Effect.Effect<Runs> =>
  Effect.map(readMemory(stateDir), (memory) => memory[target] ?? noRuns)

export const rememberRuns = Effect.fnUntraced(function* (stateDir: string, target: string, runs: Runs) {
  const memory = { ...(yield* readMemory(stateDir)), [target]: runs }
  const folder = backupFolder(stateDir)
  yield* (yield* Disk).makeFolder(folder)
  yield* replaceWhole(folder, memoryName, Buffer.from(`${JSON.stringify(memory)}\n`))
})
