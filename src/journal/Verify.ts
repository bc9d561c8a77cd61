import { Effect } from "effect"
import { join } from "node:path"
import { dayFolder, marketDate, marketMidnight } from "../calendar/MarketTime.ts"
import { sha256Of } from "../domain/sha256Of.ts"
import { makeMarkers, type Markers, seekMarkers } from "./CertifiedMarkers.ts"
import type { Disk, DiskError } from "./Disk.ts"
import { JournalReadError } from "./JournalError.ts"
import { type ManifestLine, readManifest } from "./Manifest.ts"
import { listDays } from "./Segments.ts"
import type { DayLists } from "./verify/DayLists.ts"
import { listEverything } from "./verify/Listing.ts"
import { judgeOthers, newSurvey } from "./verify/judgeOthers.ts"
import { fromBackup, type Problem } from "./verify/Problem.ts"
import { type Fault, faultsOf, type Run, type Stretch, stretchesOf } from "./verify/Runs.ts"
import type { OnRecord as OnJournalRecord } from "./verify/scanFile.ts"
import { certificateHash, verifyCertificate } from "./verify/verifyCertificate.ts"
import { verifyDay } from "./verify/verifyDay.ts"
import { readWhole } from "./wholeFile.ts"

export { type Problem, problemKinds } from "./verify/Problem.ts"
export type { Stretch } from "./verify/Runs.ts"

export interface VerifyProgress {
  readonly files: number
  readonly filesTotal: number
  /** Of files, as they lie on disk. */
  readonly bytes: number
  readonly bytesTotal: number
}

export interface VerifyOptions {
  readonly dataDir: string
  /** Days in market time, `YYYYMMDD`, both included. */
  readonly fromDay?: string | undefined
  readonly toDay?: string | undefined
  readonly onProgress?: (progress: VerifyProgress) => Effect.Effect<void>
  /** Every record of every file, once, for whoever counts beside; those of copies are left out. */
  readonly onRecord?: OnJournalRecord
}

export interface VerifyReport {
  readonly days: number
  readonly files: number
  readonly bytes: number
  readonly lines: number
  /** What is wrong; of a ruined archive the first thousand. */
  readonly problems: ReadonlyArray<Problem>
  readonly problemsFound: number
  /** What is no fault and should be known. */
  readonly notes: ReadonlyArray<string>
  /** The lines of the manifests that were held against files. */
  readonly entered: ReadonlyArray<ManifestLine>
  /** The numbers of each node in these days. */
  readonly stretches: ReadonlyArray<Stretch>
  readonly certified: ReadonlyArray<{ readonly day: string; readonly isOnRecord: boolean }>
}

const day_ms = 86_400_000
const slashed = (day: string | undefined) => day && dayFolder(day)

const rangeProblem = ({ after, before, first, kind, last, node }: Fault): Problem => {
  const numbers = first === last ? `seq ${first}` : `seq ${first}–${last}`
  return kind === "missingRange"
    ? {
        kind,
        file: after,
        problem: `${numbers} of ${node} are in no file, after ${before}`,
        remedy: "restore the file that had them from a backup"
      }
    : {
        kind,
        file: after,
        problem: `${numbers} of ${node} are in ${before} too`,
        remedy: `move one of the two out of the data folder`
      }
}

/** What the manifests of all other days say, so that a clock that was set back leaves no hole in a range of days. */
const runsOutside = Effect.fnUntraced(function* (dataDir: string, isInside: (day: string) => boolean) {
  const runs: Array<Run> = []
  for (const day of yield* listDays(dataDir)) {
    if (isInside(day)) continue
    for (const { file, firstSeq, lastSeq, node } of yield* readManifest(dataDir, day)) {
      runs.push({ node, first: firstSeq, last: lastSeq, file: `${day}/${file}`, isOutside: true })
    }
  }
  return runs
})

/** The dated files of universes are named by their content. */
const universeProblems = Effect.fnUntraced(function* (dataDir: string, day: string, names: ReadonlySet<string>) {
  const problems: Array<Problem> = []
  for (const name of names) {
    const sha256 = /^universe-([0-9a-f]{12})\.json$/.exec(name)?.[1]
    if (sha256 === undefined) continue
    const file = `${day}/${name}`
    const text = yield* readWhole(join(dataDir, file))
    if (text === undefined || sha256Of(Buffer.from(text)).startsWith(sha256)) continue
    problems.push({
      kind: "universe",
      file,
      problem: "its content is not the one its name says",
      remedy: fromBackup(file)
    })
  }
  return problems
})

