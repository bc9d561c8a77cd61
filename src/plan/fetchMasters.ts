import { Effect, Result } from "effect"
import type { HttpClient } from "effect/http"
import { marketDate, marketMidnight } from "../calendar/MarketTime.ts"
import { downloadMaster } from "../kis/masterFile/download.ts"
import { type MasterBook, MasterFileRefused, type MasterName, masterNames, readMasterFile } from "../kis/MasterFile.ts"
import type { HeldFile, HeldFiles } from "./MarketList.ts"

/** What came of asking for every file once. A file that is in none of the three maps is as it was. */
export interface Fetched {
  readonly fresh: HeldFiles
  readonly zips: ReadonlyMap<MasterName, Uint8Array>
  /** In words, by the file that could not be had or was refused; the one before it stays in use. */
  readonly troubles: ReadonlyMap<MasterName, string>
}

const day_ms = 86_400_000

/** From one day to the next the boards hardly change; what Nextrade trades and which indices there are is decided anew at times. */
const moved_share_max: Readonly<Record<MasterName, number>> = {
  "kospi_code.mst": 0.05,
  "kosdaq_code.mst": 0.05,
  "konex_code.mst": 0.05,
  "idxcode.mst": 0.25,
  "nxt_kospi_code.mst": 0.25,
  "nxt_kosdaq_code.mst": 0.25
}
/** A list as old as this says nothing of how many issues there are today. */
const comparable_days = 7
/** A zip that says to be older than this, or of tomorrow, was not dated by this market's clock. */
const dated_days = 31

const daysBetween = (from: string, to: string) => Math.round((marketMidnight(to) - marketMidnight(from)) / day_ms)

/** The market date of a file: what the zip says where that can be, else today. */
const dateOf = ({ madeOn }: MasterBook, today: string): string => {
  const age = madeOn === undefined ? Number.NaN : daysBetween(madeOn, today)
  return madeOn !== undefined && age >= 0 && age <= dated_days ? madeOn : today
}

const countOf = ({ indices, issues }: MasterBook) => issues.length + indices.length

/** Judges a readable file by the one before it: not older, and about as long. */
export const accepted = (
  book: MasterBook,
  before: HeldFile | undefined,
  today: string
): Result.Result<HeldFile, MasterFileRefused> => {
  const date = dateOf(book, today)
  const refused = (reason: MasterFileRefused["reason"], detail: string) =>
    Result.fail(new MasterFileRefused({ file: book.name, reason, detail }))
  if (before === undefined) return Result.succeed({ date, book })
  if (date < before.date) return refused("older", `it is of ${date}, older than the one of ${before.date} in use`)
  const count = countOf(book)
  const was = countOf(before.book)
  const isComparable = daysBetween(before.date, today) <= comparable_days
  if (isComparable && Math.abs(count - was) > was * moved_share_max[book.name]) {
    const share = moved_share_max[book.name] * 100
    return refused("count", `it lists ${count}, more than ${share} % away from the ${was} of ${before.date}`)
  }
  return Result.succeed({ date, book })
}

/** Asks for every master file, one after another, and reads and judges each alone: one that is broken costs no other. */
export const fetchMasters = Effect.fn("fetchMasters")(function* (
  masterUrl: string,
  held: HeldFiles,
  nowMs: number
): Effect.fn.Return<Fetched, never, HttpClient.HttpClient> {
  const today = marketDate(nowMs)
  const fresh = new Map<MasterName, HeldFile>()
  const zips = new Map<MasterName, Uint8Array>()
  const troubles = new Map<MasterName, string>()
  for (const name of masterNames) {
    const before = held.get(name)
    const zip = yield* Effect.result(downloadMaster(masterUrl, name))
    if (Result.isFailure(zip)) {
      troubles.set(name, zip.failure.message)
      continue
    }
    const read = Result.flatMap(readMasterFile(name, zip.success), (book) =>
      book.sha256 === before?.book.sha256 ? Result.succeed(before) : accepted(book, before, today)
    )
    if (Result.isFailure(read)) troubles.set(name, read.failure.message)
    else if (read.success !== before) {
      fresh.set(name, read.success)
      zips.set(name, zip.success)
    }
  }
  return { fresh, zips, troubles }
})
