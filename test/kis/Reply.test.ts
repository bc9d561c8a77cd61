import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import { readReply } from "../../src/kis/Reply.ts"
import { leakIn, secrets } from "../support/accounts.ts"
import { sampleJson } from "../support/samples.ts"

interface Captured {
  readonly http: number
  readonly body: Readonly<Record<string, string>>
}

const captured: ReadonlyArray<Captured> = sampleJson("errors.json")
const capturedReply = (code: string) => {
  const found = captured.find(({ body }) => (body["msg_cd"] ?? body["error_code"]) === code)
  assert.isDefined(found, code)
  return { status: found.http, text: JSON.stringify(found.body) }
}

const read = (status: number, text: string) => readReply("main", "price", { status, text })
const tagOf = (status: number, text: string): string =>
  Result.match(read(status, text), { onFailure: ({ _tag }) => _tag, onSuccess: () => "success" })

const quotation = (msg_cd: string, msg1 = "words") => JSON.stringify({ rt_cd: "1", msg_cd, msg1 })
const oauth = (error_code: string) => JSON.stringify({ error_code, error_description: "words" })

const table: ReadonlyArray<readonly [name: string, status: number, text: string, tag: string]> = [
  ["a success", 200, JSON.stringify({ rt_cd: "0", msg_cd: "MCA00000", msg1: "ok", output: [] }), "success"],
  ["a success with the holiday call's own code", 200, JSON.stringify({ rt_cd: "0", msg_cd: "KIOK0500" }), "success"],
  ["a success in numbers", 200, JSON.stringify({ rt_cd: 0, msg_cd: 7, output: [] }), "success"],
  ["rt_cd 1 as a number", 200, JSON.stringify({ rt_cd: 1, msg_cd: "EGW00201" }), "KisThrottled"],
  ["a token reply, which has no rt_cd", 200, JSON.stringify({ access_token: "t", expires_in: 86_400 }), "success"],
  ["rt_cd 0 on HTTP 500", 500, JSON.stringify({ rt_cd: "0", msg_cd: "MCA00000" }), "KisUnreachable"],
  ["rt_cd 1 on HTTP 200", 200, quotation("OPSQ2001"), "KisRefused"],
  ["rt_cd 1 on HTTP 200 without a code", 200, JSON.stringify({ rt_cd: "1", msg_cd: "", msg1: " " }), "KisRefused"],
  ["rt_cd 7 without a code", 200, JSON.stringify({ rt_cd: "7" }), "KisRefused"],
  ["the gateway limit on HTTP 500", 500, quotation("EGW00201"), "KisThrottled"],
  ["the gateway limit on HTTP 200", 200, quotation("EGW00201"), "KisThrottled"],
  ["the ledger limit", 500, quotation("EGW00215"), "KisThrottled"],
  ["a code padded with blanks", 500, quotation("EGW00201 "), "KisThrottled"],
  ["an invalid token", 500, quotation("EGW00121"), "KisTokenInvalid"],
  ["an expired token on HTTP 500", 500, quotation("EGW00123"), "KisTokenInvalid"],
  ["an expired token on HTTP 200", 200, quotation("EGW00123"), "KisTokenInvalid"],
  ["a second token within a minute", 403, oauth("EGW00133"), "KisTokenTooSoon"],
  ["a missing key", 403, oauth("EGW00102"), "KisCredentialsRejected"],
  ["a wrong key", 403, oauth("EGW00103"), "KisCredentialsRejected"],
  ["a missing secret", 403, oauth("EGW00104"), "KisCredentialsRejected"],
  ["a wrong secret", 403, oauth("EGW00105"), "KisCredentialsRejected"],
  ["a mock key on the live host", 500, quotation("EGW02004"), "KisCredentialsRejected"],
  ["a bad content type", 400, oauth("EGW00132"), "KisRefused"],
  ["a routing failure of the broker", 500, quotation("EGW00202"), "KisDisturbed"],
  ["a time-out inside the broker", 500, quotation("EGW00301"), "KisDisturbed"],
  ["a code nobody has published", 500, quotation("EGW77777"), "KisRefused"],
  ["a call the mock has not", 500, quotation("EGW02006"), "KisRefused"],
  ["an unknown path", 404, quotation("OPSQ0002"), "KisRefused"],
  ["HTTP 404 with JSON that says nothing", 404, "{}", "KisRefused"],
  ["HTTP 502 with JSON that says nothing", 502, "{}", "KisUnreachable"],
  ["a page of HTML at night", 502, "<html><body>Bad Gateway</body></html>", "KisUnreachable"],
  ["a page of HTML with HTTP 200", 200, "<html></html>", "KisReplyMalformed"],
  ["a page of HTML from a firewall", 403, "<html></html>", "KisReplyMalformed"],
  ["nothing with HTTP 500", 500, "", "KisUnreachable"],
  ["nothing with HTTP 200", 200, "", "KisReplyMalformed"],
  ["JSON cut in the middle", 200, '{"rt_cd":"0","output":[{"inter_shrn_iscd":"0059', "KisReplyMalformed"],
  ["a list", 200, "[]", "KisReplyMalformed"],
  ["null", 200, "null", "KisReplyMalformed"],
  ["a number", 500, "5", "KisReplyMalformed"],
  ["a code that is no text", 200, JSON.stringify({ rt_cd: "1", msg_cd: 7 }), "KisRefused"]
]

