import { Context, Effect, Latch, Layer, PubSub, Semaphore, Stream } from "effect"
import { HttpClient } from "effect/http"
import { marketNow, sleepTowards } from "../calendar/MarketClock.ts"
import { MarketSession } from "../calendar/MarketSession.ts"
import { marketDate } from "../calendar/MarketTime.ts"
import type { RecordDraft } from "../domain/JournalRecord.ts"
import { parseCodes, type SymbolSelection } from "../domain/SymbolSelection.ts"
import { Disk, type DiskError } from "../journal/Disk.ts"
import { type MasterName, masterNames } from "../kis/MasterFile.ts"
import type { SymbolChange } from "./Coverage.ts"
import { compose, type Composed, type Moment, isOfToday, sourceOf, type State } from "./dayUniverse/compose.ts"
import { type Changer, makeChanger } from "./dayUniverse/makeChanger.ts"
import { universeMarker } from "./dayUniverse/universeMarker.ts"
import { fetchMasters } from "./fetchMasters.ts"
import { keepLast, type LastUniverse, recallLast } from "./LastUniverse.ts"
import { type HeldFile, type HeldFiles, marketList, shippedLists } from "./MarketList.ts"
import { keepMasters, recallMasters } from "./MasterStore.ts"
import { keepOverlay, overlay_codes_max, recallOverlay, withAdded, withRemoved } from "./Overlay.ts"
import { nextRefresh, type RefreshOutcome } from "./RefreshTimes.ts"
import type { Resolved } from "./selection.ts"
import { readSymbolFile, type SymbolFileUnusable } from "./SymbolFile.ts"
import { observedOf, type Universe, type UniverseSource } from "./Universe.ts"
import { diffOf, noChange, type UniverseDiff } from "./UniverseDiff.ts"
import { publish } from "./UniverseDocument.ts"
import type { UniverseEnding } from "./UniverseEnding.ts"
import { UniverseRefused } from "./UniverseRefused.ts"

export interface DayUniverseOptions {
  readonly selection: SymbolSelection
  /** Codes that are observed whatever the selection says, and cannot be removed by hand. */
  readonly watched: ReadonlyArray<string>
  readonly dataDir: string
  readonly stateDir: string
  /** The host of the master files, without their path. */
  readonly masterUrl: string
  /** Names the source, so that the files of one are no yesterday of another's. */
  readonly place: string
  /** Writes to the journal; returns once it has been written. */
  readonly append: (drafts: ReadonlyArray<RecordDraft>) => Effect.Effect<unknown>
}

type ChangeRefused = UniverseRefused | DiskError

/** For health. */
export interface UniverseStatus extends UniverseSource {
  /** Chosen symbols; the indices that ride along are counted apart. */
  readonly symbols: number
  readonly indices: number
  readonly unlisted: number
  /** Whether the record says that this is what is observed. */
  readonly recorded: boolean
  /** When the master files are looked for next, in market time; absent while they are, and before `run` has begun. */
  readonly nextLookAtMs?: number
  readonly file: string
  readonly sha256: string
}

/**
 * What is observed today. It begins with what is on the disk, or ships with the program, so that a start waits for no
 * server; `run` looks for the day's master files and takes them in. One change at a time: the dated file is written, then
 * the marker is in the journal, and only then does anyone see the new universe. A change that is refused leaves the old one.
 */
export class DayUniverse extends Context.Service<
  DayUniverse,
  {
    readonly current: Effect.Effect<Universe>
    /** The universe that holds, then each that follows; who is slow sees the newest only. */
    readonly changes: Stream.Stream<Universe>
    readonly status: Effect.Effect<UniverseStatus>
    /** Reads the `@file` again, if the selection is one, and observes what it says now. */
    readonly reload: Effect.Effect<UniverseDiff, ChangeRefused | SymbolFileUnusable>
    /** Observes some codes too, from now on and after a restart, and others no longer, even if the selection names them: all or none. */
    change(codes: SymbolChange): Effect.Effect<UniverseDiff, ChangeRefused | UniverseEnding>
    /** Makes the changes that are asked for. For a supervisor to run: without it a change waits. */
    readonly changer: Effect.Effect<Changer>
    /** Returns as soon as the record says what is observed. */
    readonly recorded: Effect.Effect<void>
    /** Says what is observed in the record, then looks for master files each trading morning. For a supervisor to run. */
    readonly run: Effect.Effect<never, DiskError>
  }
