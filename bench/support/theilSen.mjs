// A line through samples that outliers do not bend: the median of the slopes between all pairs (Theil and Sen), with the
// interval in which it lies with 95 % confidence, by the ranks of Kendall's test.

/** @param points `[x, y]`, three at the least. */
export const theilSen = (points) => {
  const slopes = []
  for (let i = 0; i < points.length; i += 1) {
    for (let j = i + 1; j < points.length; j += 1) {
      const dx = points[j][0] - points[i][0]
      if (dx !== 0) slopes.push((points[j][1] - points[i][1]) / dx)
    }
  }
  slopes.sort((a, b) => a - b)
  const n = points.length
  const count = slopes.length
  const spread = 1.96 * Math.sqrt((n * (n - 1) * (2 * n + 5)) / 18)
  const at = (rank) => slopes[Math.min(count - 1, Math.max(0, Math.round(rank)))]
  return { slope: at((count - 1) / 2), low: at((count - spread) / 2), high: at((count + spread) / 2) }
}
