import { Effect, Schedule } from "effect"
import { readdirSync, rmSync, type Stats, statSync } from "node:fs"
import { stat, truncate } from "node:fs/promises"
import { join } from "node:path"
import { createStream, type RotatingFileStream } from "rotating-file-stream"
import { systemCode } from "../../domain/systemCode.ts"
import { staleLogs } from "./staleLogs.ts"
import { UnsureLines } from "./UnsureLines.ts"

export interface LogFileOptions {
  readonly logDir: string
  /** Size at which the file is rotated. */
  readonly max_mb: number
  /** Days for which rotated files are kept; twice as many files are kept at the most. */
  readonly days: number
  /** Told once when the file cannot be written, and once when it can again. */
  readonly complain: (line: string) => void
}

export interface LogFile {
  /** Hands a line over and never waits; `atMs` is when it was logged. */
  readonly write: (line: string, atMs: number) => void
  /** Looks after the file; without it a file that fails or is removed stays so. */
  readonly watch: Effect.Effect<never>
  /** Lines that could not be stored so far. */
  readonly lost: () => number
  readonly close: Effect.Effect<void>
}

/** So often it is looked whether the file is still the one of its name, and tried again when it cannot be written. */
const look_interval = "2 seconds"

/** A place in a file up to which every line is known to be there. */
interface Mark {
  readonly file: string
  readonly size: number
}

const identityOf = ({ dev, ino }: Pick<Stats, "dev" | "ino">) => `${dev}:${ino}`

/**
 * `observer.log`, rotated by size and at midnight UTC, the day its times are written in, into `observer-YYYYMMDD-N.log`.
 * A file that is removed or renamed, and a folder that is full or cannot be written, are found within two seconds and tried
 * again each two. Lines are kept meanwhile, as many as a few megabytes hold, and written when it goes on; what does not
 * fit is lost, and counted. One line is said when it fails and one when it goes on.
 */
export const openLogFile = ({ complain, days, logDir, max_mb }: LogFileOptions): LogFile => {
  const path = join(logDir, "observer.log")
  const unsure = new UnsureLines()
  let stream: RotatingFileStream | undefined
  let isOpening = false
  /** The open file; `undefined` until it is open, and while it is rotated. */
  let place: string | undefined
  let mark: Mark | undefined
  let lastLineAtMs: number | undefined
  let failing = false
  let closed = false

  const fail = (why: string) => {
    stream?.destroy()
    stream = undefined
    if (!failing) complain(`cannot write ${path} (${why}); logging goes on without it`)
    failing = true
  }

  const hand = (to: RotatingFileStream, text: string) =>
    to.write(text, (cause) => {
      if (to !== stream || cause) return
      unsure.wrote()
      if (!failing) return
      failing = false
      complain(`${path} is written again; ${unsure.lostLines} lines were lost so far`)
    })

  const start = () => {
    const opened = createStream(nameOf, {
      path: logDir,
      size: `${max_mb}M`,
      interval: "1d",
      intervalBoundary: true,
      intervalUTC: true,
      initialRotation: true
    })
    let hasRotated = false
    const isCurrent = () => stream === opened
    opened.on("error", (cause) => isCurrent() && fail(cause.message))
    opened.on("rotation", () => {
      hasRotated = true
      if (!isCurrent()) return
      place = undefined
      mark = undefined
    })
    opened.on("rotated", () => lastLineAtMs !== undefined && sweep(logDir, days, lastLineAtMs))
    opened.on("open", () => {
      if (!isCurrent()) return
      try {
        const stats = statSync(path)
        place = identityOf(stats)
        if (!hasRotated) mark = { file: place, size: stats.size }
      } catch {
        place = "removed at once"
      }
    })
    stream = opened
    place = undefined
    for (const text of unsure.again()) hand(opened, text)
  }

  /** What a failure has left behind the last line that is known to be there is cut off: it is all written again. */
  const restart = async () => {
    if (isOpening || closed) return
    isOpening = true
    try {
      const stats = mark && (await stat(path))
      if (mark !== undefined && stats !== undefined && identityOf(stats) === mark.file && stats.size > mark.size) {
        await truncate(path, mark.size)
      }
    } catch {
      // The stream meets the same, and says it.
    }
    isOpening = false
    if (!closed) start()
  }

  const look = async () => {
    const current = stream
    if (closed) return
    if (current === undefined) return unsure.isEmpty ? undefined : restart()
    if (place === undefined) return
    const known = place
    const isIdle = current.writableLength === 0
    const { written } = unsure
    const found = await stat(path).catch((cause: unknown) => systemCode(cause))
    if (current !== stream || known !== place) return
    if (typeof found === "string" && found !== "ENOENT" && found !== "ENOTDIR") return
    if (typeof found === "string" || identityOf(found) !== known) {
      complain(`${path} was removed or renamed by somebody; it is made anew`)
      mark = undefined
      stream = undefined
      current.destroy()
      return restart()
    }
    if (mark !== undefined && found.size >= mark.size && found.size < mark.size + written.bytes) {
      return fail("a line was written in part")
    }
    // What somebody else has cut or written here is not ours to cut off.
    const isOurs = mark !== undefined && found.size >= mark.size && found.size <= mark.size + unsure.written.all_bytes
    const isResting = isIdle && unsure.written.all_bytes === written.all_bytes
    if (mark !== undefined && isOurs) mark = { file: known, size: mark.size + written.bytes }
    else mark = isResting ? { file: known, size: found.size } : undefined
    unsure.settle(written)
  }

  return {
    write: (line, atMs) => {
      if (closed) return
      if (lastLineAtMs === undefined) sweep(logDir, days, atMs)
      lastLineAtMs = atMs
      const text = `${line}\n`
      if (!unsure.add(text)) return
      if (stream !== undefined) hand(stream, text)
      else if (!failing && !isOpening) start()
    },
    watch: Effect.promise(look).pipe(Effect.repeat(Schedule.spaced(look_interval)), Effect.andThen(Effect.never)),
    lost: () => unsure.lostLines,
    close: Effect.callback<void>((resume) => {
      closed = true
      if (stream === undefined) return resume(Effect.void)
      stream.once("close", () => resume(Effect.void))
      stream.end()
    }).pipe(Effect.timeoutOption("3 seconds"), Effect.asVoid)
  }
}

const nameOf = (time: number | Date | null, index?: number): string =>
  time instanceof Date
    ? `observer-${time.toISOString().slice(0, 10).replaceAll("-", "")}-${index ?? 1}.log`
    : "observer.log"

/** Removes rotated files older than `days`, and the oldest ones beyond twice that number. A failure is left to the next sweep. */
const sweep = (logDir: string, days: number, nowMs: number): void => {
  try {
    for (const name of staleLogs(readdirSync(logDir), days, nowMs)) rmSync(join(logDir, name), { force: true })
  } catch {
    return
  }
}