>()("observer/plan/DayUniverse") {
  /** Fails when the `@file` cannot be used, or nothing is left to observe. */
  static readonly layer = (options: DayUniverseOptions) => Layer.effect(DayUniverse, make(options))
}

type Keeping = Effect.Effect<void, DiskError, Disk>

const make = Effect.fnUntraced(function* (options: DayUniverseOptions) {
  const { append, dataDir, masterUrl, place, selection, stateDir, watched } = options
  const disk = yield* Disk
  const client = yield* HttpClient.HttpClient
  const shipped = yield* shippedLists
  const lock = yield* Semaphore.make(1)
  const hub = yield* PubSub.sliding<Universe>({ capacity: 1, replay: 1 })
  const resolve = Effect.suspend(() =>
    selection._tag === "File"
      ? Effect.map(readSymbolFile(selection.path), (codes): Resolved => ({ _tag: "List", codes }))
      : Effect.succeed(selection)
  )

  const session = yield* MarketSession
  const moment: Effect.Effect<Moment> = Effect.all({ nowMs: marketNow, said: session.said })
  const start = yield* moment
  // What is of a later day than the market's is of another rehearsal.
  const kept = yield* recallMasters(stateDir, place)
  const held = new Map<MasterName, HeldFile>([...kept].filter(([, { date }]) => date <= marketDate(start.nowMs)))
  const first: State = {
    held,
    list: marketList(held, shipped),
    resolved: yield* resolve,
    overlay: yield* recallOverlay(stateDir),
    troubles: new Map()
  }
  let now = yield* Effect.fromResult(compose(options, first, start))
  let last: LastUniverse | undefined = yield* recallLast(stateDir)
  const recorded = Latch.makeUnsafe(false)
  let nextLookAtMs: number | undefined
  yield* PubSub.publish(hub, now.universe)

  /**
   * Puts a universe on record, and then in force. From the marker on it cannot be stopped half way; an append waits while
   * the journal cannot write, as every append does. `keep` writes down what the next start must know of it.
   */
  const record = Effect.fnUntraced(
    function* (next: Composed, diff: UniverseDiff, keep: Keeping) {
      const { document, universe } = next
      yield* publish(dataDir, document)
      yield* keep
      const enter = Effect.gen(function* () {
        yield* append([universeMarker(universe, diff, last, yield* marketNow)])
        now = next
        yield* recorded.open
        last = { sha256: universe.sha256, codes: observedOf(universe) }
        yield* Effect.catch(keepLast(stateDir, last), (error) =>
          Effect.logWarning(`the next start will not know what it changes: ${error.message}`)
        )
        yield* PubSub.publish(hub, universe)
      })
      yield* Effect.uninterruptible(enter)
    },
    Effect.provideService(Disk, disk)
  )

  /** Applies a changed state, or refuses it whole. */
  const apply = Effect.fnUntraced(function* (after: State, keep: Keeping = Effect.void) {
    const next = yield* Effect.fromResult(compose(options, after, yield* moment))
    const { universe } = next
    if (universe.sha256 === now.universe.sha256) {
      now = next
      return noChange
    }
    const diff = diffOf(now.universe, universe)
    yield* record(next, diff, keep)
    yield* Effect.logInfo(`observing ${universe.symbols.length} symbols: ${universe.rule}`, {
      added: diff.added.length,
      removed: diff.removed.length,
      flagged: diff.flagged.length,
      rebased: diff.rebased.map(({ code }) => code),
      list: universe.source.date,
      file: universe.file
    })
    return diff
  })

  const alone = Semaphore.withPermits(lock, 1)

  const codesIn = (words: ReadonlyArray<string>) =>
    words.length === 0
      ? Effect.succeed([])
      : Effect.mapError(
          Effect.fromResult(parseCodes(words)),
          (detail) => new UniverseRefused({ reason: "codes", detail })
        )

  const byHand = Effect.fnUntraced(function* (words: SymbolChange) {
    const add = yield* codesIn(words.add)
    const remove = yield* codesIn(words.remove)
    if (add.length + remove.length === 0) {
      return yield* new UniverseRefused({ reason: "codes", detail: "no symbol is named" })
    }
    const observed = new Set(observedOf(now.universe))
    const strange = remove.filter((code) => !observed.has(code))
    if (strange.length > 0) {
      const detail = `not observed: ${strange.slice(0, 10).join(", ")}`
      return yield* new UniverseRefused({ reason: "unknown", detail })
    }
    const kept = remove.filter((code) => watched.includes(code))
    if (kept.length > 0) {
      const detail = `watched by the setting OBSERVER_WATCH: ${kept.slice(0, 10).join(", ")}`
      return yield* new UniverseRefused({ reason: "watched", detail })
    }
    const overlay = withRemoved(withAdded(now.state.overlay, add), remove)
    if (Math.max(overlay.added.length, overlay.removed.length) > overlay_codes_max) {
      const detail = `more than ${overlay_codes_max} codes would be added or removed by hand`
      return yield* new UniverseRefused({ reason: "tooMany", detail })
    }
    return yield* apply({ ...now.state, overlay }, keepOverlay(stateDir, overlay))
  })

  /** Looks for the master files once and takes in what is new. */
  const refresh = Effect.gen(function* () {
    const { fresh, troubles, zips } = yield* fetchMasters(masterUrl, now.state.held, yield* marketNow)
    for (const trouble of troubles.values()) yield* Effect.logWarning(`a master file cannot be used: ${trouble}`)
    return yield* Effect.gen(function* () {
      const held: HeldFiles = new Map([...now.state.held, ...fresh])
      if (fresh.size > 0) yield* Effect.provideService(keepMasters(stateDir, place, held, zips), Disk, disk)
      const list = fresh.size > 0 ? marketList(held, shipped) : now.state.list
      yield* apply({ ...now.state, held, list, troubles })
      return troubles.size > 0 ? ("failed" as const) : ("unchanged" as const)
    }).pipe(alone)
  }).pipe(
    Effect.provideService(HttpClient.HttpClient, client),
    Effect.catch((error) => {
      now = { ...now, state: { ...now.state, troubles: new Map([["universe", error.message]]) } }
      return Effect.as(
        Effect.logWarning("the day's list is not taken in", { reason: error.message }),
        "failed" as const
      )
    })
  )

  /** What the last look has come to, or none at all: the boards may be today's while a smaller file could not be had. */
  const standing = (outcome: RefreshOutcome | undefined) =>
    Effect.map(moment, (at): RefreshOutcome | undefined => {
      const { held, list } = now.state
      if (!isOfToday(list, at)) return outcome
      if (outcome === "failed") return "partly"
      return outcome === undefined && held.size < masterNames.length ? undefined : "current"
    })

  /** Waits until the files are to be looked for again; the broker may say more of the days ahead meanwhile. */
  const awaitNext = Effect.fnUntraced(function* (outcome: RefreshOutcome | undefined) {
    const sinceMs = yield* marketNow
    while (true) {
      const { nowMs, said } = yield* moment
      const atMs = outcome === undefined ? nowMs : nextRefresh(sinceMs, outcome, said)
      if (nowMs >= atMs) break
      nextLookAtMs = atMs
      yield* sleepTowards(atMs)
    }
    nextLookAtMs = undefined
  })

  const run = Effect.gen(function* () {
    yield* alone(Effect.suspend(() => (recorded.isOpen() ? Effect.void : record(now, noChange, Effect.void))))
    let outcome = yield* standing(undefined)
    while (true) {
      yield* awaitNext(outcome)
      outcome = yield* standing(yield* refresh)
    }
  })

  const { change, changer } = yield* makeChanger("universe/changes", (codes) => alone(byHand(codes)))

  return DayUniverse.of({
    current: Effect.sync(() => now.universe),
    changes: Stream.fromPubSub(hub),
    status: Effect.map(moment, (at) => {
      const { file, indices, sha256, symbols, unlisted } = now.universe
      return {
        ...sourceOf(now.state, at),
        symbols: symbols.length,
        indices: indices.length,
        unlisted: unlisted.length,
        recorded: recorded.isOpen(),
        ...(nextLookAtMs === undefined ? {} : { nextLookAtMs }),
        file,
        sha256
      }
    }),
    reload: alone(Effect.flatMap(resolve, (resolved) => apply({ ...now.state, resolved }))),
    change,
    changer: Effect.succeed(changer),
    recorded: recorded.await,
    run
  })
})
