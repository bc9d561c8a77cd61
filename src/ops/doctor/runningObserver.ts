import { Effect } from "effect"
import type { Check } from "../Doctor.ts"
import { ok, warn } from "./Finding.ts"

const name = "observer"

/** Whether an observer runs here, and what it says of itself. */
export const runningObserver: Check = {
  name,
  look: Effect.fnUntraced(function* ({ health, holder }) {
    const by = yield* holder
    const report = yield* health
    if (report === undefined) {
      if (by === undefined) return [ok(name, "none runs here")]
      const advice = "if it has just started, ask again; else look at OBSERVER_HTTP_HOST, _PORT, _TOKEN, and its log"
      return [warn(name, `process ${by.pid} holds the data folder and does not answer over HTTP`, advice)]
    }
    const { parts, ready, status, version } = report
    const elsewhere = by === undefined ? "; no process of this machine holds the data folder: it may be another's" : ""
    const words = `version ${version} runs and is ${status}${ready ? ", ready" : ", not ready"}${elsewhere}`
    const details = { status, ready, version, ...(by === undefined ? {} : { pid: by.pid }) }
    if (status === "ok" || status === "starting") return [ok(name, words, { details })]
    const troubled = Object.entries(parts).flatMap(([part, { reason, status: state }]) =>
      state === "degraded" || state === "down" ? [`${part}: ${reason ?? state}`] : []
    )
    return [warn(name, [words, ...troubled].join("; "), "observer status shows all of it", { details })]
  })
}
