import { Effect, type Scope } from "effect"
import { type ChildProcess, spawn } from "node:child_process"

export interface Child {
  readonly process: ChildProcess
  readonly stdout: () => string
  readonly stderr: () => string
  /** Asks it to end, and waits until it has; its exit code. */
  readonly end: Effect.Effect<number | null>
}

/** A Node program in a process of its own, killed at the end of the scope if it has not ended by then. */
export const startChild = (
  args: ReadonlyArray<string>,
  cwd: string,
  env: Record<string, string>
): Effect.Effect<Child, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const child = spawn(process.execPath, args, { cwd, env: { ...process.env, ...env } })
      let stdout = ""
      let stderr = ""
      child.stdout.on("data", (text) => (stdout += String(text)))
      child.stderr.on("data", (text) => (stderr += String(text)))
      const end = Effect.callback<number | null>((resume) => {
        if (child.exitCode !== null || child.signalCode !== null) return resume(Effect.succeed(child.exitCode))
        child.once("exit", (code) => resume(Effect.succeed(code)))
        child.kill("SIGTERM")
      })
      return { process: child, stdout: () => stdout, stderr: () => stderr, end }
    }),
    ({ process: child }) => Effect.sync(() => void child.kill("SIGKILL"))
  )
