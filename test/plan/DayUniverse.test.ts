import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Result, Stream } from "effect"
import { TestClock } from "effect/testing"
import { zipSync } from "fflate"
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { UniverseStatus } from "../../src/plan/DayUniverse.ts"
import { unzipped } from "../../src/kis/masterFile/unzip.ts"
import { masterNames } from "../../src/kis/MasterFile.ts"
import { capturedZip, makeMasterServer, type MasterAnswer, notFound } from "../support/masterServer.ts"
import { passUntil } from "../support/virtualTime.ts"
import { marketDate } from "../../src/calendar/MarketTime.ts"
import { settled } from "../journal/fixtures.ts"
import { makeUniverseStage, markersOf, setMarket, statusOf } from "./universeStage.ts"

const top = { _tag: "Top", count: 2_000 } as const
const list = (...codes: ReadonlyArray<string>) => ({ _tag: "List", codes }) as never

/** Today's files are in, and the next look is waited for. */
const isSettled = ({ list, nextLookAtMs }: UniverseStatus) => list === "today" && nextLookAtMs !== undefined

const line_bytes = 289
const kospi = Result.getOrThrow(unzipped(capturedZip("kospi_code.mst"), "kospi_code.mst"))

/** The captured file of KOSPI with lines changed or left out, in a zip dated by the test. */
const kospiOf = (date: string, edit: (line: Buffer, code: string) => boolean | void = () => true): MasterAnswer => {
  const lines: Array<Buffer> = []
  for (let from = 0; from < kospi.length; from += line_bytes) {
    const line = Buffer.from(kospi.subarray(from, from + line_bytes))
    if (edit(line, line.subarray(0, 9).toString().trim()) !== false) lines.push(line)
  }
  return { bytes: zipped("kospi_code.mst", Buffer.concat(lines), date) }
}
const zipped = (name: string, bytes: Uint8Array, date: string) =>
  zipSync({ [name]: [bytes, { mtime: `${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6)}T07:35:06` }] })
const kosdaqOf = (date: string): MasterAnswer => ({
  bytes: zipped("kosdaq_code.mst", Result.getOrThrow(unzipped(capturedZip("kosdaq_code.mst"), "kosdaq_code.mst")), date)
})