describe("a reply that is nested without end", () => {
  it("is malformed, and one that is as deep as any is read", () => {
    const nested = (depth: number) => `${"[".repeat(depth)}${"]".repeat(depth)}`
    const replyOf = (depth: number) =>
      readReply("main", "price", { status: 200, text: `{"rt_cd":"0","output":[{"stck_prpr":${nested(depth)}}]}` })
    for (const depth of [50, 100_000]) {
      const error = Result.getOrThrow(Result.flip(replyOf(depth)))
      assert.strictEqual(error._tag, "KisReplyMalformed")
      assert.include(error.message, "nested deeper")
    }
    assert.isTrue(Result.isSuccess(replyOf(5)))
  })
})

describe("a reply of the broker", () => {
  for (const [name, status, text, tag] of table) {
    it(`is ${tag}: ${name}`, () => assert.strictEqual(tagOf(status, text), tag))
  }

  for (const [code, tag] of [
    ["EGW00201", "KisThrottled"],
    ["EGW02004", "KisCredentialsRejected"],
    ["EGW00133", "KisTokenTooSoon"],
    ["EGW00123", "KisTokenInvalid"]
  ] as const) {
    it(`is ${tag} as captured: ${code}`, () => {
      const { status, text } = capturedReply(code)
      assert.strictEqual(tagOf(status, text), tag)
      assert.strictEqual(tagOf(200, text), tag)
    })
  }

  it("keeps the broker's own words and code of an error it does not know", () => {
    const error = Result.merge(read(500, quotation("EGW00300", "  잠시 후 다시  ")))
    assert.deepInclude(error, { status: 500, code: "EGW00300", text: "잠시 후 다시" })
  })

  it("keeps enough of a bad reply to recognise it by, and no more", () => {
    const error = Result.merge(read(200, `<html>${"x".repeat(100_000)}`))
    assert.deepInclude(error, { _tag: "KisReplyMalformed" })
    assert.isBelow(JSON.stringify(error).length, 3_000)
    assert.include(JSON.stringify(error), "<html>")
  })

  for (const [name, text] of [
    ["a token reply cut in the middle", `{"access_token":"${secrets.token}","token_ty`],
    ["a token reply in a list", JSON.stringify([{ access_token: secrets.token }])],
    ["an approval reply cut in the middle", `{ "approval_key" : "${secrets.approvalKey}"`]
  ] as const) {
    it(`gives away no secret: ${name}`, () => {
      const error = Result.merge(read(200, text))
      assert.deepInclude(error, { _tag: "KisReplyMalformed" })
      assert.isUndefined(leakIn(JSON.stringify(error)))
      assert.isUndefined(leakIn(String(error)))
    })
  }

  it.prop(
    "never throws, whatever comes",
    [Schema.String, Schema.Int.check(Schema.isBetween({ minimum: 100, maximum: 599 }))],
    ([text, status]) => {
      const reply = read(status, text)
      assert.isTrue(Result.isSuccess(reply) || Result.isFailure(reply))
    }
  )
})
