import { Effect } from "effect"
import { join } from "node:path"
import { dayFolder, marketMidnight } from "../../calendar/MarketTime.ts"
import type { SaidDays } from "../../calendar/TradingDays.ts"
import type { JournalRecord } from "../../domain/JournalRecord.ts"
import { sha256Of } from "../../domain/sha256Of.ts"
import { Disk, type DiskError } from "../../journal/Disk.ts"
import { JournalReadError } from "../../journal/JournalError.ts"
import { nextSegment, readLines } from "../../journal/Reader.ts"
import { certificateFiles, inSignedOrder, signatureOf } from "../../journal/Signature.ts"
import { verifyArchive, type VerifyOptions, type VerifyReport } from "../../journal/Verify.ts"
import { replaceWhole } from "../../journal/wholeFile.ts"
import { conservationDay } from "./conservationDay.ts"
import { type Certificate, certificateText, type SqlDay } from "./Certificate.ts"
import { bin_ms, coverageOf, type SymbolDay } from "./coverageOf.ts"
import { dayPhases, type PhaseSpan } from "./DayPhases.ts"
import { makeDayTally } from "./DayTally.ts"
import { summariseGaps } from "./gapSummary.ts"
import { judge } from "./judge.ts"
import { renderPage } from "./renderPage.ts"
import { readWanted } from "./Wanted.ts"

/** Counts the rows of a day beside its lines. */
export interface RowCount {
  see(record: JournalRecord, node: string): void
  result(report: VerifyReport): Effect.Effect<SqlDay>
}

export interface CertifyOptions {
  readonly dataDir: string
  /** Market date, `YYYYMMDD`. */
  readonly day: string
  /** Of the observer. */
  readonly version: string
  readonly mode: "calendar" | "always"
  readonly said?: SaidDays | undefined
  /** Now, in market time. */
  readonly nowMs: number
  readonly rows: RowCount
  readonly onProgress?: VerifyOptions["onProgress"]
}

const day_ms = 86_400_000
const iso = (atMs: number) => new Date(atMs).toISOString()
const sum = <A>(list: ReadonlyArray<A>, of: (each: A) => number) => list.reduce((total, each) => total + of(each), 0)

const phaseDays = (
  phases: ReadonlyArray<PhaseSpan>,
  symbols: ReadonlyArray<SymbolDay>
): Certificate["coverage"]["phases"] =>
  phases.map(({ fromMs, phase, toMs }, at) => {
    const own = symbols.flatMap((each) => each.phases[at] ?? []).filter((each) => each.expected_seconds > 0)
    const records: Record<string, number> = {}
    for (const each of symbols) {
      for (const [kind, found] of Object.entries(each.phases[at]?.records ?? {}))
        records[kind] = (records[kind] ?? 0) + found
    }
    return {
      phase,
      from: iso(fromMs),
      to: iso(toMs),
      symbols: own.length,
      whole: own.filter((each) => each.actual_seconds === each.expected_seconds).length,
      expected_seconds: sum(own, (each) => each.expected_seconds),
      actual_seconds: sum(own, (each) => each.actual_seconds),
      repaired_seconds: sum(own, (each) => each.repaired_seconds),
      records
    }
  })

/** Of the marker's lists of symbols only the worst: the marker itself is in the journal. */
const worst_max = 20
const stalenessOf = (marker: Readonly<Record<string, unknown>> | undefined): Certificate["staleness"] => {
  if (marker === undefined) return { recorded: false }
  const { event: _event, ...told } = marker
  return {
    recorded: true,
    ...Object.fromEntries(
      Object.entries(told).map(([key, value]) => [
        key,
        Array.isArray(value) && key !== "classes" ? value.slice(0, worst_max) : value
      ])
    )
  }
}

/**
 * The first records after a node's last one of the day, if another day has begun: a start tells there of the time before
 * it in which nobody observed. Nothing else of a later day speaks of this one.
 */
const recordsAfter = Effect.fnUntraced(function* (
  dataDir: string,
  { entered, stretches }: VerifyReport,
  folder: string
) {
  const found: Array<JournalRecord> = []
  for (const { last, node } of stretches) {
    const file = entered.findLast((line) => line.node === node)?.file
    const from = { seq: last, file: file === undefined ? "" : `${folder}/${file}`, byteOffset: 0 }
    const chunk = yield* Effect.gen(function* () {
      const next = yield* nextSegment(dataDir, node, from)
      return next && (yield* readLines(dataDir, next))
      // That a later day is damaged is no news of this one.
    }).pipe(Effect.catch(() => Effect.undefined))
    found.push(...(chunk?.records ?? []))
  }
  return found.filter(({ kind }) => kind === "gap")
})

