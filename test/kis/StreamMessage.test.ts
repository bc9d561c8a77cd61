import { assert, describe, it } from "@effect/vitest"
import { Redacted, Schema } from "effect"
import { isControl, isPingPong, readControl, subscribeMessage } from "../../src/kis/StreamMessage.ts"
import { capturedFrames, sampleLines } from "../support/samples.ts"
import { leakIn, secrets } from "../support/accounts.ts"

interface Control {
  readonly kind: "ack" | "pingpong" | "error" | "error-body"
  readonly frame: string
}

const controls = sampleLines<Control>("ws-control.jsonl")
/** Of some errors only the body was captured; the head is that of a global error. */
const whole = ({ frame, kind }: Control): string =>
  kind === "error-body" ? `{"header":{"tr_id":"(null)","tr_key":"","encrypt":"N"},"body":${frame}}` : frame

const answer = (msg_cd: string, msg1 = "words") =>
  JSON.stringify({ header: { tr_id: "H0STCNT0", tr_key: "005930 ", encrypt: "N" }, body: { rt_cd: "1", msg_cd, msg1 } })

const replyOf = (text: string) => {
  const control = readControl(text)
  assert.strictEqual(control._tag, "Answer", text)
  return control._tag === "Answer" ? control.reply : undefined
}

describe("the captured control messages", () => {
  const expected: Readonly<Record<string, string>> = {
    OPSP0000: "Subscribed",
    OPSP0003: "Unsubscribed",
    OPSP0008: "SlotsFull",
    OPSP0011: "ApprovalUnknown",
    OPSP8996: "KeyInUse"
  }

  it("are understood, every one", () => {
    assert.strictEqual(controls.length, 13)
    for (const control of controls) {
      const text = whole(control)
      if (control.kind === "pingpong") {
        assert.isTrue(isPingPong(text))
        assert.deepStrictEqual(readControl(text), { _tag: "PingPong" })
        continue
      }
      assert.isFalse(isPingPong(text))
      const code = /OPSP\d{4}/.exec(text)?.[0] ?? ""
      assert.strictEqual(replyOf(text)?._tag, expected[code], text)
    }
  })

  it("name the stream and the symbol they answer", () => {
    const ack = readControl(controls.find(({ kind }) => kind === "ack")?.frame ?? "")
    assert.deepInclude(ack, { trId: "H0STASP0", trKey: "005930" })
  })

  it("pass on neither the cipher nor the words, which may repeat the approval key", () => {
    const acked = JSON.stringify(readControl(controls[0]?.frame ?? ""))
    assert.notInclude(acked, "xxxx")
    const refused = readControl(answer("OPSP0011", `invalid approval : ${secrets.approvalKey}`))
    assert.isUndefined(leakIn(JSON.stringify(refused)))
  })
})

