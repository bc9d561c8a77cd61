import { join } from "node:path"
import type { Settings } from "./Settings.ts"
import type { DatabaseOptions } from "./sql/Database.ts"

/** The database the settings mean: a server, or the embedded one in the state folder. */
export const databaseOf = ({ databaseUrl, stateDir }: Settings): DatabaseOptions =>
  databaseUrl === undefined ? { _tag: "embedded", folder: join(stateDir, "db") } : { _tag: "server", url: databaseUrl }
