import { Clock, Effect } from "effect"
import { lookup } from "node:dns/promises"
import { request as plainRequest } from "node:http"
import { request as tlsRequest } from "node:https"
import { connect, isIP } from "node:net"
import { connect as connectTls, type PeerCertificate } from "node:tls"
import { userAgent } from "../../../kis/KisHttp.ts"
import { spanWords } from "../../amountWords.ts"
import { fail, type Finding, ok, warn } from "../Finding.ts"
import { type Host, timedStep } from "./Host.ts"

const day_ms = 86_400_000
/** The broker renews in time; who sees less than this should ask it. */
const certificate_days_min = 14

/** The name becomes an address. */
export const dnsStep = ({ hostname, role, variable }: Host): Effect.Effect<Finding> => {
  const name = `${role} dns`
  if (isIP(hostname) > 0) return Effect.succeed(ok(name, `${hostname} is an address`))
  return timedStep(() => lookup(hostname, { all: true })).pipe(
    Effect.map(([found, ms]) => {
      const addresses = found.map(({ address }) => address)
      return ok(name, `${hostname} is ${addresses.join(", ")}`, { ms, details: { hostname, addresses } })
    }),
    Effect.catch(({ code }) => {
      const advice =
        code === "ENOTFOUND"
          ? `look at the machine's resolver (/etc/resolv.conf), and at ${variable} if it is set`
          : "look at the machine's resolver (/etc/resolv.conf) and its way to the internet"
      return Effect.succeed(fail(name, `${hostname} has no address (${code})`, advice, { details: { hostname, code } }))
    })
  )
}

const opened = (host: Host, signal: AbortSignal) =>
  new Promise<string>((resolve, reject) => {
    const socket = connect({ host: host.hostname, port: host.port })
    signal.addEventListener("abort", () => socket.destroy())
    socket.once("error", reject)
    socket.once("connect", () => {
      const { remoteAddress = host.hostname } = socket
      socket.destroy()
      resolve(remoteAddress)
    })
  })

/** A connection is taken. */
export const tcpStep = (host: Host): Effect.Effect<Finding> => {
  const name = `${host.role} tcp`
  const place = `port ${host.port} of ${host.hostname}`
  return timedStep((signal) => opened(host, signal)).pipe(
    Effect.map(([address, ms]) =>
      ok(name, `${place} takes connections`, { ms, details: { address, port: host.port } })
    ),
    Effect.catch(({ code }) => {
      const advice =
        code === "ECONNREFUSED"
          ? `nothing listens there: look at ${host.variable} if it is set, and at the broker's notices`
          : `let port ${host.port} out through the firewall`
      return Effect.succeed(fail(name, `${place} takes no connection (${code})`, advice, { details: { code } }))
    })
  )
}

interface Greeting {
  readonly protocol: string
  readonly certificate: PeerCertificate
  /** Why the certificate is not to be trusted. */
  readonly fault: string | undefined
}

/** Nothing is sent here, so that a certificate may be looked at that would not be trusted. */
const greeted = ({ hostname, port }: Host, signal: AbortSignal) =>
  new Promise<Greeting>((resolve, reject) => {
    const servername = isIP(hostname) > 0 ? "" : hostname
    const socket = connectTls({ host: hostname, port, servername, rejectUnauthorized: false })
    signal.addEventListener("abort", () => socket.destroy())
    socket.once("error", reject)
    socket.once("secureConnect", () => {
      const certificate = socket.getPeerCertificate()
      // Its type is an error; what is there is the error's code.
      const fault: unknown = socket.authorized ? undefined : socket.authorizationError
      resolve({
        protocol: socket.getProtocol() ?? "unknown",
        certificate,
        fault:
          fault === undefined || fault === null ? undefined : fault instanceof Error ? fault.message : String(fault)
      })
      socket.destroy()
    })
  })

const nameIn = ({ subject }: PeerCertificate): string => {
  const name: unknown = subject?.CN
  return typeof name === "string" ? name : "no name"
}

