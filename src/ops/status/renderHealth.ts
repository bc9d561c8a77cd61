import { styleText } from "node:util"
import { byteWords, spanWords } from "../amountWords.ts"
import { count, plural } from "../countWords.ts"
import type { HealthReport, PartStatus } from "../Health.ts"
import { visible } from "../logging/humanLine.ts"

/** What the status page is made of. What is absent was not told, or not in time. */
export interface StatusPage {
  readonly report: HealthReport
  readonly url: string
  readonly nowMs: number
  /** Records received a second by source, over the moment between two looks. */
  readonly perSecond?: Readonly<Record<string, number>>
  readonly gaps?: {
    readonly holes: number
    readonly left: number
    readonly left_all_seconds: number
    readonly lostTrades: number
  }
}

const colourOf = { ok: "green", starting: "cyan", degraded: "yellow", down: "red", off: "gray" } as const
const label_width = 14
const symbols_max = 8

type Paint = (status: PartStatus, text: string) => string

const ago = (nowMs: number, at: string | number | undefined): string =>
  at === undefined ? "" : `${spanWords(nowMs - (typeof at === "number" ? at : Date.parse(at)))} ago`

const line = (label: string, text: string) => `${label.padEnd(label_width)}${visible(text)}`

const headOf = ({ nowMs, report, url }: StatusPage, paint: Paint) => {
  const { node, phase, ready, startedAt, status, version } = report
  const state = paint(status, `${status}, ${ready ? "ready" : "not ready"}`)
  return [
    `${state}  ·  observer ${version} on ${visible(node)}  ·  ${phase}  ·  up ${spanWords(nowMs - Date.parse(startedAt))}  ·  ${url}`,
    ""
  ]
}

const partsOf = ({ nowMs, report }: StatusPage, paint: Paint) =>
  Object.entries(report.parts).map(([name, { lastGood, reason, since, status }]) => {
    const words = [
      since === undefined ? "" : `for ${spanWords(nowMs - Date.parse(since))}`,
      status === "ok" || lastGood === undefined ? "" : `last good ${ago(nowMs, lastGood)}`,
      reason ?? ""
    ].filter((word) => word !== "")
    return `${name.padEnd(label_width)}${paint(status, status.padEnd(10))}${visible(words.join("; "))}`.trimEnd()
  })

const coverageOf = ({ coverage, lost }: HealthReport) => {
  const { seen, stale, symbols, unknown } = coverage
  const names = unknown.slice(0, symbols_max).join(", ")
  const more = unknown.length > symbols_max ? ", …" : ""
  return [
    line("symbols", `${count(seen)} of ${count(symbols)} seen, ${count(stale)} stale`),
    ...(unknown.length === 0
      ? []
      : [line("unknown", `${count(unknown.length)} the broker does not know: ${names}${more}`)]),
    ...(lost.trades === 0
      ? []
      : [line("lost", `${plural(lost.trades, "trade")} of streams, ${count(lost.foundTrades)} found again`)])
  ]
}

const sourcesOf = ({ perSecond, report }: StatusPage) =>
  Object.entries(report.conservation).map(([source, { deduplicated, received, rejected, remainder, stored }]) => {
    const rate = perSecond?.[source]
    const pace = rate === undefined ? "" : `${count(Math.round(rate))}/s; `
    const odd = remainder === 0 ? "" : `, ${count(remainder)} MISSING`
    const sums = `${count(received)} received = ${count(stored)} stored + ${count(deduplicated)} unchanged + ${count(rejected)} rejected`
    return line(source, `${pace}${sums}${odd}`)
  })

