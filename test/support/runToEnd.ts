import { Effect } from "effect"
import { spawn } from "node:child_process"
import { dirname } from "node:path"

/** Runs a compiled program in its own folder until it ends. */
export const runToEnd = (program: string, args: ReadonlyArray<string>, env: Record<string, string>) =>
  Effect.callback<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }>((resume) => {
    const child = spawn(process.execPath, [program, ...args], {
      cwd: dirname(program),
      env: { ...process.env, ...env }
    })
    let stdout = ""
    let stderr = ""
    child.stdout.on("data", (text) => (stdout += String(text)))
    child.stderr.on("data", (text) => (stderr += String(text)))
    child.on("close", (code) => resume(Effect.succeed({ code, stdout, stderr })))
    return Effect.sync(() => child.kill("SIGKILL"))
  })
