import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { approvalKey, codeOf, frameOf, makeStage, registrationOf } from "../../support/streamStage.ts"

const slots = 4
const etn = "Q500061"
const Code = Schema.Literals(["005930", "000660", etn])
const Step = Schema.Union([
  Schema.TaggedStruct("Ask", {
    subscribe: Schema.Boolean,
    trId: Schema.Literals(["H0STCNT0", "H0STASP0", "H0UNCNT0"]),
    trKey: Code
  }),
  Schema.TaggedStruct("Trade", {
    symbol: Code,
    times: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 45 }))
  }),
  Schema.TaggedStruct("Noise", { noise: Schema.Union([Schema.String, Schema.Record(Schema.String, Schema.Finite)]) })
])

/** What the exchange should answer, from the slots as a set and nothing else. */
const expected = (held: Set<string>, slot: string, subscribe: boolean): string => {
  if (!subscribe) return held.delete(slot) ? "OPSP0001" : "OPSP0003"
  if (held.has(slot)) return "OPSP0002"
  if (held.size >= slots) return "OPSP0008"
  held.add(slot)
  return "OPSP0000"
}

describe("any sequence of messages", () => {
  it.effect.prop(
    "is answered as a set of slots would, and exactly the trades of held slots arrive",
    [Schema.Array(Step).check(Schema.isMaxLength(40))],
    ([steps]) =>
      Effect.gen(function* () {
        const { connect, market } = yield* makeStage({ exchange: { slots } })
        const client = yield* connect()
        const held = new Set<string>()
        for (const step of steps) {
          if (step._tag === "Ask") {
            const { subscribe, trId, trKey } = step
            client.send(registrationOf(approvalKey("PSKEY"), trId, trKey, subscribe ? "1" : "2"))
            assert.strictEqual(codeOf(yield* client.next), expected(held, `${trId}|${trKey}`, subscribe))
          } else if (step._tag === "Noise") {
            client.send(typeof step.noise === "string" ? step.noise : JSON.stringify(step.noise))
            assert.match(codeOf(yield* client.next), /^OPSP999[89]$/)
          } else {
            for (let made = 0; made < step.times; made++) market.trade(step.symbol)
            market.step()
            const records = (yield* client.rest).map(frameOf).flatMap((frame) => frame.records)
            const isUnified = step.symbol !== etn && held.has(`H0UNCNT0|${step.symbol}`)
            const hearings = Number(held.has(`H0STCNT0|${step.symbol}`)) + Number(isUnified)
            assert.strictEqual(records.length, step.times * hearings)
          }
        }
        assert.strictEqual(client.socket.readyState, client.socket.OPEN)
      }).pipe(Effect.scoped),
    { arbitrary: { runs: 60 } }
  )
})

describe("bytes that are no messages", () => {
  it.effect("end their own connection at most", () =>
    Effect.gen(function* () {
      const { connect, counters, market } = yield* makeStage()
      const healthy = yield* connect("PSHEALTHY")
      yield* healthy.ask("H0STCNT0", "005930")
      const large = yield* connect("PSLARGE")
      large.send("9".repeat(70_000))
      assert.strictEqual(yield* large.closed, 1009)
      const binary = yield* connect("PSBINARY")
      binary.socket.send(Buffer.from([0xff, 0x00, 0xfe]))
      assert.strictEqual(codeOf(yield* binary.next), "OPSP9999")
      const deep = yield* connect("PSDEEP")
      deep.send("[".repeat(60_000))
      assert.strictEqual(codeOf(yield* deep.next), "OPSP9999")
      market.trade("005930")
      market.step()
      assert.strictEqual(frameOf(yield* healthy.next).count, 1)
      assert.strictEqual(counters.sessions, 3)
    })
  )
})
