import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { keyOf, type Registration, Registrations, type Step } from "../../../src/kis/streamSession/Registrations.ts"
import { lowered, proven, raised, type SlotCap, slotCap } from "../../../src/kis/streamSession/SlotCap.ts"

const trade = (trKey: string): Registration => ({ trId: "H0STCNT0", trKey })
const trades = (...codes: ReadonlyArray<string>) => codes.map(trade)
const words = (step: Step) =>
  step._tag === "Send"
    ? `${step.action} ${step.item.trKey}`
    : step._tag === "Freed"
      ? `${step.reason} ${step.item.trKey}`
      : `until ${step.untilMs}`

/** Takes steps until there is nothing to send, and says what was sent and what was taken to be over. */
const sent = (book: Registrations, nowMs: number, slots: number): ReadonlyArray<string> => {
  const steps: Array<string> = []
  for (let step = book.next(nowMs, slots); step._tag !== "Wait"; step = book.next(nowMs, slots)) steps.push(words(step))
  return steps
}

const holding = (...codes: ReadonlyArray<string>) => {
  const book = new Registrations()
  book.want(trades(...codes))
  sent(book, 0, codes.length)
  for (const code of codes) book.accepted(trade(code), 0)
  return book
}

describe("the registrations of a connection", () => {
  it("are asked for in the order of importance, as far as the slots go", () => {
    const book = new Registrations()
    book.want(trades("a", "b", "c"))
    assert.deepStrictEqual(sent(book, 0, 2), ["subscribe a", "subscribe b"])
    assert.deepStrictEqual(book.next(0, 2), { _tag: "Wait", untilMs: 5_000 })
  })

  it("of the same symbol in two streams are two", () => {
    const book = new Registrations()
    book.want([trade("a"), { trId: "H0STASP0", trKey: "a" }])
    assert.strictEqual(sent(book, 0, 2).length, 2)
    book.accepted({ trId: "H0STASP0", trKey: "a" }, 1)
    assert.deepStrictEqual(
      [trade("a"), { trId: "H0STASP0", trKey: "a" }].map((item) => book.isHeld(item)),
      [false, true]
    )
  })

  it("are released before others are asked for where slots are short, and only as many as are needed", () => {
    const book = holding("a", "b", "c")
    book.want(trades("d", "a", "e", "b"))
    assert.deepStrictEqual(sent(book, 20_000, 3), ["unsubscribe b", "unsubscribe c"])
    assert.strictEqual(book.released(trade("c"), 20_100), "unwanted")
    assert.deepStrictEqual(sent(book, 20_100, 3), ["subscribe d"])
    assert.strictEqual(book.released(trade("b"), 20_200), "unwanted")
    assert.deepStrictEqual(sent(book, 20_200, 3), ["subscribe e"])
  })

  it("are asked for before others are released where there is room", () => {
    const book = holding("a")
    book.want(trades("b"))
    assert.deepStrictEqual(sent(book, 20_000, 2), ["subscribe b", "unsubscribe a"])
  })

  it("are not given up within ten seconds, however the wishes change", () => {
    const book = holding("a")
    book.want(trades("b"))
    assert.deepStrictEqual(book.next(9_999, 1), { _tag: "Wait", untilMs: 10_000 })
    assert.strictEqual(words(book.next(10_000, 1)), "unsubscribe a")
  })

  it("that are wanted again before their release was sent are not touched", () => {
    const book = holding("a", "b")
    book.want(trades("b"))
    book.want(trades("a", "b"))
    assert.deepStrictEqual(sent(book, 20_000, 2), [])
  })

  it("that are not answered are asked for three times, then released to be sure, and left alone for ten minutes", () => {
    const book = new Registrations()
    book.want(trades("a", "b"))
    const at = (nowMs: number) => sent(book, nowMs, 1)
    assert.deepStrictEqual([0, 4_999, 5_000, 10_000].flatMap(at), ["subscribe a", "subscribe a", "subscribe a"])
    assert.deepStrictEqual(at(15_000), ["unsubscribe a"])
    assert.deepStrictEqual(book.unanswered, [])
    book.released(trade("a"), 15_100)
    assert.deepStrictEqual(book.unanswered, ["H0STCNT0 a"])
    assert.deepStrictEqual(at(15_100), ["subscribe b"], "its slot is another's")
    book.accepted(trade("b"), 15_200)
    assert.deepStrictEqual(at(615_099), [])
    assert.deepStrictEqual(at(615_100), ["unsubscribe b"], "it is the more important one")
  })

  it("are not overdue while answers wait to be read", () => {
    const book = new Registrations()
    book.want(trades("a"))
    sent(book, 0, 1)
    assert.strictEqual(book.next(60_000, 1, 4_999)._tag, "Wait")
    assert.strictEqual(words(book.next(60_000, 1, 5_000)), "subscribe a")
  })

  it("whose release is not answered either are taken to be free after three tries, which is told", () => {
    const book = holding("a")
    book.want(trades("b"))
    const at = (nowMs: number) => sent(book, nowMs, 1)
    assert.deepStrictEqual([20_000, 25_000, 30_000, 35_000].flatMap(at), [
      "unsubscribe a",
      "unsubscribe a",
      "unsubscribe a",
      "unwanted a",
      "subscribe b"
    ])
  })

  it("refused in passing are asked for later, refused for good never", () => {
    const book = new Registrations()
    book.want(trades("a", "b"))
    sent(book, 0, 2)
    book.refused(trade("a"), true, 0)
    book.refused(trade("b"), false, 0)
    assert.deepStrictEqual(sent(book, 4_999, 2), [])
    assert.deepStrictEqual(sent(book, 5_000, 2), ["subscribe a"])
    book.refused(trade("a"), true, 5_000)
    assert.deepStrictEqual(sent(book, 15_000, 2), ["subscribe a"])
    book.refused(trade("a"), true, 15_000)
    assert.deepStrictEqual(sent(book, 600_000, 2), [])
    assert.deepStrictEqual(sent(book, 86_400_000, 2), ["subscribe a"])
  })

  it("that the broker ends by itself are released to be sure, and asked for after five and ten seconds, then after ten minutes", () => {
    const book = holding("a")
    const waits = [0, 1, 2, 3].map((n) => {
      const fromMs = n * 1_000_000
      assert.strictEqual(book.released(trade("a"), fromMs), "dropped")
      assert.deepStrictEqual(sent(book, fromMs, 1), ["unsubscribe a"])
      assert.strictEqual(book.released(trade("a"), fromMs), undefined)
      const step = book.next(fromMs, 1)
      const untilMs = step._tag === "Wait" ? (step.untilMs ?? Number.NaN) : Number.NaN
      sent(book, untilMs, 1)
      book.accepted(trade("a"), untilMs)
      return untilMs - fromMs
    })
    assert.deepStrictEqual(waits, [5_000, 10_000, 600_000, 600_000])
  })

  it("are held once data came, though the answer is late, and the answer is then no news", () => {
    const book = new Registrations()
    book.want(trades("a"))
    assert.isFalse(book.heard(trade("a"), 0))
    sent(book, 0, 1)
    assert.isTrue(book.heard(trade("a"), 100))
    assert.isFalse(book.heard(trade("a"), 200))
    assert.isFalse(book.accepted(trade("a"), 300))
    assert.isTrue(book.isHeld(trade("a")))
  })

  it("accepted twice, or while they are being released, are no news", () => {
    const book = holding("a")
    assert.isFalse(book.accepted(trade("a"), 1))
    book.want([])
    sent(book, 20_000, 1)
    assert.isFalse(book.accepted(trade("a"), 20_100))
    assert.strictEqual(book.released(trade("a"), 20_200), "unwanted")
    assert.strictEqual(book.released(trade("a"), 20_300), undefined)
  })

  it("accepted though nobody asked are released, for the broker may hold them", () => {
    const book = new Registrations()
    assert.isFalse(book.accepted(trade("x"), 0))
    assert.deepStrictEqual(sent(book, 0, 3), ["unsubscribe x"])
  })

  it("are released and asked for once more on demand, at once, and only where they are held", () => {
    const book = holding("a")
    assert.isFalse(book.again(trade("b")))
    assert.isTrue(book.again(trade("a")))
    assert.deepStrictEqual(sent(book, 1, 1), ["unsubscribe a"])
    assert.strictEqual(book.released(trade("a"), 2), "again")
    assert.deepStrictEqual(sent(book, 2, 1), ["subscribe a"])
  })

  it("tell how many are held when one is too many, and do not ask for it at once again when none is", () => {
    const book = new Registrations()
    book.want(trades("a", "b", "c"))
    sent(book, 0, 3)
    book.accepted(trade("a"), 1)
    assert.strictEqual(book.slotsFull(trade("b"), 2), 1)
    assert.strictEqual(book.slotsFull({ trId: "(null)", trKey: "" }, 2), 1)
    assert.deepStrictEqual(sent(book, 2, 1), [])
    const first = new Registrations()
    first.want(trades("a"))
    sent(first, 0, 1)
    assert.strictEqual(first.slotsFull(trade("a"), 1), 0)
    assert.deepStrictEqual(sent(first, 1, 1), [])
    assert.deepStrictEqual(sent(first, 5_001, 1), ["subscribe a"])
  })
})

