import { Clock, Effect } from "effect"
import type { RecordDraft } from "../domain/JournalRecord.ts"
import type { Delivery, Sighting } from "../domain/Sighting.ts"
import { Conservation } from "../journal/Conservation.ts"
import { Journal } from "../journal/Journal.ts"
import type { KisAccount } from "../kis/Account.ts"
import type { ApprovalKey } from "../kis/ApprovalKey.ts"
import { decodeFrame } from "../kis/Frame.ts"
import { knownWidths } from "../kis/StreamLayout.ts"
import { makeStreamSession, type Registration } from "../kis/StreamSession.ts"
import type { StreamMessage } from "../kis/StreamSocket.ts"
import { gap, reject } from "./FeedRecord.ts"
import { finishing } from "./finishing.ts"
import { tradeSighting } from "./KisTrade.ts"

export interface StreamerOptions {
  readonly account: KisAccount
  readonly approval: ApprovalKey
  /** The symbols to stream, the most important first. */
  readonly symbols: ReadonlyArray<string>
  readonly slots: number
  readonly deliver: (delivery: Delivery) => Effect.Effect<void>
}

const trades = "H0STCNT0"

/**
 * Turns one account's stream into sightings. A frame that cannot be split costs its own records only; a lost connection
 * becomes one `gap` per symbol that was streamed, from the last thing heard to the broker's acceptance of the symbol, or
 * to the end of the run.
 */
export const makeStreamer = Effect.fnUntraced(function* (options: StreamerOptions) {
  const { account, approval, deliver, slots, symbols } = options
  const { alias } = account
  const journal = yield* Journal
  const conservation = yield* Conservation
  /** Symbols the broker has accepted: what it never streamed has no hole. */
  const streamed = new Set<string>()
  const lostSinceMs = new Map<string, number>()
  /** Streams and widths that were told of. */
  const drifted = new Set<string>()

  const onDrift = Effect.fnUntraced(function* (trId: string, extraColumns: number) {
    if (extraColumns === 0) return
    const known = knownWidths.get(trId)?.max ?? 0
    const width = `${trId} ${known + extraColumns}`
    if (drifted.has(width)) return
    drifted.add(width)
    yield* Effect.logError(
      "the broker sends more columns than known; they are kept, and the layout should be looked at",
      {
        stream: trId,
        columns: known + extraColumns,
        known
      }
    )
  })

  const onFrames = Effect.fnUntraced(function* (frames: ReadonlyArray<StreamMessage>) {
    const sightings: Array<Sighting> = []
    const refused: Array<RecordDraft> = []
    for (const { receivedAtMs, text } of frames) {
      const frame = decodeFrame(text)
      if (frame._tag === "Records" && frame.trId === trades) {
        yield* onDrift(frame.trId, frame.extraColumns)
        for (const values of frame.records) sightings.push(tradeSighting(values, receivedAtMs, frame.extraColumns))
      } else refused.push(reject("kis-ws", alias, receivedAtMs, "frameShape", text))
    }
    yield* conservation.add("kis-ws", { received: sightings.length + refused.length, rejected: refused.length })
    if (refused.length > 0) {
      yield* Effect.logWarning("stream frames could not be split and were set aside", {
        account: alias,
        frames: refused.length
      })
      yield* journal.append(refused)
    }
    if (sightings.length > 0) yield* deliver({ source: "kis-ws", account: alias, sightings })
  })

  const holeOf = (symbol: string, fromMs: number, toMs: number, now: number) =>
    gap(now, { fromMs, toMs, cause: "disconnect", symbol }, alias)

  const session = yield* makeStreamSession(
    account,
    approval,
    symbols.map((symbol): Registration => ({ trId: trades, trKey: symbol })),
    slots,
    {
      onFrames: (frames) => finishing(onFrames(frames)),
      onRegistered: Effect.fnUntraced(function* ({ trKey }, atMs) {
        streamed.add(trKey)
        const fromMs = lostSinceMs.get(trKey)
        if (fromMs === undefined) return
        yield* journal.append([holeOf(trKey, fromMs, atMs, yield* Clock.currentTimeMillis)])
        lostSinceMs.delete(trKey)
      }),
      onLost: (_because, lastHeardMs) =>
        Effect.sync(() => {
          for (const symbol of streamed) if (!lostSinceMs.has(symbol)) lostSinceMs.set(symbol, lastHeardMs)
        })
    }
  )

  /** A stream that is stopped while it is down leaves holes that no registration will close. */
  const tellHoles = Effect.gen(function* () {
    if (lostSinceMs.size === 0) return
    const now = yield* Clock.currentTimeMillis
    yield* journal.append([...lostSinceMs].map(([symbol, fromMs]) => holeOf(symbol, fromMs, now, now)))
    lostSinceMs.clear()
  }).pipe(Effect.timeoutOption("2 seconds"))

  return { ...session, run: Effect.onInterrupt(session.run, () => tellHoles) }
})
