import { Effect } from "effect"
import { readdirSync, rmSync } from "node:fs"
import { join } from "node:path"
import { createStream, type RotatingFileStream } from "rotating-file-stream"

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
  /** Lines that could not be stored so far. */
  readonly lost: () => number
  readonly close: Effect.Effect<void>
}

/** Lines waiting for a slow disk take at most so much memory; more are lost, and counted. */
const waiting_bytes_max = 4 * 1024 * 1024
/** After a failure the next attempt waits for so long. */
const again_ms = 10_000

const rotated = /^observer-(\d{8})-(\d+)\.log$/

/**
 * `observer.log`, rotated by size and at midnight UTC, the day its times are written in, into `observer-YYYYMMDD-N.log`.
 * A folder that is full or cannot be written costs lines, which are counted, and nothing else: one line is said about
 * it, and writing is tried again every ten seconds while there is something to write.
 */
export const openLogFile = ({ complain, days, logDir, max_mb }: LogFileOptions): LogFile => {
  let stream: RotatingFileStream | undefined
  let failedAtMs = Number.NEGATIVE_INFINITY
  let lastLineAtMs: number | undefined
  let failing = false
  let closed = false
  let lost = 0

  const fail = (cause: Error) => {
    stream = undefined
    failedAtMs = lastLineAtMs ?? failedAtMs
    if (!failing)
      complain(`cannot write ${join(logDir, "observer.log")} (${cause.message}); logging goes on without it`)
    failing = true
  }
  const open = () => {
    const opened = createStream(nameOf, {
      path: logDir,
      size: `${max_mb}M`,
      interval: "1d",
      intervalBoundary: true,
      intervalUTC: true,
      initialRotation: true
    })
    opened.on("error", (cause) => {
      if (stream === opened) fail(cause)
    })
    opened.on("rotated", () => lastLineAtMs !== undefined && sweep(logDir, days, lastLineAtMs))
    return opened
  }
  const stored = () => {
    if (!failing) return
    failing = false
    complain(`${join(logDir, "observer.log")} is written again; ${lost} lines were lost so far`)
  }

  return {
    write: (line, atMs) => {
      if (closed) return
      if (lastLineAtMs === undefined) sweep(logDir, days, atMs)
      lastLineAtMs = atMs
      if (stream === undefined && atMs >= failedAtMs && atMs - failedAtMs < again_ms) {
        lost++
        return
      }
      stream ??= open()
      if (stream.writableLength > waiting_bytes_max) {
        lost++
        return
      }
      stream.write(`${line}\n`, (cause) => {
        if (cause) lost++
        else stored()
      })
    },
    lost: () => lost,
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
  const oldest = new Date(nowMs - days * 86_400_000).toISOString().slice(0, 10).replaceAll("-", "")
  try {
    const files = readdirSync(logDir).flatMap((name) => {
      const [, day, index] = rotated.exec(name) ?? []
      return day === undefined ? [] : [{ name, day, index: Number(index) }]
    })
    files.sort((a, b) => b.day.localeCompare(a.day) || b.index - a.index)
    files.forEach(({ day, name }, place) => {
      if (day < oldest || place >= 2 * days) rmSync(join(logDir, name), { force: true })
    })
  } catch {
    return
  }
}
