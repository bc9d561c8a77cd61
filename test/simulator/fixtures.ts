import { readFileSync } from "node:fs"
import { parseUniverse, universeUrl } from "../../src/domain/UniverseFile.ts"

/** One of the captured samples of `test/fixtures/kis`. */
export const sample = (name: string): string =>
  readFileSync(new URL(`../fixtures/kis/${name}`, import.meta.url), "utf8")

export const universe = parseUniverse(readFileSync(universeUrl, "utf8"))
/** The issues of KONEX, which the exchange lists too and the universe of the observer leaves out. */
export const konex = parseUniverse(readFileSync(new URL("konex.csv", universeUrl), "utf8"))