/** The certificate is good: whose it is, until when, and by which protocol. */
export const tlsStep = (host: Host): Effect.Effect<Finding> => {
  const name = `${host.role} tls`
  const judged = Effect.gen(function* () {
    const [{ certificate, fault, protocol }, ms] = yield* timedStep((signal) => greeted(host, signal))
    const nowMs = yield* Clock.currentTimeMillis
    const untilMs = Date.parse(certificate.valid_to)
    const until = Number.isNaN(untilMs) ? "unknown" : new Date(untilMs).toISOString().slice(0, 10)
    const words = `${protocol}, certificate of ${nameIn(certificate)} until ${until}`
    const details = { protocol, subject: nameIn(certificate), validTo: until }
    const beside = { ms, details: fault === undefined ? details : { ...details, fault } }
    if (fault !== undefined) {
      const advice =
        fault.includes("EXPIRED") || fault.includes("NOT_YET")
          ? "look at this machine's clock first; if it is right, tell the broker, and send nothing meanwhile"
          : "somebody between here and the broker may read the traffic: ask whoever runs the network; a firewall's own root goes into NODE_EXTRA_CA_CERTS"
      return fail(name, `${words}, which is not to be trusted (${fault})`, advice, beside)
    }
    const left_ms = untilMs - nowMs
    if (left_ms >= certificate_days_min * day_ms) return ok(name, words, beside)
    return warn(name, `${words}, which is in ${spanWords(left_ms)}`, "ask the broker when it renews it", beside)
  })
  return judged.pipe(
    Effect.catch(({ code }) =>
      Effect.succeed(
        fail(name, `no TLS with ${host.hostname} (${code})`, "look at what stands between: a proxy or a firewall", {
          details: { code }
        })
      )
    )
  )
}

interface Dated {
  readonly status: number
  readonly date: string | undefined
  readonly sentMs: number
  readonly heardMs: number
}

/** Asks for the root without any key. The certificate is judged by its own step; here the `Date` is wanted even if it is bad. */
const dated = ({ isTls, url }: Host, nowMs: () => number, signal: AbortSignal) =>
  new Promise<Dated>((resolve, reject) => {
    const ask = isTls ? tlsRequest : plainRequest
    const options = { signal, agent: false, rejectUnauthorized: false, headers: { "user-agent": userAgent } } as const
    let sentMs = nowMs()
    const request = ask(new URL("/", url), options, (response) => {
      resolve({ status: response.statusCode ?? 0, date: response.headers.date, sentMs, heardMs: nowMs() })
      response.destroy()
    })
    // The way of the question begins when the connection is there.
    request.once("socket", (socket) => socket.once(isTls ? "secureConnect" : "connect", () => (sentMs = nowMs())))
    request.once("error", reject)
    request.end()
  })

const skew_ms_warn = 1_000
const skew_ms_fail = 5_000

/** `Date` has whole seconds, cut off: on the average half of one is missing. */
const cut_ms = 500

const clockName = "clock"

/** What is to be said of this machine's clock; positive is ahead of the server's. */
export const judgeSkew = (skew_ms: number, ms: number): Finding => {
  const words = `${spanWords(Math.abs(skew_ms))} ${skew_ms < 0 ? "behind" : "ahead of"} the broker's`
  const beside = { ms, details: { skew_ms: Math.round(skew_ms) } }
  const harm = "receivedAt, lags and the hours of the files are wrong by it"
  const advice = `let chrony or systemd-timesyncd keep the clock; ${harm}`
  if (Math.abs(skew_ms) > skew_ms_fail) {
    return fail(clockName, words, `${advice}, and so is when trading is taken to begin and end`, beside)
  }
  return Math.abs(skew_ms) > skew_ms_warn
    ? warn(clockName, words, advice, beside)
    : ok(clockName, `within ${skew_ms_warn / 1_000} s of the broker's`, beside)
}

/** The server answers, and what its clock says. */
export const httpStep = (host: Host): Effect.Effect<ReadonlyArray<Finding>> => {
  const name = `${host.role} http`
  return Effect.flatMap(Clock.Clock, (clock) =>
    timedStep((signal) => dated(host, () => clock.currentTimeMillisUnsafe(), signal))
  ).pipe(
    Effect.map(([{ date, heardMs, sentMs, status }]) => {
      const ms = heardMs - sentMs
      const answer = ok(name, `${host.hostname} answers (${status})`, { ms, details: { status } })
      const dateMs = Date.parse(date ?? "")
      if (Number.isNaN(dateMs)) {
        return [answer, warn(clockName, "the server says no date", "compare the clock by hand: timedatectl")]
      }
      return [answer, judgeSkew((sentMs + heardMs) / 2 - (dateMs + cut_ms), ms)]
    }),
    Effect.catch(({ code }) =>
      Effect.succeed([
        fail(
          name,
          `${host.hostname} does not answer (${code})`,
          `look at the broker's notices, and at ${host.variable} if it is set`,
          {
            details: { code }
          }
        )
      ])
    )
  )
}
