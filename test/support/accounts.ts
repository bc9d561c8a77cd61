import { Redacted } from "effect"
import type { KisAccount } from "../../src/kis/Account.ts"

/** Texts that must never be seen anywhere but on the wire to the broker. */
export const secrets = {
  appKey: "PSkeykeykeykeykeykeykeykeykeykeykey1",
  appSecret: "secretsecretsecretsecretsecretsecretsecret+/=",
  token: "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzUxMiJ9.tokentokentoken.signature",
  approvalKey: "a1b2c3d4-0000-1111-2222-approvalkey0"
} as const

export const accountAt = (urls: { readonly restUrl: string; readonly wsUrl: string }, place = "live"): KisAccount => ({
  alias: "main",
  appKey: Redacted.make(secrets.appKey),
  appSecret: Redacted.make(secrets.appSecret),
  endpoints: { env: "live", place, ...urls }
})

/** The first secret found in a text, for an assertion that names it. */
export const leakIn = (text: string): string | undefined =>
  Object.entries(secrets).find(([, secret]) => text.includes(secret))?.[0]
