import { Context, Effect, Layer, Logger, type LogLevel, type Redacted, References } from "effect"
import { type LogFile, openLogFile } from "./logging/LogFile.ts"
import { toEntry, toJsonLine } from "./logging/entry.ts"
import { toHumanLine } from "./logging/humanLine.ts"
import { makeScrub } from "./logging/scrub.ts"
import { Screen } from "./Screen.ts"

export interface LoggingOptions {
  readonly logDir: string
  readonly level: LogLevel.LogLevel
  /** Size in MB at which `observer.log` is rotated. */
  readonly max_mb: number
  /** Days for which rotated files are kept. */
  readonly days: number
  /** Taken out of every line, should a library quote them. */
  readonly secrets?: ReadonlyArray<Redacted.Redacted>
  /** Where trouble with the log file itself is said: `stderr` of the program. */
  readonly complain: (line: string) => void
}

/** The log file of the program, to be looked after by the supervisor, once there is one. */
export interface LogKeeperShape {
  /** Finds that the file fails or was removed, and writes it again. */
  readonly run: Effect.Effect<never>
  /** Lines that could not be stored since the start. */
  readonly lostLines: Effect.Effect<number>
}

export const LogKeeper = Context.Reference<LogKeeperShape>("observer/ops/LogKeeper", {
  defaultValue: () => ({ run: Effect.never, lostLines: Effect.succeed(0) })
})

/**
 * Logging, three ways kept apart: lines for human eyes on a terminal or JSON lines on any other standard output, and
 * JSON lines in `observer.log`. (The third, the data, is the journal.) Trouble with the file never stops or slows the
 * program. What was logged is flushed when the scope ends.
 */
export const layer = (options: LoggingOptions): Layer.Layer<never, never, Screen> =>
  Layer.unwrap(
    Effect.gen(function* () {
      const screen = yield* Screen
      const file = yield* Effect.acquireRelease(
        Effect.sync(() => openLogFile(options)),
        ({ close }) => close
      )
      return Layer.mergeAll(
        Logger.layer([makeLogger(options, screen, file), Logger.tracerLogger]),
        Layer.succeed(References.MinimumLogLevel, options.level),
        Layer.succeed(LogKeeper, { run: file.watch, lostLines: Effect.sync(file.lost) })
      )
    })
  )

const makeLogger = ({ secrets = [] }: LoggingOptions, screen: Screen["Service"], file: LogFile) => {
  const scrub = makeScrub(secrets)
  return Logger.make<unknown, void>((event) => {
    const entry = toEntry(event)
    const json = scrub(toJsonLine(entry))
    file.write(json, entry.at.getTime())
    screen.print(screen.terminal ? scrub(toHumanLine(entry, screen.colours)) : json)
  })
}
