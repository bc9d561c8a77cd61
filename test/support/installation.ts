import { Effect } from "effect"
import { join } from "node:path"
import type { Installation } from "../../src/ops/doctor/Installation.ts"

/** An observer with its three folders below one, as the doctor sees it, where nothing runs and nothing is set. */
export const installationAt = (folder: string): Installation => ({
  node: "seoul-1",
  dataDir: join(folder, "data"),
  logDir: join(folder, "log"),
  stateDir: join(folder, "state"),
  fsync_ms: 200,
  disk: { low_bytes: 1e9, stop_bytes: 128e6 },
  retention: { days: 0, unbacked: "keep" },
  backup: undefined,
  session: "always",
  accounts: undefined,
  database: undefined,
  migrations: join(folder, "migrations"),
  holder: Effect.undefined,
  health: Effect.undefined
})
