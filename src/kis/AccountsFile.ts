import { Data, Effect, Redacted, Result, Schema } from "effect"
import { readFile, stat } from "node:fs/promises"
import { isOpenToOthers, modeWords } from "../domain/fileMode.ts"
import { systemCode } from "../domain/systemCode.ts"

/** One account as its owner wrote it; what is absent is as the settings say for all. */
export interface AccountEntry {
  /** Names the account in logs, records and metrics. */
  readonly alias: string
  readonly appKey: Redacted.Redacted
  readonly appSecret: Redacted.Redacted
  readonly env?: "live" | "mock"
  readonly callsPerSecond?: number
  readonly slots?: number
}

export interface AccountsFile {
  readonly accounts: ReadonlyArray<AccountEntry>
  /** What is allowed but unwise, a sentence each. */
  readonly warnings: ReadonlyArray<string>
}

const shown_max = 20

/** The file that `KIS_ACCOUNTS` names cannot be used; each problem is a sentence that says what to do and quotes no value. */
export class AccountsFileUnusable extends Data.TaggedError("AccountsFileUnusable")<{
  readonly path: string
  readonly problems: ReadonlyArray<string>
}> {
  override get message() {
    const more = this.problems.length - shown_max
    const rest = more > 0 ? `; and ${more} more` : ""
    return `KIS_ACCOUNTS is "${this.path}": ${this.problems.slice(0, shown_max).join("; ")}${rest}`
  }
}

const accounts_max = 100
const bytes_max = 1_000_000

const Secret = Schema.RedactedFromValue(Schema.String.check(Schema.isPattern(/^[\x21-\x7e]{1,512}$/)))
const whole = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))
const Alias = Schema.String.check(Schema.isPattern(/^[a-z0-9-]{1,32}$/))

const Entry = Schema.Struct({
  alias: Alias,
  appKey: Secret,
  appSecret: Secret,
  env: Schema.optionalKey(Schema.Literals(["live", "mock"])),
  callsPerSecond: Schema.optionalKey(whole(1, 100)),
  slots: Schema.optionalKey(whole(0, 200))
})

/** What each key may hold, in words that follow "should be". The schema's own words would quote the value, which may be a secret. */
const allowed = {
  alias: "1 to 32 of a-z, 0-9 and -",
  appKey: "the app key: visible ASCII characters without blanks",
  appSecret: "the app secret: visible ASCII characters without blanks",
  env: '"live" or "mock"',
  callsPerSecond: "a whole number from 1 to 100",
  slots: "a whole number from 0 to 200"
} as const
type Key = keyof typeof allowed
const keys = Object.keys(allowed) as ReadonlyArray<Key>
const shape = `[{"alias": "main", "appKey": "...", "appSecret": "..."}]`

const decodeEntry = Schema.decodeUnknownResult(Entry)
const isAlias = Schema.is(Alias)
const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** Entries are named by their place and, where it is one, by their alias: anything else might be a key in the wrong place. */
const nameOf = (entry: unknown, index: number): string =>
  isRecord(entry) && isAlias(entry["alias"]) ? `entry ${index + 1} ("${entry["alias"]}")` : `entry ${index + 1}`

const fields: Readonly<Record<Key, (value: unknown) => Result.Result<unknown, unknown>>> = {
  alias: Schema.decodeUnknownResult(Entry.fields.alias),
  appKey: Schema.decodeUnknownResult(Entry.fields.appKey),
  appSecret: Schema.decodeUnknownResult(Entry.fields.appSecret),
  env: Schema.decodeUnknownResult(Entry.fields.env),
  callsPerSecond: Schema.decodeUnknownResult(Entry.fields.callsPerSecond),
  slots: Schema.decodeUnknownResult(Entry.fields.slots)
}
const required: ReadonlyArray<Key> = ["alias", "appKey", "appSecret"]

const valid = (entry: Readonly<Record<string, unknown>>, key: Key): boolean =>
  entry[key] === undefined ? !required.includes(key) : Result.isSuccess(fields[key](entry[key]))

