import { spawnSync } from "node:child_process"
import { existsSync } from "node:fs"
import { delimiter, join } from "node:path"
import { fileURLToPath } from "node:url"

export const root = fileURLToPath(new URL("../..", import.meta.url))

/** Where a program lies, or `undefined` where it is not installed. */
export const toolAt = (name: string): string | undefined =>
  (process.env["PATH"] ?? "")
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find((path) => existsSync(path))

/** For the name of a block that is skipped: why. */
export const without = (...names: ReadonlyArray<string>): string | false => {
  const missing = names.filter((name) => toolAt(name) === undefined)
  return missing.length > 0 && `no ${missing.join(", no ")}`
}

export interface Ran {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a program to its end; what it says and how it ended is for the test to judge. */
export const ran = (
  program: string,
  args: ReadonlyArray<string>,
  options: { readonly cwd?: string; readonly env?: Readonly<Record<string, string | undefined>> } = {}
): Ran => {
  const { error, status, stderr, stdout } = spawnSync(program, args, {
    cwd: options.cwd ?? root,
    env: { ...process.env, ...options.env },
    encoding: "utf8",
    timeout: 120_000
  })
  if (error !== undefined) throw error
  return { code: status, stdout, stderr }
}
