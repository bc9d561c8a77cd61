import { Effect, Redacted } from "effect"
import { clockText } from "./calendar/ClockLine.ts"
import { type SimulatorFailed, startSimulator } from "./feed/SimulatorProcess.ts"
import { type KisAccount, officialHosts } from "./kis/Account.ts"
import type { Settings } from "./Settings.ts"

/** Any pair is accepted there, and this one is no secret. */
const simulatorKeys = { appKey: Redacted.make("simulator"), appSecret: Redacted.make("simulator") }

/** The account to observe with, and a failure that says when its simulator has ended. */
export interface Source {
  readonly account: KisAccount
  readonly ended: Effect.Effect<never, SimulatorFailed>
}

const hostOf = (url: string) => new URL(url).host

/**
 * Where prices come from, by the settings: the broker, another server that speaks its protocol, or the simulator in the
 * box, which is started as a process of its own unless its addresses are given.
 */
export const openSource = Effect.fnUntraced(function* (settings: Settings) {
  const { clock, kisAppKey, kisAppSecret, kisEnv: env, kisRestUrl, kisWsUrl, sourceMode } = settings
  if (sourceMode === "kis" && kisAppKey !== undefined && kisAppSecret !== undefined) {
    const official = officialHosts[env]
    const restUrl = kisRestUrl ?? official.restUrl
    const place = kisRestUrl === undefined ? env : hostOf(kisRestUrl)
    const endpoints = { env, place, restUrl, wsUrl: kisWsUrl ?? official.wsUrl }
    const account: KisAccount = { alias: "main", appKey: kisAppKey, appSecret: kisAppSecret, endpoints }
    return { account, ended: Effect.never } satisfies Source
  }
  if (kisRestUrl !== undefined && kisWsUrl !== undefined) {
    const endpoints = { env, place: hostOf(kisRestUrl), restUrl: kisRestUrl, wsUrl: kisWsUrl }
    return { account: { alias: "simulator", ...simulatorKeys, endpoints }, ended: Effect.never } satisfies Source
  }
  const flags = ["--env", env, "--calls-per-second", String(settings.callsPerSecond)]
  if (clock !== undefined) flags.push("--clock", clockText(clock))
  const { ended, restUrl, wsUrl } = yield* startSimulator(new URL("./simulator.js", import.meta.url), flags)
  yield* Effect.logInfo("the exchange simulator runs", { rest: restUrl, stream: wsUrl })
  const endpoints = { env, place: "simulator", restUrl, wsUrl, startedForUs: true }
  return { account: { alias: "simulator", ...simulatorKeys, endpoints }, ended } satisfies Source
})
