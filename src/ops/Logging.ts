import { Effect, Layer, Logger, type LogLevel, References } from "effect"
import { valuesWithoutSecrets, withoutSecrets } from "../domain/Secrets.ts"
import { type LogFile, openLogFile } from "./logging/LogFile.ts"
import { LogKeeper } from "./logging/LogKeeper.ts"
import { toEntry, toJsonLine } from "./logging/entry.ts"
import { toHumanLine } from "./logging/humanLine.ts"
import { Screen } from "./Screen.ts"

export interface LoggingOptions {
  readonly logDir: string
  readonly level: LogLevel.LogLevel
  /** Size in MB at which `observer.log` is rotated. */
  readonly max_mb: number
  /** Days for which rotated files are kept. */
  readonly days: number
  /** Where trouble with the log file itself is said: `stderr` of the program. */
  readonly complain: (line: string) => void
}

/**
 * Logging, three ways kept apart: lines for human eyes on a terminal or JSON lines on any other standard output, and
 * JSON lines in `observer.log`. (The third, the data, is the journal.) Trouble with the file never stops or slows the
 * program. Secrets that are known (`domain/Secrets.ts`) are in none of them. What was logged is flushed when the scope ends.
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
        Logger.layer([makeLogger(screen, file), Logger.tracerLogger]),
        Layer.succeed(References.MinimumLogLevel, options.level),
        Layer.succeed(LogKeeper, { run: file.watch, lostLines: file.lost })
      )
    })
  )

const makeLogger = (screen: Screen["Service"], file: LogFile) =>
  Logger.make<unknown, void>((event) => {
    const entry = toEntry(event)
    const json = valuesWithoutSecrets(toJsonLine(entry))
    file.write(json, entry.at.getTime())
    screen.print(screen.terminal ? withoutSecrets(toHumanLine(entry, screen.colours)) : json)
  })
