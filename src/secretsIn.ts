import { table, unknownVariables } from "./Settings.ts"

/** What is as long as this under a name that does not exist may be a secret whose name was misspelt. */
const misspelt_length_min = 16

/** Headers for a collector of traces (`name=value,name=value`, percent-encoded), which may be what it asks for as a password. */
const collectorHeaders = /^OTEL_EXPORTER_OTLP_(?:[A-Z]+_)?HEADERS$/

/** The password of an address, percent-encoded as it stands there; empty where there is none. */
export const passwordOf = (text: string): string => (URL.canParse(text) ? new URL(text).password : "")

const valuesOf = (headers: string): ReadonlyArray<string> =>
  headers.split(",").flatMap((header) => {
    const value = header.slice(header.indexOf("=") + 1).trim()
    try {
      return [value, decodeURIComponent(value).replace(/^(?:Bearer|Basic) /i, "")]
    } catch {
      return [value]
    }
  })

/** Every text of an environment that is secret: whatever stands where a secret belongs, though it cannot be used as one. */
export const secretsIn = (env: Readonly<Record<string, string | undefined>>): ReadonlyArray<string> => {
  const text = (variable: string) => env[variable]?.trim() ?? ""
  const settings = Object.values(table).flatMap(({ aliases, name, secret }) =>
    [name, ...aliases].map((variable) => (secret ? text(variable) : passwordOf(text(variable))))
  )
  const misspelt = unknownVariables(env)
    .map(text)
    .filter(({ length }) => length >= misspelt_length_min)
  const headers = Object.keys(env).flatMap((name) => (collectorHeaders.test(name) ? valuesOf(text(name)) : []))
  return [...settings, ...misspelt, ...headers].filter((secret) => secret !== "")
}