describe("the day's universe", () => {
  it.effect("is there before the host of the master files has said anything", () =>
    Effect.gen(function* () {
      yield* setMarket("20260722", "090000")
      const server = yield* makeMasterServer
      for (const name of masterNames) server.answer(name, "silent")
      const stage = yield* makeUniverseStage(server.url)
      const universe = yield* stage.start(top)
      const { entries, indices, source, symbols } = yield* universe.current
      assert.deepStrictEqual([symbols.length, indices], [2_000, ["0001", "1001", "2001"]])
      assert.deepStrictEqual(source, {
        list: "shipped",
        date: "20260722",
        reason: "not all master files have been had yet"
      })
      assert.deepInclude(entries.get("005930"), { name: "삼성전자", market: "KOSPI", kind: "common", nxt: true })
      assert.deepInclude(entries.get("0001"), { name: "종합", kind: "index" })
      assert.deepStrictEqual(server.asked, [])
    })
  )

  it.effect("is put on record before it is refreshed, and again when today's files are in", () =>
    Effect.gen(function* () {
      yield* setMarket("20260722", "090000")
      const server = yield* makeMasterServer
      const stage = yield* makeUniverseStage(server.url)
      const universe = yield* stage.start(top)
      yield* Effect.forkChild(universe.run)
      const status = yield* statusOf(universe)
      yield* passUntil(() => isSettled(status()))
      const { file, sha256, source, symbols } = yield* universe.current
      assert.deepStrictEqual(source, { list: "today", date: "20260722" })
      const [first, second, ...more] = markersOf(stage)
      assert.deepStrictEqual(more, [])
      assert.deepInclude(first, { date: "20260722", list: "shipped", added: [], removed: [], symbols: 2_000 })
      assert.deepInclude(second, { file, sha256, list: "today", listDate: "20260722", previous: first?.["sha256"] })
      assert.deepStrictEqual(second?.["codes"], [...symbols, "0001", "1001", "2001"])
      assert.match(file, /^2026\/07\/22\/universe-/)
      assert.strictEqual(server.asked.length, masterNames.length)
    })
  )

  it.effect("is that of the kept files at the next start of the day, without asking anybody", () =>
    Effect.gen(function* () {
      yield* setMarket("20260722", "090000")
      const server = yield* makeMasterServer
      const stage = yield* makeUniverseStage(server.url)
      yield* Effect.scoped(
        Effect.gen(function* () {
          const universe = yield* stage.start(top)
          yield* Effect.forkChild(universe.run)
          const status = yield* statusOf(universe)
          yield* passUntil(() => isSettled(status()))
        })
      )
      const asked = server.asked.length
      const universe = yield* stage.start(top)
      const before = stage.appended.length
      yield* Effect.forkChild(universe.run)
      yield* passUntil(() => stage.appended.length > before)
      assert.strictEqual((yield* universe.current).source.list, "today")
      const markers = markersOf(stage)
      // The same choice on the same day is the same file.
      assert.deepInclude(markers[2], { file: markers[1]?.["file"], added: [], removed: [] })
      assert.strictEqual(server.asked.length, asked)
      assert.strictEqual(readdirSync(join(stage.folder, "data/2026/07/22")).length, 2)
    })
  )

  it.effect("changes at 07:40 of the next trading day, or at 08:20 when the files are late, and says what is new", () =>
    Effect.gen(function* () {
      yield* setMarket("20260722", "090000")
      const server = yield* makeMasterServer
      const stage = yield* makeUniverseStage(server.url)
      const universe = yield* stage.start({ _tag: "All" })
      yield* Effect.forkChild(universe.run)
      const status = yield* statusOf(universe)
      yield* passUntil(() => isSettled(status()))
      const before = yield* universe.current

      yield* setMarket("20260723", "074000")
      yield* passUntil(() => status().list === "yesterday" && status().nextLookAtMs !== undefined)
      assert.deepInclude(status(), { date: "20260722", reason: "the newest master files are of 20260722" })
      server.answer("kosdaq_code.mst", kosdaqOf("20260723"))
      server.answer(
        "kospi_code.mst",
        kospiOf("20260723", (line, code) => {
          if (code === "005930") line.write("Y", 61 + 60)
          if (code === "000660") line.write(String(Number(line.subarray(102, 111)) / 2).padStart(9, "0"), 61 + 41)
          return code !== "005380"
        })
      )
      yield* setMarket("20260723", "082000")
      yield* passUntil(() => isSettled(status()))
      const { source, symbols } = yield* universe.current
      assert.deepStrictEqual(source, { list: "today", date: "20260723" })
      assert.sameMembers(
        before.symbols.filter((code) => !symbols.includes(code)),
        ["005930", "005380"]
      )
      const last = markersOf(stage).at(-1)
      assert.deepInclude(last, { date: "20260723", added: [], rebased: ["000660"] })
      assert.sameMembers(last?.["removed"] as Array<string>, ["005930", "005380"])
      assert.strictEqual(server.asked.length, 3 * masterNames.length)
    })
  )

  const mass = (share: number) => kospiOf("20260723", (_, code) => Number.parseInt(code, 36) % 100 >= share)
  it.effect.each([
    ["cannot be found", notFound, /kospi_code.mst: the host answered 404/],
    ["is a page of HTML", { bytes: Buffer.from("<html>점검</html>") }, /not a whole zip/],
    ["is half a zip", { bytes: capturedZip("kospi_code.mst").subarray(0, 50_000) }, /not a whole zip/],
    ["is a bomb", { bytes: zipSync({ "kospi_code.mst": new Uint8Array(32 * 1_048_576) }) }, /would unpack to/],
    ["has another width", { bytes: zipped("kospi_code.mst", kospi.subarray(1), "20260723") }, /287 bytes instead/],
    ["is a tenth shorter than yesterday's", mass(10), /more than 5 % away from the 2568 of 20260722/],
    ["is older than yesterday's", kospiOf("20260721"), /older than the one of 20260722/]
  ] as ReadonlyArray<readonly [string, MasterAnswer, RegExp]>)(
    "stays that of yesterday when the file of KOSPI %s, and says why",
    ([, answer, words]) =>
      Effect.gen(function* () {
        yield* setMarket("20260722", "090000")
        const server = yield* makeMasterServer
        const stage = yield* makeUniverseStage(server.url)
        const universe = yield* stage.start(top)
        yield* Effect.forkChild(universe.run)
        const status = yield* statusOf(universe)
        yield* passUntil(() => isSettled(status()))
        const before = yield* universe.current
        server.answer("kospi_code.mst", answer)
        server.answer("kosdaq_code.mst", kosdaqOf("20260723"))
        yield* setMarket("20260723", "074000")
        yield* passUntil(() => words.test(status().reason ?? "") && status().nextLookAtMs !== undefined)
        assert.deepInclude(status(), { list: "yesterday", date: "20260722" })
        assert.deepStrictEqual((yield* universe.current).symbols, before.symbols)
        // Five minutes later it is well.
        server.answer("kospi_code.mst", kospiOf("20260723"))
        yield* TestClock.adjust("5 minutes")
        yield* passUntil(() => isSettled(status()))
        assert.isUndefined(status().reason)
      })
  )

  it.effect("takes in the file of a small board, of the indices or of Nextrade as soon as it can be had, today", () =>
    Effect.gen(function* () {
      yield* setMarket("20260722", "090000")
      const server = yield* makeMasterServer
      const small = ["konex_code.mst", "idxcode.mst", "nxt_kosdaq_code.mst"] as const
      for (const name of small) server.answer(name, notFound)
      const stage = yield* makeUniverseStage(server.url)
      const universe = yield* stage.start(top)
      const running = yield* Effect.forkChild(universe.run)
      const status = yield* statusOf(universe)
      yield* passUntil(() => isSettled(status()))
      assert.match(status().reason ?? "", /konex_code.mst: .*; idxcode.mst: .*; nxt_kosdaq_code.mst: /)
      server.answer("konex_code.mst", { bytes: capturedZip("konex_code.mst") })
      server.answer("idxcode.mst", { bytes: capturedZip("idxcode.mst") })
      yield* TestClock.adjust("5 minutes")
      yield* passUntil(() => isSettled(status()) && !/konex|idxcode/.test(status().reason ?? ""))
      assert.match(status().reason ?? "", /^nxt_kosdaq_code.mst: the host answered 404/)
      // What was never had is looked for by the next start, too, though the boards are today's.
      yield* Fiber.interrupt(running)
      server.answer("nxt_kosdaq_code.mst", { bytes: capturedZip("nxt_kosdaq_code.mst") })
      const next = yield* stage.start(top)
      const before = server.asked.length
      yield* Effect.forkChild(next.run)
      yield* passUntil(() => server.asked.length === before + masterNames.length)
    })
  )

  it.effect("follows what the broker says of holidays, though it says so while the next morning is waited for", () =>
    Effect.gen(function* () {
      yield* setMarket("20260722", "090000")
      const server = yield* makeMasterServer
      const stage = yield* makeUniverseStage(server.url)
      const universe = yield* stage.start(top)
      yield* Effect.forkChild(universe.run)
      const status = yield* statusOf(universe)
      yield* passUntil(() => isSettled(status()))
      const asked = server.asked.length
      yield* stage.session.learn(new Map([["20260723", false]]))
      yield* setMarket("20260723", "090000")
      yield* settled
      assert.deepInclude(status(), { list: "today", date: "20260722" })
      assert.strictEqual(marketDate(status().nextLookAtMs ?? 0), "20260724")
      assert.strictEqual(server.asked.length, asked)
      yield* setMarket("20260724", "074000")
      yield* passUntil(() => server.asked.length > asked)
    })
  )

  it.effect("goes without the file of a small board, and without a kept file that has been spoilt", () =>
    Effect.gen(function* () {
      yield* setMarket("20260722", "090000")
      const server = yield* makeMasterServer
      server.answer("konex_code.mst", notFound)
      server.answer("nxt_kospi_code.mst", notFound)
      const stage = yield* makeUniverseStage(server.url)
      yield* Effect.scoped(
        Effect.gen(function* () {
          const universe = yield* stage.start({ _tag: "All" })
          yield* Effect.forkChild(universe.run)
          const status = yield* statusOf(universe)
          yield* passUntil(() => isSettled(status()))
          assert.match(status().reason ?? "", /konex_code.mst: the host answered 404; nxt_kospi_code.mst: /)
          const { entries } = yield* universe.current
          assert.isTrue(entries.get("005930")?.nxt)
          assert.strictEqual(entries.get("217320")?.market, "KONEX")
        })
      )
      const folder = join(stage.folder, "state/masters/test")
      const zip = readdirSync(folder).find((name) => name.startsWith("kosdaq")) ?? assert.fail("no zip is kept")
      writeFileSync(join(folder, zip), "spoilt")
      const universe = yield* stage.start({ _tag: "All" })
      assert.deepInclude((yield* universe.current).source, { list: "shipped" })
      yield* Effect.forkChild(universe.run)
      const status = yield* statusOf(universe)
      yield* passUntil(() => isSettled(status()))
    })
  )
})

