import { Effect } from "effect"
import { join } from "node:path"
import { marketDate } from "../../calendar/MarketTime.ts"
import { Disk } from "../Disk.ts"
import type { ManifestLine } from "../Manifest.ts"
import type { RetiredDay } from "../RetiredDay.ts"
import { type DayLists, readLists, sealedAs } from "./DayLists.ts"
import { judgeSealed } from "./judgeSealed.ts"
import { fileOf, type FoundFile } from "./Listing.ts"
import { fromBackup, type Problems } from "./Problem.ts"
import type { Run } from "./Runs.ts"
import type { Facts } from "./scanFile.ts"
import { type Listening, scanListened } from "./scanListened.ts"

/** What the files of a day are verified with, and what is learnt of them. */
export interface Survey extends Listening {
  readonly problems: Problems
  readonly runs: Array<Run>
  /** Sealed contents by their hash: whose copy a file is. */
  readonly sealed: Map<string, string>
  /** Sealed files that are not there, by the hash of their content. */
  readonly missing: Map<string, string>
  readonly notes: Array<string>
  /** Lines of the manifests, as they were when their files were looked at. */
  readonly entered: Array<ManifestLine>
  files: number
  lines: number
}

/** A running observer seals and packs files between our looks; by then it has finished what it was about. */
const settle = "100 millis"
/** A disk that is slow to sync may keep a sealed file out of the lists for a while. */
const entering_looks_max = 50

const runOf = (day: string, { file, firstSeq, lastSeq, node }: ManifestLine): Run => ({
  node,
  first: firstSeq,
  last: lastSeq,
  file: `${day}/${file}`
})

/** Whether a run can be what a manifest says: a changed one may say anything. */
const isSane = ({ first, last }: Run) => first >= 1 && first <= last

const isDamaged = ({ sha256 }: Facts, line: ManifestLine) => sha256 !== line.sha256

/** Reads the lists of a day; what seems wrong is looked at again. */
const settledLists = Effect.fnUntraced(function* (dataDir: string, day: string) {
  const lists = yield* readLists(dataDir, day)
  if (lists.problems.length === 0) return lists
  yield* Effect.sleep(settle)
  return yield* readLists(dataDir, day)
})

/** Whether a file that is not there was deleted with its day: what was sealed later was not among them. */
const isRetired = ({ retired }: DayLists, { sealedAt }: ManifestLine) =>
  retired !== undefined && !(Date.parse(sealedAt) > Date.parse(retired.finishedAt ?? retired.at))

/** Verifies one sealed file that the manifest names. */
export const verifySealed = Effect.fnUntraced(function* (survey: Survey, lists: DayLists, line: ManifestLine) {
  const { dataDir, problems, runs } = survey
  const { day } = lists
  const disk = yield* Disk
  if (isRetired(lists, line) && (yield* disk.size(join(dataDir, day, sealedAs(line).file))) === undefined) {
    // Its numbers are accounted for, and nobody asks for its lines.
    runs.push({ ...runOf(day, line), isOutside: true })
    return
  }
  const look = Effect.fnUntraced(function* (now: DayLists, entered: ManifestLine) {
    const sealed = sealedAs(entered)
    const path = `${day}/${sealed.file}`
    const bytes = yield* disk.size(join(dataDir, path))
    const file = fileOf(path, bytes ?? 0)
    if (bytes === undefined || file === undefined) return undefined
    const facts = yield* scanListened(survey, file)
    if (facts === undefined) return undefined
    return { facts, found: judgeSealed(file, { day, line: entered, sum: now.sums.get(sealed.file), facts }) }
  })
  let entered = line
  let seen = yield* look(lists, line)
  if (seen === undefined || seen.found.length > 0) {
    yield* Effect.sleep(settle)
    const later = yield* settledLists(dataDir, day)
    entered = later.manifest.get(line.file) ?? line
    if (JSON.stringify(entered) !== JSON.stringify(line)) seen = yield* look(later, entered)
  }
  survey.files += 1
  survey.entered.push(entered)
  const said = runOf(day, entered)
  if (seen === undefined) {
    const path = `${day}/${sealedAs(entered).file}`
    const problem = `it is not there; the manifest has it, seq ${entered.firstSeq}–${entered.lastSeq}`
    problems.add({ kind: "missingFile", file: path, problem, remedy: fromBackup(path) })
    survey.missing.set(entered.sha256, path)
    if (isSane(said)) runs.push(said)
    return
  }
  const { facts, found } = seen
  found.forEach(problems.add)
  survey.lines += facts.lines
  survey.sealed.set(facts.sha256, `${day}/${entered.file}`)
  const believesFile = !isDamaged(facts, entered) || !found.some(({ kind }) => kind === "damagedFile")
  if (believesFile) runs.push(...facts.runs.map((run) => ({ ...run, file: said.file })))
  else if (isSane(said)) runs.push(said)
})

/** Verifies the file that is being written, up to its last whole line. */
const verifyOpen = Effect.fnUntraced(function* (survey: Survey, lists: DayLists, file: FoundFile) {
  const { dataDir, notes, problems, runs } = survey
  const scanned = yield* scanListened(survey, file)
  if (scanned === undefined) {
    // It is entered right after it has its new name.
    for (let look = 0; look < entering_looks_max; look++) {
      yield* Effect.sleep(settle)
      const later = yield* readLists(dataDir, lists.day)
      const line = later.manifest.get(file.name ?? "")
      if (line !== undefined) return yield* verifySealed(survey, later, line)
    }
    return
  }
  survey.files += 1
  survey.lines += scanned.lines
  runs.push(...scanned.runs)
  notes.push(`${file.path} is being written, or was when its observer was killed: ${scanned.lines} lines so far`)
  if (scanned.fault === undefined) return
  const remedy = "start the observer: it moves what is behind the last good line to quarantine/"
  problems.add({ kind: "badLine", file: file.path, problem: scanned.fault, remedy })
})

const retiredNote = (day: string, { at, backedUp, files, finishedAt }: RetiredDay): string =>
  `${files} files of ${day} were deleted by the retention on ${marketDate(Date.parse(at))}, ${backedUp ? "backed up before" : "not backed up"}${finishedAt === undefined ? "; the observer finishes it" : ""}`

/** Verifies the lists of a day (`YYYY/MM/DD`), the files they name, and the one being written; gives what they do not name. */
export const verifyDay = Effect.fn("verify.day")(function* (
  survey: Survey,
  day: string,
  found: ReadonlyArray<FoundFile>
) {
  const lists = yield* settledLists(survey.dataDir, day)
  lists.problems.forEach(survey.problems.add)
  for (const line of lists.manifest.values()) yield* verifySealed(survey, lists, line)
  if (lists.retired !== undefined) survey.notes.push(retiredNote(day, lists.retired))
  const named = new Set([...lists.manifest.values()].map((line) => sealedAs(line).file))
  const others = found.filter(({ path }) => !named.has(path.slice(day.length + 1)))
  const isOpen = ({ form, name }: FoundFile) => form === "open" && name !== undefined && !lists.manifest.has(name)
  for (const file of others.filter(isOpen)) yield* verifyOpen(survey, lists, file)
  return { lists, others: others.filter((file) => !isOpen(file)) }
})
