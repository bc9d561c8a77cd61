import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { dayFolder, marketInstant } from "../../src/calendar/MarketTime.ts"
import type { GapPayload } from "../../src/domain/Gap.ts"
import type { RecordDraft } from "../../src/domain/JournalRecord.ts"
import { sha256 } from "./archive.ts"
import type { MinuteMarker, MinuteSource } from "../../src/domain/MinuteMarker.ts"

/** An instant of a market day, by `HHMM` or `HHMMSS`. */
export const clockOf =
  (day: string) =>
  (hour: string): number =>
    marketInstant(day, hour.padEnd(6, "0")) ?? Number.NaN

export const marker = (atMs: number, payload: object): RecordDraft => ({
  kind: "marker",
  receivedAtMs: atMs,
  source: "observer",
  payload
})

export const gapOf = (
  atMs: number,
  fromMs: number,
  toMs: number,
  hole: Omit<GapPayload, "from" | "to" | "repairedBy"> & { readonly repairedBy?: object }
): RecordDraft => ({
  kind: "gap",
  symbol: hole.symbol,
  receivedAtMs: atMs,
  source: "observer",
  payload: { from: new Date(fromMs).toISOString(), to: new Date(toMs).toISOString(), ...hole }
})

/** Writes a dated universe, and gives its marker. */
export const universeAt = (dataDir: string, day: string, atMs: number, codes: ReadonlyArray<string>): RecordDraft => {
  const [indices, symbols] = [codes.filter((code) => code.length === 4), codes.filter((code) => code.length > 4)]
  const row = (code: string) => ({ code, name: `name of ${code}` })
  const text = JSON.stringify({ v: 1, date: day, symbols: symbols.map(row), indices: indices.map(row) })
  const file = `${dayFolder(day)}/universe-${sha256(text).slice(0, 12)}.json`
  mkdirSync(join(dataDir, dayFolder(day)), { recursive: true })
  writeFileSync(join(dataDir, file), text)
  return marker(atMs, { event: "universe", date: day, file, sha256: sha256(text) })
}

/** A quote a minute of each symbol, from the first instant to before the second. */
export const quotes = (codes: ReadonlyArray<string>, fromMs: number, toMs: number): ReadonlyArray<RecordDraft> =>
  Array.from({ length: Math.ceil((toMs - fromMs) / 60_000) }, (_, minute) =>
    codes.map((symbol): RecordDraft => ({
      kind: symbol.length === 4 ? "index" : "quote",
      symbol,
      receivedAtMs: fromMs + minute * 60_000,
      source: "kis-rest",
      price: 70_000,
      payload: {}
    }))
  ).flat()

/** The minute's amounts of one source, in a run that began with the minute that ended at `sinceMs`. */
export const minuteMarker = (atMs: number, sinceMs: number, source: string, amounts: MinuteSource): RecordDraft => {
  const minuteMs = atMs - 60_000
  return marker(atMs, {
    event: "minute",
    minute: new Date(minuteMs).toISOString(),
    since: new Date(sinceMs - 60_000).toISOString(),
    sources: { [source]: amounts },
    calls: {},
    tokens: 0,
    frames: 0,
    bytes: 0
  } satisfies MinuteMarker)
}

export const inOrder = (drafts: ReadonlyArray<RecordDraft>): ReadonlyArray<RecordDraft> =>
  drafts.toSorted((a, b) => a.receivedAtMs - b.receivedAtMs)
