import { Effect } from "effect"
import { basename, dirname, join } from "node:path"
import { dayFolder } from "../calendar/MarketTime.ts"
import { sha256Of } from "../domain/sha256Of.ts"
import { Disk, makeDurableFolder } from "../journal/Disk.ts"
import { replaceWhole } from "../journal/wholeFile.ts"
import type { ListedIssue, MarketList } from "./MarketList.ts"
import type { Overlay } from "./Overlay.ts"
import type { Universe } from "./Universe.ts"

/** What a universe is made of, before it has been written down. */
export type UniverseContent = Omit<Universe, "file" | "sha256">

/** What was wanted: by the settings, and by hand. */
export interface UniverseChoice {
  readonly selection: string
  readonly watched: ReadonlyArray<string>
  readonly overlay: Overlay
}

export interface UniverseDocument {
  /** Relative to the data folder, with `/` on every system. */
  readonly file: string
  readonly sha256: string
  readonly bytes: Uint8Array
}

const rowOf = (entries: ReadonlyMap<string, ListedIssue>) => (code: string) => {
  const entry = entries.get(code)
  if (entry === undefined) return { code }
  const { basePrice, flags, isin, kind, market, name, nxt, previousVolume, rebased, turnover } = entry
  return kind === "index"
    ? { code, name, kind }
    : { code, isin, name, market, kind, flags, nxt, basePrice, previousVolume, turnover, rebased }
}

/**
 * The dated file of a universe: a line a symbol, so that two days can be compared with `diff`. The same choice on the
 * same day has the same bytes, hence the same name, whenever and however often it is made.
 */
export const documentOf = (
  content: UniverseContent,
  { overlay, selection, watched }: UniverseChoice,
  { files }: Pick<MarketList, "files">
): UniverseDocument => {
  const { date, entries, indices, rule, source, symbols, unlisted } = content
  const head = {
    v: 1,
    date,
    rule,
    selection,
    watched,
    list: { source: source.list, date: source.date, files },
    overlay,
    unlisted
  }
  const rows = (codes: ReadonlyArray<string>) =>
    codes.length === 0 ? "[]" : `[\n${codes.map((code) => JSON.stringify(rowOf(entries)(code))).join(",\n")}\n]`
  const text = `${JSON.stringify(head).slice(0, -1)},\n"symbols":${rows(symbols)},\n"indices":${rows(indices)}}\n`
  const bytes = Buffer.from(text)
  const sha256 = sha256Of(bytes)
  return { file: `${dayFolder(date)}/universe-${sha256.slice(0, 12)}.json`, sha256, bytes }
}

/** Writes a dated file, once: one that is there has these very bytes, which its name says. Survives a power cut. */
export const publish = Effect.fn("UniverseDocument.publish")(function* (
  dataDir: string,
  { bytes, file }: UniverseDocument
) {
  const disk = yield* Disk
  const path = join(dataDir, file)
  if ((yield* disk.size(path)) !== undefined) return
  const day = dirname(file)
  yield* makeDurableFolder(dataDir, day)
  yield* replaceWhole(join(dataDir, day), basename(file), bytes)
})
