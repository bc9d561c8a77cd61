import type { ManifestLine } from "../Manifest.ts"
import { sealedAs } from "./DayLists.ts"
import type { FoundFile } from "./Listing.ts"
import { fromBackup, type Problem } from "./Problem.ts"
import type { Facts } from "./scanFile.ts"

interface Witnesses {
  readonly day: string
  readonly line: ManifestLine
  /** What `SHA256SUMS` says of the file. */
  readonly sum: string | undefined
  readonly facts: Facts
}

/** The file's own numbers, under the names of the manifest. */
const ownNumbers = ({ node }: FoundFile, { bytes, firstReceivedAt, lastReceivedAt, lines, runs }: Facts) => ({
  node,
  firstSeq: runs[0]?.first,
  lastSeq: runs.at(-1)?.last,
  lines,
  bytes,
  firstReceivedAt,
  lastReceivedAt
})

const lengthOf = (is: number, was: number): string =>
  is === was ? "its length is right" : `it is ${Math.abs(is - was)} bytes too ${is < was ? "short" : "long"}`

/**
 * Holds a sealed file against its line in the manifest and its checksum. Three witnesses, of which one was changed: where
 * two agree, the third is named. Of a damaged file no number is compared, for they all differ.
 */
export const judgeSealed = (file: FoundFile, { day, facts, line, sum }: Witnesses): ReadonlyArray<Problem> => {
  const { path } = file
  const manifest = `${day}/MANIFEST.jsonl`
  const damaged = (problem: string): ReadonlyArray<Problem> => [
    { kind: "damagedFile", file: path, problem, remedy: fromBackup(path) }
  ]
  const changed = (problem: string): Problem => ({
    kind: "manifest",
    file: manifest,
    problem,
    remedy: fromBackup(manifest)
  })
  const sealed = sealedAs(line)
  const isRight = facts.sha256 === line.sha256
  const isFileRight = facts.fileSha256 === sealed.sha256
  const isSumRight = sum === facts.fileSha256

  if (facts.broken !== undefined) return damaged(`it is cut off or spoilt, and cannot be unpacked (${facts.broken})`)
  if (!isRight && !(isSumRight || (line.gzip !== undefined && isFileRight))) {
    const where = facts.fault === undefined ? "" : `; ${facts.fault}`
    return damaged(`its content is not what was sealed: ${lengthOf(facts.bytes, line.bytes)}${where}`)
  }
  if (isRight && !isFileRight && !isSumRight) return damaged("it was packed again or spoilt: its bytes are others")

  const problems: Array<Problem> = []
  if (!isRight) problems.push(changed(`its sha256 of ${line.file} is not that of the file`))
  if (!isFileRight && line.gzip !== undefined) {
    problems.push(changed(`its sha256 of ${sealed.file} is not that of the file`))
  }
  if (line.gzip !== undefined && line.gzip.bytes !== facts.fileBytes) {
    problems.push(changed(`it says that ${sealed.file} has ${line.gzip.bytes} bytes; it has ${facts.fileBytes}`))
  }
  if (sum !== undefined && !isSumRight) {
    const sums = `${day}/SHA256SUMS`
    const problem = `its hash of ${sealed.file} is not that of the file`
    problems.push({ kind: "checksums", file: sums, problem, remedy: fromBackup(sums) })
  }
  if (facts.faults > 0 || facts.tornBytes > 0) {
    const more = facts.faults > 1 ? `, and ${facts.faults - 1} lines more` : ""
    const problem = `${facts.fault ?? "its last line has no end"}${more}, although the file is as it was sealed`
    problems.push({ kind: "badLine", file: path, problem, remedy: "keep the file and report this: it was written so" })
    return problems
  }
  for (const [name, is] of Object.entries(ownNumbers(file, facts))) {
    const says = line[name as keyof ManifestLine]
    if (says !== is)
      problems.push(changed(`it says that ${name} of ${line.file} is ${String(says)}; it is ${String(is)}`))
  }
  if (Number.isNaN(Date.parse(line.sealedAt))) problems.push(changed(`sealedAt of ${line.file} is no time`))
  return problems
}