const problemsOf = (entry: unknown, index: number): ReadonlyArray<string> => {
  const name = nameOf(entry, index)
  if (!isRecord(entry)) return [`${name} should be an object, as in ${shape}`]
  const wrong = keys
    .filter((key) => !valid(entry, key))
    .map((key) => `${name}: ${key} ${entry[key] === undefined ? "is missing; it " : ""}should be ${allowed[key]}`)
  const others = Object.keys(entry).filter((key) => !keys.some((known) => known === key))
  if (others.length === 0) return wrong
  return [...wrong, `${name} has ${others.length} other keys than ${keys.join(", ")}; remove or rename them`]
}

/** The same value in two entries: one label for two accounts, or two sessions of one key, which the broker does not allow. */
const repeated = (values: ReadonlyArray<string>, what: string): ReadonlyArray<string> =>
  values.flatMap((value, index) => {
    const first = values.indexOf(value)
    return first < index ? [`entries ${first + 1} and ${index + 1} have the same ${what}; each needs its own`] : []
  })

/** Where JSON ends to be JSON. The engine's own message quotes the text around it. */
const jsonProblem = (text: string, cause: unknown): string => {
  const at = /at position (\d+)/.exec(String(cause))?.[1]
  const line = at === undefined ? "" : ` (line ${text.slice(0, Number(at)).split("\n").length})`
  return `it is not JSON${line}; it should be like ${shape}`
}

/** Reads the text of an accounts file; fails with its problems. */
export const parseAccounts = (text: string): Result.Result<ReadonlyArray<AccountEntry>, ReadonlyArray<string>> => {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (cause) {
    return Result.fail([jsonProblem(text, cause)])
  }
  if (!Array.isArray(json) || json.length === 0 || json.length > accounts_max) {
    return Result.fail([`it should be a list of 1 to ${accounts_max} accounts, like ${shape}`])
  }
  const list: ReadonlyArray<unknown> = json
  const results = list.map((entry) => decodeEntry(entry))
  const accounts = results.filter(Result.isSuccess).map(({ success }) => success)
  const problems = list.flatMap((entry, index) => problemsOf(entry, index))
  if (problems.length > 0 || accounts.length < list.length) return Result.fail(problems)
  const same = [
    ...repeated(
      accounts.map(({ alias }) => alias),
      "alias"
    ),
    ...repeated(
      accounts.map(({ appKey }) => Redacted.value(appKey)),
      "appKey"
    )
  ]
  return same.length > 0 ? Result.fail(same) : Result.succeed(accounts)
}

const unreadable = (cause: unknown): string => {
  const code = systemCode(cause)
  if (code === "ENOENT") return "there is no such file; write it, or name the right one"
  if (code === "EISDIR") return "it is a folder; name the file in it"
  if (code === "EACCES" || code === "EPERM")
    return "it may not be read by the user that runs this program; change its owner"
  return `it cannot be read (${code})`
}

/** Others may read the keys. */
const permissionWarnings = (path: string, mode: number): ReadonlyArray<string> =>
  isOpenToOthers(mode)
    ? [`the accounts file ${path} is open to other users (mode ${modeWords(mode)}): chmod 600 ${path}`]
    : []

/**
 * Reads the file that `KIS_ACCOUNTS` names: `[{alias, appKey, appSecret, env?, callsPerSecond?, slots?}, …]`, up to a
 * hundred accounts, aliases and app keys each their own. No value of the file is in an error or a warning, but aliases.
 */
export const readAccountsFile = Effect.fnUntraced(function* (
  path: string
): Effect.fn.Return<AccountsFile, AccountsFileUnusable> {
  const unusable = (problems: ReadonlyArray<string>) => new AccountsFileUnusable({ path, problems })
  const { bytes, mode } = yield* Effect.tryPromise({
    try: async () => {
      const { mode, size } = await stat(path)
      return { mode, bytes: size > bytes_max ? undefined : await readFile(path) }
    },
    catch: (cause) => unusable([unreadable(cause)])
  })
  if (bytes === undefined) return yield* unusable(["it is too large to be a list of accounts; name the right file"])
  const text = yield* Effect.try({
    try: () => new TextDecoder("utf-8", { fatal: true }).decode(bytes),
    catch: () => unusable(["it is not UTF-8 text; save it as UTF-8"])
  })
  const accounts = parseAccounts(text)
  if (Result.isFailure(accounts)) return yield* unusable(accounts.failure)
  return { accounts: accounts.success, warnings: permissionWarnings(path, mode) }
})
