import { Clock, Deferred, Effect, Exit, Queue, Schedule, Semaphore } from "effect"
import { annotateSpan, inSpan, inSpanFor, spanOf } from "../actor/inSpan.ts"
import { MarketClock, marketNow } from "../calendar/MarketClock.ts"
import { hourFolder } from "../calendar/MarketTime.ts"
import { makeNumberer, type RecordDraft } from "../domain/JournalRecord.ts"
import { LineEncoder } from "../domain/LineEncoder.ts"
import type { Disk, DiskError } from "./Disk.ts"
import type { HintKeeper } from "./HeadHint.ts"
import type { Home } from "./Home.ts"
import { meterIncidents } from "./incidentMeters.ts"
import type { JournalStatus } from "./Journal.ts"
import { type Holder, Outage } from "./journalWriter/Outage.ts"
import type { AppendedRange, Request, Told } from "./journalWriter/Request.ts"
import { Syncing } from "./journalWriter/Syncing.ts"
import { UnderWay } from "./journalWriter/UnderWay.ts"
import { Unsynced } from "./journalWriter/Unsynced.ts"
import { type CompressedFile, enterCompressed, type ManifestLine } from "./Manifest.ts"
import type { Position } from "./Position.ts"
import { type AppendOrigin, Producers } from "./Producers.ts"
import { RecentChunks } from "./RecentChunks.ts"
import { openSegment, type Segment } from "./Segment.ts"
import { daysOf, segmentFile } from "./SegmentName.ts"

export interface JournalOptions {
  readonly dataDir: string
  /** Part of every file's name and every record's id. */
  readonly node: string
  readonly segment_bytes: number
  /** At most so much of the record is lost to a power cut. */
  readonly fsync_ms: number
}

/** Where the journal lives, and where its newest files are. */
interface Places {
  readonly home: Home
  readonly hint: HintKeeper
}

const toNobody: Told = () => undefined

/** Appends that may wait; the next one suspends its caller. Each is a chunk, so this bounds memory, not throughput. */
const waitingAppends = 256
/** Appends written in one go. */
const groupSize = 64
/** Records kept in memory for followers near the head: about two seconds at the rates of an open market, some 2 KB each. */
const recentRecords = 4_096

/**
 * The single writer. It owns the file being written and the head, takes every waiting append at once, writes them with
 * one call, and only then answers. When the disk refuses it keeps what it has in hand and tries again each second:
 * callers wait, nothing is dropped, and the first write that succeeds is preceded by a `gap` that says for how long.
 * Its state belongs to the journal, not to the fiber: if `run` crashes and is started again, it goes on with what it had.
 */
export class JournalWriter {
  readonly recent: RecentChunks
  head: Position
  /** The newest place that survives a power cut. Never beyond the head. */
  synced: Position
  appended_bytes = 0
  closed = false
  /** Completed, and replaced, whenever one of the two moves or the journal closes. */
  changed = Deferred.makeUnsafe<void>()

  private readonly options: JournalOptions
  private readonly hint: HintKeeper
  private readonly home: Home
  private readonly queue: Queue.Queue<Request>
  private readonly lines: LineEncoder
  private readonly producers = new Producers()
  private readonly syncing = new Syncing()
  private readonly unsynced = new Unsynced()
  private readonly writing = new UnderWay()
  /** Who looks and who syncs take turns: a disk that hangs keeps one thread for both, and one for a write. */
  private readonly beside = Semaphore.makeUnsafe(1)
  private inHand: ReadonlyArray<Request> = []
  private closing: Deferred.Deferred<void> | undefined
  private rotationAsked = false
  private turning: Deferred.Deferred<void> | undefined
  private segment: Segment | undefined
  private readonly outage = new Outage()
  private lastAppendAtMs: number | undefined

  private constructor(options: JournalOptions, head: Position, { hint, home }: Places, queue: Queue.Queue<Request>) {
    this.options = options
    this.head = head
    this.synced = head
    this.hint = hint
    this.home = home
    this.queue = queue
    this.recent = new RecentChunks(recentRecords, makeNumberer(options.node))
    this.lines = new LineEncoder(options.node)
  }

  static make(options: JournalOptions, head: Position, places: Places): Effect.Effect<JournalWriter> {
    return Effect.map(
      Queue.bounded<Request>(waitingAppends),
      (queue) => new JournalWriter(options, head, places, queue)
    )
  }

