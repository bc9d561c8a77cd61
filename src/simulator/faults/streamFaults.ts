import { boundedMap } from "../boundedMap.ts"
import type { LedgerEntry } from "../ledger/LedgerEntry.ts"
import type { Outgoing, Parcel, TappedSession } from "../stream/FrameTap.ts"
import { type StreamCode, streamTexts } from "../stream/StreamRequest.ts"
import type { FaultBoard, Now, Subject } from "./FaultBoard.ts"
import { type FaultName, faultKinds } from "./faultKinds.ts"
import { fewerColumns, moreColumns, splitUtf8, wrongCount } from "./frameFaults.ts"

type Records = Extract<Outgoing, { readonly _tag: "Records" }>

/** A data frame on its way, a character a byte; `changed` where it is no longer what the exchange made. */
interface Frame {
  readonly message: Records
  readonly text: string
  readonly changed: boolean
  readonly session: TappedSession
  readonly faults: ReadonlyArray<FaultName>
}

/** What a client reads: UTF-8, and U+FFFD where the bytes are none. */
const readable = (text: string): string =>
  /[^\x00-\x7f]/.test(text) ? Buffer.from(text, "latin1").toString("utf8") : text

const heldMax = 1_000
const mutedMax = 10_000
const shapes: ReadonlyArray<FaultName> = ["moreColumns", "fewerColumns", "wrongCount", "splitUtf8"]

const isStreamCode = (code: string): code is StreamCode => Object.hasOwn(streamTexts, code)

/** What the faults make of a stream, and what the ledger notes of it. One for all sessions; pure apart from its own state. */
export const makeStreamFaults = (board: FaultBoard, now: () => Now, note: (entry: LedgerEntry) => void) => {
  /** Frames that wait for the next one of their session. */
  const held = boundedMap<ReadonlyArray<Frame>>(heldMax)
  /** Subscriptions whose records never come. */
  const muted = boundedMap<boolean>(mutedMax)

  const noted = ({ faults, message, session, text }: Frame): void =>
    note({
      kind: "frame",
      session: session.id,
      key: session.owner,
      tr: message.trId,
      symbol: message.trKey,
      records: message.records,
      text: readable(text),
      ...(faults.length === 0 ? {} : { faults })
    })

  const parcelsOf = (frame: Frame): ReadonlyArray<Parcel> => {
    noted(frame)
    const { changed, message, text } = frame
    return changed ? [{ data: Buffer.from(text, "latin1"), records: message.records }] : message.untouched
  }

  /** At most one change of shape a frame: two could cancel each other out. */
  const shaped = (message: Records, subject: Subject, at: Now, session: TappedSession): Frame => {
    const { records, text } = message
    const struck = board.first(shapes, subject, at)
    if (struck === undefined) return { message, text, changed: false, session, faults: [] }
    const { columns = 1, fault: name } = struck.fault
    const changed =
      name === "moreColumns"
        ? moreColumns(text, records, columns)
        : name === "fewerColumns"
          ? fewerColumns(text, records, columns)
          : name === "wrongCount"
            ? wrongCount(text)
            : splitUtf8(text)
    return { message, text: changed, changed: true, session, faults: [name] }
  }

  const named = (frame: Frame, name: FaultName): Frame => ({ ...frame, faults: [...frame.faults, name] })

  const slotOf = (session: TappedSession, trId: string, trKey: string) => `${session.id}|${trId}|${trKey}`

  const records = (session: TappedSession, message: Records, subject: Subject): ReadonlyArray<Parcel> => {
    if (board.list().length === 0) {
      noted({ message, text: message.text, changed: false, session, faults: [] })
      return message.untouched
    }
    if (muted.has(slotOf(session, message.trId, message.trKey))) return []
    const at = now()
    const frame = shaped(message, subject, at, session)
    const waiting = held.get(String(session.id)) ?? []
    held.delete(String(session.id))
    if (waiting.length === 0 && board.first(["reorderFrames"], subject, at)) {
      held.set(String(session.id), [named(frame, "reorderFrames")])
      return []
    }
    const twice = board.first(["duplicateFrames"], subject, at) ? [frame, named(frame, "duplicateFrames")] : [frame]
    return [...twice, ...waiting].flatMap(parcelsOf)
  }

  const reply = (session: TappedSession, message: Exclude<Outgoing, Records>, subject: Subject) => {
    const base = { session: session.id, key: session.owner }
    if (message._tag === "PingPong") {
      if (board.first(["pingpongStopped"], subject, now())) return []
      note({ kind: "pingpong", ...base })
      return message.untouched
    }
    const { code, trId, trKey } = message
    const slot = slotOf(session, trId, trKey)
    if (code === "OPSP0000" && board.first(["ackThenSilence"], subject, now())) muted.set(slot, true)
    if (code === "OPSP0001") muted.delete(slot)
    if (code === "OPSP0000" && board.first(["lostAck"], subject, now())) return []
    note({ kind: "reply", ...base, tr: trId, symbol: trKey, code })
    return message.untouched
  }

  return {
    outgoing: (session: TappedSession, message: Outgoing): ReadonlyArray<Parcel> | "cut" => {
      const subject: Subject =
        message._tag === "PingPong"
          ? { owner: session.owner }
          : { owner: session.owner, tr: message.trId, symbols: [message.trKey] }
      if (board.list().length > 0) {
        if (board.first(["cut"], subject, now())) {
          note({ kind: "cut", session: session.id, key: session.owner })
          return "cut"
        }
        if (board.first(["streamSilence"], subject, now())) return []
      }
      return message._tag === "Records" ? records(session, message, subject) : reply(session, message, subject)
    },
    refusal: ({ owner }: TappedSession, trId: string, trKey: string): StreamCode | undefined => {
      const struck = board.first(["refuseSubscribe"], { owner, tr: trId, symbols: [trKey] }, now())
      if (struck === undefined) return undefined
      const { code = faultKinds.refuseSubscribe.settings.code } = struck.fault
      return isStreamCode(code) ? code : undefined
    }
  }
}
