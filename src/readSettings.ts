import { Effect, Result } from "effect"
import { readEnvironment } from "./Environment.ts"
import { exitCode, ProgramEnd } from "./ProgramEnd.ts"
import { describeProblem, loadSettings } from "./Settings.ts"

/** The settings of this process and its folder, and the environment they were read from; ends with exit code 64 and every problem named. */
export const readSettings = Effect.suspend(() => {
  const read = Result.flatMap(readEnvironment(process.env, process.cwd()), (env) =>
    Result.map(loadSettings(env), (settings) => ({ env, settings }))
  )
  return Result.isSuccess(read)
    ? Effect.succeed(read.success)
    : Effect.fail(new ProgramEnd({ code: exitCode.settings, lines: read.failure.map(describeProblem) }))
})
