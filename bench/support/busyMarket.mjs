// A market that fills the record at some 2,000 records a second over the wire, and the observer's settings that see all of it:
// eight keys stream the 328 busiest symbols and sweep 2,000 in half a second, and trades enough are made.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { startSimulator } from "./observed.mjs"

/** The simulator in its own process, with the settings of an observer that has so many keys. */
export const startBusyMarket = async ({ keys, trades }) => {
  const folder = mkdtempSync(join(tmpdir(), "observer-keys-"))
  const accounts = join(folder, "accounts.json")
  const pair = (n) => ({ alias: `key-${n}`, appKey: `bench-key-${n}`, appSecret: `bench-secret-${n}` })
  writeFileSync(accounts, JSON.stringify(Array.from({ length: keys }, (_, at) => pair(at + 1))), { mode: 0o600 })
  const simulator = await startSimulator(["--trades-per-second", String(trades)])
  return {
    ...simulator,
    env: { ...simulator.env, KIS_ACCOUNTS: accounts, OBSERVER_SYMBOLS: "top:2000" },
    /** May be called again. */
    stop: async () => {
      await simulator.stop()
      rmSync(folder, { recursive: true, force: true })
    }
  }
}