describe("changes by hand", () => {
  it.effect("are in force for whoever listens, on record, and there again after a restart", () =>
    Effect.gen(function* () {
      yield* setMarket("20260722", "090000")
      const stage = yield* makeUniverseStage("http://127.0.0.1:1")
      yield* Effect.scoped(
        Effect.gen(function* () {
          const universe = yield* stage.start(list("005930", "0001"))
          const heard: Array<ReadonlyArray<string>> = []
          yield* Effect.forkChild(
            Stream.runForEach(universe.changes, ({ symbols }) => Effect.sync(() => heard.push(symbols)))
          )
          yield* passUntil(() => heard.length === 1)
          const added = yield* universe.change({ add: ["Q500001", "0000Y0", "F70100030", "ZZZZZZ"], remove: [] })
          assert.deepStrictEqual(added.added, ["Q500001", "0000Y0", "F70100030", "ZZZZZZ"])
          yield* passUntil(() => heard.length === 2)
          assert.deepStrictEqual((yield* universe.change({ add: [], remove: ["005930"] })).removed, ["005930"])
          yield* passUntil(() => heard.length === 3)
          assert.deepStrictEqual(heard[2], ["0001", "Q500001", "0000Y0", "F70100030", "ZZZZZZ"])
          assert.deepStrictEqual((yield* universe.current).unlisted, ["Q500001", "ZZZZZZ"])
        })
      )
      const universe = yield* stage.start(list("005930", "0001"))
      assert.deepStrictEqual((yield* universe.current).symbols, ["0001", "Q500001", "0000Y0", "F70100030", "ZZZZZZ"])
      const markers = markersOf(stage)
      assert.deepInclude(markers[0], { added: [], removed: [], symbols: 6 })
      assert.deepInclude(markers[1], { added: [], removed: ["005930"], symbols: 5 })
      assert.match(String(markers[1]?.["rule"]), /named in OBSERVER_SYMBOLS; 4 added by hand; 1 taken out by hand$/)
    })
  )

  it.effect("keep a ranked selection ranked, and can take out an index", () =>
    Effect.gen(function* () {
      yield* setMarket("20260722", "090000")
      const stage = yield* makeUniverseStage("http://127.0.0.1:1")
      const universe = yield* stage.start({ _tag: "Top", count: 3 })
      const before = yield* universe.current
      yield* universe.change({ add: ["069500"], remove: [] })
      yield* universe.change({ add: [], remove: ["2001"] })
      const { entries, indices, symbols } = yield* universe.current
      assert.deepStrictEqual(indices, ["0001", "1001"])
      assert.sameMembers([...symbols], [...before.symbols, "069500"])
      const turnovers = symbols.map((code) => entries.get(code)?.turnover ?? 0)
      assert.deepStrictEqual(
        turnovers,
        [...turnovers].sort((a, b) => b - a)
      )
    })
  )

  it.effect("cannot take out who is watched: they are in the universe and on record, whatever was said before", () =>
    Effect.gen(function* () {
      yield* setMarket("20260722", "090000")
      const stage = yield* makeUniverseStage("http://127.0.0.1:1")
      const before = yield* stage.start(list("005930", "000660"))
      yield* before.change({ add: [], remove: ["000660"] })
      const watched = ["000660", "005930", "0000Y0", "0000Y0"]
      const universe = yield* stage.start(list("005930", "000660"), { watched })
      const { rule, symbols } = yield* universe.current
      assert.deepStrictEqual(symbols, ["005930", "000660", "0000Y0"])
      assert.match(rule, /; 1 taken out by hand; 2 watched besides$/)
      const refused = yield* Effect.flip(universe.change({ add: ["035720"], remove: ["0000Y0"] }))
      assert.match(refused.message, /watched by the setting OBSERVER_WATCH: 0000Y0/)
      yield* universe.change({ add: ["035720"], remove: [] })
      const last = markersOf(stage).at(-1)
      assert.deepStrictEqual(last?.["codes"], ["005930", "035720", "000660", "0000Y0"])
      const ranked = yield* stage.start({ _tag: "Top", count: 3 }, { watched: ["069500", "0001", "1002"] })
      assert.includeMembers([...(yield* ranked.current).symbols], ["069500", "1002"])
      assert.deepStrictEqual((yield* ranked.current).indices, ["0001", "1001", "2001"])
    })
  )

  it.effect("are refused when they are no codes, not observed, or leave nothing; the old list stays", () =>
    Effect.gen(function* () {
      yield* setMarket("20260722", "090000")
      const stage = yield* makeUniverseStage("http://127.0.0.1:1")
      const universe = yield* stage.start(list("005930"))
      const before = yield* universe.current
      const reason = (change: Effect.Effect<unknown, { readonly message: string }>) =>
        Effect.map(Effect.flip(change), ({ message }) => message)
      assert.match(
        yield* reason(universe.change({ add: ["samsung", "12345", "Q5000011"], remove: [] })),
        /samsung, 12345, Q5000011/
      )
      assert.match(yield* reason(universe.change({ add: [], remove: [] })), /no symbol is named/)
      assert.match(yield* reason(universe.change({ add: [], remove: ["000660"] })), /not observed: 000660/)
      assert.match(yield* reason(universe.change({ add: [], remove: ["005930"] })), /no symbol would be left/)
      assert.strictEqual(yield* universe.current, before)
      assert.deepStrictEqual(stage.appended, [])
      assert.isFalse(existsSync(join(stage.folder, "state/universe-overlay.json")))
    })
  )
})

