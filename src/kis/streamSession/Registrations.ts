/** One stream of one symbol: a place among the session's slots. */
export interface Registration {
  readonly trId: string
  readonly trKey: string
}

export const keyOf = ({ trId, trKey }: Registration): string => `${trId} ${trKey}`

/** What is to be sent next, or until when there is nothing to send; or what is taken to have ended, for the owner to know first. */
export type Step =
  | { readonly _tag: "Send"; readonly action: "subscribe" | "unsubscribe"; readonly item: Registration }
  | { readonly _tag: "Wait"; readonly untilMs: number | undefined }
  /** Its release was never answered: it is believed to be over. */
  | { readonly _tag: "Freed"; readonly item: Registration; readonly reason: ReleaseReason }

/** Why a registration ended while its connection lives. */
export type ReleaseReason =
  /** It is no longer wanted, or more important ones need its slot. */
  | "unwanted"
  /** It is registered once more. */
  | "again"
  /** The broker ended it by itself. */
  | "dropped"

type Entry =
  | {
      readonly _tag: "asking"
      readonly item: Registration
      readonly tries: number
      /** Questions that have not been answered: a refusal answers one of them. */
      readonly unanswered: number
      readonly dueMs: number
    }
  | { readonly _tag: "held"; readonly item: Registration; readonly sinceMs: number }
  | {
      readonly _tag: "releasing"
      readonly item: Registration
      readonly tries: number
      readonly dueMs: number
      readonly reason: ReleaseReason
      /** It was never accepted: the release only makes sure that the broker does not hold it all the same. */
      readonly isCertain: boolean
    }
  /** Refused or never answered: left alone until then, for good where the refusal is final. */
  | { readonly _tag: "resting"; readonly item: Registration; readonly tries: number; readonly untilMs: number }

const answer_timeout_ms = 5_000
const tries_max = 3
/** After a refusal in passing; doubled for the next. */
const again_ms = 5_000
/** After the last try. Then the broker is asked again, at most so often for the same. */
const rest_ms = 600_000
/** What was just accepted is not given up at once, however the wishes change: endless changing blocks the key (§6). */
const stay_ms = 10_000

/**
 * The registrations of one connection: what is wanted, what the broker was asked for, and what it has accepted. It
 * decides what is sent next, and never asks for more than the slots: whatever the broker may hold counts, unanswered
 * questions too, so a slot is free only when its release was answered. The newest wish is what counts; nothing is queued.
 * Answers belong to (TR, symbol); one that was not asked for changes what is believed, never what is wanted.
 */
export class Registrations {
  private readonly entries = new Map<string, Entry>()
  /** How often the broker has ended one by itself. */
  private readonly drops = new Map<string, number>()
  private wanted: ReadonlyArray<Registration> = []
  /** Anything at all was answered on this connection. */
  isAnswered = false

  /** The most important first. */
  want(registrations: ReadonlyArray<Registration>): void {
    this.wanted = registrations
  }

  get heldCount(): number {
    return this.count("held")
  }

  /** Asked for and not answered. */
  get isAsking(): boolean {
    return this.count("asking") > 0
  }

  /** Wanted ones that the broker refuses or does not answer, in words. */
  get unanswered(): ReadonlyArray<string> {
    return this.wanted
      .map(keyOf)
      .filter((key) => {
        const entry = this.entries.get(key)
        return entry?._tag === "resting" && entry.tries >= tries_max
      })
      .sort()
  }

  isHeld(item: Registration): boolean {
    return this.entries.get(keyOf(item))?._tag === "held"
  }

  /**
   * What is to be sent now, with so many slots; whoever asks has to send it. Answers that came after `readToMs` have not
   * been read yet, so nothing asked since can be overdue.
   */
  next(nowMs: number, slots: number, readToMs = nowMs): Step {
    const target = this.targets(nowMs, slots)
    const targetKeys = new Set(target.map(keyOf))
    const overdue = this.overdue(nowMs, readToMs, targetKeys)
    if (overdue !== undefined) return overdue
    const missing = target.filter((item) => this.isFree(keyOf(item), nowMs))
    const occupied = this.occupied
    const [first] = missing
    if (first !== undefined && occupied < slots) return this.ask(first, nowMs)
    const excess = [...this.entries.values()].flatMap((entry) =>
      entry._tag === "held" && !targetKeys.has(keyOf(entry.item)) ? [entry] : []
    )
    const ripe = excess.find(({ sinceMs }) => nowMs - sinceMs >= stay_ms)
    // As many are released as are needed; those that nobody needs the slots of go as well.
    const isNeeded = missing.length === 0 || missing.length > slots - occupied + this.count("releasing")
    if (ripe !== undefined && isNeeded) return this.release(ripe.item, nowMs, "unwanted", true)
    return { _tag: "Wait", untilMs: this.nextChange(nowMs, excess) }
  }

