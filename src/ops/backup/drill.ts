import { Clock, Effect } from "effect"
import type { Migrator, SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { mkdir } from "node:fs/promises"
import { join } from "node:path"
import { type ManifestLine, readManifest } from "../../journal/Manifest.ts"
import { quickRecord } from "../../journal/QuickLine.ts"
import { readArchive } from "../../journal/Reader.ts"
import { replaceWhole } from "../../journal/wholeFile.ts"
import { verifyArchive } from "../../journal/Verify.ts"
import * as Database from "../../sql/Database.ts"
import { countRows, makeHourCount } from "../../sql/HourRows.ts"
import { replay } from "../../sql/Replay.ts"
import type { BackupTarget } from "./BackupTarget.ts"
import { theseDays } from "./DaySelection.ts"
import { drillScratch } from "./drillScratch.ts"
import { fileCall } from "./fileCall.ts"
import { makeSealedFiles, sealedForm } from "./inventory.ts"
import { isAt } from "./planSealed.ts"
import { backupFolder, load } from "./Receipts.ts"
import { restore } from "./restore.ts"

export interface DrillOptions {
  readonly target: BackupTarget
  /** `YYYY/MM/DD`. */
  readonly day: string
  readonly dataDir: string
  readonly stateDir: string
  /** Where the scratch folder is made; the backup's folder if not given. */
  readonly scratchDir?: string
  /** So much room must stay free on its file system. */
  readonly low_bytes: number
  /** Makes the tables in an empty database. */
  readonly makeTables: Effect.Effect<unknown, Migrator.MigrationError | SqlError, SqlClient.SqlClient>
  /** What is begun now. */
  readonly onStep?: (step: string) => Effect.Effect<void>
}

/** One hour of the day, all nodes together: what the manifest says, what was read, what is in the database. */
export interface DrillHour {
  /** Market time, `09`. */
  readonly hour: string
  readonly manifestLines: number
  /** Of the live journal; absent where it does not have the day any more. */
  readonly liveLines?: number
  readonly readLines: number
  /** Lines that are to be rows, gaps and rejects included, and how many there are. */
  readonly toStore: number
  readonly rows: number
  readonly refused: number
}

export interface DrillReport {
  readonly v: 1
  /** UTC, when it began. */
  readonly at: string
  readonly target: string
  /** `2026-11-20`. */
  readonly day: string
  readonly ok: boolean
  readonly files: number
  readonly bytes: number
  readonly lines: number
  readonly rows: number
  readonly hours: ReadonlyArray<DrillHour>
  /** Against what the day was held. */
  readonly live: "compared" | "the live journal does not have this day any more"
  /** Files of the live journal that wait for their first backup. */
  readonly notBackedUp: number
  /** Everything that is not as it should be. */
  readonly wrong: ReadonlyArray<{ readonly what: string; readonly detail: string }>
  readonly seconds: number
}

const hourOf = ({ file }: Pick<ManifestLine, "file">) => file.slice(0, 2)
const market_ms = 9 * 3_600_000
const marketHourOf = (atMs: number) => new Date(atMs + market_ms).toISOString().slice(11, 13)
/** So many of one kind are named. */
const named_max = 100

const sumBy = <A>(list: Iterable<A>, key: (each: A) => string, value: (each: A) => number) => {
  const sums = new Map<string, number>()
  for (const each of list) sums.set(key(each), (sums.get(key(each)) ?? 0) + value(each))
  return sums
}

interface Choice {
  readonly target: BackupTarget
  readonly dataDir: string
  readonly stateDir: string
  /** Only days before this one. */
  readonly before: string
}

/** The newest day that the target has whole; where the live journal does not have it, the target's lists are believed. */
export const newestDayAt = Effect.fnUntraced(function* ({ before, dataDir, stateDir, target }: Choice) {
  yield* target.prepare
  const receipts = yield* load(stateDir)
  const sealedFiles = makeSealedFiles(dataDir)
  const days = (yield* target.list()).flatMap(
    ({ file }) => /^(\d{4}\/\d{2}\/\d{2})\/MANIFEST\.jsonl$/.exec(file)?.[1] ?? []
  )
  const past = days
    .filter((day) => day < before)
    .toSorted()
    .toReversed()
  for (const day of past) {
    const { files } = yield* sealedFiles(theseDays([day]))
    if (files.every((file) => isAt(receipts, target.name, file))) return day
  }
  return past[0]
})

/**
 * Shows that a day can be had back: restores it into a folder of its own, verifies every file, replays it into a database
 * of its own, and counts by the hour. Held against the manifest and, where it still has the day, the live journal. Leaves
 * nothing but its report, `drill.json` in the backup's folder.
 */
export const drill = Effect.fn("Backup.drill")(function* (options: DrillOptions) {
  const { dataDir, day, makeTables, onStep = () => Effect.void, stateDir, target } = options
  const startedAtMs = yield* Clock.currentTimeMillis
  const parent = options.scratchDir ?? backupFolder(stateDir)
  const scratch = yield* drillScratch({ target, day, dataDir, parent, low_bytes: options.low_bytes })
  const restored = join(scratch, "data")
  const wrong: Array<DrillReport["wrong"][number]> = []
  const add = (what: string, details: ReadonlyArray<string>) => {
    wrong.push(...details.slice(0, named_max).map((detail) => ({ what, detail })))
    if (details.length > named_max) wrong.push({ what, detail: `and ${details.length - named_max} more` })
  }

  yield* onStep(`restoring ${day} from ${target.name}`)
  const brought = yield* restore({
    target,
    selection: theseDays([day]),
    into: restored,
    overwrite: false,
    // Outside of the scratch folder, which a killed drill leaves without anybody who would look into it.
    orphanNote: join(backupFolder(stateDir), "drill-child.json")
  })
  add(
    "restore",
    brought.wrong.map(({ file, reason }) => `${file}: ${reason}`)
  )

  yield* onStep("verifying every file")
  const range = { dataDir: restored, fromDay: day.replaceAll("/", ""), toDay: day.replaceAll("/", "") }
  const count = makeHourCount(new Map())
  const readLines = new Map<string, number>()
  const verified = yield* verifyArchive({
    ...range,
    onRecord: (record, node, file) => {
      count.see(record, node)
      const hour = file.slice(day.length + 1, day.length + 3)
      readLines.set(hour, (readLines.get(hour) ?? 0) + 1)
    }
  })
  add(
    "verify",
    verified.problems.map(({ file, problem }) => `${file}: ${problem}`)
  )

  yield* onStep("replaying into a database of its own")
  const rows = yield* Effect.gen(function* () {
    yield* makeTables
    yield* replay({ chunks: readArchive(range, quickRecord), range: "drill", onProgress: () => Effect.void })
    return yield* countRows(count, verified.stretches, new Map())
  }).pipe(Effect.provide(Database.layer({ _tag: "embedded", folder: join(scratch, "db") })))

  yield* onStep("comparing")
  let notBackedUp = 0
  const manifest = yield* readManifest(restored, day)
  const live = yield* readManifest(dataDir, day)
  const there = new Map(manifest.map(({ file, sha256 }) => [file, sha256]))
  if (live.length > 0) {
    const receipts = yield* load(stateDir)
    const absent = live.filter(({ file }) => !there.has(file))
    const missing = absent.filter((line) => isAt(receipts, target.name, sealedForm(day, line)))
    notBackedUp = absent.length - missing.length
    add(
      "live journal",
      missing.map(({ file }) => `${day}/${file} is in the live journal and not in the backup`)
    )
    const other = live.filter(({ file, sha256 }) => there.has(file) && there.get(file) !== sha256)
    add(
      "live journal",
      other.map(({ file }) => `${day}/${file} has another content in the backup than in the live journal`)
    )
  }
  const manifestLines = sumBy(manifest, hourOf, ({ lines }) => lines)
  const liveLines = sumBy(live, hourOf, ({ lines }) => lines)
  const stored = sumBy(
    rows.hours,
    ({ hour }) => marketHourOf(Date.parse(hour)),
    (each) => each.rows + each.incidentRows
  )
  const refused = sumBy(
    rows.hours,
    ({ hour }) => marketHourOf(Date.parse(hour)),
    (each) => each.refused
  )
  const toStore = sumBy(
    rows.hours,
    ({ hour }) => marketHourOf(Date.parse(hour)),
    (each) => each.lines + each.incidentLines
  )
  const hours = [...new Set([...manifestLines.keys(), ...liveLines.keys(), ...toStore.keys()])]
    .toSorted()
    .map((hour): DrillHour => {
      const inLive = liveLines.get(hour)
      return {
        hour,
        manifestLines: manifestLines.get(hour) ?? 0,
        ...(inLive === undefined ? {} : { liveLines: inLive }),
        readLines: readLines.get(hour) ?? 0,
        toStore: toStore.get(hour) ?? 0,
        rows: stored.get(hour) ?? 0,
        refused: refused.get(hour) ?? 0
      }
    })
  for (const each of hours) {
    if (each.readLines !== each.manifestLines) {
      add("lines", [`${each.hour} h: the manifest says ${each.manifestLines}, ${each.readLines} were read`])
    }
    const missing = each.toStore - each.rows - each.refused
    if (missing !== 0) add("rows", [`${each.hour} h: ${each.toStore} lines to store, ${each.rows + each.refused} rows`])
  }
  add(
    "rows",
    rows.hours.filter(({ differing }) => differing).map(({ hour, node }) => `${hour} of ${node}: rows of other records`)
  )
  const lines = manifest.reduce((sum, each) => sum + each.lines, 0)
  if (lines === 0) add("lines", ["there is not one line of this day in the backup"])

  const report: DrillReport = {
    v: 1,
    at: new Date(startedAtMs).toISOString(),
    target: target.name,
    day: day.replaceAll("/", "-"),
    ok: wrong.length === 0,
    files: brought.files,
    bytes: brought.bytes,
    lines: verified.lines,
    rows: hours.reduce((sum, each) => sum + each.rows, 0),
    hours,
    notBackedUp,
    live: live.length > 0 ? "compared" : "the live journal does not have this day any more",
    wrong,
    seconds: Math.round(((yield* Clock.currentTimeMillis) - startedAtMs) / 100) / 10
  }
  yield* fileCall("make folder", backupFolder(stateDir), () => mkdir(backupFolder(stateDir), { recursive: true }))
  yield* replaceWhole(backupFolder(stateDir), "drill.json", Buffer.from(`${JSON.stringify(report, undefined, 2)}\n`))
  return report
}, Effect.scoped)
