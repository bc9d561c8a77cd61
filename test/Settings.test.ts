import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted, Result, Schema } from "effect"
import { readFileSync } from "node:fs"
import { parseEnv } from "node:util"
import { parseCron } from "../src/ops/backup/cron.ts"
import { describeProblem, loadSettings, table, unknownVariables } from "../src/Settings.ts"
import { koreanAllowed } from "../src/SettingsKorean.ts"
import { renderEnvExample, renderSettingsTable } from "../src/SettingsText.ts"

const machine = { hostname: "Trader_PC.local" }
const load = (env: Record<string, string | undefined>) => Result.getOrThrow(loadSettings(env, machine))
const problems = (env: Record<string, string | undefined>) => {
  const loaded = loadSettings(env, machine)
  assert(Result.isFailure(loaded), "these settings should have been refused")
  return loaded.failure.map(describeProblem)
}

describe("Settings", () => {
  it("have a default for everything", () => {
    assert.deepStrictEqual(load({}), {
      sourceMode: "simulator",
      symbols: { _tag: "Top", count: 2_000 },
      watch: undefined,
      targets: { watch: 3, index: 10, stock: 10, etf: 10 },
      books: 0,
      shards: 8,
      node: "trader-pc",
      dataDir: "./var/data",
      logDir: "./var/log",
      stateDir: "./var/state",
      httpHost: "127.0.0.1",
      httpPort: 8_787,
      httpToken: undefined,
      session: "always",
      clock: undefined,
      sql: true,
      databaseUrl: undefined,
      sqlRetention_days: 0,
      kisEnv: "live",
      kisAppKey: undefined,
      kisAppSecret: undefined,
      kisAccounts: undefined,
      kisRestUrl: undefined,
      kisWsUrl: undefined,
      kisMasterUrl: undefined,
      callsPerSecond: undefined,
      wsSlots: 41,
      heartbeat_seconds: 300,
      stale_seconds: 60,
      segment_mb: 128,
      gzip_minutes: 60,
      fsync_ms: 200,
      backupTarget: undefined,
      backupSchedule: Result.getOrThrow(parseCron("30 20 * * *")),
      backupAge_hours: 30,
      retention_days: 0,
      retentionUnbacked: "keep",
      diskLow_mb: 1_024,
      diskStop_mb: 128,
      drain_seconds: 10,
      logLevel: "Info",
      log_mb: 50,
      log_days: 14,
      alertRules: undefined,
      alertSlack: undefined,
      alertTelegram: undefined,
      alertWebhook: undefined,
      alertWebhookSecret: undefined,
      alertSmtp: undefined,
      alertEmail: undefined,
      pingUrl: undefined
    })
  })

  it("take blank for not set, and trim the rest", () => {
    assert.deepStrictEqual(load({ OBSERVER_SHARDS: "  ", OBSERVER_NODE: "", DATABASE_URL: " " }), load({}))
    assert.strictEqual(load({ OBSERVER_SHARDS: " 3 " }).shards, 3)
  })

  it("follow the mode and the broker's service where nothing else is said", () => {
    const keys = { OBSERVER_SOURCE_MODE: "kis", KIS_APP_KEY: "k", KIS_APP_SECRET: "s" }
    assert.strictEqual(load(keys).session, "calendar")
    assert.isUndefined(load(keys).callsPerSecond)
    assert.strictEqual(load({ ...keys, OBSERVER_SESSION: "always" }).session, "always")
    assert.strictEqual(load({ ...keys, KIS_ENV: "mock", KIS_CALLS_PER_SECOND: "2" }).callsPerSecond, 2)
  })

  it("rehearse a day by the calendar unless told otherwise, and never at the broker's own servers", () => {
    const text = "2026-11-24T00:00:00Z=2026-11-19T08:20:00x60"
    const line = { wallMs: Date.UTC(2026, 10, 24), marketMs: Date.UTC(2026, 10, 18, 23, 20), speed: 60 }
    const rehearsal = load({ OBSERVER_CLOCK: text })
    assert.deepStrictEqual([rehearsal.clock, rehearsal.session], [line, "calendar"])
    assert.strictEqual(load({ OBSERVER_CLOCK: text, OBSERVER_SESSION: "always" }).session, "always")
    assert.isUndefined(load({ OBSERVER_CLOCK: "Real" }).clock)
    const kis = { OBSERVER_SOURCE_MODE: "kis", KIS_APP_KEY: "k", KIS_APP_SECRET: "s", OBSERVER_CLOCK: text }
    assert.match(problems(kis)[0] ?? "", /^OBSERVER_CLOCK rehearses a day, which the broker does not/)
    assert.strictEqual(problems({ ...kis, KIS_REST_URL: "http://h" }).length, 1)
    const elsewhere = { ...kis, KIS_REST_URL: "http://h", KIS_WS_URL: "ws://h" }
    assert.deepStrictEqual(load(elsewhere).clock, line)
    assert.strictEqual(problems({ ...elsewhere, KIS_WS_URL: "http://h" }).length, 1)
  })

  it("read every way of naming symbols", () => {
    const symbols = (text: string) => load({ OBSERVER_SYMBOLS: text }).symbols
    assert.deepStrictEqual(symbols("005930, 000660,005930"), { _tag: "List", codes: ["005930", "000660"] } as never)
    assert.deepStrictEqual(symbols("@my list.txt"), { _tag: "File", path: "my list.txt" })
    assert.deepStrictEqual(symbols("all"), { _tag: "All" })
    assert.deepStrictEqual(symbols("top:30"), { _tag: "Top", count: 30 })
  })

  it("read whom to watch, in the order in which they are named", () => {
    assert.deepStrictEqual(load({ OBSERVER_WATCH: "005930, 0001\t0000Y0,005930" }).watch, ["005930", "0001", "0000Y0"])
    assert.isUndefined(load({ OBSERVER_WATCH: " " }).watch)
  })

  it("read how old a quote may become, by class, and keep the defaults of the rest", () => {
    const targets = (text: string) => load({ OBSERVER_TARGET_SECONDS: text }).targets
    assert.deepStrictEqual(targets("watch:1.5, ETF:60"), { watch: 1.5, index: 10, stock: 10, etf: 60 })
    assert.deepStrictEqual(targets("stock:0.2"), { watch: 3, index: 10, stock: 0.2, etf: 10 })
    assert.deepStrictEqual(targets("stock:5,stock:6").stock, 6)
    assert.deepStrictEqual(targets(","), targets(""))
  })

  it("take a file of accounts in place of the pair, and not beside it", () => {
    const accounts = { OBSERVER_SOURCE_MODE: "kis", KIS_ACCOUNTS: "./accounts.json" }
    assert.strictEqual(load(accounts).kisAccounts, "./accounts.json")
    assert.deepStrictEqual(problems({ ...accounts, KIS_APP_KEY: "k" }), [
      "KIS_ACCOUNTS is set, and so is KIS_APP_KEY or KIS_APP_SECRET; allowed: the file with all accounts, or one pair"
    ])
  })

  it("are also found under their older names", () => {
    assert.deepStrictEqual(load({ PHASE15_SYMBOL: "005930" }).symbols, { _tag: "List", codes: ["005930"] } as never)
    assert.deepStrictEqual(load({ PHASE15_SYMBOLS: "all", OBSERVER_SYMBOLS: "all" }).symbols, { _tag: "All" })
    assert.include(problems({ PHASE15_SOURCE_MODE: "real" })[0], 'PHASE15_SOURCE_MODE is "real"')
  })

  it("are refused when a name and its older name say different things", () => {
    assert.deepStrictEqual(problems({ OBSERVER_SYMBOLS: "all", PHASE15_SYMBOL: "005930" }), [
      'OBSERVER_SYMBOLS is "all", but PHASE15_SYMBOL, which means the same, is "005930"; allowed: one of the two, or the same in both'
    ])
  })

  it.each([
    ["OBSERVER_SOURCE_MODE", "real", 'OBSERVER_SOURCE_MODE is "real"; allowed: simulator or kis'],
    [
      "OBSERVER_SYMBOLS",
      "005930,5930x,삼성",
      'OBSERVER_SYMBOLS is "005930,5930x,삼성": not a symbol code: 5930x, 삼성; '
    ],
    ["OBSERVER_SYMBOLS", ",,", 'OBSERVER_SYMBOLS is ",,": no symbol is named; '],
    ["OBSERVER_SYMBOLS", "top:0", "top:0 watches nothing"],
    ["OBSERVER_SYMBOLS", "@", "no file is named after @"],
    ["OBSERVER_WATCH", "005930,5930x", 'OBSERVER_WATCH is "005930,5930x": not a symbol code: 5930x; '],
    [
      "OBSERVER_TARGET_SECONDS",
      "bond:5",
      "class:seconds with the classes watch, index, stock, etf and 0.2 to 86400 seconds"
    ],
    ["OBSERVER_TARGET_SECONDS", "stock:0.1", "0.2 to 86400 seconds"],
    ["OBSERVER_TARGET_SECONDS", "stock:86401", "0.2 to 86400 seconds"],
    ["OBSERVER_TARGET_SECONDS", "stock", "class:seconds"],
    ["OBSERVER_TARGET_SECONDS", "stock:-1", "class:seconds"],
    ["OBSERVER_BOOKS", "1001", "a whole number from 0 to 1000"],
    ["KIS_ACCOUNTS", "~/accounts.json", "~ is not expanded here"],
    ["OBSERVER_SHARDS", "0", 'OBSERVER_SHARDS is "0"; allowed: a whole number from 1 to 64'],
    ["OBSERVER_SHARDS", "65", "from 1 to 64"],
    ["OBSERVER_SHARDS", "8.5", "from 1 to 64"],
    ["OBSERVER_SHARDS", "1e1", "from 1 to 64"],
    ["OBSERVER_SHARDS", "-1", "from 1 to 64"],
    ["OBSERVER_NODE", "Node_1", 'OBSERVER_NODE is "Node_1"; allowed: 1 to 32 of a-z'],
    ["OBSERVER_NODE", "../etc", "OBSERVER_NODE"],
    ["OBSERVER_DATA_DIR", "~/data", "~ is not expanded here"],
    ["OBSERVER_HTTP_HOST", "my host", "an IP address or a host name"],
    ["OBSERVER_HTTP_PORT", "65536", "from 0 to 65535"],
    ["OBSERVER_HTTP_TOKEN", "short", "OBSERVER_HTTP_TOKEN is ***: it has 5 characters; allowed: 16 or more"],
    ["OBSERVER_SESSION", "never", "calendar or always"],
    ["OBSERVER_CLOCK", "fast", "a clock is written <wall instant>=<market instant>x<speed>"],
    ["OBSERVER_CLOCK", "2026-11-24T00:00:00Z=2026-11-19T08:20:00x0", 'the speed "0" should be at least'],
    ["OBSERVER_SQL", "yes", "on or off"],
    ["DATABASE_URL", "mysql://u:hidden@h/d", "DATABASE_URL is ***; allowed: an address beginning with postgres://"],
    ["KIS_ENV", "paper", "live or mock"],
    ["KIS_REST_URL", "ftp://h", "http:// or https://"],
    ["KIS_WS_URL", "http://h", "ws:// or wss://"],
    ["KIS_CALLS_PER_SECOND", "0", "from 1 to 100"],
    ["KIS_WS_SLOTS", "201", "from 0 to 200"],
    ["OBSERVER_FSYNC_MS", "0", "from 1 to 10000"],
    ["OBSERVER_LOG_LEVEL", "loud", "one of Trace, Debug, Info, Warn, Error, Fatal, None"],
    ["OBSERVER_LOG_LEVEL", "a\u001b[2J\nb", 'OBSERVER_LOG_LEVEL is "a?[2J?b"']
  ])("refuse %s=%s", (name, value, expected) => {
    const found = problems({ [name]: value }).filter((line) => line.startsWith(name))
    assert.strictEqual(found.length, 1)
    assert.include(found[0], expected)
  })

  it("say everything that is wrong at once", () => {
    const found = problems({ OBSERVER_SHARDS: "x", OBSERVER_HTTP_HOST: "0.0.0.0", KIS_WS_URL: "ws://h", KIS_ENV: "?" })
    assert.deepStrictEqual(
      found.map((line) => line.split(" ")[0]),
      ["OBSERVER_SHARDS", "KIS_ENV", "OBSERVER_HTTP_TOKEN", "KIS_REST_URL"]
    )
  })

  it("name both keys when the broker is chosen without them", () => {
    assert.deepStrictEqual(problems({ OBSERVER_SOURCE_MODE: "kis" }), [
      "KIS_APP_KEY and KIS_APP_SECRET not set, which OBSERVER_SOURCE_MODE=kis needs; allowed: KIS_APP_KEY and KIS_APP_SECRET, the pair issued by the broker, or KIS_ACCOUNTS"
    ])
    const one = problems({ OBSERVER_SOURCE_MODE: "kis", KIS_APP_KEY: "key" })
    assert.match(one[0] ?? "", /^KIS_APP_SECRET not set/)
  })

  it("accuse a value only once", () => {
    assert.strictEqual(problems({ OBSERVER_HTTP_HOST: "0.0.0.0", OBSERVER_HTTP_TOKEN: "short" }).length, 1)
    assert.strictEqual(problems({ KIS_REST_URL: "ftp://h", KIS_WS_URL: "ws://h" }).length, 1)
  })

  it.each(["127.0.0.1", "127.8.0.1", "::1", "localhost"])("ask for no token on %s", (host) => {
    assert.strictEqual(load({ OBSERVER_HTTP_HOST: host }).httpHost, host)
  })

  it("keep secrets redacted, and readable where they are used", () => {
    const settings = load({ OBSERVER_HTTP_TOKEN: "0123456789abcdef", DATABASE_URL: "postgres://u:pw@h/d" })
    assert.notInclude(JSON.stringify(settings), "0123456789abcdef")
    assert.notInclude(JSON.stringify(settings), "u:pw")
    assert(settings.databaseUrl !== undefined)
    assert.strictEqual(Redacted.value(settings.databaseUrl), "postgres://u:pw@h/d")
  })

  const secretNames = Object.values(table).flatMap((each) => (each.secret ? [each.name] : []))
  it.effect.prop(
    "never show a secret in a problem, whatever it is",
    [Schema.Literals(secretNames), Schema.String],
    ([name, text]) =>
      Effect.sync(() => {
        const value = `§${text}§`
        for (const line of problems({ [name]: value })) assert.notInclude(line, value)
      })
  )

  const names = Object.values(table).map(({ name }) => name)
  it.effect.prop(
    "never throw and always name the variable in one line, whatever it holds",
    [Schema.Literals(names), Schema.String],
    ([name, value]) =>
      Effect.sync(() => {
        const loaded = loadSettings({ [name]: value }, machine)
        if (Result.isSuccess(loaded)) return
        for (const line of loaded.failure.map(describeProblem)) {
          assert.match(line, /^[A-Z0-9_]+ .*; allowed: .*$/)
        }
      })
  )

  it("notice variables that are nearly ours", () => {
    assert.deepStrictEqual(unknownVariables({ OBSERVER_SHARD: "4", KIS_ENV: "live", PHASE15_SYMBOL: "x", HOME: "/" }), [
      "OBSERVER_SHARD"
    ])
  })
})

describe("what is written about the settings", () => {
  it(".env.example is what the code says (npm run settings writes it)", () => {
    assert.strictEqual(readFileSync(".env.example", "utf8"), renderEnvExample())
  })

  it(".env.example copied to .env changes nothing", () => {
    assert.deepStrictEqual(load(parseEnv(renderEnvExample())), load({}))
  })

  for (const [name, language] of [
    ["README.md", "en"],
    ["README.ko.md", "ko"]
  ] as const) {
    it(`${name} holds the settings' table (npm run settings writes it)`, () => {
      const text = readFileSync(name, "utf8")
      assert.include(text, `<!-- settings -->\n${renderSettingsTable(language)}\n<!-- /settings -->`)
    })
  }

  it("every allowed value is said in Korean, too", () => {
    for (const { name, value } of Object.values(table)) assert.isString(koreanAllowed(value.allowed), name)
  })
})
