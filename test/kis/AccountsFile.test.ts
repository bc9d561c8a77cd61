import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted, Schema } from "effect"
import { chmodSync, mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { parseAccounts, readAccountsFile } from "../../src/kis/AccountsFile.ts"
import { leakIn, secrets } from "../support/accounts.ts"
import { scratchFolder } from "../support/virtualTime.ts"

const { appKey, appSecret } = secrets
const main = { alias: "main", appKey, appSecret }

const written = (content: string | Uint8Array, mode = 0o600) =>
  Effect.map(scratchFolder, (folder) => {
    const path = join(folder, "accounts.json")
    writeFileSync(path, content)
    chmodSync(path, mode)
    return path
  })
const writtenJson = (value: unknown, mode?: number) => written(JSON.stringify(value), mode)
const problems = (content: string) =>
  Effect.gen(function* () {
    const error = yield* Effect.flip(readAccountsFile(yield* written(content)))
    assert.strictEqual(error._tag, "AccountsFileUnusable")
    assert.isUndefined(leakIn(JSON.stringify(error) + error.message + String(error)))
    assert.isTrue(error.message.startsWith(`KIS_ACCOUNTS is "${error.path}": `))
    return error.problems
  })

const shape = `[{"alias": "main", "appKey": "...", "appSecret": "..."}]`

describe("the accounts file", () => {
  it.effect("gives its accounts in order, with what each sets for itself and nothing else", () =>
    Effect.gen(function* () {
      const path = yield* writtenJson([
        main,
        { alias: "second-2", appKey: "another", appSecret, env: "mock", callsPerSecond: 1, slots: 0 }
      ])
      const { accounts, warnings } = yield* readAccountsFile(path)
      assert.deepStrictEqual(warnings, [])
      assert.deepStrictEqual(accounts, [
        { alias: "main", appKey: Redacted.make(appKey), appSecret: Redacted.make(appSecret) },
        {
          alias: "second-2",
          appKey: Redacted.make("another"),
          appSecret: Redacted.make(appSecret),
          env: "mock",
          callsPerSecond: 1,
          slots: 0
        }
      ])
      assert.strictEqual(accounts[0] && Redacted.value(accounts[0].appKey), appKey)
      assert.isUndefined(leakIn(JSON.stringify(accounts) + String(accounts)))
    })
  )

  it.effect("may hold dozens, and begin with the mark that Windows editors write", () =>
    Effect.gen(function* () {
      const many = Array.from({ length: 64 }, (_, at) => ({ alias: `a${at}`, appKey: `key${at}`, appSecret }))
      const { accounts } = yield* readAccountsFile(yield* written(`\ufeff${JSON.stringify(many)}`))
      assert.strictEqual(accounts.length, 64)
    })
  )

  it.effect.skipIf(process.platform === "win32")("is used but warned of when other users may read it", () =>
    Effect.gen(function* () {
      for (const [mode, shown] of [
        [0o644, "0644"],
        [0o640, "0640"],
        [0o604, "0604"]
      ] as const) {
        const path = yield* writtenJson([main], mode)
        const { accounts, warnings } = yield* readAccountsFile(path)
        assert.strictEqual(accounts.length, 1)
        assert.deepStrictEqual(warnings, [
          `the accounts file ${path} is open to other users (mode ${shown}): chmod 600 ${path}`
        ])
      }
    })
  )

  const wrong: ReadonlyArray<readonly [name: string, entries: unknown, problems: ReadonlyArray<string>]> = [
    [
      "lacks keys",
      [main, { alias: "second", appSecret }],
      ['entry 2 ("second"): appKey is missing; it should be the app key: visible ASCII characters without blanks']
    ],
    [
      "has a secret that is no text",
      [{ ...main, appSecret: 17 }],
      ['entry 1 ("main"): appSecret should be the app secret: visible ASCII characters without blanks']
    ],
    [
      "has a secret with a blank in it",
      [{ ...main, appSecret: `${appSecret}\n` }],
      ['entry 1 ("main"): appSecret should be the app secret: visible ASCII characters without blanks']
    ],
    [
      "has a key where the alias should be",
      [{ ...main, alias: appKey }],
      ["entry 1: alias should be 1 to 32 of a-z, 0-9 and -"]
    ],
    [
      "has numbers out of range",
      [{ ...main, callsPerSecond: 0, slots: 1.5, env: "test" }],
      [
        'entry 1 ("main"): env should be "live" or "mock"',
        'entry 1 ("main"): callsPerSecond should be a whole number from 1 to 100',
        'entry 1 ("main"): slots should be a whole number from 0 to 200'
      ]
    ],
    [
      "has keys nobody knows, which may be app keys",
      [{ ...main, [appKey]: appSecret }],
      [
        'entry 1 ("main") has 1 other keys than alias, appKey, appSecret, env, callsPerSecond, slots; remove or rename them'
      ]
    ],
    ["holds something else than objects", [main, appSecret], [`entry 2 should be an object, as in ${shape}`]],
    [
      "names two accounts alike",
      [main, { ...main, appKey: "another" }],
      ["entries 1 and 2 have the same alias; each needs its own"]
    ],
    [
      "has one key twice",
      [main, { ...main, alias: "x", appKey: "y" }, { ...main, alias: "again" }],
      ["entries 1 and 3 have the same appKey; each needs its own"]
    ],
    ["is empty", [], [`it should be a list of 1 to 100 accounts, like ${shape}`]],
    ["is one account alone", main, [`it should be a list of 1 to 100 accounts, like ${shape}`]],
    ["is null", null, [`it should be a list of 1 to 100 accounts, like ${shape}`]]
  ]
  for (const [name, entries, expected] of wrong) {
    it.effect(`is refused in words that name the place and quote nothing when it ${name}`, () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* problems(JSON.stringify(entries)), expected)
      })
    )
  }

  it.effect("is refused with the line where it stops to be JSON, and not with the text around it", () =>
    Effect.gen(function* () {
      const text = `[\n  {"alias": "main",\n   "appKey": "${appKey}" "appSecret": "${appSecret}"}\n]`
      assert.deepStrictEqual(yield* problems(text), [`it is not JSON (line 3); it should be like ${shape}`])
      const [cut = ""] = yield* problems(`[{"appSecret": "${appSecret}`)
      assert.isTrue(cut.startsWith("it is not JSON"))
    })
  )

  it.effect("names twenty problems and counts the rest", () =>
    Effect.gen(function* () {
      const path = yield* writtenJson(Array.from({ length: 50 }, () => ({ appKey: 1 })))
      const error = yield* Effect.flip(readAccountsFile(path))
      assert.strictEqual(error.problems.length, 150)
      assert.isTrue(error.message.endsWith("; and 130 more"))
    })
  )

  it.effect("is refused with what to do when it is not there, a folder, not text or far too large", () =>
    Effect.gen(function* () {
      const folder = yield* scratchFolder
      const saying = (path: string) => Effect.map(Effect.flip(readAccountsFile(path)), (error) => error.problems[0])
      assert.strictEqual(
        yield* saying(join(folder, "nothing")),
        "there is no such file; write it, or name the right one"
      )
      mkdirSync(join(folder, "below"))
      assert.strictEqual(yield* saying(join(folder, "below")), "it is a folder; name the file in it")
      const latin = yield* written(Uint8Array.of(0x5b, 0xff, 0x5d))
      assert.strictEqual(yield* saying(latin), "it is not UTF-8 text; save it as UTF-8")
      const large = yield* written(" ".repeat(1_000_001))
      assert.strictEqual(yield* saying(large), "it is too large to be a list of accounts; name the right file")
    })
  )

  it.prop("never throws, whatever it holds", [Schema.Array(Schema.Json)], ([value]) => {
    assert.isString(parseAccounts(JSON.stringify(value))._tag)
    assert.isString(parseAccounts(`{${JSON.stringify(value)}`)._tag)
  })
})
