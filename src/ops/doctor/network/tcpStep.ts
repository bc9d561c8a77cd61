import { Effect } from "effect"
import { connect } from "node:net"
import { fail, type Finding, ok } from "../Finding.ts"
import { type Host, timedStep } from "./Host.ts"

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