describe("an answer", () => {
  for (const [code, text, reply] of [
    ["OPSP0002", "ALREADY IN SUBSCRIBE", { _tag: "Subscribed" }],
    ["OPSP0001", "UNSUBSCRIBE SUCCESS", { _tag: "Unsubscribed" }],
    ["OPSP0099", "UNSUBSCRIBE SUCCESS!", { _tag: "Unsubscribed" }],
    ["OPSP0007", "SUBSCRIBE INTERNAL ERROR", { _tag: "Refused", code: "OPSP0007", passing: true }],
    ["OPSP0009", "SUBSCRIBE ERROR : mci send failed", { _tag: "Refused", code: "OPSP0009", passing: true }],
    ["OPSP0010", "SUBSCRIBE WARNING : invalid appkey", { _tag: "KeyRefused", code: "OPSP0010" }],
    ["OPSP8993", "wrong tr_key", { _tag: "Refused", code: "OPSP8993", passing: false }],
    ["", "", { _tag: "Refused", code: "", passing: false }]
  ] as const) {
    it(`${code} means ${reply._tag}`, () => assert.deepStrictEqual(replyOf(answer(code, text)), reply))
  }

  it("has its key trimmed, or none", () => {
    assert.deepInclude(readControl(answer("OPSP0000")), { trKey: "005930" })
    assert.deepInclude(readControl('{"header":{"tr_id":"(null)"},"body":{"rt_cd":"9","msg_cd":"OPSP8996"}}'), {
      trKey: ""
    })
  })

  it("is known by its code alone, whatever the rest is", () => {
    for (const header of [undefined, null, {}, { tr_id: null, tr_key: null }, { tr_id: "(null)", tr_key: 7 }]) {
      for (const rest of [{}, { rt_cd: 9, msg1: null }, { rt_cd: null, msg1: 5, output: 7 }]) {
        const text = (msg_cd: unknown) => JSON.stringify({ header, body: { ...rest, msg_cd } })
        assert.deepStrictEqual(replyOf(text("OPSP8996")), { _tag: "KeyInUse" })
        assert.deepStrictEqual(replyOf(text(" OPSP0008 ")), { _tag: "SlotsFull" })
        assert.deepStrictEqual(replyOf(text(77)), { _tag: "Refused", code: "77", passing: false })
        assert.deepStrictEqual(readControl(text(null)), { _tag: "Unreadable" })
      }
    }
    const unknown = { header: { tr_id: "H0STCNT0", tr_key: "005930" }, body: { rt_cd: 0, msg_cd: "OPSP0099" } }
    assert.deepStrictEqual(replyOf(JSON.stringify(unknown)), { _tag: "Subscribed" })
  })

  it("and a probe are no frames, whatever blanks stand before them", () => {
    const ping = '{"header":{"tr_id":"PINGPONG"}}'
    for (const blank of ["", " ", "\n", "\r\n\t", "\ufeff", "\ufeff\n "]) {
      assert.isTrue(isPingPong(blank + ping))
      assert.deepStrictEqual(readControl(blank + ping), { _tag: "PingPong" })
      assert.isTrue(isControl(blank + answer("OPSP0008")))
      assert.isFalse(isPingPong(blank + answer("OPSP0008")))
      assert.deepStrictEqual(replyOf(blank + answer("OPSP0008")), { _tag: "SlotsFull" })
    }
    assert.isTrue(isControl('[{"approval_key":"x"}]'))
  })

  it("of acceptance brings the pair of its subscription, out of sight", () => {
    const accepted = (output: unknown) =>
      readControl(
        JSON.stringify({
          header: { tr_id: "H0STCNI0", tr_key: "someone1", encrypt: "Y" },
          body: { rt_cd: "0", msg_cd: "OPSP0000", msg1: "SUBSCRIBE SUCCESS", output }
        })
      )
    const control = accepted({ iv: "secretsecretiviv", key: "secretsecretsecretsecretsecretke" })
    assert.strictEqual(control._tag, "Answer")
    if (control._tag !== "Answer" || control.cipher === undefined) return assert.fail("no cipher")
    assert.strictEqual(Redacted.value(control.cipher.iv), "secretsecretiviv")
    assert.strictEqual(Redacted.value(control.cipher.key), "secretsecretsecretsecretsecretke")
    assert.notInclude(`${JSON.stringify(control)} ${String(control.cipher.key)}`, "secret")
    for (const output of [undefined, null, "", [], {}, { iv: "x" }, { iv: "", key: "x" }, { iv: 1, key: 2 }]) {
      const without = accepted(output)
      assert.deepInclude(without, { _tag: "Answer", reply: { _tag: "Subscribed" } })
      assert.isFalse("cipher" in without, JSON.stringify(output))
    }
  })

  for (const text of [
    "",
    "{",
    "null",
    "[]",
    "{}",
    '{"header":{}}',
    '{"header":{"tr_id":"H0STCNT0"}}',
    '{"header":{"tr_id":7},"body":{}}'
  ]) {
    it(`is unreadable: ${text}`, () => assert.deepStrictEqual(readControl(text), { _tag: "Unreadable" }))
  }

  it.prop("never throws, whatever comes", [Schema.String], ([text]) => {
    assert.isString(readControl(`{${text}`)._tag)
    assert.isBoolean(isPingPong(text))
  })
})

describe("a data frame", () => {
  it("is never taken for a probe", () => {
    for (const { frame } of capturedFrames) assert.isFalse(isControl(frame))
    assert.isFalse(isPingPong('0|H0STCNT0|001|"PINGPONG"'))
  })
})

describe("a registration", () => {
  it("is written as the broker's own sample writes it", () => {
    const key = Redacted.make(secrets.approvalKey)
    const inner = { input: { tr_id: "H0STCNT0", tr_key: "0000Y0" } }
    for (const [action, tr_type] of [
      ["subscribe", "1"],
      ["unsubscribe", "2"]
    ] as const) {
      assert.deepStrictEqual(JSON.parse(subscribeMessage(key, action, "H0STCNT0", "0000Y0")), {
        header: { approval_key: secrets.approvalKey, custtype: "P", tr_type, "content-type": "utf-8" },
        body: inner
      })
    }
  })
})
