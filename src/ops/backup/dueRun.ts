import { Cron } from "effect"
import { compressed_ms } from "./planSealed.ts"
import type { Runs } from "./TransferLog.ts"

/** What decides when the next backup begins; all times are market time, UTC milliseconds. */
export interface Plan {
  readonly cron: Cron.Cron
  readonly runs: Runs
  readonly gzip_minutes: number | "off"
  /** A run since then has sent what waited for its compression, or tried to. */
  readonly isFollowUp: boolean
}

/** A run that begins later than this after its time was missed. */
const late_ms = 10 * 60_000
const minute_ms = 60_000
/** After a run that did not end well: from a quarter of an hour, twice as long each time, to six hours. */
const again_ms_min = 15 * minute_ms
const again_ms_max = 6 * 60 * minute_ms

export type Due =
  /** Its time has come; the market is not asked. */
  | { readonly _tag: "OnTime"; readonly atMs: number }
  /** To be made up for, tried again, or finished: while the market is not at its busiest. */
  | { readonly _tag: "Beside"; readonly atMs: number; readonly why: "missed" | "failed" | "waiting" }

/** A time that is remembered, none of a clock that ran ahead: until then the schedule would stand still. */
const passed = (text: string | undefined, nowMs: number): number => {
  const atMs = Date.parse(text ?? "")
  return atMs <= nowMs ? atMs : Number.NaN
}

/** The next run after an instant; `atMs` may have passed. */
export const dueRun = ({ cron, gzip_minutes, isFollowUp, runs }: Plan, nowMs: number): Due => {
  const lastMs = Cron.prev(cron, nowMs + 1).getTime()
  const startedMs = passed(runs.startedAt, nowMs)
  const ended = passed(runs.endedAt, nowMs)
  const endedMs = Number.isNaN(ended) ? startedMs : ended
  if (!(startedMs >= lastMs)) {
    return nowMs - lastMs <= late_ms
      ? { _tag: "OnTime", atMs: lastMs }
      : { _tag: "Beside", atMs: lastMs, why: "missed" }
  }
  const nextMs = Cron.next(cron, nowMs).getTime()
  const besides: ReadonlyArray<Due> =
    runs.failures > 0
      ? [
          {
            _tag: "Beside",
            atMs: endedMs + Math.min(again_ms_max, again_ms_min * 2 ** Math.min(10, runs.failures - 1)),
            why: "failed"
          }
        ]
      : runs.waiting > 0 && !isFollowUp && gzip_minutes !== "off"
        ? [{ _tag: "Beside", atMs: endedMs + gzip_minutes * minute_ms + compressed_ms, why: "waiting" }]
        : []
  const [beside] = besides
  return beside !== undefined && beside.atMs < nextMs ? beside : { _tag: "OnTime", atMs: nextMs }
}
