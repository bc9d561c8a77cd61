/** What became of what was sent of one symbol. `delivered` is the sum of the next six; the last two are beyond it. */
export interface Tally {
  delivered: number
  journalled: number
  /** Kept as a `reject` record. */
  rejected: number
  /** Sent again, or a quote that says what the one before said. */
  deduplicated: number
  /** Not there, as a gap record says. */
  covered: number
  /** Not there, and sent while the journal was not being written. */
  outside: number
  /** Not there, and nothing says so. */
  missing: number
  /** In the journal, and never sent. */
  invented: number
  /** In the journal more often than it was sent. */
  duplicates: number
}

export const noTally = (): Tally => ({
  delivered: 0,
  journalled: 0,
  rejected: 0,
  deduplicated: 0,
  covered: 0,
  outside: 0,
  missing: 0,
  invented: 0,
  duplicates: 0
})

export const tallyNames = Object.keys(noTally()) as ReadonlyArray<keyof Tally>

export const addTally = (into: Tally, other: Tally): void => {
  for (const name of tallyNames) into[name] += other[name]
}

/** Whether nothing is wrong: what is not in the journal is accounted for, and nothing is there that should not be. */
export const isClean = ({ duplicates, invented, missing }: Tally): boolean =>
  missing === 0 && invented === 0 && duplicates === 0
