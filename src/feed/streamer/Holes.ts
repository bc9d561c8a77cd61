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

interface OpenHole {
  readonly registration: Registration
  readonly fromMs: number
  readonly cause: GapCause
  /** The symbol was registered once more at this time: data that follows says that the hole was over then. */
  readonly againMs?: number
}

/**
 * The open holes of an account's stream, one a symbol. A symbol's hole is that of its trades; that of its book only where
 * its trades are not streamed. The first cause and the earliest begin are kept, for a hole over several vain connections
 * is one hole.
 */
export class Holes {
  private readonly open = new Map<string, OpenHole>()
  /** Registrations the broker has accepted on this connection: what it never streamed has no hole. */
  private readonly streamed = new Map<string, Registration>()

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
  accepted(registration: Registration, atMs: number): Hole | undefined {
    this.streamed.set(keyOf(registration), registration)
    return this.close(registration, atMs)
  }

  /** It was registered once more while its hole is open; only data will say that this helped. */
  acceptedAgain(registration: Registration, atMs: number): void {
    this.streamed.set(keyOf(registration), registration)
    const hole = this.openOf(registration)
    if (hole !== undefined) this.open.set(registration.trKey, { ...hole, againMs: atMs })
  }

  /** Data came, by which an open hole ends where it was registered again, else here. */
  heard(registration: Registration, atMs: number): Hole | undefined {
    const hole = this.openOf(registration)
    return hole === undefined ? undefined : this.close(registration, hole.againMs ?? atMs)
  }

  /** The registration ended. On purpose, it leaves no hole, but one that was open was one until now. */
  released(registration: Registration, atMs: number): Hole | undefined {
    this.streamed.delete(keyOf(registration))
    return this.close(registration, atMs)
  }

  /** The broker ended the registration by itself. */
  dropped(registration: Registration, atMs: number): void {
    this.begin(registration, atMs, "disconnect")
    this.streamed.delete(keyOf(registration))
  }

  /** From `fromMs` on a registration does not reach us. */
  begin(registration: Registration, fromMs: number, cause: GapCause): void {
    const { trId, trKey } = registration
    const isLeading = trId === streamIds.trades || !this.isStreamed({ trId: streamIds.trades, trKey })
    if (!isLeading || this.open.has(trKey)) return
    this.open.set(trKey, { registration, fromMs, cause })
  }

  /** Tells of an open hole up to now, and lets it go on from here. */
  tell(registration: Registration, atMs: number): Hole | undefined {
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
  }

  /** Ends the holes of registrations that are not to be streamed any longer. */
  leave(isWanted: (registration: Registration) => boolean, atMs: number): ReadonlyArray<Hole> {
    return [...this.open.values()].flatMap(({ registration }) =>
      isWanted(registration) ? [] : (this.close(registration, atMs) ?? [])
    )
  }

  private openOf(registration: Registration): OpenHole | undefined {
    const hole = this.open.get(registration.trKey)
    return hole?.registration.trId === registration.trId ? hole : undefined
  }

  private close(registration: Registration, toMs: number): Hole | undefined {
    const hole = this.openOf(registration)
    if (hole === undefined) return undefined
    this.open.delete(registration.trKey)
    const { cause, fromMs } = hole
    return { symbol: registration.trKey, fromMs, toMs: Math.max(fromMs, toMs), cause }
  }
}
