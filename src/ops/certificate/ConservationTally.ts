/** What became of what a source received on a day; `remainder` is what nobody accounts for. */
export interface SourceDay {
  readonly received: number
  readonly stored: number
  readonly rejected: number
  readonly deduplicated: number
  /** On their way at the end of the last minute. */
  readonly inFlight: number
  readonly remainder: number
}

const names = ["received", "stored", "rejected", "deduplicated"] as const

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/**
 * Adds up the minutes of a day, as their markers tell them: amounts of the minute, and what was in flight at its end. What
 * was in flight before the first minute is not known unless the observer had just started, and then it was nothing.
 */
export const makeConservationTally = () => {
  const sources = new Map<string, SourceDay>()
  let minutes = 0
  let hasStarted = false

  const add = (name: string, amounts: Readonly<Record<string, unknown>>): void => {
    const amount = (key: string) => (typeof amounts[key] === "number" ? amounts[key] : 0)
    const before = sources.get(name)
    const inFlight = amount("inFlight")
    const [received, stored, rejected, deduplicated] = names.map(amount) as [number, number, number, number]
    const settled = received - stored - rejected - deduplicated
    const isKnown = before !== undefined || hasStarted
    sources.set(name, {
      received: received + (before?.received ?? 0),
      stored: stored + (before?.stored ?? 0),
      rejected: rejected + (before?.rejected ?? 0),
      deduplicated: deduplicated + (before?.deduplicated ?? 0),
      inFlight,
      remainder: (before?.remainder ?? 0) + (isKnown ? settled - (inFlight - (before?.inFlight ?? 0)) : 0)
    })
  }

  return {
    see: (marker: Readonly<Record<string, unknown>>): void => {
      if (marker["event"] === "start") {
        hasStarted = true
        for (const [name, day] of sources) sources.set(name, { ...day, inFlight: 0 })
      }
      const told = marker["sources"]
      if (marker["event"] !== "minute" || !isObject(told)) return
      minutes += 1
      for (const [name, amounts] of Object.entries(told)) if (isObject(amounts)) add(name, amounts)
    },
    /** `undefined` where no minute was told of. */
    sources: (): Readonly<Record<string, SourceDay>> | undefined =>
      minutes === 0 ? undefined : Object.fromEntries([...sources].sort()),
    minutes: () => minutes
  }
}
