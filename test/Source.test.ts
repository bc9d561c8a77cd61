import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted, Result } from "effect"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { TestClock } from "effect/testing"
import { withoutSecrets } from "../src/domain/Secrets.ts"
import { loadSettings } from "../src/Settings.ts"
import { openSource, readAccounts } from "../src/Source.ts"
import { scratchFolder } from "./support/virtualTime.ts"

const open = Effect.fnUntraced(function* (env: Record<string, string>) {
  const settings = Result.getOrThrow(loadSettings(env, { hostname: "host" }))
  const { accounts } = yield* readAccounts(settings)
  return yield* openSource(settings, accounts)
}, Effect.scoped)
const kis = { OBSERVER_SOURCE_MODE: "kis", KIS_APP_KEY: "key", KIS_APP_SECRET: "secret" }
const another = { KIS_REST_URL: "http://127.0.0.1:9443", KIS_WS_URL: "ws://127.0.0.1:21000" }

describe("the source of prices", () => {
  it.effect("is the broker with the one pair, at its hosts and the limit of the date", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(Date.parse("2026-11-24T00:00:00Z"))
      const { accounts, masterUrl } = yield* open(kis)
      const [{ alias, appKey, endpoints, limit, slots }] = accounts
      assert.deepStrictEqual([accounts.length, alias, Redacted.value(appKey), slots], [1, "main", "key", 41])
      assert.deepStrictEqual([limit.callsPerSecond, limit.asOf], [18, "2026-04-20"])
      assert.deepInclude(endpoints, {
        env: "live",
        place: "live",
        restUrl: "https://openapi.koreainvestment.com:9443",
        wsUrl: "ws://ops.koreainvestment.com:21000"
      })
      assert.match(masterUrl, /download/)
    })
  )

  it.effect("asks another server for everything, its lists too, and keeps its tokens apart", () =>
    Effect.gen(function* () {
      const { accounts, masterUrl } = yield* open({ ...kis, ...another })
      assert.deepInclude(accounts[0].endpoints, {
        place: "127.0.0.1:9443",
        restUrl: another.KIS_REST_URL,
        wsUrl: another.KIS_WS_URL
      })
      assert.strictEqual(masterUrl, another.KIS_REST_URL)
      const named = yield* open({ ...kis, ...another, KIS_MASTER_URL: "http://127.0.0.1:1" })
      assert.strictEqual(named.masterUrl, "http://127.0.0.1:1")
    })
  )

  it.effect("has every account of the file, and what one leaves open is as the settings say", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(Date.parse("2026-11-24T00:00:00Z"))
      const path = join(yield* scratchFolder, "accounts.json")
      const pairs = [
        { alias: "one", appKey: "k1", appSecret: "s1" },
        { alias: "two", appKey: "k2", appSecret: "s2", callsPerSecond: 3, slots: 5, env: "mock" }
      ]
      writeFileSync(path, JSON.stringify(pairs), { mode: 0o600 })
      for (const mode of ["kis", "simulator"]) {
        const env = { OBSERVER_SOURCE_MODE: mode, KIS_ACCOUNTS: path, KIS_WS_SLOTS: "20", ...another }
        const { accounts } = yield* open(env)
        assert.deepStrictEqual(
          accounts.map(({ alias, endpoints, limit, slots }) => [alias, endpoints.env, limit.callsPerSecond, slots]),
          [
            ["one", "live", 18, 20],
            ["two", "mock", 3, 5]
          ]
        )
      }
    })
  )

  it.effect("lets no key or secret of the file be seen in a text any more", () =>
    Effect.gen(function* () {
      const folder = yield* scratchFolder
      const path = join(folder, "accounts.json")
      const entry = { alias: "one", appKey: "PSfilefilefile01", appSecret: "file+secret/file=" }
      writeFileSync(path, JSON.stringify([entry]), { mode: 0o600 })
      const texts = `${entry.appKey} ${JSON.stringify(entry.appSecret)} ${encodeURIComponent(entry.appSecret)}`
      assert.strictEqual(withoutSecrets(texts), texts)
      const env = { OBSERVER_SOURCE_MODE: "kis", KIS_ACCOUNTS: path }
      yield* readAccounts(Result.getOrThrow(loadSettings(env, { hostname: "host" })))
      assert.strictEqual(withoutSecrets(texts), '<redacted> "<redacted>" <redacted>')
    })
  )

  it.effect("refuses a file that is not there, by its name", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(open({ OBSERVER_SOURCE_MODE: "kis", KIS_ACCOUNTS: "/nowhere/accounts.json" }))
      assert.strictEqual(error._tag, "AccountsFileUnusable")
      assert.include(error.message, "/nowhere/accounts.json")
    })
  )
})
