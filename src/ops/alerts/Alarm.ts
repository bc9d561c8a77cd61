/** What a rule says at a look: it is amiss, it is well, or now is no time to judge. */
export type Verdict = "amiss" | "well" | "unsettled"

export type Alarm =
  | { readonly _tag: "ok"; readonly firedAtMs: ReadonlyArray<number> }
  /** Amiss, and not yet for long enough to be told. */
  | { readonly _tag: "pending"; readonly firedAtMs: ReadonlyArray<number>; readonly sinceMs: number }
  | (Told & { readonly _tag: "firing" })
  /** Told and well again, and not yet for long enough to be told over. */
  | (Told & { readonly _tag: "recovering"; readonly wellSinceMs: number })

/** Of an alarm that was told. All times are milliseconds of the machine's clock. */
interface Told {
  /** Since when it has been amiss. */
  readonly sinceMs: number
  /** When it was told within the last hour, this time included. */
  readonly firedAtMs: ReadonlyArray<number>
  /** When it was told this time. */
  readonly toldAtMs: number
  readonly reminders: number
}

export interface Holds {
  readonly fire_ms: number
  readonly recover_ms: number
}

/** What is to be told after a look. */
export type Telling = "fired" | "reminder" | "recovered"

export const quiet: Alarm = { _tag: "ok", firedAtMs: [] }

const hour_ms = 3_600_000
const day_ms = 24 * hour_ms
/** So often within an hour it comes and goes. */
const flaps_min = 3
/** What comes and goes is over only when it has been gone for so long. */
export const flapping_ms = 900_000

export const isFlapping = (firedAtMs: ReadonlyArray<number>): boolean => firedAtMs.length >= flaps_min

export const isFiring = (alarm: Alarm): alarm is Extract<Alarm, Told> =>
  alarm._tag === "firing" || alarm._tag === "recovering"

/** Reminders that are due so long after the telling: after an hour, after six, then daily. */
const remindersAfter = (told_ms: number): number =>
  told_ms < hour_ms ? 0 : told_ms < 6 * hour_ms ? 1 : told_ms < day_ms ? 2 : 2 + Math.floor(told_ms / day_ms)

/** A clock that was set back has nothing begin in the future. */
const not = (nowMs: number) => (atMs: number) => Math.min(atMs, nowMs)

const told = (alarm: Extract<Alarm, Told>): Told => ({
  sinceMs: alarm.sinceMs,
  firedAtMs: alarm.firedAtMs,
  toldAtMs: alarm.toldAtMs,
  reminders: alarm.reminders
})

const remind = (alarm: Told & { readonly _tag: "firing" }, nowMs: number): readonly [Alarm, Telling | undefined] => {
  const due = remindersAfter(nowMs - alarm.toldAtMs)
  return due > alarm.reminders ? [{ ...alarm, reminders: due }, "reminder"] : [alarm, undefined]
}

/**
 * The alarm of one rule after a look. Each firing is told once and ended once; what returns before it was told over is the
 * same firing. While it cannot be judged, nothing begins, and nothing that was told ends.
 */
export const next = (
  before: Alarm,
  verdict: Verdict,
  nowMs: number,
  { fire_ms, recover_ms }: Holds
): readonly [alarm: Alarm, telling: Telling | undefined] => {
  const earliest = not(nowMs)
  const firedAtMs = before.firedAtMs.filter((atMs) => nowMs - atMs < hour_ms).map(earliest)
  switch (before._tag) {
    case "ok":
    case "pending": {
      if (verdict !== "amiss") return [{ _tag: "ok", firedAtMs }, undefined]
      const sinceMs = before._tag === "pending" ? earliest(before.sinceMs) : nowMs
      if (nowMs - sinceMs < fire_ms) return [{ _tag: "pending", firedAtMs, sinceMs }, undefined]
      const fired = [...firedAtMs, nowMs].slice(-flaps_min)
      return [{ _tag: "firing", sinceMs, firedAtMs: fired, toldAtMs: nowMs, reminders: 0 }, "fired"]
    }
    case "firing":
    case "recovering": {
      const kept = {
        ...told(before),
        firedAtMs,
        toldAtMs: earliest(before.toldAtMs),
        sinceMs: earliest(before.sinceMs)
      }
      if (verdict !== "well") return remind({ ...kept, _tag: "firing" }, nowMs)
      const wellSinceMs = before._tag === "recovering" ? earliest(before.wellSinceMs) : nowMs
      const hold_ms = isFlapping(firedAtMs) ? Math.max(recover_ms, flapping_ms) : recover_ms
      return nowMs - wellSinceMs >= hold_ms
        ? [{ _tag: "ok", firedAtMs }, "recovered"]
        : [{ ...kept, _tag: "recovering", wellSinceMs }, undefined]
    }
  }
}
