import type { SweptVolume } from "../../domain/Assignment.ts"
import type { Phase } from "../../domain/Phase.ts"
import { keyOf, type Registration } from "../../kis/StreamSession.ts"
import { deafAfter_ms } from "../../kis/streamSession/Deafness.ts"
import { Rhythm } from "../../kis/streamSession/Rhythm.ts"
import { look, type SilenceAct, type SymbolSilence } from "../../kis/streamSession/SymbolSilence.ts"
import type { MarketStatus } from "../KisMarketStatus.ts"
import { type HeardFrame, streamIds } from "./readFrames.ts"

/** What is known of one accepted registration. */
interface Ear {
  readonly registration: Registration
  readonly rhythm: Rhythm
  acceptedMs: number
  silence: SymbolSilence
  askedAgainAtMs: number | undefined
  /** The newest frame of all, whatever the phase. */
  lastFrameMs: number | undefined
  /** The highest cumulative volume known to have been streamed, or swept when it was accepted. */
  cumVolume: number | undefined
  volumeAheadSinceMs: number | undefined
  /** A volatility interruption or a halt of the symbol runs until then: no trade is expected. */
  interruptedUntilMs: number
}

export interface HearingLook {
  readonly nowMs: number
  readonly phase: Phase
  /** Quiet before that is our own doing. */
  readonly behindToMs: number
  /** What was swept last of a symbol. */
  readonly restVolume: ((symbol: string) => SweptVolume | undefined) | undefined
}

export type Suspicion =
  | { readonly _tag: "deaf"; readonly sinceMs: number }
  | { readonly _tag: SilenceAct; readonly registration: Registration; readonly sinceMs: number }

/** In these phases there is trading all the time; in auctions and after the close quiet is what is to be expected. */
const tradesExpected = (phase: Phase): boolean => phase === "continuous" || phase === "afterMarket"

/** A phase begins with an auction's random end, and the first frames of the day take a moment. */
const settle_ms = 60_000
/** A circuit breaker lasts twenty minutes, and ten of an auction follow (kis/sessions.md §5). */
const halt_ms_max = 2_400_000
const afterHalt_ms = 660_000
/** Two minutes, a random end, and two more where it is prolonged; its end is not always told. */
const interruption_ms_max = 300_000
/** An answer so soon after an acceptance may still tell of a trade from before. */
const sweptAfter_ms = 2_000

/**
 * Listens to an account's streams: who speaks how often, and who has fallen silent against its habit. Two questions are
 * asked of the quiet: does the connection hear nothing at all though its probes come, and is one symbol alone silent.
 * Times are milliseconds of the machine's clock. The thresholds are in `kis/streamSession/`.
 */
export class Hearing {
  private readonly ears = new Map<string, Ear>()
  private readonly together = new Rhythm()
  private phase: Phase | undefined
  private phaseSinceMs = 0
  private noTradesUntilMs = 0
  private isHalted = false
  private firstAcceptedMs: number | undefined
  private vain = 0
  /** When data last came, from any stream. */
  lastDataMs: number | undefined

  get silentSymbols(): ReadonlyArray<string> {
    return [
      ...new Set(
        [...this.ears.values()].flatMap(({ registration, silence }) =>
          silence._tag === "silent" ? [registration.trKey] : []
        )
      )
    ].sort()
  }

  /** The broker has accepted a registration; `true` when it was registered once more for its silence. */
  accepted(registration: Registration, atMs: number): boolean {
    this.firstAcceptedMs ??= atMs
    const ear = this.ears.get(keyOf(registration))
    if (ear?.silence._tag === "askedAgain") {
      ear.acceptedMs = atMs
      ear.cumVolume = undefined
      ear.volumeAheadSinceMs = undefined
      return true
    }
    this.ears.set(keyOf(registration), {
      registration,
      rhythm: ear?.rhythm ?? new Rhythm(),
      acceptedMs: atMs,
      silence: { _tag: "hearing" },
      askedAgainAtMs: ear?.askedAgainAtMs,
      lastFrameMs: ear?.lastFrameMs,
      cumVolume: undefined,
      volumeAheadSinceMs: undefined,
      interruptedUntilMs: 0
    })
    return false
  }

  released(registration: Registration): void {
    this.ears.delete(keyOf(registration))
  }

  /** A connection is gone. Rhythms outlive it; the time without one is no distance between frames. */
  lost(isDeaf: boolean): void {
    this.firstAcceptedMs = undefined
    this.together.pause()
    if (isDeaf) this.vain += 1
    for (const ear of this.ears.values()) {
      ear.rhythm.pause()
      ear.silence = { _tag: "hearing" }
    }
  }

  /** The stream was ended on purpose: who is registered in the next run is listened to anew. */
  stopped(): void {
    this.lost(false)
    this.vain = 0
    this.ears.clear()
  }