/** A broker with a number of slots of its own, whose answers come late, twice, or not at all. */
class ModelBroker {
  readonly held = new Set<string>()
  readonly answers: Array<{ readonly code: "ok" | "over" | "ended" | "none"; readonly item: Registration }> = []
  heldMost = 0
  readonly slots: number

  constructor(slots: number) {
    this.slots = slots
  }

  hear(action: "subscribe" | "unsubscribe", item: Registration): void {
    const key = keyOf(item)
    if (action === "unsubscribe") this.answers.push({ code: this.held.delete(key) ? "ended" : "none", item })
    else if (this.held.has(key)) this.answers.push({ code: "ok", item })
    else if (this.held.size >= this.slots) this.answers.push({ code: "over", item })
    else {
      this.held.add(key)
      this.answers.push({ code: "ok", item })
    }
    this.heldMost = Math.max(this.heldMost, this.held.size)
  }
}

const codes = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"]
const Op = Schema.Union([
  Schema.TaggedStruct("Want", { order: Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 9 }))) }),
  Schema.TaggedStruct("Send", {}),
  Schema.TaggedStruct("Pass", { for_ms: Schema.Literals([10, 1_000, 5_000, 12_000]) }),
  Schema.TaggedStruct("Answer", { fate: Schema.Literals(["once", "once", "once", "twice", "lost"]) }),
  Schema.TaggedStruct("Again", { which: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 9 })) })
])
const Slots = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 8 }))

