import { Effect, Redacted, Result } from "effect"
import { readFile, stat } from "node:fs/promises"
import { join } from "node:path"
import { keepSecret } from "./domain/Secrets.ts"
import { readEnvironment } from "./Environment.ts"
import { fail, type Finding, ok, warn } from "./ops/doctor/Finding.ts"
import { guessablePasswords, passwordAdvice } from "./guessablePasswords.ts"
import { plural } from "./ops/countWords.ts"
import type { AccountsFile } from "./kis/AccountsFile.ts"
import { readSymbolFile } from "./plan/SymbolFile.ts"
import { secretsIn } from "./secretsIn.ts"
import { loadSettings, type Setting, type Settings, table, unknownVariables } from "./Settings.ts"
import { readAccounts } from "./Source.ts"

/** What the settings come to, and what is to be said of them. */
export interface SettingsLook {
  readonly findings: ReadonlyArray<Finding>
  /** `undefined` when they cannot be used. */
  readonly used: { readonly settings: Settings; readonly accounts: AccountsFile } | undefined
}

type Environment = Readonly<Record<string, string | undefined>>

const all: ReadonlyArray<Setting<unknown>> = Object.values(table)

const isSet = (env: Environment) => (name: string) => (env[name]?.trim() ?? "") !== ""

/** The `.env` of the working directory: that it is there, and who may read the secrets in it. */
const dotEnv = (cwd: string) =>
  Effect.promise(async (): Promise<ReadonlyArray<Finding>> => {
    const path = join(cwd, ".env")
    try {
      const [text, { mode }] = await Promise.all([readFile(path, "utf8"), stat(path)])
      const holdsSecret = all.some(
        ({ name, secret }) => secret && new RegExp(`^\\s*(export\\s+)?${name}\\s*=\\s*\\S`, "m").test(text)
      )
      const open = process.platform !== "win32" && (mode & 0o077) !== 0
      const shown = (mode & 0o777).toString(8).padStart(4, "0")
      const details = { path, mode: shown, holdsSecret }
      if (holdsSecret && open) {
        return [
          warn(".env", `${path} holds secrets and is open to other users (mode ${shown})`, `chmod 600 ${path}`, {
            details
          })
        ]
      }
      return [ok(".env", `${path} is read${holdsSecret ? `, mode ${shown}` : ""}`, { details })]
    } catch (cause) {
      const isMissing = cause instanceof Error && "code" in cause && cause.code === "ENOENT"
      // One that cannot be read is a problem of the settings, which say so themselves.
      return isMissing ? [ok(".env", `there is none in ${cwd}; the environment alone counts`)] : []
    }
  })

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
  const file = yield* dotEnv(cwd)
  const unknown = unknownVariables(env).map((name) =>
    warn("settings", `${name} does not exist`, "look for a typing error; .env.example has every setting")
  )
  const guessable = guessablePasswords(env).map((name) =>
    warn("settings", `the password in ${name} is short or a plain word`, passwordAdvice)
  )
  const said = [...unknown, ...guessable, ...file]
  if (Result.isFailure(loaded)) {
    const wrong = loaded.failure.map(({ allowed, found, variable }) =>
      fail("settings", `${variable} ${found}`, `allowed: ${allowed}`)
    )
    return { findings: [...wrong, ...said], used: undefined }
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
  const more = [...warnings.map(ofWarning), sourceOf(settings, accounts.success), ...(yield* symbolsIn(settings))]
  return {
    findings: [right, ...said, ...more],
    used: { settings, accounts: accounts.success }
  }
})
