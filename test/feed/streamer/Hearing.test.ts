import { assert, describe, it } from "@effect/vitest"
import type { SweptVolume } from "../../../src/domain/Assignment.ts"
import type { Phase } from "../../../src/domain/Phase.ts"
import type { Sighting } from "../../../src/domain/Sighting.ts"
import { Hearing } from "../../../src/feed/streamer/Hearing.ts"
import { marketStatus } from "../../../src/feed/KisMarketStatus.ts"
import { tenMs, trade } from "../../shard/fixtures.ts"

const registration = (trKey: string) => ({ trId: "H0STCNT0", trKey })
const minute_ms = 60_000
const speaks = (hearing: Hearing, symbol: string, atMs: number, changes: Partial<Sighting> = {}) =>
  hearing.heard(registration(symbol), { trId: "H0STCNT0", receivedAtMs: atMs, last: trade(1, { symbol, ...changes }) })

/** Two symbols that have spoken once a second for a minute, up to `tenMs`; one keeps the connection from being deaf. */
const listening = () => {
  const hearing = new Hearing()
  for (const symbol of ["005930", "000660"]) hearing.accepted(registration(symbol), tenMs - minute_ms)
  look(hearing, tenMs - minute_ms)
  for (let at = tenMs - minute_ms; at <= tenMs; at += 1_000)
    for (const symbol of ["005930", "000660"]) speaks(hearing, symbol, at)
  return hearing
}

const look = (
  hearing: Hearing,
  nowMs: number,
  phase: Phase = "continuous",
  restVolume?: (symbol: string) => SweptVolume | undefined
) => hearing.look({ nowMs, phase, behindToMs: 0, restVolume }).map((suspicion) => suspicion._tag)

/** Looks once a second while one symbol alone goes on speaking, and gives what was suspected. */
const alone = (hearing: Hearing, minutes: number, phase: Phase = "continuous", behindToMs = 0) => {
  const found: Array<string> = []
  for (let at = tenMs + 1_000; at <= tenMs + minutes * minute_ms; at += 1_000) {
    speaks(hearing, "005930", at)
    for (const suspicion of hearing.look({ nowMs: at, phase, behindToMs, restVolume: undefined })) {
      const of = suspicion._tag === "deaf" ? "" : ` ${suspicion.registration.trKey}`
      found.push(`${suspicion._tag}${of} after ${(at - tenMs) / 1_000} s, quiet since ${suspicion.sinceMs - tenMs}`)
    }
  }
  return found
}

describe("listening to an account's streams", () => {
  it("suspects a symbol that falls silent while others speak, first to be asked again, then for good", () => {
    const hearing = listening()
    assert.deepStrictEqual(alone(hearing, 5), ["askAgain 000660 after 180 s, quiet since 0"])
    assert.isTrue(hearing.accepted(registration("000660"), tenMs + 5 * minute_ms))
    assert.deepStrictEqual(look(hearing, tenMs + 5 * minute_ms + 179_000), ["deaf"])
    for (let at = tenMs + 5 * minute_ms; at < tenMs + 8 * minute_ms; at += 1_000) speaks(hearing, "005930", at)
    assert.deepStrictEqual(look(hearing, tenMs + 8 * minute_ms), ["declare"])
    assert.deepStrictEqual(hearing.silentSymbols, ["000660"])
    speaks(hearing, "000660", tenMs + 9 * minute_ms)
    assert.deepStrictEqual(hearing.silentSymbols, [])
  })

  for (const phase of ["preOpen", "openingAuction", "closingAuction", "afterClose", "closed", "halt"] as const) {
    it(`suspects nothing in the phase ${phase}`, () => {
      const hearing = listening()
      assert.deepStrictEqual(look(hearing, tenMs + 1_000, phase), [])
      assert.deepStrictEqual(look(hearing, tenMs + 60 * minute_ms, phase), [])
    })
  }

  it("forgets the rhythm of a phase that is over", () => {
    const hearing = listening()
    look(hearing, tenMs + 1_000, "closingAuction")
    assert.deepStrictEqual(look(hearing, tenMs + 2_000, "continuous"), [])
    assert.deepStrictEqual(look(hearing, tenMs + 30 * minute_ms, "continuous"), [])
  })

  it("takes the silence of all for deafness, and twice as long each time that reconnecting does not help", () => {
    const hearing = listening()
    const deafAt: Array<number> = []
    for (let at = tenMs; at <= tenMs + 10 * minute_ms && deafAt.length < 3; at += 1_000) {
      if (!look(hearing, at).includes("deaf")) continue
      deafAt.push((at - tenMs) / 1_000)
      hearing.lost(true)
      for (const symbol of ["005930", "000660"]) hearing.accepted(registration(symbol), at)
    }
    assert.deepStrictEqual(deafAt, [30, 90, 210])
  })

  it("does not take its own slowness for silence", () => {
    const hearing = listening()
    assert.deepStrictEqual(alone(hearing, 5, "continuous", tenMs + 3 * minute_ms), [])
  })

  it("expects no trade in a volatility interruption, nor of a halted symbol", () => {
    for (const [text, minutes] of [
      ["000660^N^(null)^AB1^311^^^55^Y^N^1", 4],
      ["000660^Y^(null)^^112^^^58^N^N^1", 60]
    ] as const) {
      const hearing = listening()
      hearing.told(marketStatus(text.split("^"), tenMs), tenMs)
      assert.deepStrictEqual(alone(hearing, minutes), [])
    }
    const flagged = listening()
    speaks(flagged, "000660", tenMs, { flags: ["auction", "vi"] })
    assert.deepStrictEqual(alone(flagged, 4), [])
  })

  it("expects nothing in a circuit breaker and the auction after it", () => {
    const hearing = listening()
    const tell = (code: string, atMs: number) =>
      hearing.told(marketStatus(["005930", "Y", "(null)", code, "112", "", "", "55", "N", "N", "1"], atMs), atMs)
    tell("174", tenMs)
    for (let at = tenMs; at < tenMs + 20 * minute_ms; at += 1_000) assert.deepStrictEqual(look(hearing, at), [])
    tell("175", tenMs + 20 * minute_ms)
    for (let at = tenMs + 20 * minute_ms; at < tenMs + 31 * minute_ms; at += 1_000)
      assert.deepStrictEqual(look(hearing, at), [])
    assert.deepStrictEqual(look(hearing, tenMs + 32 * minute_ms), ["deaf"])
  })

  it("compares with the swept volume only from an answer after the acceptance on", () => {
    const hearing = new Hearing()
    hearing.accepted(registration("000660"), tenMs)
    const swept = (cumVolume: number, atMs: number) => () => ({ cumVolume, atMs })
    assert.deepStrictEqual(look(hearing, tenMs + 1_000, "continuous", swept(5, tenMs - 50_000)), [])
    assert.deepStrictEqual(look(hearing, tenMs + 20_000, "continuous", swept(9, tenMs + 19_000)), [], "where it begins")
    assert.deepStrictEqual(look(hearing, tenMs + 40_000, "continuous", swept(9, tenMs + 39_000)), [])
    assert.deepStrictEqual(look(hearing, tenMs + 50_000, "continuous", swept(10, tenMs + 49_000)), [])
    assert.deepStrictEqual(look(hearing, tenMs + 64_999, "continuous", swept(11, tenMs + 64_000)), [])
    assert.deepStrictEqual(look(hearing, tenMs + 65_000, "continuous", swept(11, tenMs + 64_000)), ["askAgain"])
  })
})
