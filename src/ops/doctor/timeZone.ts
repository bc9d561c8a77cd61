import { Effect } from "effect"
import type { MachineCheck } from "../Doctor.ts"
import { type Finding, ok, warn } from "./Finding.ts"

const name = "time zone data"

/** Instants and what Seoul's clocks showed: today's offset, the summer time of 1988, and the half hour of 1960. */
const known = [
  ["2026-11-24T00:00:00Z", "2026-11-24 09:00"],
  ["1988-07-01T00:00:00Z", "1988-07-01 10:00"],
  ["1960-12-01T00:00:00Z", "1960-12-01 08:30"]
] as const

/** The wall clock of Seoul as the machine's data have it, `YYYY-MM-DD HH:MM`; throws where there are none. */
const wallClockInSeoul = (at: Date): string => {
  const format = new Intl.DateTimeFormat("sv-SE", { timeZone: "Asia/Seoul", dateStyle: "short", timeStyle: "short" })
  return format.format(at)
}

const advice =
  "install a Node with whole ICU data (the official builds have it); Observer's own market time is computed without them"

/** Market time is UTC+9 by arithmetic; what is planned or shown by a zone's name needs the machine's data to agree. */
export const judgeZone = (wallClock: (at: Date) => string): Finding => {
  try {
    const wrong = known.find(([utc, seoul]) => wallClock(new Date(utc)) !== seoul)
    if (wrong === undefined) return ok(name, "Asia/Seoul is right on three known instants")
    const [utc, seoul] = wrong
    return warn(name, `Asia/Seoul at ${utc} should be ${seoul}, and is ${wallClock(new Date(utc))}`, advice)
  } catch (cause) {
    return warn(name, `Asia/Seoul is not known here: ${cause instanceof Error ? cause.message : String(cause)}`, advice)
  }
}

export const timeZone: MachineCheck = { name, look: () => Effect.sync(() => [judgeZone(wallClockInSeoul)]) }
