import { Effect, Redacted } from "effect"
import { clockText } from "./calendar/ClockLine.ts"
import { marketNow } from "./calendar/MarketClock.ts"
import { marketDate } from "./calendar/MarketTime.ts"
import type { FedAccount } from "./feed/AccountFeed.ts"
import { keepSecret } from "./domain/Secrets.ts"
import { type SimulatorFailed, startSimulator } from "./feed/SimulatorProcess.ts"
import { type KisEndpoints, officialHosts } from "./kis/Account.ts"
import { type AccountEntry, type AccountsFile, readAccountsFile } from "./kis/AccountsFile.ts"
import { limitOr } from "./kis/CallLimits.ts"
import { officialMasterUrl } from "./kis/MasterFile.ts"
import type { Settings } from "./Settings.ts"

/** Any pair is accepted there, and this one is no secret. */
const simulatorKeys: AccountEntry = {
  alias: "simulator",
  appKey: Redacted.make("simulator"),
  appSecret: Redacted.make("simulator")
}

/** The accounts to observe with, and a failure that says when their simulator has ended. */
export interface Source {
  readonly accounts: readonly [FedAccount, ...ReadonlyArray<FedAccount>]
  readonly masterUrl: string
  readonly ended: Effect.Effect<never, SimulatorFailed>
}

type Hosts = Pick<KisEndpoints, "restUrl" | "wsUrl" | "startedForUs"> & { readonly place: string }

const hostOf = (url: string) => new URL(url).host

/** The accounts of the file, or of the one pair, or the simulator's own, whose keys are no secret. */
export const readAccounts = Effect.fnUntraced(function* ({ kisAccounts, kisAppKey, kisAppSecret }: Settings) {
  if (kisAccounts !== undefined) {
    const file = yield* readAccountsFile(kisAccounts)
    for (const { appKey, appSecret } of file.accounts) {
      keepSecret(appKey)
      keepSecret(appSecret)
    }
    return file
  }
  if (kisAppKey === undefined || kisAppSecret === undefined) {
    return { accounts: [simulatorKeys], warnings: [] } satisfies AccountsFile
  }
  const accounts = [{ alias: "main", appKey: kisAppKey, appSecret: kisAppSecret }]
  return { accounts, warnings: [] } satisfies AccountsFile
})

/** What an entry leaves open is as the settings say for all. */
const accountOf = (
  { alias, appKey, appSecret, ...own }: AccountEntry,
  settings: Settings,
  hostsOf: (env: KisEndpoints["env"]) => Hosts,
  date: string
): FedAccount => {
  const env = own.env ?? settings.kisEnv
  return {
    alias,
    appKey,
    appSecret,
    endpoints: { env, ...hostsOf(env) },
    limit: limitOr(own.callsPerSecond ?? settings.callsPerSecond, env, date),
    slots: own.slots ?? settings.wsSlots
  }
}

/** Starts the simulator in the box, with what the settings say of the broker. */
const startInBox = Effect.fnUntraced(function* ({ callsPerSecond, clock, kisEnv }: Settings) {
  const flags = [
    "--env",
    kisEnv,
    ...(callsPerSecond === undefined ? [] : ["--calls-per-second", String(callsPerSecond)]),
    ...(clock === undefined ? [] : ["--clock", clockText(clock)])
  ]
  const { ended, restUrl, wsUrl } = yield* startSimulator(new URL("./simulator.js", import.meta.url), flags)
  yield* Effect.logInfo("the exchange simulator runs", { rest: restUrl, stream: wsUrl })
  return { hosts: { place: "simulator", restUrl, wsUrl, startedForUs: true }, ended }
})

/** The accounts at the servers that `hostsOf` gives, with what they may spend on a market date (`YYYY-MM-DD`). */
const accountsAt = (
  settings: Settings,
  entries: ReadonlyArray<AccountEntry>,
  hostsOf: (env: KisEndpoints["env"]) => Hosts,
  date: string
): Omit<Source, "ended"> => {
  const [first, ...rest] = entries
  if (first === undefined) throw new Error("an accounts file without accounts was accepted")
  const { endpoints, ...account } = accountOf(first, settings, hostsOf, date)
  const isOfficial = endpoints.restUrl === officialHosts[endpoints.env].restUrl
  return {
    accounts: [{ ...account, endpoints }, ...rest.map((entry) => accountOf(entry, settings, hostsOf, date))],
    masterUrl: settings.kisMasterUrl ?? (isOfficial ? officialMasterUrl : endpoints.restUrl)
  }
}

/** The accounts at the servers that the settings name; `undefined` where they mean the simulator in the box. */
export const namedAccounts = (
  settings: Settings,
  entries: ReadonlyArray<AccountEntry>,
  date: string
): Omit<Source, "ended"> | undefined => {
  const { kisRestUrl, kisWsUrl, sourceMode } = settings
  if (sourceMode === "simulator" && (kisRestUrl === undefined || kisWsUrl === undefined)) return undefined
  const hostsOf = (env: KisEndpoints["env"]): Hosts => {
    const { restUrl, wsUrl } = officialHosts[env]
    return {
      place: kisRestUrl === undefined ? env : hostOf(kisRestUrl),
      restUrl: kisRestUrl ?? restUrl,
      wsUrl: kisWsUrl ?? wsUrl
    }
  }
  return accountsAt(settings, entries, hostsOf, date)
}

/** Today's market date, `YYYY-MM-DD`. */
export const marketToday = Effect.map(marketNow, (nowMs) => marketDate(nowMs).replace(/(....)(..)(..)/, "$1-$2-$3"))

/**
 * Where prices come from, by the settings: the broker, another server that speaks its protocol, or the simulator in the
 * box, which is started as a process of its own unless its addresses are given.
 */
export const openSource = Effect.fnUntraced(function* (settings: Settings, entries: ReadonlyArray<AccountEntry>) {
  const date = yield* marketToday
  const named = namedAccounts(settings, entries, date)
  if (named !== undefined) return { ...named, ended: Effect.never } satisfies Source
  const { ended, hosts } = yield* startInBox(settings)
  return { ...accountsAt(settings, entries, () => hosts, date), ended } satisfies Source
})