  /** Releases a held registration, which is then asked for again. `false` when it is not held. */
  again(item: Registration): boolean {
    const entry = this.entries.get(keyOf(item))
    if (entry?._tag !== "held") return false
    // Due at once, as if a first release had not been answered.
    this.set({ _tag: "releasing", item, tries: 0, dueMs: 0, reason: "again", isCertain: true })
    return true
  }

  /** The broker has accepted; `true` when that is news. */
  accepted(item: Registration, nowMs: number): boolean {
    const key = keyOf(item)
    const entry = this.entries.get(key)
    this.isAnswered = true
    if (entry?._tag === "asking") {
      this.set({ _tag: "held", item, sinceMs: nowMs })
      return true
    }
    // Of a question that is no longer open: it is released to be sure, and asked for again where it is wanted.
    if (entry === undefined || entry._tag === "resting") {
      this.set({ _tag: "releasing", item, tries: 0, dueMs: nowMs, reason: "unwanted", isCertain: true })
    }
    return false
  }

  /** Data came, which says that the broker holds what was asked for, though its answer is late or lost. */
  heard(item: Registration, nowMs: number): boolean {
    return this.entries.get(keyOf(item))?._tag === "asking" && this.accepted(item, nowMs)
  }

  /** The broker has ended a registration: why, or `undefined` when it held none as far as we know. */
  released(item: Registration, nowMs: number): ReleaseReason | undefined {
    const key = keyOf(item)
    const entry = this.entries.get(key)
    this.isAnswered = true
    switch (entry?._tag) {
      case "held":
        this.drop(item, nowMs)
        return "dropped"
      case "releasing":
        return this.freed(entry, nowMs)
      default:
        // Of an earlier release, answered late; what was asked since is still to be answered.
        return undefined
    }
  }

  /** The broker refuses; `isPassing` is worth another try. */
  refused(item: Registration, isPassing: boolean, nowMs: number): void {
    const entry = this.entries.get(keyOf(item))
    this.isAnswered = true
    if (entry?._tag === "held") this.drop(item, nowMs)
    if (entry?._tag !== "asking") return
    if (entry.unanswered > 1) this.makeSure(item, nowMs)
    else if (isPassing) this.rest(item, entry.tries, nowMs)
    else this.set({ _tag: "resting", item, tries: tries_max, untilMs: Number.POSITIVE_INFINITY })
  }

  /** The question of a stream that is open longest, or its release. */
  oldest(trId: string, tag: "asking" | "releasing"): Registration | undefined {
    for (const { _tag, item } of this.entries.values()) if (_tag === tag && item.trId === trId) return item
    return undefined
  }

  /** The broker has no slot for this one, or for the oldest question where it does not say which. Gives how many it holds. */
  slotsFull(item: Registration, nowMs: number): number {
    const asked = this.entries.get(keyOf(item))
    const question = asked?._tag === "asking" ? asked : item.trKey === "" ? this.oldestQuestion : undefined
    this.isAnswered = true
    if (asked?._tag === "held") this.drop(item, nowMs)
    const held = this.heldCount + this.count("releasing")
    // With nothing held it is not the number of slots that is wrong, and the same question is not put at once again.
    if (question !== undefined && question.unanswered > 1) this.makeSure(question.item, nowMs)
    else if (question !== undefined && held === 0) this.rest(question.item, question.tries, nowMs)
    else if (question !== undefined) this.entries.delete(keyOf(question.item))
    return held
  }

  /** The wanted ones that are to have the slots; those that are left alone give way to the next. */
  targets(nowMs: number, slots: number): ReadonlyArray<Registration> {
    const found: Array<Registration> = []
    const seen = new Set<string>()
    for (const item of this.wanted) {
      if (found.length >= slots) break
      const key = keyOf(item)
      const entry = this.entries.get(key)
      if (seen.has(key) || (entry?._tag === "resting" && entry.untilMs > nowMs && entry.tries >= tries_max)) continue
      seen.add(key)
      found.push(item)
    }
    return found
  }

  private get occupied(): number {
    return this.entries.size - this.count("resting")
  }

