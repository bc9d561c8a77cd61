import { Data, Effect } from "effect"
import { systemCode } from "../../../domain/systemCode.ts"

/** A server by its address, as the steps towards it need it. */
export interface Host {
  /** What it is for, in the names of the findings: `rest`, `stream`. */
  readonly role: "rest" | "stream"
  readonly url: URL
  readonly hostname: string
  readonly port: number
  readonly isTls: boolean
  /** The setting that names another one. */
  readonly variable: string
}

const defaultPort = (isTls: boolean) => (isTls ? 443 : 80)

export const hostOf = (role: Host["role"], text: string): Host => {
  const url = new URL(text)
  const isTls = url.protocol === "https:" || url.protocol === "wss:"
  return {
    role,
    url,
    hostname: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port === "" ? defaultPort(isTls) : Number(url.port),
    isTls,
    variable: role === "rest" ? "KIS_REST_URL" : "KIS_WS_URL"
  }
}

/** A step towards a server that did not come off; `code` is the system's word, or `late`. */
export class StepFailed extends Data.TaggedError("StepFailed")<{ readonly code: string }> {}

/** Every step is bounded: a firewall that swallows packets answers nothing, for minutes. */
const step_seconds_max = 3

/** The words for a step that came to nothing within its time. */
export const late = `no answer in ${step_seconds_max} s`

/** Runs one step with its time-out, and says how many milliseconds it took. */
export const timedStep = <A>(
  run: (signal: AbortSignal) => Promise<A>
): Effect.Effect<readonly [A, number], StepFailed> =>
  Effect.suspend(() => {
    const began = performance.now()
    return Effect.tryPromise({ try: run, catch: (cause) => new StepFailed({ code: codeOf(cause) }) }).pipe(
      Effect.timeoutOrElse({
        duration: `${step_seconds_max} seconds`,
        orElse: () => Effect.fail(new StepFailed({ code: late }))
      }),
      Effect.map((value) => [value, performance.now() - began] as const)
    )
  })

/** Of a name with several addresses the first one's failure: they fail alike. */
const codeOf = (cause: unknown): string =>
  cause instanceof AggregateError && cause.errors.length > 0 ? codeOf(cause.errors[0]) : systemCode(cause)
