const rotated = /^observer-(\d{4})(\d{2})(\d{2})-(\d+)\.log$/
const day_ms = 86_400_000

interface Rotated {
  readonly name: string
  /** Midnight UTC of the day in its name. */
  readonly dayMs: number
  readonly index: number
}

const rotatedOf = (name: string): ReadonlyArray<Rotated> => {
  const [, year, month, day, index] = rotated.exec(name) ?? []
  return day === undefined
    ? []
    : [{ name, dayMs: Date.UTC(Number(year), Number(month) - 1, Number(day)), index: Number(index) }]
}

/**
 * Of the names in a log folder the rotated files that are older than `days`, and the oldest ones beyond twice that number.
 * No clock is trusted alone: today is not later than two days after the newest day but one that has a rotated file, so a
 * clock that jumps ahead makes nothing old before it has rotated on two days.
 */
export const staleLogs = (names: ReadonlyArray<string>, days: number, nowMs: number): ReadonlyArray<string> => {
  const files = names.flatMap(rotatedOf).toSorted((a, b) => b.dayMs - a.dayMs || b.index - a.index)
  const before = files.find(({ dayMs }) => dayMs < (files[0]?.dayMs ?? 0))
  const todayMs = before === undefined ? Number.NEGATIVE_INFINITY : Math.min(nowMs, before.dayMs + 3 * day_ms - 1)
  const oldestMs = Math.floor(todayMs / day_ms) * day_ms - days * day_ms
  return files.filter(({ dayMs }, place) => dayMs < oldestMs || place >= 2 * days).map(({ name }) => name)
}
