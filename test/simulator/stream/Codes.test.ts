import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { FrameTap } from "../../../src/simulator/stream/FrameTap.ts"
import { type StreamCode, streamTexts } from "../../../src/simulator/stream/StreamRequest.ts"
import { sampleLines } from "../../support/samples.ts"
import { ackOf, approvalKey, makeStage, registrationOf } from "../../support/streamStage.ts"

const code = "005930"
const key = approvalKey("PSKEY")
const header = { approval_key: key, custtype: "P", tr_type: "1" }
const input = { tr_id: "H0STCNT0", tr_key: code }
const message = (parts: object) => JSON.stringify(parts)
const nobody = { tr_id: "(null)", tr_key: "", encrypt: "N" }
const unnamed = { tr_id: "", tr_key: "", encrypt: "N" }
const itself = { tr_id: "H0STCNT0", tr_key: code, encrypt: "N" }

const etn = "Q500061"

/** What a client does and the code that follows; those that need more than a message have tests of their own. */
const natural: ReadonlyArray<readonly [text: string, code: StreamCode, header: object]> = [
  ["no json", "OPSP9999", nobody],
  ["[]", "OPSP9999", nobody],
  ["\u0000", "OPSP9999", nobody],
  [message({ body: { input } }), "OPSP9998", nobody],
  [message({ header: { ...header, custtype: undefined }, body: { input } }), "OPSP9997", nobody],
  [message({ header: { ...header, custtype: "X" }, body: { input } }), "OPSP8998", nobody],
  [message({ header: { ...header, tr_type: "3" }, body: { input } }), "OPSP8997", nobody],
  [message({ header }), "OPSP9992", nobody],
  [message({ header, body: {} }), "OPSP9991", nobody],
  [message({ header, body: { input: { tr_id: "H0STCNT0" } } }), "OPSP9990", nobody],
  [registrationOf(key, "H0STCNT0", ""), "OPSP8993", unnamed],
  [registrationOf(key, "H0STCNT0", { deep: [1] }), "OPSP8993", unnamed],
  [registrationOf(key, "H0STCNT0", "9".repeat(41)), "OPSP8993", unnamed],
  [registrationOf("11111111-1111-4111-a111-111111111111", "H0STCNT0", code), "OPSP0011", itself],
  [registrationOf(key, "H0XXXXXX", code), "OPSP8991", { ...itself, tr_id: "H0XXXXXX" }],
  [registrationOf(key, "H0STCNI9", "someone1"), "OPSP0007", { tr_id: "H0STCNI9", tr_key: "someone1", encrypt: "N" }],
  [registrationOf(key, "H0STCNT0", "999999"), "OPSP8992", { ...itself, tr_key: "999999" }],
  [registrationOf(key, "H0UPCNT0", "9999"), "OPSP8992", { tr_id: "H0UPCNT0", tr_key: "9999", encrypt: "N" }],
  // An ETN is asked for with its Q; without it the number is nobody's.
  [registrationOf(key, "H0STCNT0", etn.slice(1)), "OPSP8992", { ...itself, tr_key: etn.slice(1) }],
  [registrationOf(key, "H0STCNT0", etn), "OPSP0000", { ...itself, tr_key: etn }],
  [registrationOf(key, "H0STCNT0", code), "OPSP0000", itself],
  [registrationOf(key, "H0STCNT0", code), "OPSP0002", itself],
  [registrationOf(key, "H0STCNT0", "000660"), "OPSP0008", { ...itself, tr_key: "000660" }],
  [registrationOf(key, "H0STCNT0", code, "2"), "OPSP0001", itself],
  [registrationOf(key, "H0STCNT0", code, "2"), "OPSP0003", itself]
]
const elsewhere: ReadonlyArray<StreamCode> = ["OPSP8996", "OPSP9993"]
const onlyOrdered: ReadonlyArray<StreamCode> = [
  "OPSP0009",
  "OPSP0010",
  "OPSP8994",
  "OPSP8995",
  "OPSP8999",
  "OPSP9994",
  "OPSP9995",
  "OPSP9996"
]

/** Refuses with each code once, then lets the rules judge. */
const refusing = (codes: ReadonlyArray<StreamCode>): FrameTap => {
  const left = [...codes]
  return { outgoing: (_session, { untouched }) => untouched, refusal: () => left.shift() }
}

