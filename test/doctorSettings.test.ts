import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { lookAtSettings } from "../src/doctorSettings.ts"
import { scratchFolder } from "./support/virtualTime.ts"

const account = (alias: string) => ({ alias, appKey: `planted-key-${alias}`, appSecret: `planted-secret-${alias}` })

const looked = Effect.fnUntraced(function* (env: Readonly<Record<string, string>>, cwd: string) {
  const look = yield* lookAtSettings(env, cwd)
  assert.notInclude(JSON.stringify(look.findings), "planted")
  const of = (name: string) => look.findings.filter((each) => each.name === name)
  return { ...look, of }
})

describe("a look at the settings", () => {
  it.live("names every problem and every unknown variable, and does not go on with them", () =>
    Effect.gen(function* () {
      const cwd = yield* scratchFolder
      const wrong = { OBSERVER_SHARDS: "many", OBSERVER_SYMBOL: "005930", DATABASE_URL: "mysql://user:planted@host/x" }
      const { of, used } = yield* looked(wrong, cwd)
      assert.isUndefined(used)
      assert.deepStrictEqual(
        of("settings").map(({ status, words }) => [status, words.split(" ")[0]]),
        [
          ["fail", "OBSERVER_SHARDS"],
          ["fail", "DATABASE_URL"],
          ["warn", "OBSERVER_SYMBOL"],
          ["warn", "the"]
        ]
      )
      writeFileSync(join(cwd, ".env"), "this is no setting\n")
      assert.include((yield* looked({}, cwd)).of("settings")[0]?.words, ".env line 1 is not NAME=value")
    })
  )

  it.live("says who may read the secrets in .env and in the accounts file", () =>
    Effect.gen(function* () {
      const cwd = yield* scratchFolder
      const file = join(cwd, "accounts.json")
      writeFileSync(file, JSON.stringify([account("first"), account("second")]), { mode: 0o640 })
      writeFileSync(join(cwd, ".env"), `OBSERVER_SOURCE_MODE=kis\nKIS_ACCOUNTS=${file}\n`, { mode: 0o644 })
      const open = yield* looked({}, cwd)
      // There is no secret in this one.
      assert.deepInclude(open.of(".env")[0], { status: "ok" })
      assert.deepInclude(open.of("accounts file")[0], { status: "warn", advice: `chmod 600 ${file}` })
      assert.include(open.of("source")[0]?.words, "2 accounts: first, second")
      writeFileSync(file, "[]")
      const broken = yield* looked({}, cwd)
      assert.deepInclude(broken.of("accounts file")[0], { status: "fail" })
      assert.isUndefined(broken.used)
    })
  )

  it.live("names wrong values of telemetry's variables and alarms' rules, and says where both go", () =>
    Effect.gen(function* () {
      const cwd = yield* scratchFolder
      const receiver = {
        OTEL_EXPORTER_OTLP_ENDPOINT: "https://me:planted@collector.example",
        OTEL_EXPORTER_OTLP_HEADERS: "authorization=Bearer%20planted"
      }
      const wrong = { ...receiver, OTEL_BSP_MAX_QUEUE_SIZE: "many", OBSERVER_ALERT_RULES: "noSuchRule:off" }
      const bad = yield* looked(wrong, cwd)
      assert.deepStrictEqual(
        bad.of("settings").map(({ status, words }) => [status, words.split(" ")[0]]),
        [
          ["fail", "OBSERVER_ALERT_RULES"],
          ["fail", "OTEL_BSP_MAX_QUEUE_SIZE"]
        ]
      )
      const onlyTelemetry = yield* looked({ ...receiver, OTEL_BSP_MAX_QUEUE_SIZE: "many" }, cwd)
      assert.isTrue(onlyTelemetry.of("settings").some(({ status }) => status === "fail"))
      const webhook = "https://hooks.example/planted"
      const right = {
        ...receiver,
        OTEL_ODD: "1",
        OBSERVER_ALERT_WEBHOOK: webhook,
        OBSERVER_ALERT_RULES: "refusals:off"
      }
      const good = yield* looked(right, cwd)
      assert.deepInclude(good.of("telemetry")[0], { status: "ok", words: "traces, metrics, logs are sent" })
      assert.include(good.of("settings").at(-1)?.words, "OTEL_ODD")
      assert.deepInclude(good.of("alarms")[0]?.details, { channels: ["webhook"], changes: ["refusals:off"] })
      assert.deepInclude((yield* looked({}, cwd)).of("alarms")[0], { status: "skipped" })
    })
  )

  it.live("says what the file of symbols holds, and goes on without it", () =>
    Effect.gen(function* () {
      const cwd = yield* scratchFolder
      const file = join(cwd, "codes.txt")
      const env = { OBSERVER_SYMBOLS: `@${file}` }
      assert.deepInclude((yield* looked(env, cwd)).of("symbols")[0], { status: "fail" })
      writeFileSync(file, "005930 000660\n")
      const { of, used } = yield* looked(env, cwd)
      assert.deepInclude(of("symbols")[0], { status: "ok", words: `${file} names 2 symbols` })
      assert.isDefined(used)
      assert.deepStrictEqual((yield* looked({}, cwd)).of("symbols"), [])
    })
  )
})
