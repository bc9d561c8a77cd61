import { spawn } from "node:child_process"
import { constants } from "node:os"

/** Runs a Node script as a child that gets our signals, and ends as it ends. */
export const runToEnd = (script, args) =>
  new Promise((_, reject) => {
    const child = spawn(process.execPath, [script, ...args], { stdio: "inherit" })
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
      process.on(signal, () => {
        // A terminal gives Ctrl-C to the whole group; giving it twice would cut the child's orderly end short.
        if (signal !== "SIGINT" || !process.stdin.isTTY) child.kill(signal)
      })
    }
    child.on("error", reject)
    child.on("close", (code, signal) => process.exit(code ?? 128 + constants.signals[signal]))
  })