const storesOf = ({ nowMs, report }: StatusPage) => {
  const { backup, disk, journal, sql } = report
  const { fsync_ms, head, lastAppendAtMs, waitingAppends } = journal
  const waits = waitingAppends === 0 ? "" : `, ${plural(waitingAppends, "append")} waiting`
  const fsync = fsync_ms === undefined ? "" : `, durable in ${fsync_ms.toFixed(1)} ms`
  const newest = lastAppendAtMs === undefined ? "nothing yet" : `newest ${ago(nowMs, lastAppendAtMs)}`
  const lag = sql && `${plural(sql.lag_records, "record")} behind, ${spanWords(sql.lag_seconds * 1_000)}`
  return [
    line("journal", `#${count(head.seq)}, ${newest}${fsync}${waits}`),
    ...(sql === undefined ? [] : [line("SQL", sql.state === "starting" ? "starting" : `#${count(sql.seq)}, ${lag}`)]),
    ...(disk?.folders ?? []).map(({ free_bytes, full_hours, name, path, state }) => {
      const free = free_bytes === undefined ? "" : `, ${byteWords(free_bytes)} free`
      const full = full_hours === undefined ? "" : `, full in ${spanWords(full_hours * 3_600_000)}`
      return line(`disk ${name}`, `${path}: ${state}${free}${full}`)
    }),
    ...(backup === undefined
      ? []
      : [
          line(
            "backup",
            `${backup.target}: last good ${backup.lastGoodAtMs === undefined ? "never" : ago(nowMs, backup.lastGoodAtMs)}, ` +
              `${plural(backup.unbacked.files, "file")} (${byteWords(backup.unbacked.bytes)}) waiting`
          )
        ])
  ]
}

const accountsOf = ({ nowMs, report }: StatusPage) =>
  report.feed.accounts.map(({ account, budget, connects, down, stream, token }) => {
    if (down !== undefined) return line(`@${account}`, `down: ${down}`)
    const learnt = budget.learntPerSecond < budget.callsPerSecond ? ` (learnt ${budget.learntPerSecond})` : ""
    const left = token.expiresAtMs === undefined ? "none" : `${spanWords(token.expiresAtMs - nowMs)} left`
    return line(
      `@${account}`,
      `calls ${budget.callsLastSecond}/${budget.callsPerSecond} a second${learnt}, ${count(budget.refusals)} refused; ` +
        `stream ${stream.state._tag} with ${stream.slotsHeld}/${stream.slotsBelieved} slots; ` +
        `connects ${connects.connectsLastHour}/${connects.connectsPerHour_max} an hour; token ${left}`
    )
  })

const gapsOf = ({ gaps }: StatusPage) => {
  if (gaps === undefined) return [line("gaps today", "not told in time; observer gaps reads the files")]
  const { holes, left, left_all_seconds, lostTrades } = gaps
  if (holes === 0) return [line("gaps today", "none")]
  const whole = left_all_seconds === 0 ? "" : `, nothing at all for ${spanWords(left_all_seconds * 1_000)}`
  const lost = lostTrades === 0 ? "" : `, ${plural(lostTrades, "trade")} lost`
  return [line("gaps today", `${plural(holes, "hole")}, ${count(left)} not filled${whole}${lost}`)]
}

const alarmsOf = ({ nowMs, report }: StatusPage) => {
  const firing = report.alerts
  if (firing.length === 0) return [line("alarms", "none")]
  return firing.map(({ rule, since, words }) =>
    line("alarm", `${rule}, for ${spanWords(nowMs - Date.parse(since))}: ${words}`)
  )
}

const actorsOf = ({ nowMs, report }: StatusPage) => {
  const troubled = report.actors.filter(({ state }) => state._tag === "parked" || state._tag === "backingOff")
  if (troubled.length === 0) {
    const restarts = report.actors.reduce((sum, each) => sum + each.restarts, 0)
    return [line("actors", `${count(report.actors.length)}, none in trouble, ${plural(restarts, "restart")}`)]
  }
  return troubled.map(({ lastError = "no reason given", name, sinceMs, state }) =>
    line("actor", `${name} ${state._tag} for ${spanWords(nowMs - sinceMs)}: ${lastError}`)
  )
}

/** A running observer's health as people read it; the alarms stand above everything else. */
export const renderHealth = (page: StatusPage, colours: boolean): ReadonlyArray<string> => {
  const paint: Paint = (status, text) => (colours ? styleText(colourOf[status], text, { validateStream: false }) : text)
  return [
    ...headOf(page, paint),
    ...alarmsOf(page),
    ...partsOf(page, paint),
    "",
    ...coverageOf(page.report),
    ...sourcesOf(page),
    ...gapsOf(page),
    ...storesOf(page),
    ...accountsOf(page),
    ...actorsOf(page)
  ]
}
