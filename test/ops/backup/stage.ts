import { Effect, Result } from "effect"
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { BackupTarget } from "../../../src/ops/backup/BackupTarget.ts"
import { allDays } from "../../../src/ops/backup/DaySelection.ts"
import { type BackupOptions, runBackup } from "../../../src/ops/backup/runBackup.ts"
import { parseTarget } from "../../../src/ops/backup/targets.ts"
import { type ArchiveShape, writeArchive } from "../../support/archive.ts"
import { clockOf, inOrder, marker, quotes, universeAt } from "../../support/archivedDay.ts"
import { programMissing } from "../../support/programs.ts"
import { scratchFolder } from "../../support/virtualTime.ts"

export const rsyncMissing = programMissing("rsync", "--version")
export const rcloneMissing = programMissing("rclone", "version")
for (const missing of [rsyncMissing, rcloneMissing]) {
  if (missing !== undefined) console.log(`backups are tested without a program: ${missing}`)
}

const codes = ["005930", "0001"]

/** Two whole days as a journal leaves them, the first compressed, with their universes. */
export const writeDays = (dataDir: string, shape: Partial<ArchiveShape> = {}) => {
  const drafts = ["20251120", "20251121"].map((day) => {
    const at = clockOf(day)
    return inOrder([
      marker(at("0830"), { event: "start" }),
      universeAt(dataDir, day, at("0840"), codes),
      ...quotes(codes, at("0900"), at("1200"))
    ])
  })
  const [first = [], second = []] = drafts
  return [
    ...writeArchive(dataDir, first, { node: "seoul-1", isPacked: () => true, ...shape }),
    ...writeArchive(dataDir, second, { node: "seoul-1", firstSeq: first.length + 1, ...shape })
  ]
}

/** The folders of an observer with two days, a torn line, logs and things that are nobody's business. */
export const openStage = Effect.map(scratchFolder, (folder) => {
  const at = (name: string) => join(folder, name)
  const [dataDir, logDir, stateDir, targetDir] = [at("data"), at("log"), at("state"), at("target")]
  for (const path of [dataDir, logDir, stateDir, targetDir, join(dataDir, "quarantine")])
    mkdirSync(path, { recursive: true })
  const sealed = writeDays(dataDir)
  writeFileSync(join(dataDir, "quarantine/seoul-1-000000000001.jsonl.12.torn"), '{"v":1,"se')
  writeFileSync(join(logDir, "observer.log"), '{"m":1}\n{"m":2}\n{"m"')
  writeFileSync(join(logDir, "observer-20251120-1.log"), '{"m":0}\n')
  writeFileSync(join(stateDir, "token-live.json"), "SECRET")
  writeFileSync(join(dataDir, ".head-seoul-1"), "hint")
  writeFileSync(join(dataDir, "2025/11/21/11/seoul-1-000000099999.jsonl.open"), "{}")
  return { folder, dataDir, logDir, stateDir, targetDir, sealed }
})
export type Stage = Effect.Success<typeof openStage>

export const targetOf = (address: string): BackupTarget =>
  Result.getOrThrowWith(parseTarget(address), (words) => new Error(words))

export const backup = ({ dataDir, logDir, stateDir }: Stage, address: string, more: Partial<BackupOptions> = {}) =>
  runBackup({ dataDir, logDir, stateDir, target: targetOf(address), selection: allDays, gzip_minutes: "off", ...more })

/** Files below a folder, hidden ones left out. */
export const filesBelow = (folder: string): ReadonlyArray<string> =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .flatMap((entry) => (entry.isFile() ? [join(entry.parentPath, entry.name).slice(folder.length + 1)] : []))
    .filter((file) => !/(^|\/)\./.test(file))
    .toSorted()

/** Turns one bit of a file over, and leaves its length and times as they are. */
export const flipBit = (path: string, at = 10): void => {
  const bytes = readFileSync(path)
  bytes[at] = (bytes[at] ?? 0) ^ 1
  writeFileSync(path, bytes)
}
