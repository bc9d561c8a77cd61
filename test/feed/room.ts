import { assert } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import { Supervisor } from "../../src/actor/Supervisor.ts"
import { MarketSession } from "../../src/calendar/MarketSession.ts"
import type { JournalRecord, RecordSource } from "../../src/domain/JournalRecord.ts"
import { type Balance, Conservation, type Tally } from "../../src/journal/Conservation.ts"
import { Journal, origin } from "../../src/journal/Journal.ts"
import { Shards } from "../../src/shard/Shards.ts"
import { machineDisk, openJournal, openMs, recordsAfter, tempFolder } from "../journal/fixtures.ts"
import { looked, passUntil, until } from "../support/virtualTime.ts"

export { openMs } from "../journal/fixtures.ts"

/**
 * Everything behind a feed, real: a journal on the machine's disk, its shards under a supervisor, and the counts. The
 * virtual clock stands at the market's opening.
 */
export const openRoom = Effect.fnUntraced(function* (
  symbols: ReadonlyArray<string>,
  { mode = "always", shards: count = 3 }: { readonly mode?: "always" | "calendar"; readonly shards?: number } = {}
) {
  yield* TestClock.setTime(openMs)
  const folder = yield* tempFolder
  const disk = yield* Layer.build(Layer.fresh(machineDisk))
  const journal = yield* Effect.provideContext(openJournal(folder), disk)
  const base = yield* Layer.build(
    Layer.fresh(Layer.mergeAll(Supervisor.layer, MarketSession.layer(mode), Conservation.layer))
  )
  const below = Context.add(base, Journal, journal)
  const built = yield* Effect.provideContext(
    Layer.build(Layer.fresh(Shards.layer({ count, heartbeat_ms: 300_000 }))),
    below
  )
  const context = Context.merge(below, built)
  const shards = Context.get(context, Shards)
  yield* shards.start
  yield* shards.observe(symbols)
  const conservation = Context.get(context, Conservation)
  const records = recordsAfter(journal, origin)

  const balances = looked(conservation.balances)
  const balance = (source: RecordSource): Balance =>
    balances().get(source) ?? { received: 0, stored: 0, rejected: 0, deduplicated: 0, inFlight: 0, remainder: 0 }
  const tally = (source: RecordSource): Tally => {
    const { deduplicated, received, rejected, stored } = balance(source)
    return { received, stored, rejected, deduplicated }
  }

  return {
    context,
    folder,
    journal,
    shards,
    session: Context.get(context, MarketSession),
    conservation,
    records,
    tally,
    /** Waits until nothing of a source is on its way, and gives what was counted beside what is written. */
    atRest: Effect.fnUntraced(function* (source: RecordSource) {
      yield* until(() => tally(source).received > 0 && balance(source).inFlight === 0)
      assert.strictEqual(balance(source).remainder, 0)
      // Counted first: what comes meanwhile must not stand beside records that were read before it.
      const counted = tally(source)
      const written = (yield* records).filter((record) => record.source === source)
      const rejects = written.filter(({ kind }) => kind === "reject")
      return { tally: counted, stored: written.length - rejects.length, rejected: rejects.length, written }
    }),
    /** Lets virtual time pass until the journal holds what is looked for. */
    passUntilWritten: Effect.fnUntraced(function* (
      wanted: (records: ReadonlyArray<JournalRecord>) => boolean,
      step_ms = 10
    ) {
      let found = yield* records
      while (!wanted(found)) {
        let turns = 0
        yield* passUntil(() => turns++ >= 5, step_ms)
        found = yield* records
      }
      return found
    })
  }
})

/** The payload of a record that is no data. */
export const payloadOf = (record: JournalRecord | undefined) =>
  (record?.payload ?? {}) as Readonly<Record<string, unknown>>
export const ofKind = (records: ReadonlyArray<JournalRecord>, kind: JournalRecord["kind"]) =>
  records.filter((record) => record.kind === kind)
/** The newest gap records of holes that are over; those of open ones say how far these had come. */
export const closedGaps = (records: ReadonlyArray<JournalRecord>) =>
  ofKind(records, "gap").filter((record) => payloadOf(record)["open"] !== true)
