import { Effect, Redacted, Result } from "effect"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { modeWords } from "./domain/fileMode.ts"
import { keepSecret } from "./domain/Secrets.ts"
import { readEnvironment } from "./Environment.ts"
import { channelKinds } from "./ops/alerts/channels.ts"
import { fail, type Finding, ok, skipped, warn } from "./ops/doctor/Finding.ts"
import { guessablePasswords, passwordAdvice } from "./guessablePasswords.ts"
import { plural } from "./ops/countWords.ts"
import { readTelemetry } from "./ops/telemetry/TelemetrySettings.ts"
import { lookAtDotEnv } from "./openToOthers.ts"
import type { AccountsFile } from "./kis/AccountsFile.ts"
import { readSymbolFile } from "./plan/SymbolFile.ts"
import { secretsIn } from "./secretsIn.ts"
import { loadSettings, type Setting, type SettingProblem, type Settings, table, unknownVariables } from "./Settings.ts"
import { readAccounts } from "./Source.ts"

/** What the settings come to, and what is to be said of them. */
export interface SettingsLook {
  readonly findings: ReadonlyArray<Finding>
  /** `undefined` when they cannot be used. */
  readonly used: { readonly settings: Settings; readonly accounts: AccountsFile } | undefined
}

type Environment = Readonly<Record<string, string | undefined>>

const ofProblem = ({ allowed, found, variable }: SettingProblem): Finding =>
  fail("settings", `${variable} ${found}`, `allowed: ${allowed}`)

const all: ReadonlyArray<Setting<unknown>> = Object.values(table)

const isSet = (env: Environment) => (name: string) => (env[name]?.trim() ?? "") !== ""

/** The `.env` of the working directory: that it is there, and who may read the secrets in it. */
const dotEnv = (cwd: string): ReadonlyArray<Finding> => {
  const path = join(cwd, ".env")
  const found = lookAtDotEnv(cwd)
  if (found === undefined) {
    // One that cannot be read is a problem of the settings, which say so themselves.
    return existsSync(path) ? [] : [ok(".env", `there is none in ${cwd}; the environment alone counts`)]
  }
  const { holdsSecret, isOpen } = found
  const mode = modeWords(found.mode)
  const details = { path, mode, holdsSecret }
  if (!isOpen) return [ok(".env", `${path} is read${holdsSecret ? `, mode ${mode}` : ""}`, { details })]
  const words = `${path} holds secrets and is open to other users (mode ${mode})`
  return [warn(".env", words, `chmod 600 ${path}`, { details })]
}

/** What is asked for by the standard names of telemetry, which the settings' own table does not have. */
const telemetryIn = (env: Environment): ReadonlyArray<Finding> =>
  Result.match(readTelemetry(env), {
    onFailure: (problems) => problems.map(ofProblem),
    onSuccess: ({ telemetry, warnings }) => {
      const signals = (["traces", "metrics", "logs"] as const).filter((signal) => telemetry?.[signal] === true)
      const unknown = warnings.map((words) => warn("settings", words, "docs/telemetry.md has those that are"))
      return signals.length === 0 ? unknown : [ok("telemetry", `${signals.join(", ")} are sent`), ...unknown]
    }
  })

/** Whom alarms go to, and what was changed of the rules. */
const alarmsOf = (settings: Settings): Finding => {
  const channels = channelKinds.flatMap(({ name, open }) => (open(settings) === undefined ? [] : [name]))
  const changes = [...(settings.alertRules ?? [])].map(([rule, change]) => `${rule}:${change}`)
  const changed = changes.length === 0 ? "" : `; changed rules: ${changes.join(", ")}`
  const details = { channels, changes }
  return channels.length === 0
    ? skipped("alarms", `no channel is set: nobody is told${changed}`, "set one, or watch /health (docs/alarms.md)")
    : ok("alarms", `${channels.join(", ")}; observer alert test tries them${changed}`, { details })
}

const sourceOf = (settings: Settings, { accounts }: AccountsFile): Finding => {
  const rehearsal = settings.clock === undefined ? "" : "; a day is rehearsed (OBSERVER_CLOCK)"
  const { kisEnv, kisRestUrl, sourceMode } = settings
  const who = `${plural(accounts.length, "account")}: ${accounts.map(({ alias }) => alias).join(", ")}`
  const details = { mode: sourceMode, accounts: accounts.map(({ alias }) => alias) }
  if (sourceMode === "simulator") {
    const which = kisRestUrl === undefined ? "the simulator in the box" : `a simulator at ${new URL(kisRestUrl).host}`
    return ok("source", `${which}: its prices are invented${rehearsal}`, { details })
  }
  const where = kisRestUrl === undefined ? `the broker's ${kisEnv} service` : `a server at ${new URL(kisRestUrl).host}`
  return ok("source", `${where}, ${who}${rehearsal}`, { details })
}

/** The file of codes, where the selection is one; the observer does not start without it. */
const symbolsIn = ({ symbols }: Settings): Effect.Effect<ReadonlyArray<Finding>> => {
  if (symbols._tag !== "File") return Effect.succeed([])
  return readSymbolFile(symbols.path).pipe(
    Effect.map((codes) => [ok("symbols", `${symbols.path} names ${plural(codes.length, "symbol")}`)]),
    Effect.catch(({ detail, path }) => {
      const advice = "write a text file with one code a line, # for remarks, or name another in OBSERVER_SYMBOLS"
      return Effect.succeed([fail("symbols", `${path}: ${detail}`, advice)])
    })
  )
}

/** A warning of the accounts file says after its colon what to do. */
const ofWarning = (words: string): Finding => {
  const at = words.lastIndexOf(": ")
  return warn("accounts file", words.slice(0, at), words.slice(at + 2))
}

/** Looks at the settings of this process and its folder: all that is wrong with them at once, and who else can read them. */
export const lookAtSettings = Effect.fnUntraced(function* (
  processEnv: Environment,
  cwd: string
): Effect.fn.Return<SettingsLook> {
  const read = readEnvironment(processEnv, cwd)
  const env = Result.getOrElse(read, () => processEnv)
  for (const secret of secretsIn(env)) keepSecret(Redacted.make(secret))
  const loaded = Result.flatMap(read, (merged) => loadSettings(merged))
  const file = dotEnv(cwd)
  const telemetry = telemetryIn(env)
  const unknown = unknownVariables(env).map((name) =>
    warn("settings", `${name} does not exist`, "look for a typing error; .env.example has every setting")
  )
  const guessable = guessablePasswords(env).map((name) =>
    warn("settings", `the password in ${name} is short or a plain word`, passwordAdvice)
  )
  const said = [...unknown, ...guessable, ...telemetry, ...file]
  if (Result.isFailure(loaded)) {
    return { findings: [...loaded.failure.map(ofProblem), ...said], used: undefined }
  }
  const settings = loaded.success
  const set = all.filter(({ aliases, name }) => [name, ...aliases].some(isSet(env))).length
  const right = ok("settings", `all ${all.length} can be used, ${set} of them set`)
  const accounts = yield* Effect.result(readAccounts(settings))
  if (Result.isFailure(accounts)) {
    const broken = fail("accounts file", accounts.failure.message, "mend the file, or name another in KIS_ACCOUNTS")
    return { findings: [right, ...said, broken], used: undefined }
  }
  const { warnings } = accounts.success
  const source = sourceOf(settings, accounts.success)
  const more = [...warnings.map(ofWarning), source, ...(yield* symbolsIn(settings)), alarmsOf(settings)]
  return {
    findings: [right, ...said, ...more],
    used: { settings, accounts: accounts.success }
  }
})
