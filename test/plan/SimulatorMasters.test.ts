import { NodeHttpClient } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Option, Stream } from "effect"
import { masterNames } from "../../src/kis/MasterFile.ts"
import { fetchMasters } from "../../src/plan/fetchMasters.ts"
import { marketList, shippedLists } from "../../src/plan/MarketList.ts"
import { Exchange } from "../../src/simulator/Exchange.ts"
import { makeUniverseStage, markersOf } from "./universeStage.ts"

const layer = Layer.merge(Exchange.layer(), NodeHttpClient.layerUndici)

describe("the simulator's master files", () => {
  it.live("are accepted without a complaint, and are the shipped lists but for what a market day changes", () =>
    Effect.gen(function* () {
      const { restUrl } = yield* Exchange
      const shipped = yield* shippedLists
      const { fresh, troubles } = yield* fetchMasters(restUrl, new Map(), Date.now())
      assert.deepStrictEqual([...troubles], [])
      assert.sameMembers([...fresh.keys()], [...masterNames])
      const still = marketList(new Map(), shipped).entries
      const { entries, isShipped } = marketList(fresh, shipped)
      assert.isFalse(isShipped)
      assert.sameMembers([...entries.keys()], [...still.keys()])
      for (const [code, { isin, kind, market, name, nxt }] of entries) {
        assert.deepInclude(still.get(code), { isin, kind, market, name, nxt }, code)
      }
    }).pipe(Effect.provide(layer))
  )

  it.live("become the day's universe of a running observer", () =>
    Effect.gen(function* () {
      const { restUrl } = yield* Exchange
      const stage = yield* makeUniverseStage(restUrl)
      const universe = yield* stage.start({ _tag: "Top", count: 2_000 })
      yield* Effect.forkChild(universe.run)
      const today = yield* universe.changes.pipe(
        Stream.filter(({ source }) => source.list === "today"),
        Stream.runHead
      )
      assert(Option.isSome(today))
      assert.deepStrictEqual([today.value.symbols.length, today.value.unlisted.length], [2_000, 0])
      assert.strictEqual(markersOf(stage).at(-1)?.["file"], today.value.file)
    }).pipe(Effect.provide(layer))
  )
})
