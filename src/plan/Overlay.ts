import { Effect, Schema } from "effect"
import { join } from "node:path"
import type { Disk, DiskError } from "../journal/Disk.ts"
import type { ListedIssue } from "./MarketList.ts"
import { readWhole, replaceWhole } from "../journal/wholeFile.ts"
import type { Chosen } from "./selection.ts"

/** What was added to and taken out of the selection by hand; no code is in both, the last word counts. */
export const Overlay = Schema.Struct({ added: Schema.Array(Schema.String), removed: Schema.Array(Schema.String) })
export type Overlay = typeof Overlay.Type

export const noOverlay: Overlay = { added: [], removed: [] }

/** Codes on each side; far more than are listed. */
export const overlay_codes_max = 10_000

const without = (codes: ReadonlyArray<string>, out: ReadonlyArray<string>) => {
  const gone = new Set(out)
  return codes.filter((code) => !gone.has(code))
}

export const withAdded = ({ added, removed }: Overlay, codes: ReadonlyArray<string>): Overlay => ({
  added: [...new Set([...added, ...codes])],
  removed: without(removed, codes)
})

export const withRemoved = ({ added, removed }: Overlay, codes: ReadonlyArray<string>): Overlay => ({
  added: without(added, codes),
  removed: [...new Set([...removed, ...codes])]
})

/** Adds codes that are not chosen yet. A ranked selection stays ranked; to a list, what is added comes last. */
const withExtra = (
  { indices, rule, symbols }: Chosen,
  codes: ReadonlyArray<string>,
  entries: ReadonlyMap<string, ListedIssue>,
  { isRanked, words }: { readonly isRanked: boolean; readonly words: string }
): Chosen => {
  const extra = without([...new Set(codes)], [...symbols, ...indices])
  if (extra.length === 0) return { indices, rule, symbols }
  const turnover = (code: string) => entries.get(code)?.turnover ?? 0
  const all = [...symbols, ...extra]
  return {
    symbols: isRanked ? all.sort((a, b) => turnover(b) - turnover(a)) : all,
    indices,
    rule: `${rule}; ${extra.length} ${words}`
  }
}

/** Applies what was said by hand. */
export const overlaid = (
  chosen: Chosen,
  { added, removed }: Overlay,
  entries: ReadonlyMap<string, ListedIssue>,
  isRanked: boolean
): Chosen => {
  const symbols = without(chosen.symbols, removed)
  const indices = without(chosen.indices, removed)
  const lost = chosen.symbols.length + chosen.indices.length - symbols.length - indices.length
  const all = withExtra({ ...chosen, symbols, indices }, added, entries, { isRanked, words: "added by hand" })
  return lost > 0 ? { ...all, rule: `${all.rule}; ${lost} taken out by hand` } : all
}

/** Adds who is watched and not chosen: a setting, which stands above what was said by hand. */
export const withWatched = (
  chosen: Chosen,
  watched: ReadonlyArray<string>,
  entries: ReadonlyMap<string, ListedIssue>,
  isRanked: boolean
): Chosen => withExtra(chosen, watched, entries, { isRanked, words: "watched besides" })

const fileOf = (stateDir: string) => join(stateDir, "universe-overlay.json")
const decode = Schema.decodeUnknownEffect(Schema.fromJsonString(Overlay))

/** What was said by hand before this start. A file that cannot be understood is said so, and counts as none. */
export const recallOverlay = (stateDir: string): Effect.Effect<Overlay, never, Disk> =>
  readWhole(fileOf(stateDir)).pipe(
    Effect.flatMap((text) => (text === undefined ? Effect.succeed(noOverlay) : decode(text))),
    Effect.catch((error) =>
      Effect.as(
        Effect.logWarning("what was added and removed by hand is lost: its file cannot be read", {
          file: fileOf(stateDir),
          reason: error.message
        }),
        noOverlay
      )
    )
  )

export const keepOverlay = (stateDir: string, overlay: Overlay): Effect.Effect<void, DiskError, Disk> =>
  replaceWhole(stateDir, "universe-overlay.json", Buffer.from(JSON.stringify(overlay)))
