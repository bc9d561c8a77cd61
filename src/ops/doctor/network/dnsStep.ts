import { Effect } from "effect"
import { lookup } from "node:dns/promises"
import { isIP } from "node:net"
import { fail, type Finding, ok } from "../Finding.ts"
import { type Host, timedStep } from "./Host.ts"

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
