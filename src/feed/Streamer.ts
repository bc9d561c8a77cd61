import { Cause, Clock, Effect, Queue } from "effect"
import { annotateSpan, inSpan } from "../actor/inSpan.ts"
import { MarketClock } from "../calendar/MarketClock.ts"
import type { MarketSession } from "../calendar/MarketSession.ts"
import type { SweptVolume } from "../domain/Assignment.ts"
import type { GapCause } from "../domain/Gap.ts"
import type { LostTrades } from "../domain/LostTrades.ts"
import type { Delivery } from "../domain/Sighting.ts"
import { Conservation, type Hand } from "../journal/Conservation.ts"
import { meterGaps } from "../journal/gapMeters.ts"
import { Journal } from "../journal/Journal.ts"
import type { KisAccount } from "../kis/Account.ts"
import type { ApprovalKey } from "../kis/ApprovalKey.ts"
import type { KisCredentialsRejected } from "../kis/KisError.ts"
import {
  type ConnectGovernor,
  keyOf,
  type Loss,
  makeStreamSession,
  type Registration,
  type ReleaseReason,
  type SessionStatus
} from "../kis/StreamSession.ts"
import type { StreamMessage } from "../kis/StreamSocket.ts"
import { gap } from "./FeedRecord.ts"
import { finishing } from "./finishing.ts"
import type { MarketStatus } from "./KisMarketStatus.ts"
import { EdgeVolumes, type EdgedHole } from "./streamer/EdgeVolumes.ts"
import { Hearing, type Suspicion } from "./streamer/Hearing.ts"
import { Holes, type ToldHole } from "./streamer/Holes.ts"
import { LostHoles } from "./streamer/LostHoles.ts"
import { carriesData, type Drift, readFrames, streamIds } from "./streamer/readFrames.ts"
import { statusMarker } from "./streamer/statusMarker.ts"

/** Widths that are said once each; a stream whose every frame has another is noise, and is not said for ever. */
const drifts_max = 20

export interface StreamerOptions {
  readonly account: KisAccount
  readonly approval: ApprovalKey
  readonly governor: ConnectGovernor
  /** Registrations that one session is told to take. */
  readonly slots: number
  readonly session: MarketSession["Service"]
  readonly deliver: (delivery: Delivery) => Effect.Effect<void>
  /** A hole that is over; its `gap` is in the journal, and a trade or a while has passed since. UTC milliseconds in market time. Never waits. */
  readonly onHole: (hole: EdgedHole) => Effect.Effect<void>
  readonly onMarketStatus?: (status: MarketStatus) => Effect.Effect<void>
  /** The broker does not give the market's status; called again until that is wanted no longer. */
  readonly onStatusRefused?: Effect.Effect<void>
  /** The broker is believed to take another number of registrations. */
  readonly onSlots?: (believed: number) => Effect.Effect<void>
  /** What was swept last of a symbol, by which a stream is known to miss trades; milliseconds of the machine's clock. */
  readonly restVolume?: (symbol: string) => SweptVolume | undefined
}

export interface StreamStatus extends SessionStatus {
  /** When data last came, milliseconds of the machine's clock. */
  readonly lastDataMs: number | undefined
  /** Accepted by the broker and silent against their habit, though they were registered once more. */
  readonly silentSymbols: ReadonlyArray<string>
  /** Layouts that are wider than the ones known, seen since the start: the stream and its columns. */
  readonly drifts: ReadonlyArray<string>
  /** Frames that were read since the start, whatever they held, and their bytes. */
  readonly frames: number
  readonly bytes: number
  /** Symbols that are to be streamed and do not reach us now. */
  readonly openHoles: number
  /** The same, since when by market time and why; the record has them up to the last minute. */
  readonly holes: ReadonlyArray<{ readonly symbol: string; readonly fromMs: number; readonly cause: GapCause }>
}

export interface Streamer {
  /** The stream's work, for a supervisor to run; fails once the broker refuses the key. */
  readonly run: Effect.Effect<never, KisCredentialsRejected>
  readonly status: Effect.Effect<StreamStatus>
  /** What is to be streamed, the most important first; streams are named in `streamer/readFrames.ts`. */
  want(registrations: ReadonlyArray<Registration>): Effect.Effect<void>
  /** The broker's counters say that trades of this stream are missing; unless a hole covers them they become one. Never waits. */
  lost(loss: LostTrades): Effect.Effect<void>
}

