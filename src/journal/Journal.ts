import { Context, Deferred, Effect, Layer, Stream } from "effect"
import { join } from "node:path"
import { beginDrops } from "../actor/dropMeter.ts"
import { marketNow } from "../calendar/MarketClock.ts"
import type { RecordDraft } from "../domain/JournalRecord.ts"
import { BootId } from "./BootId.ts"
import { bytesAfter } from "./bytesAfter.ts"
import { Disk, type DiskError } from "./Disk.ts"
import { beginGaps } from "./gapMeters.ts"
import { beginIncidents } from "./incidentMeters.ts"
import { FolderLock } from "./FolderLock.ts"
import type { FolderOvertaken } from "./folderLock/Heartbeat.ts"
import { HintKeeper } from "./HeadHint.ts"
import { makeHome } from "./Home.ts"
import { type JournalReadError, JournalUnwritable } from "./JournalError.ts"
import { type JournalOptions, JournalWriter } from "./JournalWriter.ts"
import type { AppendedRange, Told } from "./journalWriter/Request.ts"
import type { CompressedFile, ManifestLine } from "./Manifest.ts"
import type { JournalChunk, Position } from "./Position.ts"
import type { AppendOrigin } from "./Producers.ts"
import { quickRecord } from "./QuickLine.ts"
import { nextSegment, readLines } from "./Reader.ts"
import { recover, type Recovered } from "./Recovery.ts"
import { openGaps } from "./recovery/openGaps.ts"
import { daysOf } from "./SegmentName.ts"

export { origin, type JournalChunk, type Position } from "./Position.ts"

export interface JournalStatus {
  readonly writable: boolean
  /** Why appends wait, in words; absent while the journal can write. */
  readonly reason?: string
  readonly head: Position
  /** Up to here the record survives a power cut. */
  readonly synced: Position
  /** Since the start. */
  readonly appended_bytes: number
  /** By the machine's clock. */
  readonly lastAppendAtMs: number | undefined
  /** Milliseconds that the newest fdatasync took. */
  readonly fsync_ms: number | undefined
  /** When the oldest record was written that a power cut would take, by the machine's clock; absent while there is none. */
  readonly oldestUnsyncedAtMs?: number | undefined
  readonly waitingAppends: number
}

/** Where a reader stops for now: at the head, or at what survives a power cut, `OBSERVER_FSYNC_MS` behind it. */
export type End = "head" | "synced"

/**
 * The one ordered record of this node. `append` returns once the lines have been given to the operating system, so
 * that a killed process loses nothing it was told is stored; while the disk refuses, appends wait and sources with them.
 */
export class Journal extends Context.Service<
  Journal,
  {
    /**
     * Numbers the drafts and writes them in one go; gives the first and last `seq`. Suspends while nothing can be written.
     * With an origin, a message handled again writes nothing more and is told where its producer's newest append went.
     * Interrupted, it may yet write what it has taken in; `tell` is called when that is decided.
     */
    append(drafts: ReadonlyArray<RecordDraft>, origin?: AppendOrigin, tell?: Told): Effect.Effect<AppendedRange>
    /** The next chunk after a place, from memory near the end and from disk behind it; `undefined` at the end. */
    next(from: Position, end?: End): Effect.Effect<JournalChunk | undefined, JournalReadError>
    /** Waits until there is a record after `seq`; `false` when the journal has been closed and there will be none. */
    hasAfter(seq: number, end?: End): Effect.Effect<boolean>
    /** Bytes of the record between a place and the head. Cheap in the head's file; else a look into every manifest. */
    bytesAfter(from: Position): Effect.Effect<number, JournalReadError>
    /** Has the compressed form of a sealed file take its place in the lists of its day, and the plain form removed. */
    enterCompressed(day: string, sealed: ManifestLine, gzip: CompressedFile): Effect.Effect<void, DiskError>
    /** Every chunk after a place, then new ones as they are appended; ends once the journal is closed and read to its end. */
    read(from: Position): Stream.Stream<JournalChunk, JournalReadError>
    readonly head: Effect.Effect<Position>
    readonly status: Effect.Effect<JournalStatus>
    /** What the start found of the last run. */
    readonly recovered: Recovered
    /** The writer's work, for a supervisor to run. Nothing is appended while it does not run. */
    readonly run: Effect.Effect<void>
    /** Fails when another process has taken the data folder over. Nothing is written by this one from then on. */
    readonly overtaken: Effect.Effect<never, FolderOvertaken>
    /** Returns once the writer has come to this question: a sign of life also when there is nothing to append. */
    readonly turn: Effect.Effect<void>
    /**
     * Holds appends back, as if the disk had refused them, before it really does; `undefined` lets them go. What is in hand
     * is kept and written then, after a `gap`. Files are sealed all the same.
     */
    hold(why: DiskError | undefined): Effect.Effect<void>
    /** Seals the file being written before its hour is over, so that all that is appended so far is under the manifest. */
    readonly rotate: Effect.Effect<void>
    /** Seals the file being written and ends every reader at the head. Appends after it are a defect. */
    readonly close: Effect.Effect<void>
  }
