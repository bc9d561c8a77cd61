import type { Certificate } from "../Certificate.ts"
import { duration, escaped, hourOf, percentOf } from "./html.ts"

const width = 960
const left = 92
const coverage_height = 88
const lane_height = 20
const top = 34
/** A hole of a second must be seen on a day of twelve hours. */
const mark_width_min = 2

const names: Readonly<Record<string, string>> = {
  preOpen: "pre-open",
  openingAuction: "auction",
  continuous: "continuous",
  closingAuction: "auction",
  afterClose: "after close",
  afterMarket: "after-market"
}

/** A label is left out where it would not fit. */
const label_width = (text: string) => text.length * 6.2 + 4

/**
 * A picture of the day: above, how much of what was to be seen was, five minutes a column; below, a line for each cause,
 * with a mark where at least one symbol was missed. No script, and colours from the page.
 */
export const timeline = ({ coverage, timeline: { bin_seconds, bins, lanes } }: Certificate): string => {
  const [first, last] = [coverage.phases[0], coverage.phases.at(-1)]
  if (first === undefined || last === undefined) return ""
  const [fromMs, toMs] = [Date.parse(first.from), Date.parse(last.to)]
  const x = (at: string | number) => {
    const atMs = typeof at === "number" ? at : Date.parse(at)
    return left + ((Math.min(toMs, Math.max(fromMs, atMs)) - fromMs) / (toMs - fromMs)) * (width - left - 8)
  }
  const px = (value: number) => Number(value.toFixed(1))
  const bottom = top + coverage_height
  const height = bottom + 26 + lanes.length * (lane_height + 4)

  const bands = coverage.phases.map(({ from, phase, to }, at) => {
    const label = names[phase] ?? phase
    const room = x(to) - x(from)
    const text =
      label_width(label) > room
        ? ""
        : `<text x="${px(x(from) + room / 2)}" y="14" class="phase">${escaped(label)}</text>`
    return `<rect x="${px(x(from))}" y="${top}" width="${px(room)}" height="${coverage_height}" class="band${at % 2}"><title>${escaped(`${phase} ${hourOf(from)}–${hourOf(to)}`)}</title></rect>${text}`
  })
  const columns = bins.flatMap((bin) => {
    if (bin.expected_seconds === 0) return []
    const start = x(bin.from)
    const wide = x(Date.parse(bin.from) + bin_seconds * 1_000) - start
    const missing = (bin.missing_seconds / bin.expected_seconds) * coverage_height
    const repaired = (bin.repaired_seconds / bin.expected_seconds) * coverage_height
    const seen = coverage_height - missing - repaired
    const box = (y: number, tall: number, kind: string) =>
      tall <= 0
        ? ""
        : `<rect x="${px(start)}" y="${px(y)}" width="${px(wide + 0.3)}" height="${px(Math.max(tall, 1))}" class="${kind}"/>`
    const said = percentOf(bin.expected_seconds - bin.missing_seconds, bin.expected_seconds)
    return [
      `<g><title>${hourOf(bin.from)} ${said}</title>${box(bottom - seen, seen, "seen")}${box(top + missing, repaired, "repaired")}${box(top, missing, "missing")}</g>`
    ]
  })
  const hours: Array<string> = []
  for (let atMs = Math.ceil(fromMs / 3_600_000) * 3_600_000; atMs <= toMs; atMs += 3_600_000) {
    const hour = hourOf(new Date(atMs).toISOString()).slice(0, 2)
    hours.push(
      `<line x1="${px(x(atMs))}" x2="${px(x(atMs))}" y1="${top}" y2="${height - 4}" class="hour"/><text x="${px(x(atMs))}" y="28" class="tick">${hour}</text>`
    )
  }
  const causes = lanes.map(({ cause, spans }, at) => {
    const y = bottom + 22 + at * (lane_height + 4)
    const marks = spans.map(({ from, isRepaired, to }) => {
      const wide = Math.max(mark_width_min, x(to) - x(from))
      const words = `${cause} ${hourOf(from)}–${hourOf(to)}, ${duration((Date.parse(to) - Date.parse(from)) / 1_000)}${isRepaired ? ", filled afterwards" : ""}`
      return `<rect x="${px(x(from))}" y="${y}" width="${px(wide)}" height="${lane_height - 4}" class="${isRepaired ? "repaired" : "missing"}"><title>${escaped(words)}</title></rect>`
    })
    return `<rect x="${left}" y="${y}" width="${width - left - 8}" height="${lane_height - 4}" class="lane"/><text x="${left - 8}" y="${y + 12}" class="cause">${escaped(cause)}</text>${marks.join("")}`
  })
  return `<figure><svg viewBox="0 0 ${width} ${height}" role="img" aria-label="The day by phase, and its gaps by cause">
${bands.join("\n")}
${columns.join("\n")}
<text x="${left - 8}" y="${top + 12}" class="cause">100 %</text><text x="${left - 8}" y="${bottom}" class="cause">0 %</text>
${causes.join("\n")}
${hours.join("\n")}
</svg><figcaption><span class="key seen"></span> seen <span class="key repaired"></span> filled afterwards <span class="key missing"></span> missing; hours are Korean time. Below, where at least one symbol was missed, by cause.</figcaption></figure>`
}
