import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit } from "effect"
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseUniverse, universeUrl } from "../../src/domain/UniverseFile.ts"
import { ridingIndices, select } from "../../src/plan/selection.ts"
import { readSymbolFile } from "../../src/plan/SymbolFile.ts"

const entries = parseUniverse(readFileSync(universeUrl, "utf8"))
const entryOf = new Map(entries.map((entry) => [entry.code, entry]))

const codeFile = (text: string) => {
  const path = join(mkdtempSync(join(tmpdir(), "observer-codes-")), "codes.txt")
  writeFileSync(path, text)
  return path
}

describe("the selection of symbols", () => {
  it("top:2000 is exactly 2,000 common shares that trade, the highest turnover first", () => {
    const { symbols } = select(entries, { _tag: "Top", count: 2_000 })
    assert.strictEqual(new Set(symbols).size, 2_000)
    const chosen = symbols.flatMap((code) => entryOf.get(code) ?? [])
    assert.isTrue(
      chosen.every(({ flags, kind, previousVolume }) => kind === "common" && !flags.includes("H") && previousVolume > 0)
    )
    const turnovers = chosen.map(({ basePrice, previousVolume }) => (basePrice ?? 0) * previousVolume)
    assert.deepStrictEqual(
      turnovers,
      [...turnovers].sort((a, b) => b - a)
    )
    assert.isAbove(symbols.filter((code) => /[A-Z]/.test(code)).length, 0)
  })

  it("all leaves out halted issues and those without a price or a trade, and nothing else", () => {
    const { symbols } = select(entries, { _tag: "All" })
    const left = entries.filter(({ code }) => !symbols.includes(code))
    assert.isTrue(
      left.every(({ basePrice, flags, previousVolume }) => flags.includes("H") || !basePrice || previousVolume === 0)
    )
    assert.strictEqual(symbols.length + left.length, entries.length)
  })

  it("top:N has no share of KONEX, and says when there are fewer than were asked for; all has both", () => {
    const konex = parseUniverse(readFileSync(new URL("konex.csv", universeUrl), "utf8"))
    const busy = konex.map((entry) => ({ ...entry, previousVolume: 1_000_000_000 }))
    const top = select([...entries, ...busy], { _tag: "Top", count: 99_999 })
    assert.isFalse(top.symbols.some((code) => konex.some((entry) => entry.code === code)))
    assert.match(top.rule, new RegExp(`^the ${top.symbols.length} common shares .* 99999 were asked for$`))
    const all = select([...entries, ...busy], { _tag: "All" })
    assert.isAbove(all.symbols.filter((code) => konex.some((entry) => entry.code === code)).length, 50)
    assert.deepStrictEqual([top.indices, all.indices], [ridingIndices, ridingIndices])
  })

  it("a list is observed as it is, once each, also what no list of issues knows", () =>
    Effect.runPromise(
      Effect.gen(function* () {
        const path = codeFile("005930 # Samsung\n000660,ZZZZZZ\n\n0001\n005930\n")
        const { symbols } = select(entries, { _tag: "List", codes: yield* readSymbolFile(path) })
        assert.deepStrictEqual(symbols, ["005930", "000660", "ZZZZZZ", "0001"])
      })
    ))

  for (const [name, text, words] of [
    ["words that are no codes", "005930\nsamsung\n", /not a symbol code: samsung/],
    ["nothing", "# later\n", /names no symbol/]
  ] as const) {
    it.effect(`a file that holds ${name} is refused by name`, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(readSymbolFile(codeFile(text)))
        assert.match(error.message, words)
      })
    )
  }

  it.effect("a file that is not there is refused with its name", () =>
    Effect.gen(function* () {
      const exit = yield* Effect.exit(readSymbolFile("/nowhere/codes"))
      assert.isTrue(Exit.isFailure(exit))
      assert.include(String(exit), "/nowhere/codes")
    })
  )
})
