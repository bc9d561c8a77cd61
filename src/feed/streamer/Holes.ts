import type { GapCause } from "../../domain/Gap.ts"
import { streamIds } from "./readFrames.ts"
import { keyOf, type Registration } from "../../kis/StreamSession.ts"

/** A time in which a symbol was to be streamed and was not; milliseconds of the machine's clock. */
export interface Hole {
  readonly symbol: string
  readonly fromMs: number
  readonly toMs: number
  readonly cause: GapCause
}

/** What is to be written of a hole. */
export interface ToldHole extends Hole {
  /** Nothing has been written of it yet. */
  readonly isNew: boolean
}

/** What a session is to stream, and how far it has come. */
export interface Expectation {
  readonly wanted: ReadonlyArray<Registration>
  readonly nowMs: number
  /** Since when what is wanted for the first time is. */
  readonly sinceMs: number
  readonly isMarketOpen: boolean
  /** The broker takes others and not this one. */
  readonly isRefused: (registration: Registration) => boolean
}

interface OpenHole {
  readonly registration: Registration
  readonly fromMs: number
  readonly cause: GapCause
  /** Up to where it was written while it was open. */
  readonly toldToMs?: number
  /** It was never accepted since it has been wanted. */
  readonly isAwaited?: true
  /** The symbol was registered once more at this time: data that follows says that the hole was over then. */
  readonly againMs?: number
}

/** An open hole is written again so often, so that a run which is killed leaves one that lacks no more than this. */
const extend_ms = 60_000
/** Approval, connection and the registrations of a whole session take about twenty seconds where they are slowest. */
const usual_ms = 30_000

/**
 * The open holes of an account's stream, one a symbol. A symbol's hole is that of its trades; that of its book only where
 * its trades are not streamed. The first cause and the earliest begin are kept, for a hole over several vain connections
 * is one hole.
 */
export class Holes {
  private readonly open = new Map<string, OpenHole>()
  /** Registrations the broker has accepted on this connection. */
  private readonly streamed = new Map<string, Registration>()
  /** Those that are wanted and were never accepted, since when the market has been open for them, and whether the broker has said no. */
  private readonly awaited = new Map<string, { readonly sinceMs: number; readonly isRefused: boolean }>()

  get size(): number {
    return this.open.size
  }

  /** The open holes, since when and why. */
  get all(): ReadonlyArray<Omit<Hole, "toMs">> {
    return [...this.open].map(([symbol, { cause, fromMs }]) => ({ symbol, fromMs, cause }))
  }

  /** Whether a symbol has an open hole. */
  has(symbol: string): boolean {
    return this.open.has(symbol)
  }

  /** Whether the broker streams it, as far as we know. */
  isStreamed(registration: Registration): boolean {
    return this.streamed.has(keyOf(registration))
  }

  /** The broker has accepted a registration: the hole that this ends. */
  accepted(registration: Registration, atMs: number): ToldHole | undefined {
    this.streamed.set(keyOf(registration), registration)
    this.awaited.delete(keyOf(registration))
    return this.close(registration, atMs)
  }

  /** It was registered once more while its hole is open; only data will say that this helped. */
  acceptedAgain(registration: Registration, atMs: number): void {
    this.streamed.set(keyOf(registration), registration)
    const hole = this.openOf(registration)
    if (hole !== undefined) this.open.set(registration.trKey, { ...hole, againMs: atMs })
  }

  /** Data came, by which an open hole ends where it was registered again, else here. */
  heard(registration: Registration, atMs: number): ToldHole | undefined {
    const hole = this.openOf(registration)
    return hole === undefined ? undefined : this.close(registration, hole.againMs ?? atMs)
  }

  /** The registration ended. On purpose, it leaves no hole, but one that was open was one until now. */
  released(registration: Registration, atMs: number): ToldHole | undefined {
    this.streamed.delete(keyOf(registration))
    return this.close(registration, atMs)
  }

  /** The broker ended the registration by itself. */
  dropped(registration: Registration, atMs: number): void {
    this.begin(registration, atMs, "disconnect")
    this.streamed.delete(keyOf(registration))
  }

