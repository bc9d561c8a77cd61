import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { knownCodes, type Reaction, reactionTo } from "../../src/kis/Reaction.ts"
import { readReply } from "../../src/kis/Reply.ts"
import { readControl } from "../../src/kis/StreamMessage.ts"
import { sampleJson } from "../support/samples.ts"

interface Published {
  readonly code: string
  readonly channel: "ws" | "rest"
  readonly rt_cd: string
}

const published: ReadonlyArray<Published> = sampleJson("error_codes.json")

const overHttp = (code: string, status: number, family: "quotation" | "oauth") => {
  const body = family === "quotation" ? { rt_cd: "1", msg_cd: code, msg1: "words" } : { error_code: code }
  return Result.merge(readReply("main", "price", { status, text: JSON.stringify(body) }))
}

const overStream = (code: string, rt_cd = "1") => {
  const header = { tr_id: "H0STCNT0", tr_key: "005930" }
  const control = readControl(JSON.stringify({ header, body: { rt_cd, msg_cd: code, msg1: "words" } }))
  assert.strictEqual(control._tag, "Answer")
  return control._tag === "Answer" ? control.reply : undefined
}

const again = (min_ms: number, max_ms: number) => ({ min_ms, max_ms })

/** What a call makes of each reaction. */
const error = (code: string, reaction: Reaction, status: number): object => {
  const operation = "price"
  switch (reaction._tag) {
    case "retryShortly":
      return { _tag: "KisThrottled", operation, code, again: again(100, 300) }
    case "waitSecond":
      return { _tag: "KisThrottled", operation, code, again: again(1_000, 1_500) }
    case "renewToken":
      return { _tag: "KisTokenInvalid", operation, code }
    case "waitForToken":
      return { _tag: "KisTokenTooSoon", operation }
    case "stopAccount":
      return { _tag: "KisCredentialsRejected", account: "main", code }
    case "retryLater":
      return { _tag: "KisDisturbed", operation, code, status, again: reaction.again }
    case "configuration":
      return { _tag: "KisRefused", operation, code, status, configuration: true }
    default:
      return { _tag: "KisRefused", operation, code, status }
  }
}

/** What the stream makes of each reaction. */
const reply = (code: string, reaction: Reaction): object => {
  switch (reaction._tag) {
    case "asSubscribed":
      return { _tag: "Subscribed" }
    case "asUnsubscribed":
      return { _tag: "Unsubscribed" }
    case "slotsFull":
      return { _tag: "SlotsFull" }
    case "keyInUse":
      return { _tag: "KeyInUse" }
    case "newApproval":
      return { _tag: "ApprovalUnknown" }
    case "stopAccount":
      return { _tag: "KeyRefused", code }
    case "refuseRegistration":
      return { _tag: "Refused", code, passing: reaction.passing }
    case "configuration":
      return { _tag: "Refused", code, passing: false }
    default:
      return { _tag: "Refused", code, passing: true }
  }
}

describe("the table of reactions", () => {
  it("has a reaction to every code of the broker, and to no other", () => {
    assert.strictEqual(published.length, 73)
    assert.deepStrictEqual(knownCodes.toSorted(), published.map(({ code }) => code).toSorted())
  })

  for (const { channel, code, rt_cd } of published) {
    const reaction = reactionTo(code)
    it(`${code} is ${reaction?._tag}, by HTTP 200, 403 and 500 and on the stream alike`, () => {
      assert.isDefined(reaction)
      for (const status of [200, 403, 500]) {
        for (const family of ["quotation", "oauth"] as const) {
          assert.deepInclude(overHttp(code, status, family), error(code, reaction, status))
        }
      }
      assert.deepStrictEqual(overStream(code), reply(code, reaction))
      if (channel === "ws") assert.deepStrictEqual(overStream(code, rt_cd), reply(code, reaction))
    })
  }

  for (const [code, tag] of [
    ["EGW00201", "retryShortly"],
    ["EGW00215", "waitSecond"],
    ["EGW00121", "renewToken"],
    ["EGW00123", "renewToken"],
    ["EGW00133", "waitForToken"],
    ["EGW00103", "stopAccount"],
    ["EGW00105", "stopAccount"],
    ["EGW02004", "stopAccount"],
    ["EGW00202", "retryLater"],
    ["EGW00301", "retryLater"],
    ["EGW02006", "configuration"],
    ["OPSQ0002", "configuration"],
    ["OPSQ2001", "configuration"],
    ["OPSP0002", "asSubscribed"],
    ["OPSP0003", "asUnsubscribed"],
    ["OPSP0008", "slotsFull"],
    ["OPSP0010", "stopAccount"],
    ["OPSP0011", "newApproval"],
    ["OPSP8996", "keyInUse"],
    ["OPSP9999", "configuration"]
  ] as const) {
    it(`does what the broker's facts ask for: ${code} is ${tag}`, () => assert.strictEqual(reactionTo(code)?._tag, tag))
  }

  it("refuses one call or registration for a code nobody has published, and stops nothing", () => {
    for (const status of [200, 403, 500]) {
      const refused = overHttp("EGW99999", status, "quotation")
      assert.deepInclude(refused, { _tag: "KisRefused", code: "EGW99999", status, text: "words" })
      assert.notProperty(refused, "configuration")
    }
    assert.deepStrictEqual(overStream("OPSP7777"), { _tag: "Refused", code: "OPSP7777", passing: false })
  })

  it("takes an unpublished code of success for what it answers", () => {
    assert.deepStrictEqual(overStream("OPSP7777", "0"), { _tag: "Subscribed" })
  })
})
