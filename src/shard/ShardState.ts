import type { MarketSession } from "../calendar/MarketSession.ts"
import type { RecordDraft } from "../domain/JournalRecord.ts"
import type { Phase } from "../domain/Phase.ts"
import type { RejectReason } from "../domain/Reject.ts"
import type { Delivery, Sighting } from "../domain/Sighting.ts"
import { begun, kept } from "./Continuity.ts"
import { Losses, type LossReport } from "./Losses.ts"
import { observation, rejection } from "./ShardDraft.ts"
import { next, setAside, type SymbolState } from "./SymbolState.ts"

export interface ShardStateOptions {
  readonly symbols: ReadonlySet<string>
  /** An unchanged symbol is written again after so long. */
  readonly heartbeat_ms: number
  readonly session: Pick<MarketSession["Service"], "phaseAt">
}

/** What became of one chunk, in records. */
export interface Outcome {
  readonly source: Delivery["source"]
  readonly counted: { readonly stored: number; readonly rejected: number; readonly deduplicated: number }
}

/** Chunks that have been judged together: what is to be written, and what is known once it is. */
export interface Judgement {
  readonly drafts: ReadonlyArray<RecordDraft>
  readonly outcomes: ReadonlyArray<Outcome>
  readonly changed: ReadonlyMap<string, SymbolState>
  /** What was lost before these records; its gaps are among the drafts. */
  readonly report: LossReport
}

/**
 * What a shard knows of its symbols. Judging changes nothing of it: what was learnt is in the judgement until that is
 * remembered, so a judgement that could not be written is simply made again.
 */
export class ShardState {
  private readonly states = new Map<string, SymbolState>()

  private readonly options: ShardStateOptions
  private readonly expected: (atMs: number) => Phase

  constructor(options: ShardStateOptions) {
    this.options = options
    this.expected = phaseBySecond(options.session)
  }

  judge(deliveries: ReadonlyArray<Delivery>): Judgement {
    const drafts: Array<RecordDraft> = []
    const changed = new Map<string, SymbolState>()
    const losses = new Losses()
    const outcomes = deliveries.map((delivery) => this.judgeOne(delivery, drafts, changed, losses))
    for (const [symbol, state] of changed) {
      const continuity = state.continuity && kept(state.continuity)
      if (continuity !== state.continuity) changed.set(symbol, { ...state, continuity })
    }
    return { drafts, outcomes, changed, report: losses.finish(drafts) }
  }

  remember({ changed }: Judgement): void {
    for (const [symbol, state] of changed) this.states.set(symbol, state)
  }

  /** Takes note of a chunk that is not kept: what is in it has reached us. */
  setAside({ begins, sightings }: Delivery): void {
    const fresh = new Set(begins)
    for (const sighting of sightings) {
      const { symbol } = sighting
      if (!this.options.symbols.has(symbol)) continue
      const before = this.states.get(symbol)
      const known = fresh.delete(symbol) && before ? { ...before, continuity: begun(before.continuity) } : before
      const after = setAside(known, sighting)
      if (after !== undefined) this.states.set(symbol, after)
    }
  }

  private judgeOne(
    delivery: Delivery,
    drafts: Array<RecordDraft>,
    changed: Map<string, SymbolState>,
    losses: Losses
  ): Outcome {
    const { heartbeat_ms, symbols } = this.options
    const counted = { stored: 0, rejected: 0, deduplicated: 0 }
    const refuse = (sighting: Sighting, reason: RejectReason) => {
      drafts.push(rejection(delivery, sighting, reason))
      counted.rejected += 1
    }
    // Records come in runs of one symbol, whose state is looked up and put away once a run.
    const isListed = delivery.source === "backfill"
    const begins = delivery.begins && new Set(delivery.begins)
    let symbol = ""
    let isOurs = false
    let state: SymbolState | undefined
    const putAway = () => {
      if (state !== undefined) changed.set(symbol, state)
    }
    for (const sighting of delivery.sightings) {
      if (sighting.symbol !== symbol) {
        putAway()
        symbol = sighting.symbol
        isOurs = symbols.has(symbol)
        state = isOurs ? (changed.get(symbol) ?? this.states.get(symbol)) : undefined
        if (begins?.delete(symbol) && state !== undefined) state = { ...state, continuity: begun(state.continuity) }
      }
      if (!isOurs) {
        refuse(sighting, "unknownSymbol")
        continue
      }
      const judged = next(state, sighting, heartbeat_ms, isListed)
      const { told, verdict } = judged
      state = judged.state
      if (verdict._tag === "Store") {
        if (told !== undefined) losses.tell(told, delivery, sighting, drafts.length)
        drafts.push(observation(delivery, sighting, verdict.flags, this.expected(sighting.receivedAtMs)))
        counted.stored += 1
      } else if (verdict._tag === "Reject") refuse(sighting, verdict.reason)
      else counted.deduplicated += 1
    }
    putAway()
    return { source: delivery.source, counted }
  }
}

/** The expected phase, looked up once for all records of a second: the tables know no finer time. */
const phaseBySecond = ({ phaseAt }: ShardStateOptions["session"]): ((atMs: number) => Phase) => {
  let second = Number.NaN
  let phase: Phase = "closed"
  return (atMs) => {
    const at = Math.floor(atMs / 1_000)
    if (at !== second) {
      second = at
      phase = phaseAt(atMs)
    }
    return phase
  }
}
