import { Result } from "effect"
import { isSymbolCode, type SymbolCode } from "./SymbolCode.ts"

/** Which symbols are to be watched, as the settings say it. */
export type SymbolSelection =
  | { readonly _tag: "List"; readonly codes: ReadonlyArray<SymbolCode> }
  /** One code a line, in a file whose path is seen from the working directory. */
  | { readonly _tag: "File"; readonly path: string }
  | { readonly _tag: "All" }
  /** The most traded issues of the universe. */
  | { readonly _tag: "Top"; readonly count: number }

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
  const wrong = words.filter((word) => !isSymbolCode(word))
  if (wrong.length > 0) return Result.fail(`not a symbol code: ${wrong.slice(0, 10).join(", ")}`)
  const codes = [...new Set(words.filter(isSymbolCode))]
  return codes.length > 0 ? Result.succeed({ _tag: "List", codes }) : Result.fail("no symbol is named")
}
