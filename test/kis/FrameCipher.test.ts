import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted, Result, Schema } from "effect"
import { createCipheriv } from "node:crypto"
import { decodeFrame, type EncryptedFrame } from "../../src/kis/Frame.ts"
import { decrypt, type FrameCipher, open } from "../../src/kis/FrameCipher.ts"
import { readControl } from "../../src/kis/StreamMessage.ts"
import { makeStage } from "../support/streamStage.ts"

const key = "k3yk3yk3yk3yk3yk3yk3yk3yk3yk3yk3"
const iv = "iviviviviviviviv"
const cipherOf = (pair: { readonly key?: string; readonly iv?: string } = {}): FrameCipher => ({
  key: Redacted.make(pair.key ?? key),
  iv: Redacted.make(pair.iv ?? iv)
})

const sealed = (plain: string | Buffer) => {
  const cipher = createCipheriv("aes-256-cbc", key, iv)
  return Buffer.concat([cipher.update(Buffer.from(plain)), cipher.final()]).toString("base64")
}
const encrypted = (body: string, count = 1, trId = "H0STCNI0"): EncryptedFrame => {
  const frame = decodeFrame(`1|${trId}|${String(count).padStart(3, "0")}|${body}`)
  if (frame._tag !== "Encrypted") throw new Error("it is not encrypted")
  return frame
}
const fill = Array.from({ length: 26 }, (_, at) => (at === 17 ? "홍길동" : `secret${at}`)).join("^")

const detailOf = (frame: EncryptedFrame, cipher: FrameCipher): string => {
  const read = decrypt(frame, cipher)
  assert.isTrue(Result.isFailure(read))
  if (Result.isSuccess(read)) return ""
  const { _tag, detail, message, trId } = read.failure
  assert.deepStrictEqual([_tag, trId], ["FrameNotOpened", frame.trId])
  for (const secret of [Redacted.value(cipher.key) || key, Redacted.value(cipher.iv) || iv, "secret"])
    assert.notInclude(message, secret)
  return detail
}

describe("an encrypted frame", () => {
  it("is opened with the pair of its subscription and split as a plain one", () => {
    assert.deepStrictEqual(Result.getOrThrow(decrypt(encrypted(sealed(`${fill}^${fill}`), 2), cipherOf())), {
      _tag: "Records",
      trId: "H0STCNI0",
      records: [fill.split("^"), fill.split("^")],
      extraColumns: 0
    })
  })

  it("is given as the plain frame that it is, too", () => {
    assert.strictEqual(Result.getOrThrow(open(encrypted(sealed(fill)), cipherOf())), `0|H0STCNI0|001|${fill}`)
    assert.isTrue(Result.isFailure(open(encrypted(sealed(fill)), cipherOf({ key: key.toUpperCase() }))))
  })

  it.effect("of the simulator's own is opened with what its acceptance brought", () =>
    Effect.gen(function* () {
      const { connect, stream } = yield* makeStage()
      const client = yield* connect()
      const other = yield* connect("PSB")
      const accepted = readControl(JSON.stringify(yield* client.ask("H0STCNI0", "someone1")))
      const notOurs = readControl(JSON.stringify(yield* other.ask("H0STCNI0", "someone1")))
      const cipher = accepted._tag === "Answer" ? accepted.cipher : undefined
      const otherCipher = notOurs._tag === "Answer" ? notOurs.cipher : undefined
      assert.isDefined(cipher)
      assert.isDefined(otherCipher)
      if (cipher === undefined || otherCipher === undefined) return
      assert.strictEqual(stream.fill("someone1", { code: "005930", side: "buy", price: 71_500, size: 3 }), 2)
      for (const cntgYn of ["1", "2"]) {
        const frame = decodeFrame(yield* client.next)
        assert.strictEqual(frame._tag, "Encrypted")
        if (frame._tag !== "Encrypted") return
        const { extraColumns, records } = Result.getOrThrow(decrypt(frame, cipher))
        assert.deepStrictEqual([records.length, records[0]?.length, extraColumns], [1, 26, 0])
        assert.deepStrictEqual(
          [records[0]?.[0], records[0]?.[8], records[0]?.[13], records[0]?.[24]],
          ["someone1", "005930", cntgYn, "삼성전자"]
        )
        assert.isTrue(Result.isFailure(decrypt(frame, otherCipher)))
      }
    })
  )

  it("is refused by reason when the pair is wrong", () => {
    const frame = encrypted(sealed(fill))
    assert.include(detailOf(frame, cipherOf({ key: key.replace("k3y", "K3y") })), "the key does not fit")
    assert.include(detailOf(frame, cipherOf({ key: "short" })), "its key has 5 bytes, not 32")
    assert.include(detailOf(frame, cipherOf({ key: "열쇠".repeat(16) })), "its key has 96 bytes")
    assert.include(detailOf(frame, cipherOf({ iv: "" })), "its iv has 0 bytes, not 16")
  })

  it("with another iv loses of its first 16 characters, which nobody can see, and nothing behind them", () => {
    const read = Result.getOrThrow(decrypt(encrypted(sealed(fill)), cipherOf({ iv: iv.replace("iv", "IV") })))
    assert.strictEqual(read.records[0]?.join("^").slice(2), fill.slice(2))
    assert.notStrictEqual(read.records[0]?.join("^"), fill)
  })

  for (const [name, body, because] of [
    ["nothing", "", "its 0 bytes are not whole blocks"],
    ["no base64", "b64+/==|x", "not base64"],
    ["base64 with a letter too many", `${sealed(fill)}A`, "not base64"],
    ["base64 with blanks in it", ` ${sealed(fill)}`, "not base64"],
    ["half a block", Buffer.from("half").toString("base64"), "its 4 bytes are not whole blocks of 16"],
    [
      "a block too few",
      Buffer.from(sealed(fill), "base64").subarray(0, -16).toString("base64"),
      "the key does not fit"
    ],
    ["no padding", Buffer.alloc(32).toString("base64"), "the key does not fit"],
    ["records too narrow", sealed("a^b^c"), "its records have 3 values, 23 are known"],
    ["an empty text", sealed(""), "its records have 1 values"]
  ] as const) {
    it(`that holds ${name} is refused by reason`, () => assert.include(detailOf(encrypted(body), cipherOf()), because))
  }

  it("keeps broken bytes", () => {
    const plain = Buffer.concat([Buffer.from(`${fill}^`), Buffer.from([0xea, 0xb0])])
    const read = Result.getOrThrow(decrypt(encrypted(sealed(plain)), cipherOf()))
    assert.deepStrictEqual([read.records[0]?.length, read.records[0]?.[26], read.extraColumns], [27, "\ufffd", 1])
  })

  const Plain = Schema.Array(Schema.String.check(Schema.isPattern(/^[^^|\ud800-\udfff]*$/)))
  it.prop("gives back whatever was sealed", [Plain], ([values]) => {
    const plain = values.join("^")
    const read = Result.getOrThrow(decrypt(encrypted(sealed(plain), 1, "H0XXXXX0"), cipherOf()))
    assert.strictEqual(read.records.flat().join("^"), plain)
  })

  it.prop("never throws, whatever comes", [Schema.String, Schema.String, Schema.String], ([body, key, iv]) => {
    for (const cipher of [cipherOf(), cipherOf({ key, iv })]) {
      for (const whole of [body, Buffer.from(body).toString("base64")]) {
        const read = decrypt({ _tag: "Encrypted", trId: "H0STCNI0", count: 1, body: whole }, cipher)
        assert.isBoolean(Result.isSuccess(read))
      }
    }
  })
})
