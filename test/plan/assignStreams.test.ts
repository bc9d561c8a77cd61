import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import type { AccountAbility, StreamTarget } from "../../src/domain/Assignment.ts"
import { assignStreams, type Held, type StreamInput } from "../../src/plan/coveragePlan/assignStreams.ts"
import type { PlannedSymbol } from "../../src/plan/PlannedSymbol.ts"

const minute_ms = 60_000
const account = (alias: string, slots: number): AccountAbility => ({
  alias,
  callsPerSecond: 18,
  slots,
  multiPrice: true
})
const share = (symbol: string, activity: number): PlannedSymbol => ({ symbol, class: "stock", activity })
const watched = (symbol: string, activity = 0): PlannedSymbol => ({ symbol, class: "watch", activity })
const codes = (count: number) => Array.from({ length: count }, (_, index) => `S${1_000 + index}`)

type Streams = ReadonlyMap<string, ReadonlyArray<StreamTarget>>
const streamsOf = (input: Partial<StreamInput>) =>
  assignStreams({ symbols: [], accounts: [], books: 0, held: [], nowMs: 0, ...input })
const homesIn = (streams: Streams) =>
  new Map([...streams].flatMap(([alias, targets]) => targets.map(({ symbol }): [string, string] => [symbol, alias])))
const codesIn = (streams: Streams) => [...homesIn(streams).keys()].sort()
const booksIn = (streams: Streams) => [...streams.values()].flat().flatMap(({ book, symbol }) => (book ? [symbol] : []))
/** What is held once a plan has been applied. */
const heldAfter = (streams: Streams, before: ReadonlyArray<Held>, nowMs: number): ReadonlyArray<Held> =>
  [...streams].flatMap(([alias, targets]) =>
    targets.map(({ book, symbol }): Held => {
      const same = before.find((each) => each.symbol === symbol && each.account === alias)
      const bookSinceMs = book ? { bookSinceMs: same?.bookSinceMs ?? nowMs } : {}
      return { symbol, account: alias, sinceMs: same?.sinceMs ?? nowMs, ...bookSinceMs }
    })
  )

