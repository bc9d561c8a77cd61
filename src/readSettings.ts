import { Effect, Redacted, Result } from "effect"
import { keepSecret } from "./domain/Secrets.ts"
import { readEnvironment } from "./Environment.ts"
import { exitCode, ProgramEnd } from "./ProgramEnd.ts"
import { secretsIn } from "./secretsIn.ts"
import { describeProblem, loadSettings } from "./Settings.ts"

/** The settings of this process and its folder, and the environment they were read from; ends with exit code 64 and every problem named. */
export const readSettings = Effect.suspend(() => {
  const read = Result.flatMap(readEnvironment(process.env, process.cwd()), (env) => {
    for (const secret of secretsIn(env)) keepSecret(Redacted.make(secret))
    return Result.map(loadSettings(env), (settings) => ({ env, settings }))
  })
  return Result.isSuccess(read)
    ? Effect.succeed(read.success)
    : Effect.fail(new ProgramEnd({ code: exitCode.settings, lines: read.failure.map(describeProblem) }))
})