/** Reads a day and says what its record is worth. Writes nothing. Needs memory by the number of symbols and of holes. */
export const certificateOf = Effect.fn("certificate.of")(function* (options: CertifyOptions) {
  const { dataDir, day, mode, nowMs, rows, said, version } = options
  const whole = { fromMs: marketMidnight(day), toMs: marketMidnight(day) + day_ms }
  const phases = dayPhases(day, { mode, said })
  const endMs = phases.at(-1)?.toMs ?? whole.toMs
  const isOver = nowMs >= endMs
  const tally = makeDayTally(day, phases, whole)
  const report = yield* verifyArchive({
    dataDir,
    fromDay: day,
    toDay: day,
    onProgress: options.onProgress ?? (() => Effect.void),
    onRecord: (record, node) => {
      tally.see(record, node)
      rows.see(record, node)
    }
  })
  for (const record of yield* recordsAfter(dataDir, report, dayFolder(day))) tally.gaps.gap(record)

  const gaps = tally.gaps.at(endMs).filter(({ fromMs, toMs }) => toMs > whole.fromMs && fromMs < whole.toMs)
  const told = gaps.filter(({ symbol }) => symbol === undefined)
  const unrecorded = tally.silences.unrecorded(phases, Math.min(endMs, nowMs), told)
  const wanted = yield* readWanted(dataDir, tally.universes(), whole)
  const { symbols, timeline } = yield* coverageOf({ phases, wanted: wanted.symbols, gaps, unrecorded, tally })
  const perPhase = phaseDays(phases, symbols)
  const expected_seconds = sum(perPhase, (each) => each.expected_seconds)
  const actual_seconds = sum(perPhase, (each) => each.actual_seconds)
  const repaired_seconds = sum(perPhase, (each) => each.repaired_seconds)
  const { lanes, ...gapDay } = summariseGaps(gaps, phases, unrecorded)
  const [firstMs, lastMs] = [tally.silences.firstMs(), tally.silences.lastMs()]
  // What differs from an older certificate is a reason; that the older one cannot be read is none.
  const problems = report.problems.filter(({ kind }) => kind !== "certificate")
  const files = inSignedOrder(report.entered)

  const facts = {
    isOver,
    record: {
      records: tally.records(),
      ...(firstMs === undefined ? {} : { firstReceivedAt: iso(firstMs) }),
      ...(lastMs === undefined ? {} : { lastReceivedAt: iso(lastMs) }),
      unrecorded: unrecorded.map(({ fromMs, toMs }) => ({ from: iso(fromMs), to: iso(toMs) }))
    },
    universe: {
      symbols: wanted.symbols.length,
      files: wanted.files,
      unseen: symbols.filter(({ isUnseen }) => isUnseen).length
    },
    coverage: {
      expected_seconds,
      actual_seconds,
      repaired_seconds,
      share: expected_seconds === 0 ? 0 : (actual_seconds + repaired_seconds) / expected_seconds,
      phases: perPhase
    },
    staleness: stalenessOf(tally.coverage()),
    gaps: gapDay,
    rejects: tally.rejects(),
    conservation: conservationDay(tally.minutes()),
    sql: yield* rows.result(report),
    problems,
    timeline: { bin_seconds: bin_ms / 1_000, bins: timeline, lanes },
    manifest: signatureOf(files),
    files,
    symbols
  }
  const { reasons, verdict } = judge(facts)
  return {
    v: 1,
    day: day.replace(/(....)(..)(..)/, "$1-$2-$3"),
    verdict,
    madeAt: iso(nowMs),
    reasons,
    observer: version,
    nodes: tally.nodes(),
    ...facts
  } satisfies Certificate
})

/** What was written: the marker's part of it. */
export interface Written {
  readonly certificate: Certificate
  readonly certificateSha256: string
  /** Relative to the data folder. */
  readonly file: string
}

/** Makes a day's certificate and writes it to the day's folder, in place of one that is there. */
export const certifyDay = Effect.fn("certificate.certify")(
  function* (options: CertifyOptions) {
    const certificate: Certificate = yield* certificateOf(options)
    const disk = yield* Disk
    const day = dayFolder(options.day)
    const folder = join(options.dataDir, day)
    const { html, json, sums } = certificateFiles
    const text = Buffer.from(certificateText(certificate))
    const page = Buffer.from(renderPage(certificate))
    const certificateSha256 = sha256Of(text)
    // The checksums come last: without them a certificate is not finished, and is made again.
    yield* disk.remove(join(folder, sums))
    yield* replaceWhole(folder, html, page)
    yield* replaceWhole(folder, json, text)
    yield* replaceWhole(folder, sums, Buffer.from(`${certificateSha256}  ${json}\n${sha256Of(page)}  ${html}\n`))
    return { certificate, certificateSha256, file: `${day}/${json}` } satisfies Written
  },
  Effect.mapError((error: DiskError | JournalReadError) =>
    error._tag === "DiskError" ? new JournalReadError({ file: error.path, detail: error.message }) : error
  )
)