const look_ms = 1_000

const causeOf = ({ why }: Loss): GapCause => (why === "silence" || why === "overflow" ? why : "disconnect")

/**
 * Turns one account's stream into sightings and markers. A frame that cannot be split costs its own records only. What
 * did not reach us becomes one `gap` a symbol: after a lost connection from the last thing heard, after a deaf one or a
 * silent symbol from the last data, to the broker's acceptance, to the next data, or to the end of the run. Its `gap` is
 * written when it is known, once a minute while it lasts, and when it is over.
 */
export const makeStreamer = Effect.fnUntraced(function* (options: StreamerOptions) {
  const { account, approval, deliver, governor, onHole, onMarketStatus, onSlots, onStatusRefused, restVolume, slots } =
    options
  const { alias } = account
  const journal = yield* Journal
  const conservation = yield* Conservation
  const clock = yield* MarketClock
  const holes = new Holes()
  const hearing = new Hearing()
  const edges = new EdgeVolumes()
  const lostHoles = new LostHoles()
  /** Says that a connection was lost. */
  const fresh = yield* Queue.sliding<void>(1)
  const drifted = new Set<string>()
  const read = { frames: 0, bytes: 0 }
  /** What is wanted first is wanted since the program's start. */
  let wantedSinceMs: number | undefined = yield* Clock.currentTimeMillis
  let wanted = new Set<string>()
  /** Since when a connection that is being given up was deaf. */
  let deafSinceMs: number | undefined

  const isMarketOpen = (nowMs: number) => options.session.phaseAt(clock.at(nowMs)) !== "closed"
  const inMarketTime = ({ cause, fromMs, symbol, toMs }: ToldHole) => ({
    symbol,
    fromMs: clock.at(fromMs),
    toMs: clock.at(toMs),
    cause
  })
  /** However many records tell of a hole, it counts as one. */
  const write = Effect.fnUntraced(function* (told: ReadonlyArray<ToldHole>, nowMs: number, isOpen: boolean) {
    const gaps = told.map((hole) => gap(clock.at(nowMs), { ...inMarketTime(hole), isOpen }, alias))
    yield* journal.append(gaps)
    yield* meterGaps(gaps.filter((_, at) => told[at]?.isNew))
  })

  /** Tells of holes that are over. */
  const tell = Effect.fnUntraced(function* (told: ReadonlyArray<ToldHole | undefined>) {
    const over = told.flatMap((hole) => hole ?? [])
    if (over.length === 0) return
    const nowMs = yield* Clock.currentTimeMillis
    // Before the journal is waited for: meanwhile trades from after the hole may come.
    const edged = over.map((hole) => edges.edged(inMarketTime(hole)))
    yield* write(over, nowMs, false)
    edges.ended(edged, nowMs)
  })

  /** Tells of open holes as far as they have come: a run that is killed leaves them in the record. */
  const tellOpen = Effect.gen(function* () {
    const nowMs = yield* Clock.currentTimeMillis
    const due = holes.due(nowMs, isMarketOpen(nowMs))
    if (due.length > 0) yield* write(due, nowMs, true)
  })

  /** Of a symbol's day, by volume, what the holes of this connection are filled with. */
  const covered = (symbol: string) => edges.covered(symbol, holes.has(symbol))
  const fill = (over: ReadonlyArray<EdgedHole>) => Effect.forEach(over, onHole, { discard: true })

  const onDrifts = Effect.fnUntraced(function* (drifts: ReadonlyMap<string, Drift>) {
    for (const [layout, drift] of drifts) {
      if (drifted.has(layout) || drifted.size >= drifts_max) continue
      drifted.add(layout)
      yield* Effect.logError(
        "the broker sends more columns than known; they are kept, and the layout should be looked at",
        drift
      )
    }
  })

  const onFrames = Effect.fnUntraced(function* (frames: ReadonlyArray<StreamMessage>) {
    const { drifts, heard, refused, sightings, statuses } = readFrames(frames, alias, clock.at)
    read.frames += frames.length
    for (const { text } of frames) read.bytes += Buffer.byteLength(text)
    const received = sightings.length + statuses.length + refused.length
    yield* annotateSpan({ records: sightings.length, refused: refused.length })
    const handOn = Effect.fnUntraced(function* ({ passOn, store }: Hand) {
      yield* onDrifts(drifts)
      if (refused.length > 0) {
        yield* Effect.logWarning("stream frames could not be read and were set aside", {
          account: alias,
          frames: refused.length
        })
      }
      const drafts = [...refused, ...statuses.map(({ status, values }) => statusMarker(status, values, alias))]
      const outcome = { stored: statuses.length, rejected: refused.length }
      if (drafts.length > 0) yield* store(journal, drafts, outcome)
      if (sightings.length === 0) return
      const begins = edges.beginning(heard)
      const delivery = { source: "kis-ws", account: alias, sightings, onTaken: passOn } as const
      yield* deliver(begins === undefined ? delivery : { ...delivery, begins })
    })
    yield* conservation.receive("kis-ws", received, handOn)
    const over: Array<ToldHole | undefined> = []
    for (const frame of heard) {
      const registration = { trId: frame.trId, trKey: frame.last.symbol }
      hearing.heard(registration, frame)
      if (holes.size > 0 && holes.isStreamed(registration)) over.push(holes.heard(registration, frame.receivedAtMs))
    }
    yield* tell(over)
    const { ended: edged, late } = edges.heard(sightings)
    if (late.length > 0) lostHoles.heard(late, yield* Clock.currentTimeMillis)
    yield* fill(edged)
    for (const { status } of statuses) {
      hearing.told(status, yield* Clock.currentTimeMillis)
      if (onMarketStatus !== undefined) yield* onMarketStatus(status)
    }
  })

  const onRegistered = Effect.fnUntraced(function* (registration: Registration, atMs: number) {
    if (!carriesData(registration.trId)) return
    if (hearing.accepted(registration, atMs)) holes.acceptedAgain(registration, atMs)
    else yield* tell([holes.accepted(registration, atMs)])
  })

  const onReleased = Effect.fnUntraced(function* (registration: Registration, atMs: number, reason: ReleaseReason) {
    if (!carriesData(registration.trId)) return
    // Until it is accepted again nothing of it can be heard.
    if (reason === "again" && wanted.has(keyOf(registration))) return holes.begin(registration, atMs, "silence")
    hearing.released(registration)
    if (reason === "dropped") return holes.dropped(registration, atMs)
    yield* tell([holes.released(registration, atMs)])
    if (registration.trId === streamIds.trades) edges.forget(registration.trKey)
  })

  const onLost = (loss: Loss) =>
    Effect.sync(() => {
      holes.lost(deafSinceMs ?? loss.lastHeardMs, causeOf(loss))
      hearing.lost(deafSinceMs !== undefined)
      deafSinceMs = undefined
      Queue.offerUnsafe(fresh, undefined)
    })

  const session = yield* makeStreamSession({
    account,
    approval,
    governor,
    slots,
    handler: {
      onFrames: (frames) =>
        finishing(inSpan(onFrames(frames), "stream.frames", { attributes: { account: alias, frames: frames.length } })),
      onRegistered: (registration, atMs) => finishing(onRegistered(registration, atMs)),
      onReleased: (registration, atMs, reason) => finishing(onReleased(registration, atMs, reason)),
      onSlots: (believed) => onSlots?.(believed) ?? Effect.void,
      onLost
    }
  })

  const act = Effect.fnUntraced(function* (suspicion: Suspicion) {
    if (suspicion._tag === "deaf") {
      deafSinceMs = suspicion.sinceMs
      yield* Effect.logWarning("the stream is alive but deaf, and is connected anew", {
        account: alias,
        since: new Date(suspicion.sinceMs).toISOString()
      })
      return yield* session.renew("probes came, and no data")
    }
    const { registration, sinceMs } = suspicion
    holes.begin(registration, sinceMs, "silence")
    const words = { account: alias, of: keyOf(registration), since: new Date(sinceMs).toISOString() }
    if (suspicion._tag === "askAgain") {
      yield* Effect.logWarning("a symbol is silent against its habit, and is registered once more", words)
      yield* session.again(registration)
    } else {
      yield* Effect.logWarning("a symbol stays silent though it was registered once more", words)
      yield* tell([holes.tell(registration, yield* Clock.currentTimeMillis)])
    }
  })

  /** Ends holes of what is wanted no longer, and begins those of what is not accepted. */
  const lookAtHoles = Effect.fnUntraced(function* (nowMs: number) {
    const targets = session.targets()
    const keys = new Set(targets.map(keyOf))
    const left = holes.leave((registration) => keys.has(keyOf(registration)), nowMs)
    const { slotsHeld, unanswered } = yield* session.status
    const refused = new Set(slotsHeld > 0 ? unanswered : [])
    const over = holes.expect({
      wanted: targets.filter(({ trId }) => carriesData(trId)),
      nowMs,
      sinceMs: wantedSinceMs ?? nowMs,
      isMarketOpen: isMarketOpen(nowMs),
      isRefused: (registration) => refused.has(keyOf(registration))
    })
    if (targets.length > 0) wantedSinceMs = undefined
    if (left.length + over.length > 0) yield* finishing(tell([...left, ...over]))
    for (const { symbol } of left) {
      if (!keys.has(keyOf({ trId: streamIds.trades, trKey: symbol }))) edges.forget(symbol)
    }
  })

  /** Apart from the looking, and from the connecting: neither waits for a journal that cannot be written. */
  const keepTelling = Effect.forever(
    Effect.andThen(Effect.timeoutOption(Queue.take(fresh), look_ms), finishing(tellOpen))
  )

  /** Looks once a second at the holes, and for what has fallen silent. */
  const look = Effect.gen(function* () {
    yield* Effect.sleep(look_ms)
    const nowMs = yield* Clock.currentTimeMillis
    yield* lookAtHoles(nowMs)
    yield* finishing(fill([...edges.due(nowMs), ...lostHoles.due(nowMs, covered)]))
    if (onStatusRefused !== undefined) {
      const { unanswered } = yield* session.status
      if (unanswered.some((key) => key.startsWith(streamIds.status))) yield* onStatusRefused
    }
    const behindToMs = session.behindToMs()
    if (behindToMs === undefined) return
    const phase = options.session.phaseAt(clock.at(nowMs))
    for (const suspicion of hearing.look({ nowMs, phase, behindToMs, restVolume })) yield* finishing(act(suspicion))
  })

  /** A stream that ends while it is down leaves holes that nothing will close. */
  const tellHoles = Effect.gen(function* () {
    yield* tell(holes.leave(() => false, yield* Clock.currentTimeMillis))
    yield* fill([...edges.rest(), ...lostHoles.rest(covered)])
  }).pipe(Effect.timeoutOption("2 seconds"))

  /** After the evening's end nothing is lost until the next run registers everything anew; a crash loses what was streamed. */
  const ended = Effect.fnUntraced(function* (cause: Cause.Cause<KisCredentialsRejected>) {
    if (Cause.hasDies(cause)) return
    yield* tellHoles
    yield* session.stopped
    holes.stopped()
    hearing.stopped()
    edges.clear()
    deafSinceMs = undefined
  })

  const streamer: Streamer = {
    run: Effect.onError(Effect.raceAllFirst([session.run, Effect.forever(look), keepTelling]), ended),
    status: Effect.map(session.status, (status) => ({
      ...status,
      lastDataMs: hearing.lastDataMs,
      silentSymbols: hearing.silentSymbols,
      drifts: [...drifted],
      ...read,
      openHoles: holes.size,
      holes: holes.all.map((hole) => ({ ...hole, fromMs: clock.at(hole.fromMs) }))
    })),
    lost: (loss) => Effect.map(Clock.currentTimeMillis, (nowMs) => lostHoles.add(loss, nowMs)),
    want: (registrations) =>
      Effect.suspend(() => {
        wanted = new Set(registrations.map(keyOf))
        return session.want(registrations)
      })
  }
  return streamer
})
