import { Effect } from "effect"
import { join } from "node:path"
import { dayFolder, marketDate, marketMidnight } from "../../calendar/MarketTime.ts"
import { Disk } from "../../journal/Disk.ts"
import { readWhole } from "../../journal/wholeFile.ts"
import type { UniverseWord } from "./DayTally.ts"
import { type Span, union } from "../Spans.ts"

/** A symbol that was to be observed, and when. */
export interface WantedSymbol {
  readonly symbol: string
  readonly name?: string
  readonly spans: ReadonlyArray<Span>
}

export interface Wanted {
  readonly symbols: ReadonlyArray<WantedSymbol>
  /** The dated files it was read from. */
  readonly files: ReadonlyArray<string>
}

interface Chosen {
  readonly code: string
  readonly name?: string
}

const chosenIn = (list: unknown): ReadonlyArray<Chosen> =>
  Array.isArray(list)
    ? list.flatMap((row: unknown) => {
        if (typeof row !== "object" || row === null || !("code" in row) || typeof row.code !== "string") return []
        return "name" in row && typeof row.name === "string"
          ? [{ code: row.code, name: row.name }]
          : [{ code: row.code }]
      })
    : []

/** The symbols of a dated file; none when it is not there, or is no such file. */
const readUniverse = Effect.fnUntraced(function* (dataDir: string, file: string) {
  const text = yield* readWhole(join(dataDir, file))
  const parsed = yield* Effect.option(Effect.try(() => JSON.parse(text ?? "") as Readonly<Record<string, unknown>>))
  return parsed._tag === "None" ? [] : [...chosenIn(parsed.value["symbols"]), ...chosenIn(parsed.value["indices"])]
})

const day_ms = 86_400_000
/** A universe holds until the next; of a market that is closed for so long there is no day to certify. */
const days_back = 14

/** The dated files in a day's folder, by their paths in the data folder. */
const filesIn = Effect.fnUntraced(function* (dataDir: string, folder: string) {
  const disk = yield* Disk
  const names = yield* disk.list(join(dataDir, folder))
  return names.filter((name) => /^universe-[0-9a-f]{12}\.json$/.test(name)).map((name) => `${folder}/${name}`)
})

/** The newest dated file of a day before, for a day on which nothing was said of what is observed. */
const filesBefore = Effect.fnUntraced(function* (dataDir: string, fromMs: number) {
  for (let back = 1; back <= days_back; back++) {
    const files = yield* filesIn(dataDir, dayFolder(marketDate(fromMs - back * day_ms)))
    if (files.length > 0) return files
  }
  return []
})

/** The symbols that the dated files of a day (`YYYYMMDD`) name at all, or else those of the newest day before; `undefined` where there is no such file. */
export const namedSymbols = Effect.fnUntraced(function* (dataDir: string, day: string) {
  const own = yield* filesIn(dataDir, dayFolder(day))
  const files = own.length > 0 ? own : yield* filesBefore(dataDir, marketMidnight(day))
  if (files.length === 0) return undefined
  const named = new Set<string>()
  for (const file of files) for (const { code } of yield* readUniverse(dataDir, file)) named.add(code)
  return named
})

/**
 * What was to be observed on a day, by the dated files that its markers name. The first one of the day holds from its
 * beginning on; without any, those of the newest day before do.
 */
export const readWanted = Effect.fn("certificate.wanted")(function* (
  dataDir: string,
  words: ReadonlyArray<UniverseWord>,
  day: Span
) {
  const said = words.toSorted((a, b) => a.atMs - b.atMs)
  const parts =
    said.length > 0
      ? said.map(({ atMs, file }, index) => ({
          file,
          span: { fromMs: index === 0 ? day.fromMs : atMs, toMs: said[index + 1]?.atMs ?? day.toMs }
        }))
      : (yield* filesBefore(dataDir, day.fromMs)).map((file) => ({ file, span: day }))
  const symbols = new Map<string, { readonly name?: string; readonly spans: Array<Span> }>()
  for (const { file, span } of parts) {
    for (const { code, name } of yield* readUniverse(dataDir, file)) {
      const known = symbols.get(code)
      if (known !== undefined) known.spans.push(span)
      else symbols.set(code, { ...(name === undefined ? {} : { name }), spans: [span] })
    }
  }
  return {
    symbols: [...symbols].map(([symbol, { name, spans }]) => ({
      symbol,
      ...(name === undefined ? {} : { name }),
      spans: union(spans)
    })),
    files: [...new Set(parts.map(({ file }) => file))]
  } satisfies Wanted
})
