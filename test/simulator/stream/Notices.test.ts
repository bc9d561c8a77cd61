import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { createDecipheriv } from "node:crypto"
import { type Ack, ackOf, makeStage } from "../../support/streamStage.ts"

const order = { code: "005930", side: "buy", price: 71_500, size: 3 } as const

/** As a client does it: base64, AES-256-CBC with the pair of the subscription, PKCS#7. */
const decrypted = (text: string, { body }: Ack): ReadonlyArray<string> => {
  const [kind, , count, sealed = ""] = text.split("|")
  assert.deepStrictEqual([kind, count], ["1", "001"])
  const decipher = createDecipheriv("aes-256-cbc", body.output?.key ?? "", body.output?.iv ?? "")
  return (decipher.update(sealed, "base64", "utf8") + decipher.final("utf8")).split("^")
}

describe("fill notices", () => {
  it.effect("are encrypted with each session's own pair: a receipt and a fill of 26 columns", () =>
    Effect.gen(function* () {
      const { connect, stream } = yield* makeStage()
      const plains: Array<ReadonlyArray<string>> = []
      const clients = [yield* connect("PSA"), yield* connect("PSB")] as const
      const acks: Array<Ack> = []
      for (const client of clients) acks.push(yield* client.ask("H0STCNI0", "someone1"))
      assert.notStrictEqual(acks[0]?.body.output?.key, acks[1]?.body.output?.key)
      for (const ack of acks) {
        assert.deepStrictEqual(ack.header, { tr_id: "H0STCNI0", tr_key: "someone1", encrypt: "Y" })
      }
      assert.strictEqual(stream.fill("someone1", order), 2)
      assert.strictEqual(stream.fill("someone2", order), 0)
      for (const [at, client] of clients.entries()) {
        const ack = acks[at]
        if (ack === undefined) continue
        for (const [cntgYn, size, price] of [
          ["1", "0", "0"],
          ["2", "3", "71500"]
        ] as const) {
          const text = yield* client.next
          assert.notInclude(text, "someone1")
          const values = decrypted(text, ack)
          plains.push(values)
          assert.strictEqual(values.length, 26)
          assert.deepStrictEqual([values[0], values[4], values[8]], ["someone1", "02", "005930"])
          assert.deepStrictEqual([values[9], values[10], values[13]], [size, price, cntgYn])
          assert.deepStrictEqual([values[16], values[24], values[25]], ["3", "삼성전자", "71500"])
        }
      }
      assert.deepStrictEqual(plains.slice(0, 2), plains.slice(2))
    })
  )

  it.effect("are made up now and then, while somebody listens, at the price of a trade", () =>
    Effect.gen(function* () {
      const { connect, market } = yield* makeStage({ stream: { fillEvery_seconds: 30 } })
      const client = yield* connect()
      const ack = yield* client.ask("H0STCNI0", "someone1")
      market.trade("005930", { size: 400 })
      market.pass(29_000)
      market.trade("005930", { size: 400 })
      market.step()
      assert.deepStrictEqual(yield* client.rest, [])
      market.pass(2_000)
      const { price } = market.trade("000660", { size: 400, side: "sell" })
      market.trade("000660", { size: 400 })
      const [receipt = "", fill = "", ...more] = yield* client.rest
      assert.deepStrictEqual(more, [])
      assert.strictEqual(decrypted(receipt, ack)[13], "1")
      const values = decrypted(fill, ack)
      assert.deepStrictEqual([values[4], values[8], values[9], values[10]], ["01", "000660", "10", String(price)])
      yield* client.ask("H0STCNI0", "someone1", { trType: "2" })
      market.pass(60_000)
      market.trade("000660")
      assert.deepStrictEqual(yield* client.rest, [])
    })
  )

  it.effect("of a wrong HTS id end the connection without a close frame, behind the broker's words", () =>
    Effect.gen(function* () {
      const { connect, counters } = yield* makeStage()
      for (const wrong of ["005930", "50192837", "no spaces", "x"]) {
        const client = yield* connect(`PS${wrong.length}`)
        const { body, header } = yield* client.ask("H0STCNI0", wrong)
        assert.strictEqual(body.msg1, "ERROR : htsid가잘못되었습니다")
        assert.deepStrictEqual(header, { tr_id: "(null)", tr_key: "", encrypt: "N" })
        assert.strictEqual(yield* client.closed, 1006)
      }
      assert.strictEqual(counters.streamRefusalsByCode.get("OPSP8992"), 4)
    })
  )

  it.effect("are of listed ids only, where a list is given", () =>
    Effect.gen(function* () {
      const { connect } = yield* makeStage({ stream: { htsIds: ["mine"] } })
      const client = yield* connect()
      assert.strictEqual((yield* client.ask("H0STCNI0", "mine")).body.msg_cd, "OPSP0000")
      client.send("")
      assert.strictEqual(ackOf(yield* client.next).body.msg_cd, "OPSP9999")
      assert.strictEqual((yield* client.ask("H0STCNI0", "someone1")).body.rt_cd, "9")
      assert.strictEqual(yield* client.closed, 1006)
    })
  )
})