>()("observer/journal/Journal") {
  /** Owns the data folder while the layer lives; fails when it cannot be written, or another process owns it. */
  static readonly layer = (options: JournalOptions) => Layer.effect(Journal, make(options))
}

const make = Effect.fnUntraced(function* (options: JournalOptions) {
  const { dataDir, node } = options
  const disk = yield* Disk
  yield* Effect.all([beginGaps, beginIncidents, beginDrops])
  const unwritable = (error: DiskError) => new JournalUnwritable({ path: dataDir, detail: error.message })

  yield* Effect.mapError(proveWritable(dataDir), unwritable)
  const folder = yield* FolderLock.acquire(dataDir, "journal")
  const home = yield* Effect.mapError(makeHome(folder), unwritable)
  const basis = { lock: folder.generation, boot: yield* BootId, fsync_ms: options.fsync_ms }
  const found = yield* Effect.mapError(recover(dataDir, node, yield* marketNow, basis), unwritable)
  const open = yield* openGaps(dataDir, node, found).pipe(
    Effect.catch((error) =>
      Effect.as(
        Effect.logWarning("the holes that the last run left open cannot be read", { reason: error.message }),
        []
      )
    )
  )
  const recovered: Recovered = open.length === 0 ? found : { ...found, openGaps: open }
  const { head } = recovered
  const untold = { loss: recovered.loss, firstSeq: head.seq + 1 }
  const hint = yield* Effect.mapError(HintKeeper.make(dataDir, node, basis, untold), unwritable)
  yield* Effect.mapError(hint.point(head.seq + 1, daysOf(head.file)), unwritable)
  for (const { bytes, file, quarantine } of recovered.quarantined) {
    yield* Effect.logWarning("a torn line of the last run was moved out of the journal", { file, bytes, quarantine })
  }
  const writer = yield* JournalWriter.make(options, head, { hint, home })

  const endOf = (end: End) => (end === "head" ? writer.head : writer.synced)

  const next = Effect.fnUntraced(
    function* (from: Position, end: End = "head") {
      if (from.seq >= endOf(end).seq) return undefined
      // What is synced at once is whole appends, and so whole chunks of the memory.
      const remembered = writer.recent.after(from.seq)
      if (remembered !== undefined) return remembered
      let at: Position | undefined = from
      while (at !== undefined && at.seq < endOf(end).seq) {
        const { byteOffset, file } = endOf(end)
        const limit = at.file === file ? byteOffset : undefined
        const chunk: JournalChunk | undefined =
          at.file === "" ? undefined : yield* readLines(dataDir, at, { limit, quick: quickRecord })
        if (chunk !== undefined) return chunk
        at = yield* nextSegment(dataDir, node, at)
      }
      return undefined
    },
    Effect.provideService(Disk, disk)
  )

  const hasAfter = (seq: number, end: End = "head"): Effect.Effect<boolean> =>
    Effect.suspend(() => {
      if (endOf(end).seq > seq) return Effect.succeed(true)
      if (writer.closed) return Effect.succeed(false)
      return Effect.flatMap(Deferred.await(writer.changed), () => hasAfter(seq, end))
    })

  return Journal.of({
    append: (drafts, origin, tell) => writer.append(drafts, origin, tell),
    next,
    hasAfter,
    bytesAfter: (from) =>
      Effect.suspend(() => bytesAfter(dataDir, node, from, writer.head)).pipe(Effect.provideService(Disk, disk)),
    enterCompressed: (day, sealed, gzip) => writer.enterCompressed(day, sealed, gzip),
    read: (from) =>
      Stream.unfold(from, (at) =>
        Effect.flatMap(hasAfter(at.seq), (more) =>
          more ? Effect.map(next(at), (chunk) => chunk && ([chunk, chunk.end] as const)) : Effect.undefined
        )
      ),
    head: Effect.sync(() => writer.head),
    status: Effect.sync(() => writer.status),
    recovered,
    run: Effect.provideService(writer.run, Disk, disk),
    overtaken: folder.overtaken,
    turn: writer.turn,
    hold: (why) => writer.hold("room", why),
    rotate: writer.rotate,
    close: writer.close
  })
})

/** Makes the folder and writes, syncs and removes a small file in it, so that a start fails here and not at the first tick. */
const proveWritable = Effect.fnUntraced(function* (dataDir: string) {
  const disk = yield* Disk
  const probe = join(dataDir, ".writable")
  yield* disk.makeFolder(dataDir)
  yield* disk.writeWhole(probe, Buffer.from("observer\n"))
  yield* disk.remove(probe)
})
