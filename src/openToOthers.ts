import { readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import { parseEnv } from "node:util"
import { isOpenToOthers, modeWords } from "./domain/fileMode.ts"
import { secretsIn } from "./secretsIn.ts"
import type { Settings } from "./Settings.ts"

/** The `.env` of a folder, as far as others are concerned. */
export interface DotEnv {
  readonly path: string
  readonly mode: number
  readonly holdsSecret: boolean
  /** It holds a secret that other users of the machine may read. */
  readonly isOpen: boolean
}

/** Looks at the `.env` of a folder; `undefined` when there is none, or it cannot be read, which the settings say themselves. */
export const lookAtDotEnv = (cwd: string): DotEnv | undefined => {
  const path = join(cwd, ".env")
  try {
    const { mode } = statSync(path)
    const holdsSecret = secretsIn(parseEnv(readFileSync(path, "utf8"))).length > 0
    return { path, mode, holdsSecret, isOpen: holdsSecret && isOpenToOthers(mode) }
  } catch {
    return undefined
  }
}

const modeOf = (path: string): number | undefined => {
  try {
    return statSync(path).mode
  } catch {
    return undefined
  }
}

const warning = (what: string, path: string, mode: number, wanted: string): string =>
  `${what} ${path} is open to other users (mode ${modeWords(mode)}): chmod ${wanted} ${path}`

/**
 * What other users of the machine may read and should not, a sentence each: the state folder, where the database and the
 * tokens are, and a `.env` with a secret in it.
 */
export const openToOthers = ({ stateDir }: Settings, cwd: string): ReadonlyArray<string> => {
  const state = modeOf(stateDir)
  const env = lookAtDotEnv(cwd)
  return [
    ...(state !== undefined && isOpenToOthers(state) ? [warning("the state folder", stateDir, state, "700")] : []),
    ...(env?.isOpen === true ? [warning("the settings file", env.path, env.mode, "600")] : [])
  ]
}