  /** Data came of a registration. */
  heard(registration: Registration, { last, receivedAtMs, trId }: HeardFrame): void {
    // Several symbols in one frame are heard at once: that is no distance.
    if (receivedAtMs !== this.lastDataMs) this.together.heard(receivedAtMs)
    this.lastDataMs = receivedAtMs
    this.vain = 0
    const ear = this.ears.get(keyOf(registration))
    if (ear === undefined) return
    ear.rhythm.heard(receivedAtMs)
    ear.lastFrameMs = receivedAtMs
    ear.silence = { _tag: "hearing" }
    ear.volumeAheadSinceMs = undefined
    if (trId === streamIds.trades) ear.cumVolume = last.cumVolume
    // The book goes on in an interruption and says so; the trades tell when it is over.
    this.interrupt(registration.trKey, last.flags.includes("vi") ? receivedAtMs + interruption_ms_max : 0)
  }

  /** The market's own word. */
  told({ isHalted, isInterrupted, phase, symbol }: MarketStatus, atMs: number): void {
    if (symbol !== undefined) {
      this.interrupt(symbol, isHalted ? Number.POSITIVE_INFINITY : isInterrupted ? atMs + interruption_ms_max : 0)
    }
    if (phase === undefined) return
    if (phase === "halt") this.noTradesUntilMs = atMs + halt_ms_max
    else if (this.isHalted) this.noTradesUntilMs = atMs + afterHalt_ms
    this.isHalted = phase === "halt"
  }

  /** Since when a registration has not spoken, for the hole of its silence. */
  quietSinceMs({ trId, trKey }: Registration): number | undefined {
    const ear = this.ears.get(keyOf({ trId, trKey }))
    return ear?.lastFrameMs ?? ear?.acceptedMs
  }

  /** Looks at everything once; a connection that is deaf leaves nothing to be said of its symbols. */
  look({ behindToMs, nowMs, phase, restVolume }: HearingLook): ReadonlyArray<Suspicion> {
    this.follow(phase, nowMs)
    if (!tradesExpected(phase) || nowMs < this.noTradesUntilMs) return []
    const floorMs = Math.max(this.phaseSinceMs + settle_ms, behindToMs, this.noTradesUntilMs)
    // Before anything was heard only the busy hours say how much there should be.
    const streams = phase === "continuous" ? this.ears.size : 0
    const deafSinceMs = this.deafSinceMs(nowMs, floorMs, streams)
    if (deafSinceMs !== undefined) return [{ _tag: "deaf", sinceMs: deafSinceMs }]
    return [...this.ears.values()].flatMap((ear) => this.lookAt(ear, nowMs, floorMs, restVolume))
  }

  private deafSinceMs(nowMs: number, floorMs: number, streams: number): number | undefined {
    const acceptedMs = this.firstAcceptedMs
    if (acceptedMs === undefined) return undefined
    const limit_ms = deafAfter_ms({ usual: this.together.usual, streams, vain: this.vain })
    const sinceMs = Math.max(this.lastDataMs ?? 0, acceptedMs)
    return limit_ms !== undefined && nowMs - Math.max(sinceMs, floorMs) >= limit_ms ? sinceMs : undefined
  }

  private lookAt(
    ear: Ear,
    nowMs: number,
    floorMs: number,
    restVolume: HearingLook["restVolume"]
  ): ReadonlyArray<Suspicion> {
    const { registration } = ear
    if (registration.trId === streamIds.trades) this.compareVolume(ear, nowMs, restVolume?.(registration.trKey))
    if (nowMs < ear.interruptedUntilMs) return []
    // Until it is accepted again, nothing can be heard of it.
    if (ear.silence._tag === "askedAgain" && ear.acceptedMs < (ear.askedAgainAtMs ?? 0)) return []
    const { act, silence } = look(ear.silence, {
      nowMs,
      quietSinceMs: Math.max(ear.lastFrameMs ?? 0, ear.acceptedMs, floorMs),
      usual: ear.rhythm.usual,
      volumeAheadSinceMs: ear.volumeAheadSinceMs,
      askedAgainAtMs: ear.askedAgainAtMs
    })
    ear.silence = silence
    if (act === undefined) return []
    if (act === "askAgain") ear.askedAgainAtMs = nowMs
    return [{ _tag: act, registration, sinceMs: this.quietSinceMs(registration) ?? nowMs }]
  }

  /** Since when the swept volume is beyond the streamed one; what is swept first after an acceptance is where it begins. */
  private compareVolume(ear: Ear, nowMs: number, swept: SweptVolume | undefined): void {
    if (swept === undefined || swept.atMs < ear.acceptedMs + sweptAfter_ms) return
    const { cumVolume } = swept
    // A new day begins at nothing.
    if (ear.cumVolume === undefined || cumVolume < ear.cumVolume / 2) ear.cumVolume = cumVolume
    if (cumVolume <= ear.cumVolume) ear.volumeAheadSinceMs = undefined
    else ear.volumeAheadSinceMs ??= nowMs
  }

  private interrupt(symbol: string, untilMs: number): void {
    const ear = this.ears.get(keyOf({ trId: streamIds.trades, trKey: symbol }))
    if (ear !== undefined) ear.interruptedUntilMs = untilMs
  }

  private follow(phase: Phase, nowMs: number): void {
    if (phase === this.phase) return
    const isFirstLook = this.phase === undefined
    this.phase = phase
    // That is no change of phase: it has run for who knows how long.
    this.phaseSinceMs = isFirstLook ? nowMs - settle_ms : nowMs
    if (isFirstLook) return
    this.together.begin()
    for (const { rhythm } of this.ears.values()) rhythm.begin()
  }
}
