import { Data, Result } from "effect"
import iconv from "iconv-lite"
import { sha256Of } from "../domain/sha256Of.ts"
import { groupOf, isGroupCode, issueOf, type MasterIssue } from "./masterFile/issue.ts"
import { indexLayout, konexLayout, kosdaqLayout, kospiLayout, type Layout } from "./masterFile/layouts.ts"
import { fixedLines } from "./masterFile/lines.ts"
import { unzipped, zipDate } from "./masterFile/unzip.ts"

export type { MasterIssue, Rebased } from "./masterFile/issue.ts"

/** The broker's host of master files: no credentials, no limit of calls (kis/symbols.md §1). */
export const officialMasterUrl = "https://new.real.download.dws.co.kr"

/**
 * The files that say what is listed, by the name inside the zip. Those of Nextrade are in no document, but were captured
 * (kis/captured/README.md §6).
 */
export const masterNames = [
  "kospi_code.mst",
  "kosdaq_code.mst",
  "konex_code.mst",
  "idxcode.mst",
  "nxt_kospi_code.mst",
  "nxt_kosdaq_code.mst"
] as const
export type MasterName = (typeof masterNames)[number]

interface BoardFile {
  readonly market: string
  readonly layout: Layout
}

const boards: Readonly<Record<Exclude<MasterName, "idxcode.mst">, BoardFile>> = {
  "kospi_code.mst": { market: "KOSPI", layout: kospiLayout },
  "kosdaq_code.mst": { market: "KOSDAQ", layout: kosdaqLayout },
  "konex_code.mst": { market: "KONEX", layout: konexLayout },
  "nxt_kospi_code.mst": { market: "KOSPI", layout: kospiLayout },
  "nxt_kosdaq_code.mst": { market: "KOSDAQ", layout: kosdaqLayout }
}

/** An index: the four digits, in a few cases a letter first, that calls want, and its name. */
export interface MasterIndex {
  readonly code: string
  readonly name: string
}

/** What one master file says. `issues` is empty for the file of indices, and `indices` for all others. */
export interface MasterBook {
  readonly name: MasterName
  /** Of the zip, in hex. */
  readonly sha256: string
  /** The day on which the zip was made, as it says itself, `YYYYMMDD`. */
  readonly madeOn: string | undefined
  readonly issues: ReadonlyArray<MasterIssue>
  readonly indices: ReadonlyArray<MasterIndex>
  /** Lines that were not understood and left out, a tenth of all at most. */
  readonly passedOver: number
}

/** A master file that must not be used: broken on its way, made anew in another form, or not today's. */
export class MasterFileRefused extends Data.TaggedError("MasterFileRefused")<{
  readonly file: string
  readonly reason: "zip" | "width" | "groupCodes" | "lines" | "count" | "older"
  readonly detail: string
}> {
  override get message() {
    return `${this.file}: ${this.detail}`
  }
}

/** At least so much of a file must be understood; less means that its form has changed (kis/symbols.md §2). */
const understood_share_min = 0.9

const percent = (share: number) => `${Math.floor(share * 100)} %`

/** A code names one issue: later lines with a code that was there before are left out. */
const once = <A extends { readonly code: string }>(found: ReadonlyArray<A | undefined>): ReadonlyArray<A> => {
  const seen = new Set<string>()
  return found.flatMap((each) => {
    if (each === undefined || seen.has(each.code)) return []
    seen.add(each.code)
    return [each]
  })
}

const indexOf = (line: Uint8Array): MasterIndex | undefined => {
  const code = Buffer.from(line.subarray(1, 5)).toString("latin1")
  return /^[0-9A-Z]{4}$/.test(code)
    ? { code, name: iconv.decode(Buffer.from(line.subarray(5)), "cp949").trimEnd() }
    : undefined
}

/** Reads a master file out of its zip; says why when it is not to be trusted. Takes some 60 ms for the largest, more the first time. */
export const readMasterFile = (name: MasterName, zip: Uint8Array): Result.Result<MasterBook, MasterFileRefused> => {
  const refused = (reason: MasterFileRefused["reason"], detail: string) =>
    Result.fail(new MasterFileRefused({ file: name, reason, detail }))
  const bytes = unzipped(zip, name)
  if (Result.isFailure(bytes)) return refused("zip", bytes.failure)
  const board = name === "idxcode.mst" ? undefined : boards[name]
  const layout = board?.layout ?? indexLayout
  const cut = fixedLines(bytes.success, layout)
  if (Result.isFailure(cut)) return refused("width", cut.failure)
  const lines = cut.success
  if (lines.length === 0) return refused("lines", "it has no line")

  if (board !== undefined) {
    const known = lines.filter((line) => isGroupCode(groupOf(layout, line))).length / lines.length
    if (known < understood_share_min) {
      return refused("groupCodes", `only ${percent(known)} of its lines have a known group code where it should be`)
    }
  }
  const issues = board === undefined ? [] : once(lines.map((line) => issueOf(layout, line, board.market)))
  const indices = board === undefined ? once(lines.map(indexOf)) : []
  const count = issues.length + indices.length
  if (count / lines.length < understood_share_min) {
    return refused(
      "lines",
      `only ${percent(count / lines.length)} of its lines can be read, each with a code of its own`
    )
  }
  const passedOver = lines.length - count
  return Result.succeed({ name, sha256: sha256Of(zip), madeOn: zipDate(zip), issues, indices, passedOver })
}
