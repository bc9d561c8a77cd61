import { Effect } from "effect"
import type { FoundFile } from "./Listing.ts"
import { makeProblems } from "./Problem.ts"
import type { Run } from "./Runs.ts"
import type { Facts } from "./scanFile.ts"
import { scanListened } from "./scanListened.ts"
import { readLists } from "./DayLists.ts"
import { type Survey, verifySealed } from "./verifyDay.ts"

/** Whether every number of a file is in files that are known. */
const isHeld = (run: Run, runs: ReadonlyArray<Run>): boolean =>
  runs.some(({ first, last, node }) => node === run.node && first <= run.first && last >= run.last)

/** The same file, sealed and packed: the observer leaves both for a moment, or for longer when it is killed in it. */
const isOtherForm = ({ form, path }: FoundFile, original: string): boolean =>
  form === "packed" ? path === `${original}.gz` : path === original

/** The line of a file that was entered after the lists were read: it was just being sealed. */
const enteredSince = Effect.fnUntraced(function* ({ dataDir }: Survey, { day, name }: FoundFile) {
  if (day === undefined || name === undefined) return undefined
  const lists = yield* readLists(dataDir, day)
  const line = lists.manifest.get(name)
  return line && { lists, line }
})

const judge = (survey: Survey, file: FoundFile, facts: Facts): void => {
  const { missing, notes, problems, runs, sealed } = survey
  const { path } = file
  const original = sealed.get(facts.sha256)
  const lost = missing.get(facts.sha256)
  if (original !== undefined && isOtherForm(file, original)) {
    notes.push(`${path} and its other form are both there, and equal; the observer removes one of them`)
  } else if (original !== undefined) {
    const problem = `it is a copy of ${original}: its lines would count twice`
    problems.add({ kind: "doubledFile", file: path, problem, remedy: `delete ${path}` })
  } else if (lost !== undefined) {
    const problem = `it is ${lost}, moved or renamed`
    problems.add({ kind: "unlistedFile", file: path, problem, remedy: `move it back to ${lost}` })
  } else if (facts.runs.length > 0 && facts.runs.every((run) => isHeld(run, runs))) {
    const problem =
      "its numbers are those of other files: it is a copy that was changed, or was made while it was written"
    problems.add({ kind: "doubledFile", file: path, problem, remedy: `move ${path} out of the data folder` })
  } else {
    const problem = "no manifest names it"
    const remedy =
      "if it was sealed just before a crash, start the observer; else restore the day's MANIFEST.jsonl from a backup"
    problems.add({ kind: "unlistedFile", file: path, problem, remedy })
    runs.push(...facts.runs)
  }
}

/**
 * Says of files that no manifest names whose copies they are. Their lines are counted only where their numbers are in no
 * other file: then the manifest has lost them.
 */
export const judgeOthers = Effect.fnUntraced(function* (survey: Survey, others: ReadonlyArray<FoundFile>) {
  for (const file of others) {
    const since = yield* enteredSince(survey, file)
    if (since !== undefined && !survey.sealed.has(since.line.sha256) && !survey.missing.has(since.line.sha256)) {
      yield* verifySealed(survey, since.lists, since.line)
      continue
    }
    const named = Number(/-(\d{12,})\.jsonl/.exec(file.path)?.[1] ?? Number.NaN)
    const isKnown = survey.runs.some(({ first, last, node }) => node === file.node && first <= named && last >= named)
    const listen = file.name === undefined || isKnown ? undefined : survey.onRecord
    const facts = yield* scanListened({ ...survey, onRecord: listen }, file)
    if (facts === undefined) continue
    survey.files += 1
    if (listen !== undefined) survey.lines += facts.lines
    judge(survey, file, facts)
  }
})

export const newSurvey = (given: Pick<Survey, "dataDir" | "onBytes" | "onRecord">): Survey => ({
  ...given,
  problems: makeProblems(),
  runs: [],
  sealed: new Map(),
  missing: new Map(),
  told: new Map(),
  notes: [],
  entered: [],
  files: 0,
  lines: 0
})