describe("who streams what", () => {
  it("is the watched first, then the liveliest, spread over the accounts; never an index", () => {
    const symbols = [
      { symbol: "0001", class: "index", activity: 1e9 } as const,
      share("A00001", 5),
      share("A00002", 9),
      share("A00003", 7),
      watched("A00004")
    ]
    const streams = streamsOf({ symbols, accounts: [account("a", 2), account("b", 1)] })
    assert.deepStrictEqual(Object.fromEntries(streams), {
      a: [
        { symbol: "A00004", book: false },
        { symbol: "A00002", book: false }
      ],
      b: [{ symbol: "A00003", book: false }]
    })
    const watchedIndex = { symbol: "0001", class: "watch", activity: 0 } as const
    assert.deepStrictEqual(codesIn(streamsOf({ symbols: [watchedIndex], accounts: [account("a", 2)] })), [])
  })

  it("counts a book as a slot more, and gives half of them to books where they are few", () => {
    const symbols = codes(10).map((symbol, index) => share(symbol, 100 - index))
    const of = (books: number, slots: number) => {
      const streams = streamsOf({ symbols, accounts: [account("a", slots)], books })
      return [codesIn(streams).length, booksIn(streams)]
    }
    assert.deepStrictEqual(of(2, 8), [6, ["S1000", "S1001"]])
    assert.deepStrictEqual(of(8, 5), [3, ["S1000", "S1001"]])
    assert.deepStrictEqual(of(8, 1), [1, []])
    assert.deepStrictEqual(of(3, 100), [10, ["S1000", "S1001", "S1002"]])
  })

  it("stays as it is for ten minutes, then gives way to who is one and a half times as lively", () => {
    const accounts = [account("a", 1)]
    const held: ReadonlyArray<Held> = [{ symbol: "A00001", account: "a", sinceMs: 0 }]
    const at = (nowMs: number, activity: number) =>
      codesIn(streamsOf({ symbols: [share("A00002", activity), share("A00001", 100)], accounts, held, nowMs }))
    assert.deepStrictEqual(at(10 * minute_ms - 1, 1e6), ["A00001"])
    assert.deepStrictEqual(at(10 * minute_ms, 149), ["A00001"])
    assert.deepStrictEqual(at(10 * minute_ms, 151), ["A00002"])
  })

  it("does not change among those that do not trade at all", () => {
    const held: ReadonlyArray<Held> = [{ symbol: "A00002", account: "a", sinceMs: 0 }]
    const symbols = [share("A00001", 0), share("A00002", 0)]
    assert.deepStrictEqual(codesIn(streamsOf({ symbols, accounts: [account("a", 1)], held, nowMs: 60 * minute_ms })), [
      "A00002"
    ])
  })

  it("gives the place of the least lively to a watched symbol at once, and moves nobody else", () => {
    const accounts = [account("a", 2), account("b", 2)]
    const symbols = codes(4).map((symbol, index) => share(symbol, 100 - index))
    const before = streamsOf({ symbols, accounts })
    const held = heldAfter(before, [], 0)
    const after = streamsOf({ symbols: [...symbols, watched("W00001")], accounts, held, nowMs: 1 })
    assert.deepStrictEqual(codesIn(after), ["S1000", "S1001", "S1002", "W00001"])
    for (const [symbol, home] of homesIn(after)) assert.strictEqual(home, homesIn(before).get(symbol) ?? "b")
  })

  it("lets a book move without moving any trades", () => {
    const accounts = [account("a", 3), account("b", 2)]
    const lively = codes(4).map((symbol, index) => share(symbol, 100 - index))
    const before = streamsOf({ symbols: lively, accounts, books: 1 })
    assert.deepStrictEqual(booksIn(before), ["S1000"])
    const held = heldAfter(before, [], 0)
    const symbols = lively.map((each) => (each.symbol === "S1002" ? { ...each, activity: 1_000 } : each))
    const soon = streamsOf({ symbols, accounts, books: 1, held, nowMs: minute_ms })
    assert.deepStrictEqual(booksIn(soon), ["S1000"])
    const late = streamsOf({ symbols, accounts, books: 1, held, nowMs: 11 * minute_ms })
    assert.deepStrictEqual(booksIn(late), ["S1002"])
    assert.deepStrictEqual(homesIn(late), homesIn(before))
  })

  const int = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))
  const Activities = Schema.Array(int(0, 20))
  const Slots = Schema.Array(int(0, 6))
  /** A day: what each symbol's activity becomes, what each account's slots become (`-1` when it is gone), and when. */
  const Change = Schema.Struct({ after_ms: int(1, 900_000), activities: Activities, slots: Schema.Array(int(-1, 6)) })

  it.prop(
    "keeps every account's slots, streams nobody twice, serves the watched first, and displaces nobody without cause",
    [int(0, 30), int(0, 4), int(0, 8), Activities, Slots, Schema.Array(Change)],
    ([count, watches, books, firstActivities, firstSlots, changes]) => {
      const names = codes(count)
      const symbolsWith = (activities: ReadonlyArray<number>): ReadonlyArray<PlannedSymbol> => [
        ...names.map((symbol, index) => (index < watches ? watched : share)(symbol, activities[index] ?? index % 7)),
        { symbol: "0001", class: "index", activity: 1_000 }
      ]
      const accountsWith = (slots: ReadonlyArray<number>) =>
        slots.slice(0, 5).flatMap((each, index) => (each < 0 ? [] : [account(String(index), each)]))
      let nowMs = 0
      let held: ReadonlyArray<Held> = []
      let accountsBefore: ReadonlyArray<AccountAbility> = []
      for (const { activities, after_ms, slots } of [
        { activities: firstActivities, after_ms: 0, slots: firstSlots },
        ...changes
      ]) {
        nowMs += after_ms
        const symbols = symbolsWith(activities)
        const accounts = accountsWith(slots)
        const streams = streamsOf({ symbols, accounts, books, held, nowMs })
        const homes = homesIn(streams)
        const activityOf = new Map(symbols.map(({ activity, symbol }) => [symbol, activity]))

        for (const { alias, slots: most } of accounts) {
          const cost = (streams.get(alias) ?? []).reduce((sum, { book }) => sum + (book ? 2 : 1), 0)
          assert.isAtMost(cost, most, `slots of ${alias}`)
        }
        const all = [...streams.values()].flat().map(({ symbol }) => symbol)
        assert.strictEqual(new Set(all).size, all.length)
        assert.notInclude(all, "0001")
        const total = accounts.reduce((sum, each) => sum + each.slots, 0)
        assert.strictEqual(all.length, Math.min(count, Math.max(total - books, Math.ceil(total / 2))))
        assert.isAtMost(booksIn(streams).length, books)
        const isLeftOut = (symbol: string) => !homes.has(symbol)
        if (names.slice(0, watches).some(isLeftOut)) {
          assert.isTrue(
            all.every((symbol) => names.indexOf(symbol) < watches),
            "somebody is streamed before the watched"
          )
        }

        // Who lost the place though the account is there and its slots are as they were.
        const kept = accounts.filter(
          (each) => accountsBefore.find(({ alias }) => alias === each.alias)?.slots === each.slots
        )
        const isWhole = kept.length === accounts.length && accounts.length >= accountsBefore.length
        if (isWhole) {
          const newcomers = all.filter((symbol) => !held.some((each) => each.symbol === symbol))
          for (const { sinceMs, symbol } of held.filter((each) => isLeftOut(each.symbol))) {
            const isWatched = (each: string) => names.indexOf(each) < watches
            const others = newcomers.filter((each) => !isWatched(each))
            if (nowMs - sinceMs < 10 * minute_ms && !isWatched(symbol)) assert.deepStrictEqual(others, [])
            for (const other of others) {
              assert.isAtLeast(activityOf.get(other) ?? 0, 1.5 * (activityOf.get(symbol) ?? 0))
            }
          }
        }
        // Who stays, stays with its account while that has room for it.
        for (const { account: home, symbol } of held) {
          if (!kept.some(({ alias }) => alias === home) || isLeftOut(symbol)) continue
          assert.strictEqual(homes.get(symbol), home)
        }
        held = heldAfter(streams, held, nowMs)
        accountsBefore = accounts
      }
    },
    { arbitrary: { runs: 400, size: 40 } }
  )

  it.prop(
    "gives the streams of an account that dies to others as their slots allow, and nothing else moves",
    [int(1, 30), int(2, 5), int(1, 8), int(0, 4), int(0, 3)],
    ([count, accountsCount, slots, books, dead]) => {
      const symbols = codes(count).map((symbol, index) => share(symbol, 100 - index))
      const accounts = Array.from({ length: accountsCount }, (_, index) => account(String(index), slots))
      const before = streamsOf({ symbols, accounts, books })
      const left = accounts.filter(({ alias }) => alias !== String(dead % accountsCount))
      const after = streamsOf({ symbols, accounts: left, books, held: heldAfter(before, [], 0), nowMs: minute_ms })
      const homes = homesIn(after)
      for (const [symbol, home] of homesIn(before)) {
        if (home !== String(dead % accountsCount) && homes.has(symbol)) assert.strictEqual(homes.get(symbol), home)
      }
      const total = left.length * slots
      assert.strictEqual(homes.size, Math.min(count, Math.max(total - books, Math.ceil(total / 2))))
    }
  )
})