describe("the codes of the stream", () => {
  it("are all reached: by what a client does, or when ordered", () => {
    const reached = new Set([...natural.map(([, reply]) => reply), ...elsewhere, ...onlyOrdered])
    assert.deepStrictEqual([...reached].sort(), Object.keys(streamTexts).sort())
  })

  it.effect("follow what the client did, name the registration or nobody, and leave the session open", () =>
    Effect.gen(function* () {
      const { connect, counters } = yield* makeStage({ exchange: { slots: 2 } })
      const client = yield* connect()
      for (const [text, expected, subject] of natural) {
        client.send(text)
        const { body, header: named } = ackOf(yield* client.next)
        assert.strictEqual(body.msg_cd, expected, text)
        assert.deepStrictEqual(named, subject, text)
        const isAccepted = expected === "OPSP0000" || expected === "OPSP0001"
        assert.strictEqual(body.rt_cd, isAccepted ? "0" : expected.startsWith("OPSP00") ? "1" : "9")
        // The refusal of an approval key repeats the key.
        if (expected !== "OPSP0011") assert.strictEqual(body.msg1, streamTexts[expected])
        else assert.strictEqual(body.msg1, "invalid approval : 11111111-1111-4111-a111-111111111111")
      }
      assert.strictEqual(counters.streamRefusalsByCode.get("OPSP9999"), 3)
      assert.strictEqual(counters.sessions, 1)
    })
  )

  it.effect("can each be ordered for the next registration, which is not counted against the slots", () =>
    Effect.gen(function* () {
      const codes = Object.keys(streamTexts) as ReadonlyArray<StreamCode>
      const { connect, counters } = yield* makeStage({ tap: refusing(codes) })
      const client = yield* connect()
      for (const ordered of codes) {
        const { body } = yield* client.ask("H0STCNT0", code)
        assert.deepInclude(body, { msg_cd: ordered, msg1: streamTexts[ordered] })
        assert.strictEqual(counters.streamRefusalsByCode.get(ordered), 1)
      }
      assert.strictEqual((yield* client.ask("H0STCNT0", code)).body.msg_cd, "OPSP0000")
    })
  )

  it.effect("say OPSP9993 of a defect inside the exchange, and the next message is heard", () =>
    Effect.gen(function* () {
      let isBroken = true
      const tap: FrameTap = {
        outgoing: (_session, { untouched }) => untouched,
        refusal: () => {
          if (isBroken) throw new Error("a defect")
          return undefined
        }
      }
      const { connect } = yield* makeStage({ tap })
      const client = yield* connect()
      assert.strictEqual((yield* client.ask("H0STCNT0", code)).body.msg_cd, "OPSP9993")
      isBroken = false
      assert.strictEqual((yield* client.ask("H0STCNT0", code)).body.msg_cd, "OPSP0000")
    })
  )

  it.effect("have the words of every captured reply", () =>
    Effect.sync(() => {
      const captured = sampleLines<{ readonly kind: string; readonly frame: string }>("ws-control.jsonl")
      let compared = 0
      for (const { frame, kind } of captured) {
        if (kind === "pingpong") continue
        const parsed = JSON.parse(frame) as { readonly body?: Body } & Body
        const { msg1, msg_cd, rt_cd } = parsed.body ?? parsed
        if (msg_cd === "OPSP0011") continue
        assert.strictEqual(streamTexts[msg_cd as StreamCode], msg1)
        assert.include(["0", "1", "9"], rt_cd)
        compared += 1
      }
      assert.strictEqual(compared, 9)
    })
  )
})

interface Body {
  readonly rt_cd: string
  readonly msg_cd: string
  readonly msg1: string
}

describe("the mock", () => {
  it.effect("offers trades, the book and its own fills, and nothing else of the stream", () =>
    Effect.gen(function* () {
      const { connect } = yield* makeStage({ exchange: { env: "mock" } })
      const client = yield* connect()
      for (const [trId, trKey] of [
        ["H0STCNT0", code],
        ["H0STASP0", code],
        ["H0STCNI9", "someone1"]
      ] as const) {
        assert.strictEqual((yield* client.ask(trId, trKey)).body.msg_cd, "OPSP0000", trId)
      }
      for (const trId of ["H0STANC0", "H0STMKO0", "H0UNCNT0", "H0NXCNT0", "H0UNASP0", "H0NXASP0", "H0STCNI0"]) {
        assert.strictEqual((yield* client.ask(trId, code)).body.msg_cd, "OPSP0007", trId)
      }
      assert.strictEqual((yield* client.ask("H0UPCNT0", "2001")).body.msg_cd, "OPSP0007")
      assert.strictEqual((yield* client.ask("H0STXXX0", code)).body.msg_cd, "OPSP8991")
    })
  )
})
