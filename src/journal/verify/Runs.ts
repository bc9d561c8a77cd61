/** Consecutive `seq`s of one node, both ends included. */
export interface Run {
  readonly node: string
  readonly first: number
  readonly last: number
  /** Where they are, relative to the data folder. */
  readonly file: string
  /** Not looked at: a file outside the days that were asked for. */
  readonly isOutside?: boolean
}

/** A part of the numbers that is in no file, or in two. */
export interface Fault {
  readonly kind: "missingRange" | "doubledRange"
  readonly node: string
  readonly first: number
  readonly last: number
  /** The file before the hole, or the one that holds the numbers first. */
  readonly before: string
  readonly after: string
}

const ordered = (runs: ReadonlyArray<Run>): ReadonlyArray<Run> =>
  runs.toSorted((a, b) => (a.node === b.node ? a.first - b.first || a.last - b.last : a.node < b.node ? -1 : 1))

/**
 * Holds every node's numbers against 1, 2, 3 …: which are in no file, and which in two. What came before a node's first
 * file is not asked for, for old days may have been let go of; nor is what lies between two files outside the question.
 */
export const faultsOf = (runs: ReadonlyArray<Run>): ReadonlyArray<Fault> => {
  const faults: Array<Fault> = []
  let reached: Run | undefined
  for (const run of ordered(runs)) {
    if (reached === undefined || reached.node !== run.node) {
      reached = run
      continue
    }
    const isAsked = !(reached.isOutside && run.isOutside)
    const ends = { node: run.node, before: reached.file, after: run.file }
    if (isAsked && run.first > reached.last + 1) {
      faults.push({ kind: "missingRange", ...ends, first: reached.last + 1, last: run.first - 1 })
    }
    if (isAsked && run.first <= reached.last) {
      faults.push({ kind: "doubledRange", ...ends, first: run.first, last: Math.min(run.last, reached.last) })
    }
    if (run.last > reached.last) reached = run
  }
  return faults
}

/** A stretch of a node's numbers that belongs to the days that were asked for. */
export interface Stretch {
  readonly node: string
  readonly first: number
  readonly last: number
}

/** The numbers that the days asked for hold, holes included, without those of files outside that lie between. */
export const stretchesOf = (runs: ReadonlyArray<Run>): ReadonlyArray<Stretch> => {
  const stretches: Array<Stretch> = []
  let isOpen = false
  for (const { first, isOutside, last, node } of ordered(runs)) {
    if (isOutside) {
      isOpen = false
      continue
    }
    const before = stretches.at(-1)
    if (isOpen && before?.node === node)
      stretches[stretches.length - 1] = { ...before, last: Math.max(before.last, last) }
    else stretches.push({ node, first, last })
    isOpen = true
  }
  return stretches
}
