import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { RecentTrades, recentTrades_max, type TradeIdentity } from "../../src/shard/RecentTrades.ts"

const trade = (cumVolume: number, changes: Partial<TradeIdentity> = {}): TradeIdentity => ({
  atMs: 1_000,
  price: 100,
  volume: 1,
  cumVolume,
  ...changes
})
const of = (...cumVolumes: ReadonlyArray<number>) =>
  cumVolumes.reduce((recent, cumVolume) => recent.add(trade(cumVolume)), RecentTrades.none)

describe("the recent trades", () => {
  it("are those added last, at most 64", () => {
    const recent = of(...Array.from({ length: 1_000 }, (_, at) => at))
    assert.strictEqual(recent.length, recentTrades_max)
    assert.isFalse(recent.includes(trade(1_000 - recentTrades_max - 1)))
    assert.isTrue(recent.includes(trade(1_000 - recentTrades_max)))
    assert.isTrue(recent.includes(trade(999)))
  })

  it("know a trade by its time, price, volume and cumulative volume, unknown ones included", () => {
    const recent = RecentTrades.none.add(trade(1)).add(trade(2, { volume: undefined }))
    assert.isTrue(recent.includes(trade(2, { volume: undefined })))
    for (const other of [{ atMs: 2_000 }, { price: 101 }, { price: undefined }, { volume: 2 }, { volume: undefined }])
      assert.isFalse(recent.includes(trade(1, other)), JSON.stringify(other))
    assert.isFalse(recent.includes(trade(2)))
    assert.isFalse(recent.includes(trade(2, { volume: Number.NaN })), "what cannot be read is not unknown")
  })

  /** Adds a trade to one of the values made so far: the newest, or an older one whose successor was given up. */
  const Step = Schema.Struct({
    to: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 5 })),
    times: Schema.Literals([1, 1, 2, 20, 70, 300]),
    volume: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1_000 }))
  })
  it.prop(
    "are values: none is changed by what is added to another",
    [Schema.Array(Step)],
    ([steps]) => {
      let all: Array<{ readonly recent: RecentTrades; readonly model: ReadonlyArray<number> }> = [
        { recent: RecentTrades.none, model: [] }
      ]
      for (const { times, to, volume } of steps) {
        let { model, recent } = all[all.length - 1 - (to % all.length)] ?? { recent: RecentTrades.none, model: [] }
        for (let time = 0; time < times; time++) {
          recent = recent.add(trade(volume + time))
          model = [...model, volume + time].slice(-recentTrades_max)
        }
        all = [...all, { recent, model }].slice(-8)
        for (const { model, recent } of all) {
          assert.strictEqual(recent.length, model.length)
          for (const known of model) assert.isTrue(recent.includes(trade(known)))
          for (const other of [volume - 1, volume + times, 0])
            assert.strictEqual(recent.includes(trade(other)), model.includes(other))
        }
      }
    },
    { arbitrary: { runs: 60, size: 20 } }
  )
})
