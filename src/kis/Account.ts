import type { Redacted } from "effect"

/** The hosts of one environment. The mock serves far less and has keys of its own. */
export interface KisEndpoints {
  readonly env: "live" | "mock"
  /** Names the place for caches, so that a token of one is never sent to another: `live`, `mock`, `simulator`, `127.0.0.1:9443`. */
  readonly place: string
  readonly restUrl: string
  readonly wsUrl: string
  /** The server was started for this run and has issued nothing yet: what earlier runs asked for does not count there. */
  readonly startedForUs?: boolean
}

/** One app key pair of the broker. The alias is what logs, records and metrics show; the key itself is never shown. */
export interface KisAccount {
  readonly alias: string
  readonly appKey: Redacted.Redacted
  readonly appSecret: Redacted.Redacted
  readonly endpoints: KisEndpoints
}

/** The broker's own hosts (official sample `kis_devlp.yaml`). */
export const officialHosts = {
  live: { restUrl: "https://openapi.koreainvestment.com:9443", wsUrl: "ws://ops.koreainvestment.com:21000" },
  mock: { restUrl: "https://openapivts.koreainvestment.com:29443", wsUrl: "ws://ops.koreainvestment.com:31000" }
} as const

/** Registrations of one streaming session over all products (measured 2026-07-10 and 2026-08-28). */
export const streamSlots = 41