/** Days after a range in which the word on its certificates may be: a missed day is certified within a week. */
const marker_days_max = 8

/** Looks behind the range for the journal's word on certificates that are not on record in it: the one of a day that ends at midnight is in the next. */
const seekBehind = Effect.fnUntraced(function* (
  dataDir: string,
  lists: ReadonlyArray<DayLists>,
  toDay: string,
  markers: Markers
) {
  const certificates: Array<{ readonly day: string; readonly sha256: string }> = []
  for (const { day } of lists) {
    const sha256 = yield* certificateHash(dataDir, day)
    if (sha256 !== undefined) certificates.push({ day, sha256 })
  }
  const isDone = () => certificates.every(({ day, sha256 }) => markers.of(day)?.marker.certificateSha256 === sha256)
  const fromDay = dayFolder(marketDate(marketMidnight(toDay) + day_ms))
  if (!isDone()) yield* seekMarkers({ dataDir, fromDay, days_max: marker_days_max, isDone }, markers)
})

/**
 * Verifies an archive: every file against manifest and checksums, every line as a record, the numbers of each node
 * without hole or double, no file that does not belong, every certificate against what it certifies. Reads everything
 * once, changes nothing, and needs memory for one block and a line a file. An observer may be writing meanwhile.
 */
export const verifyArchive = Effect.fn("Verify.archive")(
  function* (options: VerifyOptions) {
    const { dataDir, fromDay, onProgress, onRecord, toDay } = options
    const from = slashed(fromDay) ?? ""
    const to = slashed(toDay) ?? "9999/99/99"
    const listing = yield* listEverything(dataDir, from, to)
    const bytesTotal = listing.files.reduce((sum, { bytes }) => sum + bytes, 0)
    const markers = makeMarkers()
    let bytes = 0
    const survey = newSurvey({
      dataDir,
      onBytes: (more) =>
        Effect.suspend(() => {
          bytes += more
          const progress = { files: survey.files, filesTotal: listing.files.length, bytes, bytesTotal }
          return onProgress === undefined ? Effect.void : onProgress(progress)
        }),
      onRecord: (record, node, file) => {
        markers.see(record)
        onRecord?.(record, node, file)
      }
    })

    const days = [...listing.days.keys()].sort()
    const lists: Array<DayLists> = []
    const others = listing.files.filter(({ day }) => day === undefined || !listing.days.has(day))
    for (const day of days) {
      const seen = yield* verifyDay(
        survey,
        day,
        listing.files.filter((file) => file.day === day)
      )
      lists.push(seen.lists)
      others.push(...seen.others)
      const wrong = yield* universeProblems(dataDir, day, listing.days.get(day) ?? new Set())
      wrong.forEach(survey.problems.add)
    }
    yield* judgeOthers(survey, others)

    const isWhole = fromDay === undefined && toDay === undefined
    const outside = isWhole ? [] : yield* runsOutside(dataDir, (day) => listing.days.has(day))
    const runs = [...survey.runs, ...outside]
    faultsOf(runs).map(rangeProblem).forEach(survey.problems.add)

    if (toDay !== undefined) yield* seekBehind(dataDir, lists, toDay, markers)
    const certified: Array<VerifyReport["certified"][number]> = []
    for (const each of lists) {
      const { isCertified, isOnRecord, problems } = yield* verifyCertificate(dataDir, each, markers.of(each.day))
      problems.forEach(survey.problems.add)
      if (isCertified) certified.push({ day: each.day.replaceAll("/", "-"), isOnRecord })
    }
    return {
      days: days.length,
      files: survey.files,
      bytes,
      lines: survey.lines,
      problems: survey.problems.kept(),
      problemsFound: survey.problems.found(),
      notes: survey.notes,
      entered: survey.entered,
      stretches: stretchesOf(runs),
      certified
    } satisfies VerifyReport
  },
  (effect): Effect.Effect<VerifyReport, JournalReadError, Disk> =>
    Effect.mapError(effect, (error: DiskError) => new JournalReadError({ file: error.path, detail: error.message }))
)
