const second_ms = 1_000
const minute_ms = 60_000
const hour_ms = 3_600_000
const day_ms = 86_400_000

/** A length of time in its largest fitting unit: `340 ms`, `12 s`, `5 min`, `7 h`, `3 days`. */
export const spanWords = (span_ms: number): string => {
  const ms = Math.max(0, span_ms)
  if (ms < second_ms) return `${Math.round(ms)} ms`
  if (ms < 2 * minute_ms) return `${Math.round(ms / second_ms)} s`
  if (ms < 2 * hour_ms) return `${Math.round(ms / minute_ms)} min`
  if (ms < 2 * day_ms) return `${Math.round(ms / hour_ms)} h`
  return `${Math.round(ms / day_ms)} days`
}

const units = ["bytes", "kB", "MB", "GB", "TB", "PB"] as const

/** Bytes with three digits at the most, in powers of a thousand: `1.2 GB`. */
export const byteWords = (bytes: number): string => {
  let value = Math.max(0, bytes)
  let unit = 0
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1_000
    unit += 1
  }
  return `${unit === 0 || value >= 99.5 ? Math.round(value) : Number(value.toPrecision(value >= 9.95 ? 3 : 2))} ${units[unit]}`
}

/** So many bytes in such a time, as bytes a second: `12 MB/s`. */
export const speedWords = (bytes: number, elapsed_ms: number): string =>
  `${byteWords(elapsed_ms === 0 ? 0 : (bytes / elapsed_ms) * 1_000)}/s`