  private get oldestQuestion() {
    for (const entry of this.entries.values()) if (entry._tag === "asking") return entry
    return undefined
  }

  private count(tag: Entry["_tag"]): number {
    let count = 0
    for (const { _tag } of this.entries.values()) if (_tag === tag) count += 1
    return count
  }

  private isFree(key: string, nowMs: number): boolean {
    const entry = this.entries.get(key)
    return entry === undefined || (entry._tag === "resting" && entry.untilMs <= nowMs)
  }

  /** Asks again what was not answered in time, three times in all; then makes sure that the broker does not hold it. */
  private overdue(nowMs: number, readToMs: number, targets: ReadonlySet<string>): Step | undefined {
    for (const entry of this.entries.values()) {
      if ((entry._tag !== "asking" && entry._tag !== "releasing") || entry.dueMs > readToMs) continue
      const { item } = entry
      if (entry._tag === "asking") {
        if (!targets.has(keyOf(item))) return this.release(item, nowMs, "unwanted", true)
        return entry.tries < tries_max ? this.ask(item, nowMs) : this.release(item, nowMs, "again", false)
      }
      if (entry.tries < tries_max) return this.release(item, nowMs, entry.reason, entry.isCertain)
      const reason = this.freed(entry, nowMs)
      if (reason !== undefined) return { _tag: "Freed", item, reason }
    }
    return undefined
  }

  private ask(item: Registration, nowMs: number): Step {
    const before = this.entries.get(keyOf(item))
    const isAgain = before?._tag === "asking" || (before?._tag === "resting" && before.tries < tries_max)
    const tries = isAgain ? before.tries + 1 : 1
    const unanswered = before?._tag === "asking" ? before.unanswered + 1 : 1
    this.set({ _tag: "asking", item, tries, unanswered, dueMs: nowMs + answer_timeout_ms })
    return { _tag: "Send", action: "subscribe", item }
  }

  private release(item: Registration, nowMs: number, reason: ReleaseReason, isCertain: boolean): Step {
    const before = this.entries.get(keyOf(item))
    const tries = before?._tag === "releasing" ? before.tries : 0
    this.set({ _tag: "releasing", item, tries: tries + 1, dueMs: nowMs + answer_timeout_ms, reason, isCertain })
    return { _tag: "Send", action: "unsubscribe", item }
  }

  private freed(entry: Entry & { readonly _tag: "releasing" }, nowMs: number): ReleaseReason | undefined {
    const { isCertain, item, reason } = entry
    this.entries.delete(keyOf(item))
    if (reason === "dropped") this.rest(item, Math.min(this.drops.get(keyOf(item)) ?? 1, tries_max), nowMs)
    else if (!isCertain) this.rest(item, tries_max, nowMs)
    return reason === "dropped" || !isCertain ? undefined : reason
  }

  /** The broker says that it does not hold it. It may be an old answer, so it is released to be sure, and asked for later. */
  private drop(item: Registration, nowMs: number): void {
    const key = keyOf(item)
    this.drops.set(key, (this.drops.get(key) ?? 0) + 1)
    this.set({ _tag: "releasing", item, tries: 0, dueMs: nowMs, reason: "dropped", isCertain: true })
  }

  /** One question was refused and another is still open, so it may be held: it is released before it is left alone. */
  private makeSure(item: Registration, nowMs: number): void {
    this.set({ _tag: "releasing", item, tries: 0, dueMs: nowMs, reason: "again", isCertain: false })
  }

  private rest(item: Registration, tries: number, nowMs: number): void {
    const for_ms = tries >= tries_max ? rest_ms : again_ms * 2 ** (tries - 1)
    this.set({ _tag: "resting", item, tries, untilMs: nowMs + for_ms })
  }

  private nextChange(nowMs: number, excess: ReadonlyArray<Entry & { readonly _tag: "held" }>): number | undefined {
    let untilMs = Number.POSITIVE_INFINITY
    for (const entry of this.entries.values()) {
      if (entry._tag === "asking" || entry._tag === "releasing") untilMs = Math.min(untilMs, entry.dueMs)
      else if (entry._tag === "resting" && entry.untilMs > nowMs) untilMs = Math.min(untilMs, entry.untilMs)
    }
    for (const { sinceMs } of excess) if (sinceMs + stay_ms > nowMs) untilMs = Math.min(untilMs, sinceMs + stay_ms)
    return untilMs === Number.POSITIVE_INFINITY ? undefined : untilMs
  }

  private set(entry: Entry): void {
    this.entries.set(keyOf(entry.item), entry)
  }
}
