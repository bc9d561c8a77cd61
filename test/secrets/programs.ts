import { Effect } from "effect"
import { spawn } from "node:child_process"
import { cpSync, readdirSync, readFileSync, statSync } from "node:fs"
import { join, relative } from "node:path"
import { fileURLToPath } from "node:url"
import { gunzipSync } from "node:zlib"
import { compiled } from "../support/compiled.ts"

const root = fileURLToPath(new URL("../..", import.meta.url))

/** The programs as they are run, in a folder of their own. */
export const programs = Effect.gen(function* () {
  const folder = yield* compiled(["src/main.ts", "src/cli.ts", "src/simulator.ts", "src/sql/embeddedWorker.ts"])
  cpSync(join(root, "data"), join(folder, "data"), { recursive: true })
  return { main: join(folder, "src", "main.js"), cli: join(folder, "src", "cli.js") }
})

export interface Running {
  readonly pid: number
  /** All that it has written so far, both streams. */
  readonly said: () => string
  readonly code: () => number | null | undefined
  kill(signal: NodeJS.Signals): void
}

/** Starts a program with nothing in its environment but what is given. */
export const start = (
  program: string,
  args: ReadonlyArray<string>,
  env: Readonly<Record<string, string>>,
  cwd: string
) =>
  Effect.acquireRelease(
    Effect.sync((): Running => {
      const path = { PATH: process.env["PATH"] ?? "" }
      const child = spawn(process.execPath, [program, ...args], { cwd, env: { ...path, ...env } })
      let said = ""
      let code: number | null | undefined
      child.stdout.on("data", (text) => (said += String(text)))
      child.stderr.on("data", (text) => (said += String(text)))
      child.on("close", (ended) => (code = ended))
      return { pid: child.pid ?? 0, said: () => said, code: () => code, kill: (signal) => void child.kill(signal) }
    }),
    ({ code, kill }) => Effect.sync(() => code() === undefined && kill("SIGKILL"))
  )

export interface FoundFile {
  readonly name: string
  readonly text: string
  readonly mode: number
}

/** Every file below a folder as text, decompressed where it is compressed. */
export const filesBelow = (folder: string): ReadonlyArray<FoundFile> =>
  readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((entry) => {
    if (!entry.isFile()) return []
    const path = join(entry.parentPath, entry.name)
    const bytes = readFileSync(path)
    const text = (path.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("latin1")
    return [{ name: relative(folder, path), text, mode: statSync(path).mode & 0o777 }]
  })
