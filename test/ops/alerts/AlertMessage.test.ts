import { assert, describe, it } from "@effect/vitest"
import { type AlertEvent, type AlertMessage, renderText, renderTitle } from "../../../src/ops/alerts/AlertMessage.ts"

const sinceMs = Date.UTC(2026, 10, 24, 0, 30, 5)
const fired: AlertEvent = {
  event: "fired",
  rule: "sweepSilent",
  severity: "critical",
  title: "The sweep has no answer",
  sinceMs,
  marketSinceMs: sinceMs,
  duration_seconds: 5,
  words: "no answer for 61 s",
  meaning: "The market is open and no quote has come for a minute.",
  action: "See whether the network and the broker are up."
}
const message = (...events: ReadonlyArray<AlertEvent>): AlertMessage => ({
  node: "seoul-1",
  atMs: sinceMs,
  events,
  undelivered: 0
})
const text = (told: AlertMessage) => renderText(told, 4_096)

describe("a message", () => {
  it("says what, the figures, where and since when, what it means and what to do", () => {
    assert.strictEqual(
      text(message(fired)),
      `CRITICAL: The sweep has no answer
no answer for 61 s
seoul-1, since Tue 2026-11-24 09:30:05 KST
The market is open and no quote has come for a minute.
Do: See whether the network and the broker are up.`
    )
    assert.strictEqual(renderTitle(message(fired)), "[seoul-1] CRITICAL: The sweep has no answer")
  })

  it("reminds, and ends with how long it was", () => {
    const reminder: AlertEvent = { ...fired, event: "reminder", severity: "warning", duration_seconds: 21_660 }
    const over: AlertEvent = { ...fired, event: "recovered", words: "", duration_seconds: 7_260 }
    assert.strictEqual(
      text({ ...message(reminder, over), undelivered: 2 }),
      `STILL WARNING after 6 h 1 min: The sweep has no answer
no answer for 61 s
seoul-1, since Tue 2026-11-24 09:30:05 KST
The market is open and no quote has come for a minute.
Do: See whether the network and the broker are up.

OVER after 2 h 1 min: The sweep has no answer
seoul-1, since Tue 2026-11-24 09:30:05 KST

2 earlier messages could not be delivered; /health has what fires now.`
    )
  })

  it("of many events is brief, and counts what does not fit", () => {
    const many = message(...Array.from({ length: 5 }, () => fired))
    assert.strictEqual(
      renderText(many, 200),
      `seoul-1: 5 messages

CRITICAL: The sweep has no answer
no answer for 61 s

CRITICAL: The sweep has no answer
no answer for 61 s

… and 3 more; /health has what fires now.`
    )
    assert.strictEqual(renderTitle(many), "[seoul-1] CRITICAL: The sweep has no answer (and 4 more)")
    for (let length = 1; length < 400; length++) assert.isAtMost(renderText(many, length).length, length)
  })

  it("says long times in days", () => {
    const over: AlertEvent = { ...fired, event: "recovered", duration_seconds: 3 * 86_400 + 7_300 }
    assert.include(text(message(over)), "OVER after 3 d 2 h")
  })
})