describe("under ever changing wishes", () => {
  it.prop(
    "the broker holds in the end what was wanted last, cut to its slots, and never has to hold more than the slots",
    [Schema.Array(Op), Slots, Slots],
    ([ops, brokerSlots, configured]) => {
      const broker = new ModelBroker(brokerSlots)
      const book = new Registrations()
      let cap: SlotCap = slotCap(configured)
      let now = 0
      let wanted: ReadonlyArray<Registration> = []
      let lostInARow = 0
      const send = (): Step => {
        cap = raised(cap, now)
        const before = cap.believed
        const step = book.next(now, before)
        if (step._tag === "Send") broker.hear(step.action, step.item)
        return step
      }
      const answer = (fate: "once" | "twice" | "lost") => {
        const next = broker.answers.shift()
        if (next === undefined) return
        // Three answers in a row that are lost look like a broker that does not answer, which is another test.
        lostInARow = fate === "lost" ? lostInARow + 1 : 0
        if (fate === "lost" && lostInARow < 3) return
        for (let times = fate === "twice" ? 2 : 1; times > 0; times--) {
          const { code, item } = next
          if (code === "ok") {
            book.accepted(item, now)
            cap = proven(cap, book.heldCount)
          } else if (code === "over") cap = lowered(cap, book.slotsFull(item, now), now)
          else book.released(item, now)
        }
      }
      for (const op of ops) {
        if (op._tag === "Want") {
          wanted = [...new Set(op.order)].map((at) => trade(codes[at] ?? ""))
          book.want(wanted)
        } else if (op._tag === "Send") send()
        else if (op._tag === "Pass") now += op.for_ms
        else if (op._tag === "Answer") answer(op.fate)
        else book.again(trade(codes[op.which] ?? ""))
      }
      assert.isAtMost(broker.heldMost, configured)
      // Undisturbed from here on, for a day: everything that was left alone is asked for again, and the slots are tried.
      for (const endMs = now + 86_400_000; now < endMs;) {
        const step = send()
        while (broker.answers.length > 0) answer("once")
        now += step._tag === "Send" ? 100 : 60_000
      }
      const target = wanted.slice(0, Math.min(brokerSlots, configured)).map(keyOf)
      assert.deepStrictEqual([...broker.held].sort(), [...target].sort())
      assert.deepStrictEqual(
        codes
          .map(trade)
          .filter((item) => book.isHeld(item))
          .map(keyOf),
        [...target].sort()
      )
      assert.isAtMost(broker.heldMost, configured)
    },
    { arbitrary: { runs: 400, size: 120 } }
  )
})
