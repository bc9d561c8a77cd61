import { marketDate, marketHour, marketWeekday } from "../../calendar/MarketTime.ts"
import type { Severity } from "./Rule.ts"

/** One thing to be told. */
export interface AlertEvent {
  readonly event: "fired" | "reminder" | "recovered" | "ended" | "test"
  readonly rule: string
  readonly severity: Severity
  readonly title: string
  /** Since when it has been amiss, UTC milliseconds of the machine's clock, and of the market's. */
  readonly sinceMs: number
  readonly marketSinceMs: number
  /** For how long by now; of what is over, for how long it was. */
  readonly duration_seconds: number
  /** The figures. */
  readonly words: string
  readonly meaning: string
  readonly action: string
}

export interface AlertMessage {
  readonly node: string
  /** UTC milliseconds of the machine's clock. */
  readonly atMs: number
  /** One at least. */
  readonly events: ReadonlyArray<AlertEvent>
  /** Events before these that this channel could not deliver. */
  readonly undelivered: number
}

const weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]

/** An instant as people in the market say it: `Tue 2026-11-24 09:30:05 KST`. */
export const marketStamp = (atMs: number): string =>
  `${weekdays[marketWeekday(atMs)]} ${marketDate(atMs).replace(/(....)(..)(..)/, "$1-$2-$3")} ${marketHour(atMs).replace(/(..)(..)(..)/, "$1:$2:$3")} KST`

const long = (seconds: number): string => {
  if (seconds < 60) return `${Math.round(seconds)} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min`
  const hours = Math.floor(minutes / 60)
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`
  return `${Math.floor(hours / 24)} d ${hours % 24} h`
}

const headline = ({ duration_seconds, event, severity, title }: AlertEvent): string => {
  const rank = severity.toUpperCase()
  switch (event) {
    case "fired":
    case "ended":
      return `${rank}: ${title}`
    case "reminder":
      return `STILL ${rank} after ${long(duration_seconds)}: ${title}`
    case "recovered":
      return `OVER after ${long(duration_seconds)}: ${title}`
    case "test":
      return `TEST: ${title}`
  }
}

const explained: ReadonlySet<AlertEvent["event"]> = new Set(["fired", "reminder", "ended"])

/** What one event says, the most important first: a phone shows the first two lines. */
const paragraph = (event: AlertEvent, node: string): string =>
  [
    headline(event),
    event.words,
    `${node}, since ${marketStamp(event.marketSinceMs)}`,
    ...(explained.has(event.event) ? [event.meaning, `Do: ${event.action}`] : [])
  ]
    .filter((line) => line !== "")
    .join("\n")

/** More events than these are told in a line each. */
const whole_max = 3

const cut = (text: string, length_max: number): string =>
  text.length <= length_max ? text : `${text.slice(0, Math.max(0, length_max - 1))}…`

/** The subject of a mail, or the title of a message. */
export const renderTitle = ({ events, node }: AlertMessage): string => {
  const [first] = events
  if (first === undefined) return `[${node}]`
  return cut(`[${node}] ${headline(first)}${events.length > 1 ? ` (and ${events.length - 1} more)` : ""}`, 200)
}

/** The message as plain text of at most so many characters; what does not fit is counted, never cut in half. */
export const renderText = ({ events, node, undelivered }: AlertMessage, length_max: number): string => {
  const isBrief = events.length > whole_max
  const parts = events.map((event) => (isBrief ? `${headline(event)}\n${event.words}` : paragraph(event, node)))
  const head = isBrief ? [`${node}: ${events.length} messages`] : []
  const foot =
    undelivered === 0 ? [] : [`${undelivered} earlier messages could not be delivered; /health has what fires now.`]
  const more = (left: number) => (left === 0 ? [] : [`… and ${left} more; /health has what fires now.`])
  const joined = (shown: number) =>
    [...head, ...parts.slice(0, shown), ...more(parts.length - shown), ...foot].join("\n\n")
  for (let shown = parts.length; shown > 0; shown--) {
    const text = joined(shown)
    if (text.length <= length_max) return text
  }
  return cut([...head, parts[0] ?? "", ...foot].join("\n\n"), length_max)
}