describe("a file of symbols", () => {
  it.effect("is read again when told to; a bad one is refused, and the old list stays", () =>
    Effect.gen(function* () {
      yield* setMarket("20260722", "090000")
      const stage = yield* makeUniverseStage("http://127.0.0.1:1")
      const path = join(stage.folder, "codes.txt")
      writeFileSync(path, "005930 # Samsung\r\n000660\n")
      const universe = yield* stage.start({ _tag: "File", path })
      writeFileSync(path, "\ufeff000660, 0000Y0\n0001")
      assert.deepStrictEqual(yield* universe.reload, {
        added: ["0000Y0", "0001"],
        removed: ["005930"],
        flagged: [],
        rebased: []
      })
      assert.deepStrictEqual((yield* universe.reload).added, [])
      const before = yield* universe.current
      for (const text of ["000660\n삼성\n", "# none\n"]) {
        writeFileSync(path, text)
        assert.strictEqual((yield* Effect.flip(universe.reload))._tag, "SymbolFileUnusable")
      }
      rmSync(path)
      assert.match((yield* Effect.flip(universe.reload)).message, /codes.txt": it cannot be read \(ENOENT\)/)
      assert.strictEqual(yield* universe.current, before)
      assert.deepStrictEqual(before.symbols, ["000660", "0000Y0", "0001"])
      assert.strictEqual(markersOf(stage).length, 1)
      const document = readFileSync(join(stage.folder, "data", before.file), "utf8")
      assert.include(document, `"selection":${JSON.stringify(`@${path}`)}`)
    })
  )
})
