import type { LogLevel } from "effect"
import { marketHour } from "../../calendar/MarketTime.ts"
import { type Entry, inWords } from "./entry.ts"

const reset = "\u001b[0m"
const dim = "\u001b[2m"
const colourOf: Partial<Record<LogLevel.LogLevel, string>> = {
  Fatal: "\u001b[1;31m",
  Error: "\u001b[31m",
  Warn: "\u001b[33m",
  Info: "\u001b[32m"
}

/** `09:00:01 INFO  message key=value`, in market time; a cause follows on indented lines. */
export const toHumanLine = (entry: Entry, colours: boolean): string => {
  const paint = (colour: string, text: string) => (colours && text !== "" ? `${colour}${text}${reset}` : text)
  const hour = marketHour(entry.at.getTime())
  const time = `${hour.slice(0, 2)}:${hour.slice(2, 4)}:${hour.slice(4, 6)}`
  const level = paint(colourOf[entry.level] ?? dim, entry.level.toUpperCase().padEnd(5))
  const pairs = [...Object.entries(entry.annotations), ...spans(entry)].map(
    ([key, value]) => `${visible(key)}=${word(value)}`
  )
  const first = [paint(dim, time), level, visible(entry.message), paint(dim, pairs.join(" "))]
  const cause = (entry.cause?.split("\n") ?? []).map((line) => paint(dim, `  ${visible(line)}`))
  return [first.filter((part) => part !== "").join(" "), ...cause].join("\n")
}

const spans = (entry: Entry) => Object.entries(entry.spans).map(([label, took_ms]) => [label, `${took_ms}ms`] as const)

const word = (value: unknown): string => {
  const text = visible(inWords(value))
  return text === "" || /[\s="]/.test(text) ? JSON.stringify(text) : text
}

/** Shows control characters instead of obeying them: what the broker or a file says must not write lines of its own. */
export const visible = (text: string): string =>
  text.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, (character) => {
    const known = { "\n": "\\n", "\r": "\\r", "\t": "\\t" }[character]
    return known ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`
  })
