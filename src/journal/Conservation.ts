import { Cause, Context, Effect, Layer } from "effect"
import { meterDropped } from "../actor/dropMeter.ts"
import type { RecordDraft, RecordSource } from "../domain/JournalRecord.ts"
import type { Journal } from "./Journal.ts"

/** What became of records that were received. */
export interface Outcome {
  /** In the journal, as data or as a marker. */
  readonly stored: number
  /** In the journal as `reject`. */
  readonly rejected: number
  readonly deduplicated: number
}

/** Records of one source since the start. */
export interface Tally extends Outcome {
  readonly received: number
}

export interface Balance extends Tally {
  /** Records on their way at this moment: counted where they are, in the hands of a source and in mailboxes. */
  readonly inFlight: number
  /** `received − stored − rejected − deduplicated − inFlight`: above 0 records are lost, below 0 counted twice. */
  readonly remainder: number
}

/** Records that were received and that nobody else has yet: whoever has them answers for them. */
export interface Hand {
  /** Says what has become of some of them. */
  settle(outcome: Partial<Outcome>): void
  /** Says that so many of them are somebody else's from this step on. */
  passOn(records: number): void
  /**
   * Appends what is to be written of some of them, and settles these in the step in which it is. Interrupted, it leaves
   * them to the journal, which writes what it has taken in though nobody waits for it any more.
   */
  store(journal: Appender, drafts: ReadonlyArray<RecordDraft>, outcome: Partial<Outcome>): Effect.Effect<void>
}

/** Adds up what a holder has of each source. */
export type Measure = (add: (source: RecordSource, records: number) => void) => void

type Appender = Pick<Journal["Service"], "append">

const nothing: Outcome = { stored: 0, rejected: 0, deduplicated: 0 }
const sumOf = ({ deduplicated, rejected, stored }: Outcome) => stored + rejected + deduplicated

/** What was received and has not become anything yet, by the counts alone: it is on its way, or lost. */
export const unsettled = (tally: Tally): number => tally.received - sumOf(tally)

/**
 * The law that nothing is lost in silence: at every moment `received = stored + rejected + deduplicated + in flight`, by
 * source. Whoever receives says so at the edge and holds the records until they are somebody else's; whoever has them last
 * says what became of them. What is in flight is no sum of these words but counted where the records are, so that one
 * that was let go of without a word, or settled twice, is a remainder. All counts change step by step with what they
 * count: no fiber can look in between.
 */
export class Conservation extends Context.Service<
  Conservation,
  {
    /** Counts records as received and has them in hand while `use` runs. Those still in hand when it ends are lost, which is logged. */
    receive<A, E, R>(
      source: RecordSource,
      records: number,
      use: (hand: Hand) => Effect.Effect<A, E, R>
    ): Effect.Effect<A, E, R>
    /** Says what has become of records that were passed on; in the step in which their holder lets go of them. */
    settle(source: RecordSource, outcome: Partial<Outcome>): void
    /** Makes a holder known, to be asked at every look. */
    measure(holder: Measure): void
    readonly balances: Effect.Effect<ReadonlyMap<RecordSource, Balance>>
  }
>()("observer/journal/Conservation") {
  static readonly layer = Layer.sync(Conservation, () => make())
}

const make = (): Conservation["Service"] => {
  const tallies = new Map<RecordSource, Tally>()
  const hands = new Map<RecordSource, number>()
  const holders: Array<Measure> = []

  const count = (source: RecordSource, amounts: Partial<Tally>) => {
    const before = tallies.get(source) ?? { ...nothing, received: 0 }
    tallies.set(source, {
      received: before.received + (amounts.received ?? 0),
      stored: before.stored + (amounts.stored ?? 0),
      rejected: before.rejected + (amounts.rejected ?? 0),
      deduplicated: before.deduplicated + (amounts.deduplicated ?? 0)
    })
  }
  const inHands = (source: RecordSource, by: number) => void hands.set(source, (hands.get(source) ?? 0) + by)

  const handOf = (source: RecordSource) => {
    let left = 0
    /** Never more than it has: records that are settled twice must not be made good by a hand below zero. */
    const take = (wanted: number) => {
      const taken = Math.min(wanted, left)
      left -= taken
      return taken
    }
    const hand: Hand = {
      settle: (outcome) => {
        inHands(source, -take(sumOf({ ...nothing, ...outcome })))
        count(source, outcome)
      },
      passOn: (passed) => inHands(source, -take(passed)),
      store: (journal, drafts, outcome) => {
        let taken = 0
        let isTold = false
        const tell = (isWritten: boolean) => {
          if (isTold) return
          isTold = true
          inHands(source, -taken)
          if (isWritten) count(source, outcome)
        }
        const append = Effect.suspend(() => {
          taken = take(sumOf({ ...nothing, ...outcome }))
          return journal.append(drafts, undefined, tell)
        })
        return Effect.asVoid(
          Effect.onExitPrimitive(append, (exit) => {
            if (exit._tag === "Success") tell(true)
            else if (Cause.hasDies(exit.cause)) tell(false)
            return undefined
          })
        )
      }
    }
    return {
      hand,
      fill: (records: number) => {
        count(source, { received: records })
        inHands(source, records)
        left = records
      },
      /** Lets go of what is left, and says how much that was. */
      drop: () => {
        const lost = take(left)
        inHands(source, -lost)
        return lost
      }
    }
  }

  return Conservation.of({
    receive: (source, records, use) =>
      Effect.suspend(() => {
        const { drop, fill, hand } = handOf(source)
        const used = Effect.suspend(() => {
          fill(records)
          return use(hand)
        })
        return Effect.onExitPrimitive(used, () => {
          const lost = drop()
          return lost === 0
            ? undefined
            : Effect.andThen(
                meterDropped("interrupted", lost),
                Effect.logError("records were received and let go of before they were stored", {
                  source,
                  records: lost
                })
              )
        })
      }),
    settle: count,
    measure: (holder) => void holders.push(holder),
    balances: Effect.sync(() => {
      const inFlight = new Map(hands)
      for (const holder of holders) {
        holder((source, records) => inFlight.set(source, (inFlight.get(source) ?? 0) + records))
      }
      const sources = new Set([...tallies.keys(), ...inFlight.keys()])
      return new Map(
        [...sources].map((source): readonly [RecordSource, Balance] => {
          const tally = tallies.get(source) ?? { ...nothing, received: 0 }
          const held = inFlight.get(source) ?? 0
          return [source, { ...tally, inFlight: held, remainder: unsettled(tally) - held }]
        })
      )
    })
  })
}
