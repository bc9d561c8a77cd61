import { Context, Data, Effect } from "effect"
import { type ChildProcess, spawn } from "node:child_process"
import { systemCode } from "../../domain/systemCode.ts"
import { noted } from "./orphan.ts"
import { makeSilence } from "./silence.ts"

export interface ChildOptions {
  readonly program: string
  /** Given as they are: no shell reads them. */
  readonly args: ReadonlyArray<string>
  readonly input?: string
  /** Without a line for this long it is ended. */
  readonly silence_seconds: number
  /** Each line of both outputs, progress lines that overwrite themselves included. */
  readonly onLine?: (line: string) => void
  /** Whether standard output is kept. */
  readonly isKept?: boolean
}

export interface ChildEnd {
  readonly code: number
  readonly stdout: string
  /** Its end. */
  readonly stderr: string
}

/** It could not be started, said nothing for too long, or said too much. */
export class ChildFailed extends Data.TaggedError("ChildFailed")<{
  readonly program: string
  readonly reason: "missing" | "silent" | "tooMuch" | "failed"
  readonly detail: string
}> {
  override get message() {
    return `${this.program}: ${this.detail}`
  }
}

const stdout_bytes_max = 64 * 1024 * 1024
const stderr_bytes_max = 8 * 1024
const line_bytes_max = 64 * 1024
const kill_after = "3 seconds"

type Environment = Readonly<Record<string, string | undefined>>

/** The environment that programs are started in; where nobody says, that of this process. */
export const ChildEnvironment = Context.Reference<Environment | undefined>("observer/ops/backup/ChildEnvironment", {
  defaultValue: () => undefined
})

/** Backups need nobody's keys: what is ours stays out of the environment of others. */
export const childEnvironment = (env: Environment): Environment => {
  const own = /^(OBSERVER|KIS|PHASE15|OTEL)_|^DATABASE_URL$/
  return { ...Object.fromEntries(Object.entries(env).filter(([name]) => !own.test(name))), LC_ALL: "C" }
}

const isWindows = process.platform === "win32"

/** Signals the program and what it has started: it has a process group of its own. */
const signal = (child: ChildProcess, name: NodeJS.Signals): void => {
  if (child.pid === undefined) return
  try {
    if (isWindows) child.kill(name)
    else process.kill(-child.pid, name)
  } catch {
    // It is gone.
  }
}

const isOver = (child: ChildProcess) => child.pid === undefined || child.exitCode !== null || child.signalCode !== null

const end = (child: ChildProcess) =>
  Effect.suspend(() => {
    if (isOver(child)) return Effect.void
    const exited = Effect.callback<void>((resume) => void child.once("exit", () => resume(Effect.void)))
    signal(child, "SIGTERM")
    return Effect.timeoutOrElse(exited, {
      duration: kill_after,
      orElse: () => Effect.sync(() => signal(child, "SIGKILL"))
    })
  })

/** Cuts a text into lines as it comes; a line that never ends is let go of. */
const makeLines = (onLine: (line: string) => void) => {
  let rest = ""
  return (text: string): void => {
    const parts = (rest + text).split(/[\r\n]+/)
    rest = parts.pop() ?? ""
    if (rest.length > line_bytes_max) rest = ""
    parts.forEach(onLine)
  }
}

/** Runs a program to its end, and ends it, with all that it has started, when the fiber is interrupted or it falls silent. */
export const runChild = (options: ChildOptions): Effect.Effect<ChildEnd, ChildFailed> => {
  const { args, input = "", isKept = true, onLine = () => undefined, program, silence_seconds } = options
  const failed = (reason: ChildFailed["reason"], detail: string) => new ChildFailed({ program, reason, detail })

  const { hear, quiet } = makeSilence(silence_seconds)
  const silent = failed("silent", `it said nothing for ${silence_seconds} s and was ended`)
  const listen = (child: ChildProcess) =>
    Effect.callback<ChildEnd, ChildFailed>((resume) => {
      let stdout = ""
      let stderr = ""
      const [linesOut, linesErr] = [makeLines(onLine), makeLines(onLine)]
      child.stdout?.setEncoding("utf8").on("data", (text: string) => {
        hear()
        linesOut(text)
        if (!isKept) return
        stdout += text
        if (stdout.length > stdout_bytes_max) resume(Effect.fail(failed("tooMuch", "it says more than can be kept")))
      })
      child.stderr?.setEncoding("utf8").on("data", (text: string) => {
        hear()
        linesErr(text)
        stderr = (stderr + text).slice(-stderr_bytes_max)
      })
      child.once("error", (cause) => {
        const reason = systemCode(cause) === "ENOENT" ? "missing" : "failed"
        resume(Effect.fail(failed(reason, `it cannot be started (${systemCode(cause)})`)))
      })
      child.once("close", (code, by) => {
        const why = by === null ? stderr : `${stderr}\nended by ${by}`
        resume(Effect.succeed({ code: code ?? 255, stdout, stderr: why.trim() }))
      })
      // One that ends before it has read everything says so by its exit code.
      child.stdin?.on("error", () => undefined).end(input)
    })

  const start = Effect.map(ChildEnvironment, (env) =>
    spawn(program, args, {
      stdio: ["pipe", "pipe", "pipe"],
      ...(env === undefined ? {} : { env }),
      // A group of its own, which is ended whole.
      detached: !isWindows,
      windowsHide: true
    })
  )
  return Effect.scoped(
    Effect.flatMap(Effect.acquireRelease(start, end), (child) =>
      // Listened to at once: what a program says before it ends would be lost otherwise.
      Effect.raceFirst(listen(child), noted(child).pipe(Effect.andThen(quiet), Effect.andThen(Effect.fail(silent))))
    )
  )
}
