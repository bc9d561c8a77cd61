import { Data, Effect } from "effect"
import { readFile } from "node:fs/promises"
import { isIndexCode, isSymbolCode } from "../domain/SymbolCode.ts"
import type { SymbolSelection } from "../domain/SymbolSelection.ts"
import { parseUniverse, type UniverseEntry, universeUrl } from "../domain/UniverseFile.ts"
import { systemCode } from "../domain/systemCode.ts"

/** The file named by `OBSERVER_SYMBOLS=@file` cannot be used. */
export class SymbolFileUnusable extends Data.TaggedError("SymbolFileUnusable")<{
  readonly path: string
  readonly detail: string
}> {
  override get message() {
    return `OBSERVER_SYMBOLS is "@${this.path}": ${this.detail}; allowed: a text file with one code a line, # for remarks`
  }
}

export interface Universe {
  /** The symbols to observe, the most traded first where that is known. */
  readonly symbols: ReadonlyArray<string>
  /** Asked for, but not in the shipped universe: they are observed all the same, for listings change. */
  readonly unlisted: ReadonlyArray<string>
  /** The rule in words, for the journal and the log. */
  readonly rule: string
}

type Resolved = Exclude<SymbolSelection, { readonly _tag: "File" }>

const turnover = ({ basePrice, previousVolume }: UniverseEntry): number => (basePrice ?? 0) * previousVolume

const trades = ({ basePrice, flags, previousVolume }: UniverseEntry): boolean =>
  basePrice !== undefined && previousVolume > 0 && !flags.includes("H")

const mostTraded = (entries: ReadonlyArray<UniverseEntry>): ReadonlyArray<string> =>
  [...entries].sort((a, b) => turnover(b) - turnover(a)).map(({ code }) => code)

/** Applies a selection to a universe. */
export const select = (entries: ReadonlyArray<UniverseEntry>, selection: Resolved): Universe => {
  switch (selection._tag) {
    case "All":
      return {
        symbols: mostTraded(entries.filter(trades)),
        unlisted: [],
        rule: "every issue of the universe that is not halted and traded on the day before"
      }
    case "Top":
      return {
        symbols: mostTraded(entries.filter((entry) => entry.kind === "common" && trades(entry))).slice(
          0,
          selection.count
        ),
        unlisted: [],
        rule: `the ${selection.count} common shares with the highest turnover on the day before, without halted ones`
      }
    case "List": {
      const symbols = [...new Set(selection.codes)]
      const listed = new Set(entries.map(({ code }) => code))
      return {
        symbols,
        unlisted: symbols.filter((symbol) => !listed.has(symbol) && !isIndexCode(symbol)),
        rule: "the symbols named in OBSERVER_SYMBOLS"
      }
    }
  }
}

const readCodes = Effect.fnUntraced(function* (path: string) {
  const text = yield* Effect.tryPromise({
    try: () => readFile(path, "utf8"),
    catch: (cause) => new SymbolFileUnusable({ path, detail: `it cannot be read (${systemCode(cause)})` })
  })
  const words = text.split("\n").flatMap((line) =>
    line
      .replace(/#.*$/, "")
      .split(/[\s,]+/)
      .filter((word) => word !== "")
  )
  const wrong = words.filter((word) => !isSymbolCode(word))
  if (wrong.length > 0) {
    return yield* new SymbolFileUnusable({ path, detail: `not a symbol code: ${wrong.slice(0, 10).join(", ")}` })
  }
  if (words.length === 0) return yield* new SymbolFileUnusable({ path, detail: "it names no symbol" })
  return words.filter(isSymbolCode)
})

/** Reads the shipped universe, and the file of the selection if it names one. */
export const resolveUniverse = Effect.fn("Universe.resolve")(function* (selection: SymbolSelection) {
  // The file ships with the program: when it is not there the installation is broken, which is no one's input.
  const entries = parseUniverse(yield* Effect.orDie(Effect.tryPromise(() => readFile(universeUrl, "utf8"))))
  return select(
    entries,
    selection._tag === "File" ? { _tag: "List", codes: yield* readCodes(selection.path) } : selection
  )
})
