import { Context } from "effect"
import { type ClockOptions, clockOptions } from "./market/ClockOptions.ts"
import { type MarketRules, marketRules } from "./market/MarketRules.ts"
import type { Fault } from "./faults/Fault.ts"
import { type LimitRules, limitRules } from "./limits/LimitRules.ts"

/** Rules of the stream that KIS has not published: each default is argued beside it. */
export interface StreamRules {
  /** PINGPONG looks like a probe of idle lines: none came in 180 s of a busy stream. */
  readonly pingAfterIdleSeconds: number
  /** One live measurement: closed after about 100 s without an answer. */
  readonly cutAfterSeconds: number
  /** After an abrupt close the key stayed taken for seconds to hours; the shortest keeps a first run pleasant. */
  readonly heldAfterAbruptCloseSeconds: number
  /** Bytes waiting for a client that does not read, before it is cut. */
  readonly bufferedBytesMax: number
  /** Open sockets, with or without an app key. */
  readonly sessionsMax: number
}

export interface ExchangeOptions {
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
  readonly env: "live" | "mock"
  /** Calls per app key and second; absent: what KIS allowed on the market's date; 0: no limit. */
  readonly callsPerSecond?: number | undefined
  readonly limits: LimitRules
  /** The fault script; more can be added while the exchange runs. */
  readonly faults: ReadonlyArray<Fault>
  /** Folder of the ledger's file; absent: only its totals and its tail are kept. */
  readonly ledgerDir?: string | undefined
  readonly seed: number
  /** Of the whole market. */
  readonly tradesPerSecond: number
  /** Registrations of one stream session, counted per (TR, symbol). */
  readonly slots: number
  /** Of the wall's clock: how often the market is brought up to date. */
  readonly stepMs: number
  readonly clock: ClockOptions
  readonly market: MarketRules
  readonly stream: StreamRules
}

export const exchangeOptions = (given: Partial<ExchangeOptions>): ExchangeOptions => ({
  host: "127.0.0.1",
  port: 0,
  env: "live",
  limits: limitRules,
  faults: [],
  seed: 1,
  tradesPerSecond: 400,
  slots: 41,
  stepMs: 100,
  clock: clockOptions,
  market: marketRules,
  stream: {
    pingAfterIdleSeconds: 10,
    cutAfterSeconds: 100,
    heldAfterAbruptCloseSeconds: 5,
    bufferedBytesMax: 8 * 1_048_576,
    sessionsMax: 1_000
  },
  ...given
})

/** How this exchange was asked to behave; every part reads it from here. */
export class Options extends Context.Service<Options, ExchangeOptions>()("observer/simulator/Options") {}
