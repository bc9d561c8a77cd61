import { Result } from "effect"
import type { SymbolCode } from "./SymbolCode.ts"

/** Which symbols are to be watched, as the settings say it. */
export type SymbolSelection =
  | { readonly _tag: "List"; readonly codes: ReadonlyArray<SymbolCode> }
  /** Codes in a file whose path is seen from the working directory; read again when the program is told to. */
  | { readonly _tag: "File"; readonly path: string }
  /** Every issue that trades. */
  | { readonly _tag: "All" }
  /** The most traded common shares. */
  | { readonly _tag: "Top"; readonly count: number }

/**
 * The codes that can be asked for: an index (`0001`), an issue (`005930`, `0000Y0`), an ETN or ELW (`Q500001`), a fund
 * or a right (`F70100030`, `J2086401G`). Lengths and letters are those of the master files.
 */
const choosable = /^(?:\d{4}|[0-9A-Z]{6}|[QJ][0-9A-Z]{6}|[FJ][0-9A-Z]{8})$/

export const isChoosable = (word: string): word is SymbolCode => choosable.test(word)

/** The words of a text, without what follows a `#` on its line. */
const wordsOf = (text: string): ReadonlyArray<string> =>
  text
    .replace(/^\ufeff/, "")
    .replace(/#.*/g, "")
    .split(/[\s,]+/)
    .filter((word) => word !== "")

/** Reads codes, each once, in their order; fails with the words that are none. */
export const parseCodes = (words: ReadonlyArray<string>): Result.Result<ReadonlyArray<SymbolCode>, string> => {
  const wrong = words.filter((word) => !isChoosable(word))
  if (wrong.length > 0) return Result.fail(`not a symbol code: ${wrong.slice(0, 10).join(", ")}`)
  const codes = [...new Set(words.filter(isChoosable))]
  return codes.length > 0 ? Result.succeed(codes) : Result.fail("no symbol is named")
}

/** Reads a file of codes, separated by blanks, commas or line ends; `#` begins a remark. */
export const parseSymbolFile = (text: string): Result.Result<ReadonlyArray<SymbolCode>, string> =>
  parseCodes(wordsOf(text))

/** Reads a selection; fails with the words that are not symbol codes. */
export const parseSymbolSelection = (text: string): Result.Result<SymbolSelection, string> => {
  if (/^all$/i.test(text)) return Result.succeed({ _tag: "All" })
  if (text.startsWith("@")) {
    const path = text.slice(1).trim()
    return path === "" ? Result.fail("no file is named after @") : Result.succeed({ _tag: "File", path })
  }
  const top = /^top:\s*(\d{1,5})$/i.exec(text)
  if (top) {
    const count = Number(top[1])
    return count > 0 ? Result.succeed({ _tag: "Top", count }) : Result.fail("top:0 watches nothing")
  }
  const words = text.split(/[\s,]+/).filter((word) => word !== "")
  return Result.map(parseCodes(words), (codes) => ({ _tag: "List", codes }))
}

/** A selection as it is written in the settings. */
export const selectionText = (selection: SymbolSelection): string => {
  switch (selection._tag) {
    case "All":
      return "all"
    case "Top":
      return `top:${selection.count}`
    case "File":
      return `@${selection.path}`
    case "List":
      return selection.codes.join(",")
  }
}
