import { Cause, Data, Effect, Exit } from "effect"
import type { Runtime } from "effect"
import { inspect } from "node:util"
import type { ActorExhausted } from "./actor/Supervisor.ts"
import { withoutSecrets } from "./domain/Secrets.ts"
import { endAtOnce, endOnceAnswered } from "./endInTime.ts"

/** Exit codes, after sysexits: what a service manager should restart, and what it should not. */
export const exitCode = { asked: 0, settings: 64, credentials: 69, folders: 73, bug: 70 } as const

/** An end with a reason: one or more lines for standard error, and the code the process ends with. */
export class ProgramEnd extends Data.TaggedError("ProgramEnd")<{
  readonly code: number
  readonly lines: ReadonlyArray<string>
}> {
  override get message() {
    return this.lines.join("\n")
  }
}

export const endWith = (code: number) => (error: { readonly message: string }) =>
  new ProgramEnd({ code, lines: [error.message] })

/** The last words of a program whose tree cannot go on: who failed, and why. */
export const endExhausted = ({ actor, message, reason }: ActorExhausted) =>
  Effect.andThen(
    Effect.logFatal(message, { actor, reason }),
    Effect.fail(new ProgramEnd({ code: exitCode.bug, lines: [] }))
  )

const say = (lines: ReadonlyArray<string>) => {
  for (const line of lines) process.stderr.write(`observer: ${withoutSecrets(line)}\n`)
}

/** What is done before a program ends of an error that nobody waits for. */
type Farewell = (reason: string) => Promise<void>
let farewell: Farewell = async () => {}
let isHearing = false

/** Has something done before such an end; it ends by itself within seconds. */
export const sayBefore = (what: Farewell): void => void (farewell = what)

/**
 * Ends the program with the code of a bug when an error comes that nobody waits for, as Node does; but what Node would
 * print is the error with all that it holds, such as the request it is of. A report of Node's, should one be asked for,
 * leaves the environment out where Node can.
 */
export const hearUncaught = (): void => {
  if (isHearing) return
  isHearing = true
  Object.assign(process.report, { excludeEnv: true })
  let isEnding = false
  process.on("uncaughtException", (error: unknown) => {
    say([`a bug: ${inspect(error)}`])
    const end = () => endAtOnce(exitCode.bug)
    if (isEnding) return end()
    isEnding = true
    farewell(error instanceof Error ? error.message : String(error)).then(end, end)
  })
}

/** Interruption is an end that was asked for; a `ProgramEnd` says what it is; anything else is a bug. */
export const codeOf = (exit: Exit.Exit<unknown, unknown>): number => {
  if (Exit.isSuccess(exit) || Cause.hasInterruptsOnly(exit.cause)) return exitCode.asked
  const error = Cause.squash(exit.cause)
  return error instanceof ProgramEnd ? error.code : exitCode.bug
}

/** Says the last words of an end, with its trace where it is a bug, and ends though a file system may hang. */
export const teardown: Runtime.Teardown = (exit, onExit) => {
  if (Exit.isFailure(exit) && !Cause.hasInterruptsOnly(exit.cause)) {
    const error = Cause.squash(exit.cause)
    say(error instanceof ProgramEnd ? error.lines : [`a bug: ${Cause.pretty(exit.cause)}`])
  }
  endOnceAnswered(codeOf(exit), onExit)
}
