/**
 * Korean market time. Korea has had no daylight saving since 1988, so market time is UTC+9 throughout; the machine's
 * own zone is never asked. All instants are UTC milliseconds since 1970.
 */
const offset_ms = 9 * 3_600_000
const day_ms = 86_400_000

const two = (value: number) => (value < 10 ? `0${value}` : `${value}`)

/** The market's calendar date at an instant, `YYYYMMDD`. */
export const marketDate = (atMs: number): string => {
  const date = new Date(atMs + offset_ms)
  return `${date.getUTCFullYear()}${two(date.getUTCMonth() + 1)}${two(date.getUTCDate())}`
}

/** The market's wall clock at an instant, `HHMMSS`. */
export const marketHour = (atMs: number): string => {
  const date = new Date(atMs + offset_ms)
  return `${two(date.getUTCHours())}${two(date.getUTCMinutes())}${two(date.getUTCSeconds())}`
}

/** Milliseconds since the market's midnight. */
export const millisOfDay = (atMs: number): number => (((atMs + offset_ms) % day_ms) + day_ms) % day_ms

/** 0 is Sunday. */
export const marketWeekday = (atMs: number): number => new Date(atMs + offset_ms).getUTCDay()

/** The days since 1970 of the market's calendar date at an instant: equal when the date is, and a number to compare. */
export const marketDay = (atMs: number): number => Math.floor((atMs + offset_ms) / day_ms)

/** The instant of a market date (`YYYYMMDD`) and wall clock time (`HHMMSS`); `undefined` if either is not one. */
export const marketInstant = (date: string, hour: string): number | undefined => {
  const midnight = midnightOf(date)
  const seconds = secondsOfDay(hour)
  return midnight === undefined || seconds === undefined ? undefined : midnight + seconds * 1_000
}

/** The last date that was asked for: a stream says the same one in every record of the day. */
let asked: { readonly date: string; readonly midnight: number | undefined } = { date: "", midnight: undefined }

const midnightOf = (date: string): number | undefined => {
  if (date !== asked.date) asked = { date, midnight: readMidnight(date) }
  return asked.midnight
}

const readMidnight = (date: string): number | undefined => {
  if (!/^\d{8}$/.test(date)) return undefined
  const year = Number(date.slice(0, 4)),
    month = Number(date.slice(4, 6)),
    day = Number(date.slice(6, 8))
  const midnight = Date.UTC(year, month - 1, day) - offset_ms
  // `Date` makes some date of anything: 31 February is 3 March, and the year 1 is 1901.
  return marketDate(midnight) === date ? midnight : undefined
}

/** The seconds since midnight of a wall clock time, `HHMMSS`, digit by digit: it is read in every record of a stream. */
const secondsOfDay = (hour: string): number | undefined => {
  if (hour.length !== 6) return undefined
  const hours = twoDigits(hour, 0),
    minutes = twoDigits(hour, 2),
    seconds = twoDigits(hour, 4)
  return hours < 24 && minutes < 60 && seconds < 60 ? hours * 3_600 + minutes * 60 + seconds : undefined
}

/** `NaN`, which is less than nothing, unless both are digits. */
const twoDigits = (text: string, at: number): number => {
  const tens = text.charCodeAt(at) - 48
  const ones = text.charCodeAt(at + 1) - 48
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN
}

/** The instant at which a market date (`YYYYMMDD`) begins. */
export const marketMidnight = (date: string): number => marketInstant(date, "000000") ?? Number.NaN

/** The folder of a market date (`YYYYMMDD`): `YYYY/MM/DD`. */
export const dayFolder = (date: string): string => `${date.slice(0, 4)}/${date.slice(4, 6)}/${date.slice(6, 8)}`

/** The folder of an hour of the journal, in market time: `YYYY/MM/DD/HH`. */
export const hourFolder = (atMs: number): string => `${dayFolder(marketDate(atMs))}/${marketHour(atMs).slice(0, 2)}`
