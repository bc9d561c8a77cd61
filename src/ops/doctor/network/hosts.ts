import { Clock, Effect } from "effect"
import { isLoopback } from "../../../domain/SettingValue.ts"
import { readConnects } from "../../../kis/Governor.ts"
import type { Check } from "../../Doctor.ts"
import { type Finding, ok, skipped } from "../Finding.ts"
import type { Installation } from "../Installation.ts"
import { type Host, hostOf } from "./Host.ts"
import { dnsStep } from "./dnsStep.ts"
import { httpStep } from "./httpStep.ts"
import { tcpStep } from "./tcpStep.ts"
import { tlsStep } from "./tlsStep.ts"
import { upgradeStep } from "./upgradeStep.ts"

const inTheBox = "the simulator in the box is started with the observer"

/** The servers of the accounts, each once: accounts may be of the live service and of the mock. */
const hostsOf = ({ accounts = [] }: Installation, role: Host["role"]): ReadonlyArray<Host> => {
  const urls = accounts.map(({ endpoints }) => (role === "rest" ? endpoints.restUrl : endpoints.wsUrl))
  return [...new Set(urls)].map((url) => hostOf(role, url))
}

const isRemote = (role: Host["role"]) => (on: Installation) =>
  hostsOf(on, role).some(({ hostname }) => !isLoopback(hostname))

/** The live service and the mock. */
const hosts_max = 2

const broken = (findings: ReadonlyArray<Finding>) => findings.some(({ status }) => status === "fail")

const notTried = (names: ReadonlyArray<string>) =>
  names.map((name) => skipped(name, "not tried: a step before it failed"))

/** DNS, TCP, TLS, an answer and its date, as far as it goes. */
const alongRest = Effect.fnUntraced(function* (host: Host) {
  const dns = yield* dnsStep(host)
  const after = ["rest tcp", ...(host.isTls ? ["rest tls"] : []), "rest http", "clock"]
  if (broken([dns])) return [dns, ...notTried(after)]
  const tcp = yield* tcpStep(host)
  if (broken([tcp])) return [dns, tcp, ...notTried(after.slice(1))]
  const tls = host.isTls ? [yield* tlsStep(host)] : []
  // A certificate that is not to be trusted may be the fault of the clock, of which the answer tells.
  if (tls.some(({ details }) => details?.["protocol"] === undefined)) {
    return [dns, tcp, ...tls, ...notTried(["rest http", "clock"])]
  }
  return [dns, tcp, ...tls, ...(yield* httpStep(host))]
})

/** Whether a connect is to be spent here: a running stream has proved more, and a budget that is spent should rest. */
const withheld = Effect.fnUntraced(function* ({ accounts = [], health, stateDir }: Installation, host: Host) {
  const report = yield* health
  const live = report?.feed.accounts.find(({ stream }) => stream.state._tag === "live")
  if (live !== undefined) {
    return ok("stream upgrade", `not tried: the running observer's stream is live (${live.account})`)
  }
  const nowMs = yield* Clock.currentTimeMillis
  for (const account of accounts.filter(({ endpoints }) => new URL(endpoints.wsUrl).href === host.url.href)) {
    const { nextAtMs } = yield* readConnects(account, stateDir)
    if (nextAtMs === undefined || nextAtMs <= nowMs) continue
    return skipped("stream upgrade", `not tried: ${account.alias} may not connect just now (see connects)`)
  }
  return undefined
})

/** DNS, TCP, TLS where the address has it, and the upgrade. The broker's own streams are plain. */
const alongStream = Effect.fnUntraced(function* (on: Installation, host: Host) {
  const dns = yield* dnsStep(host)
  const after = ["stream tcp", ...(host.isTls ? ["stream tls"] : []), "stream upgrade"]
  if (broken([dns])) return [dns, ...notTried(after)]
  const tcp = yield* tcpStep(host)
  if (broken([tcp])) return [dns, tcp, ...notTried(after.slice(1))]
  const tls = host.isTls ? [yield* tlsStep(host)] : []
  if (broken(tls)) return [dns, tcp, ...tls, ...notTried(["stream upgrade"])]
  return [dns, tcp, ...tls, (yield* withheld(on, host)) ?? (yield* upgradeStep(host))]
})

/** Everything on the way to the server of the calls, and this machine's clock against its own. */
export const restHosts: Check = {
  name: "rest",
  needsNetwork: isRemote("rest"),
  look: (on) =>
    on.accounts === undefined
      ? Effect.succeed([skipped("rest", inTheBox)])
      : Effect.map(Effect.forEach(hostsOf(on, "rest"), alongRest, { concurrency: hosts_max }), (found) => found.flat())
}

/** Everything on the way to the server of the streams. */
export const streamHosts: Check = {
  name: "stream",
  needsNetwork: isRemote("stream"),
  look: (on) =>
    on.accounts === undefined
      ? Effect.succeed([skipped("stream", inTheBox)])
      : Effect.map(
          Effect.forEach(hostsOf(on, "stream"), (host) => alongStream(on, host), { concurrency: hosts_max }),
          (found) => found.flat()
        )
}
