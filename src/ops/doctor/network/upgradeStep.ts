import { Clock, Effect } from "effect"
import { connect } from "../../../kis/StreamSocket.ts"
import { fail, type Finding, ok } from "../Finding.ts"
import { type Host, late } from "./Host.ts"

/**
 * A whole WebSocket handshake, and an orderly close. The broker asks for nothing at the upgrade: the approval key is in
 * each subscription (kis/websocket.md §1), so that this names no app key and takes nobody's session.
 */
export const upgradeStep = ({ hostname, url, variable }: Host): Effect.Effect<Finding> => {
  const name = "stream upgrade"
  return Effect.flatMap(Clock.Clock, (clock) => {
    const began = performance.now()
    const opened = connect(url.href, () => clock.currentTimeMillisUnsafe())
    return Effect.scoped(Effect.asVoid(opened)).pipe(
      Effect.timeoutOrElse({ duration: "3 seconds", orElse: () => Effect.fail({ detail: late }) }),
      Effect.map(() => {
        const words = `${hostname} takes WebSockets (one connect without a key, closed again and not counted)`
        return ok(name, words, { ms: performance.now() - began })
      }),
      Effect.catch(({ detail }) =>
        Effect.succeed(
          fail(
            name,
            `${hostname} takes no WebSocket (${detail})`,
            `look for a proxy or a firewall in between, and at ${variable} if it is set`,
            {
              details: { detail }
            }
          )
        )
      )
    )
  })
}
