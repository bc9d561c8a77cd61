import { readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import { parseEnv } from "node:util"
import { type Settings, table } from "./Settings.ts"

const modeOf = (path: string): number | undefined => {
  try {
    return statSync(path).mode & 0o777
  } catch {
    return undefined
  }
}

const holdsSecret = (file: string): boolean => {
  try {
    const env = parseEnv(readFileSync(file, "utf8"))
    return Object.values(table).some(({ name, secret }) => secret && (env[name]?.trim() ?? "") !== "")
  } catch {
    return false
  }
}

const warning = (path: string, what: string, wanted: string): ReadonlyArray<string> => {
  const mode = modeOf(path)
  return mode === undefined || (mode & 0o077) === 0
    ? []
    : [`${what} ${path} is open to other users (mode ${mode.toString(8).padStart(4, "0")}): chmod ${wanted} ${path}`]
}

/**
 * What other users of the machine may read and should not, a sentence each: the state folder, where the database and the
 * tokens are, and a `.env` with a secret in it. Windows has no such bits.
 */
export const openToOthers = ({ stateDir }: Settings, cwd: string): ReadonlyArray<string> => {
  if (process.platform === "win32") return []
  const env = join(cwd, ".env")
  return [
    ...warning(stateDir, "the state folder", "700"),
    ...(holdsSecret(env) ? warning(env, "the settings file", "600") : [])
  ]
}