  append(
    drafts: ReadonlyArray<RecordDraft>,
    origin?: AppendOrigin,
    tell: Told = toNobody
  ): Effect.Effect<AppendedRange> {
    return Effect.withFiber((fiber) => {
      if (this.closing !== undefined) return Effect.die(new Error("the journal was closed before this append"))
      if (drafts.length === 0) return Effect.succeed({ first: this.head.seq + 1, last: this.head.seq })
      const done = Deferred.makeUnsafe<AppendedRange>()
      const request: Request = { _tag: "Append", drafts, ...(origin && { origin }), done, tell, sender: spanOf(fiber) }
      const written = Deferred.await(done)
      if (Queue.offerUnsafe(this.queue, request)) return written
      const taken = Effect.onInterrupt(Queue.offer(this.queue, request), () => Effect.sync(() => tell(false)))
      return Effect.andThen(taken, written)
    })
  }

  /** Seals the file being written, if there is one; the next append begins another. */
  get rotate(): Effect.Effect<void> {
    return Effect.suspend(() => {
      if (this.closing !== undefined) return Deferred.await(this.closing)
      const done = Deferred.makeUnsafe<void>()
      return Effect.andThen(Queue.offer(this.queue, { _tag: "Seal", done }), Deferred.await(done))
    })
  }

  /** Returns once the writer has come to what is asked of it now. Who asks while another waits, waits with that one: a
   * writer that never answers has one question in its queue, not all of it. */
  get turn(): Effect.Effect<void> {
    return Effect.suspend(() => {
      if (this.closing !== undefined) return Deferred.await(this.closing)
      if (this.turning !== undefined) return Deferred.await(this.turning)
      const done = Deferred.makeUnsafe<void>()
      this.turning = done
      if (Queue.offerUnsafe(this.queue, { _tag: "Turn", done })) return Deferred.await(done)
      // The queue is full, and whoever waits for its room may give up: the next to ask tries anew.
      this.turning = undefined
      return Effect.andThen(Queue.offer(this.queue, { _tag: "Turn", done }), Deferred.await(done))
    })
  }

  /** Done by the writer, for the lists of a day have one owner. A disk that refuses it is the caller's trouble, not the record's. */
  enterCompressed(day: string, sealed: ManifestLine, gzip: CompressedFile): Effect.Effect<void, DiskError> {
    return Effect.suspend(() => {
      if (this.closing !== undefined) return Effect.die(new Error("the journal was closed before this request"))
      const done = Deferred.makeUnsafe<void, DiskError>()
      return Effect.andThen(
        Queue.offer(this.queue, { _tag: "EnterCompressed", day, sealed, gzip, done }),
        Deferred.await(done)
      )
    })
  }

  hold(by: Holder, why: DiskError | undefined): Effect.Effect<void> {
    return this.outage.hold(by, why)
  }

  get close(): Effect.Effect<void> {
    return Effect.suspend(() => {
      if (this.closed) return Effect.void
      if (this.closing !== undefined) return Deferred.await(this.closing)
      const done = Deferred.makeUnsafe<void>()
      this.closing = done
      return Effect.andThen(Queue.offer(this.queue, { _tag: "Close", done }), Deferred.await(done))
    })
  }

  get status(): JournalStatus {
    const { reason } = this.outage
    return {
      writable: reason === undefined,
      ...(reason === undefined ? {} : { reason }),
      head: this.head,
      synced: this.synced,
      appended_bytes: this.appended_bytes,
      lastAppendAtMs: this.lastAppendAtMs,
      fsync_ms: this.syncing.fsync_ms,
      oldestUnsyncedAtMs: this.unsynced.oldestAtMs,
      waitingAppends: Queue.sizeUnsafe(this.queue)
    }
  }

  /** The writer's work, for a supervisor to run; ends when the journal has been closed, or its folder is another's. */
  get run(): Effect.Effect<void, never, Disk> {
    const work = Effect.raceFirst(
      this.write,
      Effect.all([this.watch, this.syncInTime], { concurrency: "unbounded", discard: true })
    )
    return Effect.raceFirst(
      work,
      Effect.catch(this.home.overtaken, ({ message }) => this.giveUp(message))
    )
  }

