import * as NodeServices from "@effect/platform-node/NodeServices"
import { Effect, Layer, Logger } from "effect"
import { CliError, CliOutput, Command } from "effect/cli"
import { oneLinePresenter } from "./oneLine.ts"
import { exitCode, ProgramEnd } from "./ProgramEnd.ts"
import { version } from "./version.ts"

/**
 * A command as a whole program. A wrong invocation is answered in one line and ends with the settings code. Logs go to
 * standard error: standard output belongs to what the program was asked for.
 */
export const asProgram = <Name extends string, Input, Context, E>(
  command: Command.Command<Name, Input, Context, E, NodeServices.NodeServices>
): Effect.Effect<void, E | ProgramEnd> =>
  Command.run(command, { version }).pipe(
    // The presenter has said what is wrong with the invocation.
    Effect.mapError((error) =>
      CliError.isCliError(error) ? new ProgramEnd({ code: exitCode.settings, lines: [] }) : error
    ),
    Effect.provide(
      Layer.mergeAll(
        NodeServices.layer,
        CliOutput.layerPresenter(oneLinePresenter(command.name)),
        Logger.layer([Logger.withConsoleError(Logger.formatLogFmt)])
      )
    )
  )
