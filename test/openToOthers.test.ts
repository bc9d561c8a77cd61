import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import { chmodSync, mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { openToOthers } from "../src/openToOthers.ts"
import { loadSettings } from "../src/Settings.ts"
import { scratchFolder } from "./support/virtualTime.ts"

const settingsIn = (stateDir: string) =>
  Result.getOrThrow(loadSettings({ OBSERVER_STATE_DIR: stateDir }, { hostname: "host" }))

describe("what other users may read", () => {
  it.live("is said of the state folder and of a .env with a secret in it, with what to do", () =>
    Effect.gen(function* () {
      const folder = yield* scratchFolder
      const state = join(folder, "state")
      const env = join(folder, ".env")
      const settings = settingsIn(state)
      assert.deepStrictEqual(openToOthers(settings, folder), [])
      mkdirSync(state)
      chmodSync(state, 0o755)
      writeFileSync(env, "OBSERVER_NODE=seoul-1\nKIS_APP_SECRET=\n")
      chmodSync(env, 0o644)
      assert.deepStrictEqual(openToOthers(settings, folder), [
        `the state folder ${state} is open to other users (mode 0755): chmod 700 ${state}`
      ])
      chmodSync(state, 0o700)
      writeFileSync(env, "KIS_APP_SECRET=secret\n")
      assert.deepStrictEqual(openToOthers(settings, folder), [
        `the settings file ${env} is open to other users (mode 0644): chmod 600 ${env}`
      ])
      chmodSync(env, 0o600)
      assert.deepStrictEqual(openToOthers(settings, folder), [])
    })
  )
})
