const bars = " ▁▂▃▄▅▆▇█"

/** Values in time as one line of bars between their least and their most; each bar is the mean of its part. */
export const chart = (values, width = 60) => {
  const columns = Math.min(width, values.length)
  const parts = Array.from({ length: columns }, (_, at) => {
    const part = values.slice(
      Math.floor((at * values.length) / columns),
      Math.floor(((at + 1) * values.length) / columns)
    )
    return part.reduce((sum, value) => sum + value, 0) / part.length
  })
  const least = Math.min(...parts)
  const range = Math.max(...parts) - least
  return parts.map((value) => bars[range === 0 ? 1 : 1 + Math.round(((value - least) / range) * 7)]).join("")
}
