import { marketHour } from "../../../calendar/MarketTime.ts"
import { count } from "../../countWords.ts"

const escapes: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;"
}

/** Text as it may stand in HTML, attributes included. */
export const escaped = (text: string): string => text.replace(/[&<>"']/g, (found) => escapes[found] ?? found)

/** A wall clock time of the market, `HH:MM:SS`. */
export const hourOf = (at: string): string => marketHour(Date.parse(at)).replace(/(..)(..)(..)/, "$1:$2:$3")

/** Rounded down: nothing but all is 100 %. */
export const percentOf = (part: number, whole: number): string =>
  whole === 0 ? "–" : `${(Math.floor((part / whole) * 100_000) / 1_000).toFixed(3)} %`

export const duration = (seconds: number): string => {
  const whole = Math.round(seconds)
  if (whole < 60) return `${Number(seconds.toFixed(1))} s`
  if (whole < 3_600) return `${Math.floor(whole / 60)} min ${whole % 60} s`
  return `${count(Math.floor(whole / 3_600))} h ${Math.floor((whole % 3_600) / 60)} min`
}

export interface Column {
  readonly name: string
  readonly isNumber?: boolean
  /** Times and the like, which are not broken. */
  readonly isWhole?: boolean
}

/** A table; cells are text, and escaped here. */
export const table = (columns: ReadonlyArray<Column>, rows: ReadonlyArray<ReadonlyArray<string>>): string => {
  const cell = (tag: string, text: string, column: Column | undefined) =>
    `<${tag}${column?.isNumber ? ' class="n"' : column?.isWhole ? ' class="t"' : ""}>${escaped(text)}</${tag}>`
  const head = columns.map((column) => cell("th", column.name, column)).join("")
  const body = rows.map((row) => `<tr>${row.map((text, at) => cell("td", text, columns[at])).join("")}</tr>`)
  return `<div class="wide"><table><thead><tr>${head}</tr></thead><tbody>${body.join("\n")}</tbody></table></div>`
}

export const section = (title: string, content: string): string =>
  `<section><h2>${escaped(title)}</h2>${content}</section>`
export const paragraph = (text: string): string => `<p>${escaped(text)}</p>`
