import { Clock, Effect } from "effect"
import { isIP } from "node:net"
import { connect as connectTls, type PeerCertificate } from "node:tls"
import { spanWords } from "../../amountWords.ts"
import { fail, type Finding, ok, warn } from "../Finding.ts"
import { type Host, timedStep } from "./Host.ts"

const day_ms = 86_400_000
/** The broker renews in time; who sees less than this should ask it. */
const certificate_days_min = 14

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
