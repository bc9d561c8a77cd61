import { Clock, Effect } from "effect"
import { request as plainRequest } from "node:http"
import { request as tlsRequest } from "node:https"
import { userAgent } from "../../../kis/KisHttp.ts"
import { clockName, judgeSkew } from "../clockSkew.ts"
import { fail, type Finding, ok, warn } from "../Finding.ts"
import { type Host, timedStep } from "./Host.ts"

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

/** `Date` has whole seconds, cut off: on the average half of one is missing. */
const cut_ms = 500

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
