import { Context } from "effect"

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
  /** Calls per app key in any second and in every clock second. */
  readonly callsPerSecond: number
  readonly seed: number
  /** Of the whole market. */
  readonly tradesPerSecond: number
  /** Registrations of one stream session, counted per (TR, symbol). */
  readonly slots: number
  readonly stepMs: number
  readonly stream: StreamRules
}

/** What KIS allows per app key: 18 calls a second live since 2026-04-20, 1 in the mock. */
export const callsPerSecondOf = (env: ExchangeOptions["env"]): number => (env === "live" ? 18 : 1)

export const exchangeOptions = (given: Partial<ExchangeOptions>): ExchangeOptions => ({
  host: "127.0.0.1",
  port: 0,
  env: "live",
  callsPerSecond: callsPerSecondOf(given.env ?? "live"),
  seed: 1,
  tradesPerSecond: 400,
  slots: 41,
  stepMs: 100,
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
