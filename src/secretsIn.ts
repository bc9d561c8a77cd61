import { telemetrySecrets } from "./ops/telemetry/TelemetrySettings.ts"
import { table, unknownVariables } from "./Settings.ts"

/** What is as long as this under a name that does not exist may be a secret whose name was misspelt. */
const misspelt_length_min = 16

/** The password of an address, percent-encoded as it stands there; empty where there is none. */
export const passwordOf = (text: string): string => (URL.canParse(text) ? new URL(text).password : "")

/** Every text of an environment that is secret: whatever stands where a secret belongs, though it cannot be used as one. */
export const secretsIn = (env: Readonly<Record<string, string | undefined>>): ReadonlyArray<string> => {
  const text = (variable: string) => env[variable]?.trim() ?? ""
  const settings = Object.values(table).flatMap(({ aliases, name, secret }) =>
    [name, ...aliases].map((variable) => (secret ? text(variable) : passwordOf(text(variable))))
  )
  const misspelt = unknownVariables(env)
    .map(text)
    .filter(({ length }) => length >= misspelt_length_min)
  return [...new Set([...settings, ...misspelt, ...telemetrySecrets(env)])].filter((secret) => secret !== "")
}
