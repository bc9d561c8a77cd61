import type { Phase } from "../../domain/Phase.ts"
import { boardOf } from "../market/boardOf.ts"
import type { Issue } from "../market/Issue.ts"
import type { MarketListener } from "../market/MarketView.ts"
import { dataFrame, recordsPerFrame } from "./frames.ts"
import type { Outgoing } from "./FrameTap.ts"
import { type Session, slotOf } from "./Session.ts"
import type { StreamKind, StreamRecord, World } from "./StreamKind.ts"
import type { Wire } from "./Wire.ts"

/** One stream of one symbol, while somebody hears it. */
interface Topic {
  readonly kind: StreamKind
  readonly key: string
  readonly sessions: Set<Session>
  /** What has gathered for the next frame. */
  records: Array<string>
  cumVolumes: Array<number>
  /** The quotes that all of them were made at. KRW. */
  ask: number
  bid: number
  last: Outgoing | undefined
}

/** How long after the close the last trade frame comes once more; only that it does is known [U]. */
const repeatAfter_ms = 60_000

const isTrading = (phase: Phase) => phase === "continuous" || phase === "closingAuction"

/**
 * Who hears of what. Records of a symbol gather for one beat of the exchange's time and leave as one frame; a full frame
 * and a change of quotes do not wait for the beat, so ASKP1 and BIDP1 are equal in all records of a frame, as captured.
 * At the beat trades leave first and then the books, so that a book follows the trade its ACML_VOL names.
 */
export const makeTopics = ({ options, view }: World, wire: Pick<Wire, "release" | "sendWithStep">) => {
  const topics = new Map<string, Topic>()
  /** By key, and without those that are never heard of. */
  const heard = new Map<string, ReadonlyArray<Topic>>()
  const touched = new Set<Topic>()
  const books = new Map<Topic, Issue>()
  let beat = -1
  let phase = view.phase()
  let repeatAtMs: number | undefined

  const deliver = ({ sessions }: Topic, frame: Outgoing) => {
    for (const session of sessions) wire.sendWithStep(session, frame)
  }
  const emit = (topic: Topic) => {
    const { cumVolumes, key, kind, records } = topic
    if (records.length === 0) return
    topic.records = []
    topic.cumVolumes = []
    topic.last = dataFrame(kind.trId, key, records, cumVolumes)
    deliver(topic, topic.last)
  }
  const gather = (topic: Topic, record: StreamRecord | undefined) => {
    if (record === undefined) return
    const { ask = 0, bid = 0, cumVolume, text } = record
    if (topic.ask !== ask || topic.bid !== bid || topic.records.length >= recordsPerFrame) emit(topic)
    topic.ask = ask
    topic.bid = bid
    topic.records.push(text)
    if (cumVolume !== undefined) topic.cumVolumes.push(cumVolume)
    touched.add(topic)
  }
  const flush = () => {
    for (const topic of touched) emit(topic)
    touched.clear()
    for (const [topic, issue] of books) {
      const { key, kind } = topic
      if (kind.onBook === undefined) continue
      const { cumVolume, text } = kind.onBook(issue)
      deliver(topic, dataFrame(kind.trId, key, [text], cumVolume === undefined ? [] : [cumVolume]))
    }
    books.clear()
  }
  const repeatLast = () => {
    const now = view.phase()
    if (now !== phase) {
      repeatAtMs = isTrading(phase) && !isTrading(now) && now !== "halt" ? view.nowMs() + repeatAfter_ms : undefined
      phase = now
    }
    if (repeatAtMs === undefined || view.nowMs() < repeatAtMs) return
    repeatAtMs = undefined
    for (const topic of topics.values()) {
      if (topic.kind.onTrade !== undefined && topic.last !== undefined) deliver(topic, topic.last)
    }
  }

  const listener: MarketListener = {
    onTrade: (issue, trade) => {
      const hearing = heard.get(issue.entry.code)
      if (hearing === undefined) return
      for (const topic of hearing) gather(topic, topic.kind.onTrade?.(issue, trade))
    },
    onBook: (issue) => {
      for (const topic of heard.get(issue.entry.code) ?? [])
        if (topic.kind.onBook !== undefined) books.set(topic, issue)
    },
    onExpected: (issue, match) => {
      for (const topic of heard.get(issue.entry.code) ?? []) gather(topic, topic.kind.onExpected?.(issue, match))
    },
    onIndex: (level) => {
      for (const topic of heard.get(level.code) ?? []) gather(topic, topic.kind.onIndex?.(level))
    },
    onOperation: (operation) => {
      const hearing =
        operation.issueCode === undefined ? [...heard.values()].flat() : (heard.get(operation.issueCode) ?? [])
      for (const topic of hearing) {
        const issue = view.issue(topic.key)
        if (issue === undefined) continue
        if (operation.market === undefined || operation.market === boardOf(issue))
          gather(topic, topic.kind.onOperation?.(issue, operation))
      }
    },
    onStepEnd: () => {
      const now = Math.floor(view.nowMs() / options.frameWindow_ms)
      if (now !== beat) {
        beat = now
        flush()
        repeatLast()
      }
      wire.release()
    }
  }

  const open = (kind: StreamKind, key: string): Topic => {
    const topic: Topic = {
      kind,
      key,
      sessions: new Set(),
      records: [],
      cumVolumes: [],
      ask: 0,
      bid: 0,
      last: undefined
    }
    topics.set(slotOf(kind.trId, key), topic)
    const issue = view.issue(key)
    const isSilent = issue !== undefined && kind.carries !== undefined && !kind.carries(issue)
    if (!isSilent) heard.set(key, [...(heard.get(key) ?? []), topic])
    return topic
  }
  const close = (topic: Topic) => {
    topics.delete(slotOf(topic.kind.trId, topic.key))
    touched.delete(topic)
    books.delete(topic)
    const others = (heard.get(topic.key) ?? []).filter((other) => other !== topic)
    if (others.length === 0) heard.delete(topic.key)
    else heard.set(topic.key, others)
  }
  const leave = (slot: string, session: Session): void => {
    const topic = topics.get(slot)
    if (topic === undefined) return
    topic.sessions.delete(session)
    if (topic.sessions.size === 0) close(topic)
  }

  return {
    listener,
    join: (kind: StreamKind, key: string, session: Session): void => {
      const topic = topics.get(slotOf(kind.trId, key)) ?? open(kind, key)
      topic.sessions.add(session)
    },
    leave,
    /** Who hears of this key on this stream. */
    sessionsOf: (trId: string, key: string): ReadonlySet<Session> =>
      topics.get(slotOf(trId, key))?.sessions ?? noSessions
  }
}

const noSessions: ReadonlySet<Session> = new Set()

export type Topics = ReturnType<typeof makeTopics>
