/** Everything that can be wrong with an archive. The list is closed: a new kind of problem is added here. */
export const problemKinds = [
  /** A file's bytes are not those that were sealed. */
  "damagedFile",
  "missingFile",
  /** A copy of another file, which would count twice. */
  "doubledFile",
  /** A file of records that the manifest does not know. */
  "unlistedFile",
  /** A line that is not a record, or a record that is not what its node, `seq` and time say. */
  "badLine",
  "missingRange",
  "doubledRange",
  /** The manifest says something else than the file, or is no manifest. */
  "manifest",
  /** `SHA256SUMS` says something else than the manifest. */
  "checksums",
  /** The dated file of a universe is not the one its name says. */
  "universe",
  /** A day's certificate was changed, or what it certifies was. */
  "certificate",
  /** Rows of the database against lines of the files. */
  "rows"
] as const
export type ProblemKind = (typeof problemKinds)[number]

/** One thing that is wrong, in one line, and what to do about it. */
export interface Problem {
  readonly kind: ProblemKind
  /** Relative to the data folder. */
  readonly file: string
  readonly problem: string
  readonly remedy: string
}

/** Problems named; a ruined archive has more than anybody reads, and the rest is counted. */
export const problems_max = 1_000

/** Problems as they are found: the first of them kept, all of them counted. */
export const makeProblems = () => {
  const kept: Array<Problem> = []
  let found = 0
  return {
    add: (problem: Problem): void => {
      found += 1
      if (kept.length < problems_max) kept.push(problem)
    },
    kept: (): ReadonlyArray<Problem> => kept,
    found: () => found
  }
}
export type Problems = ReturnType<typeof makeProblems>

export const fromBackup = (file: string) => `restore ${file} from a backup`