  /** The file being written and the numbers after the head are another's: nothing is written, sealed or synced any more. */
  private giveUp(reason: string): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.closed = true
      this.announce()
      if (this.closing !== undefined) Deferred.doneUnsafe(this.closing, Exit.void)
      return Effect.logFatal("the journal is written by another process", { reason })
    })
  }

  private get write(): Effect.Effect<void, never, Disk> {
    return Effect.gen({ self: this }, function* () {
      while (!this.closed) {
        if (this.inHand.length === 0) this.inHand = yield* Queue.takeBetween(this.queue, 1, groupSize)
        yield* Effect.catchDefect(this.handle(this.inHand), (defect) => this.handBack(defect))
      }
    })
  }

  /** A chunk that cannot be made into lines is a defect of its sender, and must not be one of the writer. */
  private handBack(defect: unknown): Effect.Effect<void> {
    const spoilt = this.inHand.flatMap((request) =>
      request._tag === "Append" && !this.canEncode(request.drafts) ? [request] : []
    )
    if (spoilt.length === 0) return Effect.die(defect)
    this.inHand = this.inHand.filter((request) => request._tag !== "Append" || !spoilt.includes(request))
    for (const { done, tell } of spoilt) {
      tell(false)
      Deferred.doneUnsafe(done, Exit.die(defect))
    }
    return Effect.void
  }

  private canEncode(drafts: ReadonlyArray<RecordDraft>): boolean {
    try {
      this.lines.encode(drafts, 1)
      return true
    } catch {
      return false
    }
  }

  private handle = Effect.fnUntraced({ self: this }, function* (this: JournalWriter, requests: ReadonlyArray<Request>) {
    const appends = requests.filter((request) => request._tag === "Append")
    const fresh = this.producers.fresh(appends)
    if (fresh.length > 0) {
      const write = this.outage.untilAllowed(
        this.writing.track(this.writeGroup(fresh.flatMap((append) => append.drafts)))
      )
      const senders = fresh.map(({ sender }) => sender)
      yield* inSpanFor(senders, write, "journal.append", { attributes: { appends: fresh.length } })
    }
    let last = this.head.seq - fresh.reduce((sum, append) => sum + append.drafts.length, 0)
    for (const { done, drafts, origin, tell } of fresh) {
      const range = { first: last + 1, last: last + drafts.length }
      last = range.last
      this.producers.wrote(origin, range)
      tell(true)
      Deferred.doneUnsafe(done, Exit.succeed(range))
    }
    for (const { done, origin } of appends) {
      const range = origin && this.producers.newestOf(origin)
      if (range !== undefined) Deferred.doneUnsafe(done, Exit.succeed(range))
    }
    this.inHand = requests.filter((request) => request._tag !== "Append")
    for (const request of requests) {
      if (request._tag === "Append") continue
      if (request._tag === "Turn") {
        this.turning = undefined
        Deferred.doneUnsafe(request.done, Exit.void)
        continue
      }
      if (request._tag === "EnterCompressed") {
        const { day, done, gzip, sealed } = request
        Deferred.doneUnsafe(done, yield* Effect.exit(enterCompressed(this.options.dataDir, day, sealed, gzip)))
        continue
      }
      if (request._tag !== "Rotate" || this.syncing.isRemoved || this.hourIsOver(yield* marketNow)) {
        yield* this.outage.untilAccepted(this.sealCurrent)
        this.syncing.isRemoved = false
      }
      if (request._tag === "Rotate") this.rotationAsked = false
      else if (request._tag === "Seal") Deferred.doneUnsafe(request.done, Exit.void)
      else {
        this.closed = true
        this.announce()
        Deferred.doneUnsafe(request.done, Exit.void)
      }
    }
    this.inHand = []
  })

  private writeGroup = Effect.fnUntraced(
    { self: this },
    function* (this: JournalWriter, drafts: ReadonlyArray<RecordDraft>) {
      const wallMs = yield* Clock.currentTimeMillis
      const now = (yield* MarketClock).at(wallMs)
      yield* this.home.check
      const segment = yield* this.segmentFor(now)
      const untold = this.outage.untold(now)
      const all = untold === undefined ? drafts : [untold, ...drafts]
      const encoded = this.lines.encode(all, this.head.seq + 1)
      const seqs = { first_seq: this.head.seq + 1, last_seq: this.head.seq + all.length }
      yield* annotateSpan({ ...seqs, records: all.length, bytes: encoded.bytes.length })
      const services = yield* Effect.context<never>()
      // Another thread may still be writing what nobody waits for any more.
      yield* Effect.onInterrupt(segment.append(encoded), () => Effect.sync(() => this.lines.letGo()))
      this.outage.told()
      const end: Position = {
        seq: this.head.seq + all.length,
        file: segment.file,
        byteOffset: segment.bytes()
      }
      this.head = end
      this.appended_bytes += encoded.bytes.length
      this.lastAppendAtMs = wallMs
      this.unsynced.wrote(wallMs)
      this.recent.add(all, end)
      this.announce()
      meterIncidents(all, services)
    }
  )

  private segmentFor = Effect.fnUntraced({ self: this }, function* (this: JournalWriter, nowMs: number) {
    const current = this.segment
    if (current !== undefined) {
      const full = current.bytes() >= this.options.segment_bytes
      if (!full && !this.hourIsOver(nowMs)) return current
      yield* this.sealCurrent
    }
    yield* this.home.keep
    const { dataDir, node } = this.options
    const firstSeq = this.head.seq + 1
    const file = segmentFile(node, firstSeq, nowMs)
    yield* this.hint.point(firstSeq, daysOf(file, this.head.file))
    this.segment = yield* openSegment(dataDir, node, firstSeq, nowMs)
    return this.segment
  })

  private hourIsOver(nowMs: number): boolean {
    return this.segment !== undefined && !this.segment.file.startsWith(hourFolder(nowMs))
  }

  private get sealCurrent(): Effect.Effect<void, DiskError, Disk> {
    return Effect.gen({ self: this }, function* () {
      const segment = this.segment
      if (segment === undefined) return
      yield* this.home.keep
      const attributes = { file: segment.file, last_seq: this.head.seq, bytes: segment.bytes() }
      yield* inSpan(segment.seal(yield* marketNow), "journal.seal", { attributes })
      this.segment = undefined
      this.unsynced.clear()
      this.reached(this.head)
    })
  }

  /** Once a second, though nothing may come to be written: whether the folder is still there, and the hour not over. */
  private get watch(): Effect.Effect<void, never, Disk> {
    const look = Effect.flatMap(this.writing.isLate, (isLate) => (isLate ? Effect.void : this.lookHome))
    return Effect.andThen(look, this.lookAtHour).pipe(Effect.repeat(Schedule.spaced("1 second")), Effect.asVoid)
  }

  /** Says at once that the folder is gone, and puts it back where that can be done. */
  private get lookHome(): Effect.Effect<void, never, Disk> {
    return Effect.gen({ self: this }, function* () {
      yield* this.home.keep
      this.syncing.isRemoved ||= this.segment !== undefined && !(yield* this.segment.isThere)
    }).pipe(
      this.beside.withPermits(1),
      Effect.as(undefined),
      Effect.catch(Effect.succeed),
      Effect.flatMap((error) => this.outage.hold("folder", error))
    )
  }

  private get lookAtHour(): Effect.Effect<void> {
    return Effect.gen({ self: this }, function* () {
      if (this.rotationAsked || !(this.syncing.isRemoved || this.hourIsOver(yield* marketNow))) return
      // A full queue is not waited for: its appends may be held back by the folder, which nobody else would look at.
      this.rotationAsked = Queue.offerUnsafe(this.queue, { _tag: "Rotate" })
    })
  }

  /** Sleeps while all is durable; else no sync begins later than `fsync_ms` after the oldest record that waits for it. */
  private get syncInTime(): Effect.Effect<never, never, Disk> {
    return Effect.gen({ self: this }, function* () {
      let dueMs = 0
      while (true) {
        if (this.notDurable === undefined) {
          while (this.notDurable === undefined) yield* Deferred.await(this.changed)
          dueMs = (yield* Clock.currentTimeMillis) + this.options.fsync_ms
        }
        const now = yield* Clock.currentTimeMillis
        yield* Effect.sleep(Math.min(Math.max(0, dueMs - now), this.options.fsync_ms))
        const target = this.head
        dueMs = (yield* Clock.currentTimeMillis) + this.options.fsync_ms
        const segment = this.notDurable
        if (segment === undefined || (yield* this.writing.isLate)) continue
        this.unsynced.begun()
        if (!(yield* this.beside.withPermits(1)(this.syncing.turn(segment)))) continue
        this.unsynced.synced()
        this.reached(target)
      }
    })
  }

  /** The file being written, if some of it would not survive a power cut. */
  private get notDurable(): Segment | undefined {
    return this.head.seq === this.synced.seq ? undefined : this.segment
  }

  /** Everything up to a place survives a power cut now. A seal may have been faster than a sync. */
  private reached(place: Position): void {
    if (place.seq <= this.synced.seq) return
    this.synced = place
    this.announce()
  }

  private announce(): void {
    const previous = this.changed
    this.changed = Deferred.makeUnsafe()
    Deferred.doneUnsafe(previous, Exit.void)
  }
}