  /** From `fromMs` on a registration does not reach us. */
  begin(registration: Registration, fromMs: number, cause: GapCause, isAwaited = false): void {
    const { trId, trKey } = registration
    const isLeading = trId === streamIds.trades || !this.isStreamed({ trId: streamIds.trades, trKey })
    if (!isLeading || this.open.has(trKey)) return
    this.open.set(trKey, { registration, fromMs, cause, ...(isAwaited ? { isAwaited } : {}) })
  }

  /** Tells of an open hole up to now, and lets it go on from here. */
  tell(registration: Registration, atMs: number): ToldHole | undefined {
    const hole = this.openOf(registration)
    const told = this.close(registration, atMs)
    if (hole !== undefined) this.open.set(registration.trKey, { registration, fromMs: atMs, cause: hole.cause })
    return told
  }

  /** The connection is gone: everything that was streamed has a hole. */
  lost(fromMs: number, cause: GapCause): void {
    for (const registration of this.streamed.values()) this.begin(registration, fromMs, cause)
    this.streamed.clear()
  }

  /** The stream was ended on purpose: what is not streamed from now on is no hole. */
  stopped(): void {
    this.open.clear()
    this.streamed.clear()
    this.awaited.clear()
  }

  /** Ends the holes of registrations that are not to be streamed any longer. */
  leave(isWanted: (registration: Registration) => boolean, atMs: number): ReadonlyArray<ToldHole> {
    return [...this.open.values()].flatMap(({ registration }) =>
      isWanted(registration) ? [] : (this.close(registration, atMs) ?? [])
    )
  }

  /**
   * What is wanted and has not been accepted for longer than is usual is a hole since it was wanted, or since the market
   * opened; one that the broker does not take while it takes others is none. Gives the holes that this ends.
   */
  expect({ isMarketOpen, isRefused, nowMs, sinceMs, wanted }: Expectation): ReadonlyArray<ToldHole> {
    const keys = new Set(wanted.map(keyOf))
    for (const key of this.awaited.keys()) if (!keys.has(key)) this.awaited.delete(key)
    for (const registration of wanted) {
      const key = keyOf(registration)
      const hole = this.open.get(registration.trKey)
      const isAnothers = hole !== undefined && !(hole.isAwaited === true && keyOf(hole.registration) === key)
      if (isAnothers || this.streamed.has(key)) continue
      const known = this.awaited.get(key)
      const now = {
        sinceMs: isMarketOpen ? (known?.sinceMs ?? sinceMs) : nowMs,
        isRefused: known?.isRefused === true || isRefused(registration)
      }
      this.awaited.set(key, now)
      if (!now.isRefused && nowMs - now.sinceMs >= usual_ms) this.begin(registration, now.sinceMs, "disconnect", true)
    }
    return [...this.open.values()].flatMap(({ isAwaited, registration }) =>
      isAwaited === true && this.awaited.get(keyOf(registration))?.isRefused === true
        ? (this.close(registration, nowMs) ?? [])
        : []
    )
  }

  /** What is to be written of the open holes: of a new one that there is it, and once a minute up to where it has come. */
  due(nowMs: number, isMarketOpen: boolean): ReadonlyArray<ToldHole> {
    const due: Array<ToldHole> = []
    for (const [symbol, hole] of this.open) {
      const { againMs = nowMs, cause, fromMs, toldToMs } = hole
      const toMs = Math.max(fromMs, Math.min(nowMs, againMs))
      const isNew = toldToMs === undefined
      if (!isNew && (!isMarketOpen || nowMs - toldToMs < extend_ms || toMs <= toldToMs)) continue
      this.open.set(symbol, { ...hole, toldToMs: toMs })
      due.push({ symbol, fromMs, toMs, cause, isNew })
    }
    return due
  }

  private openOf(registration: Registration): OpenHole | undefined {
    const hole = this.open.get(registration.trKey)
    return hole?.registration.trId === registration.trId ? hole : undefined
  }

  private close(registration: Registration, toMs: number): ToldHole | undefined {
    const hole = this.openOf(registration)
    if (hole === undefined) return undefined
    this.open.delete(registration.trKey)
    const { cause, fromMs, toldToMs } = hole
    // What was written of it stands: the records of one hole only ever extend it.
    return {
      symbol: registration.trKey,
      fromMs,
      toMs: Math.max(fromMs, toMs, toldToMs ?? fromMs),
      cause,
      isNew: toldToMs === undefined
    }
  }
}
