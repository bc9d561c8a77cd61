/** Some days of an archive, as `YYYY/MM/DD`. */
export interface DaySelection {
  readonly has: (day: string) => boolean
  /** All of them: then what belongs to no day is meant, too. */
  readonly isAll: boolean
  /** The days by name, where they are few and named. */
  readonly named: ReadonlyArray<string> | undefined
}

export const allDays: DaySelection = { has: () => true, isAll: true, named: undefined }

/** Days from one to another, both included; without an end, all that way. */
export const daysBetween = (from: string | undefined, to: string | undefined): DaySelection =>
  from === undefined && to === undefined
    ? allDays
    : { has: (day) => day >= (from ?? "") && day <= (to ?? "9999/99/99"), isAll: false, named: undefined }

export const theseDays = (days: ReadonlyArray<string>): DaySelection => {
  const set = new Set(days)
  return { has: (day) => set.has(day), isAll: false, named: days }
}
