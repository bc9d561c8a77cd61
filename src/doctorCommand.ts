import { Console, Effect, References, Result } from "effect"
import { Command, Flag } from "effect/cli"
import { fileURLToPath } from "node:url"
import { MarketClock, rehearsed } from "./calendar/MarketClock.ts"
import { databaseOf } from "./databaseOf.ts"
import { lookAtSettings, type SettingsLook } from "./doctorSettings.ts"
import { observerAddress } from "./httpAddress.ts"
import { withoutSecrets } from "./domain/Secrets.ts"
import { Disk } from "./journal/Disk.ts"
import { FolderLock } from "./journal/FolderLock.ts"
import { ChildEnvironment, childEnvironment } from "./ops/backup/childProgram.ts"
import { checks } from "./ops/doctor/checks.ts"
import { type Finding, worstOf } from "./ops/doctor/Finding.ts"
import type { Installation } from "./ops/doctor/Installation.ts"
import { renderFindings } from "./ops/doctor/renderFindings.ts"
import { diagnose } from "./ops/Doctor.ts"
import type { HealthReport } from "./ops/Health.ts"
import { askObserver } from "./ops/RunningObserver.ts"
import { hasColours } from "./hasColours.ts"
import { ProgramEnd } from "./ProgramEnd.ts"
import type { Settings } from "./Settings.ts"
import { marketToday, namedAccounts } from "./Source.ts"
import { version } from "./version.ts"

/** By the worst that was found. */
const codeOf = { ok: 0, warn: 1, fail: 2 } as const

const megabyte = 1_000_000

const deadline = "40 seconds"

const flags = {
  json: Flag.Boolean("json").pipe(
    Flag.withDescription(
      "The findings as one JSON object: {at, version, checks: [{name, status, words, advice?, ms?, details?}], worst}"
    ),
    Flag.withDefault(false)
  ),
  offline: Flag.Boolean("offline").pipe(
    Flag.withDescription("Leave out what asks another machine"),
    Flag.withDefault(false)
  )
}

/** A running one answers from memory; one that hangs should not hold the other checks up. */
const health_ms_max = 3_000

const healthOf = Effect.fnUntraced(function* (settings: Settings) {
  const { body, status } = yield* askObserver(yield* observerAddress(settings), "/health", health_ms_max)
  if (status !== 200) return undefined
  const parsed = Result.try((): HealthReport => JSON.parse(body))
  const report = Result.getOrElse(parsed, () => undefined)
  // Another program may listen there.
  return report?.parts === undefined || report.feed === undefined ? undefined : report
})

const installationOf = Effect.fnUntraced(function* ({ accounts, settings }: NonNullable<SettingsLook["used"]>) {
  const {
    backupAge_hours: age_hours,
    backupTarget: target,
    dataDir,
    fsync_ms,
    logDir,
    node,
    session,
    stateDir
  } = settings
  const holder = FolderLock.holder(dataDir).pipe(Effect.orElseSucceed(() => undefined))
  const health = healthOf(settings).pipe(Effect.orElseSucceed(() => undefined))
  return {
    node,
    dataDir,
    logDir,
    stateDir,
    fsync_ms,
    disk: { low_bytes: settings.diskLow_mb * megabyte, stop_bytes: settings.diskStop_mb * megabyte },
    retention: { days: settings.retention_days, unbacked: settings.retentionUnbacked },
    backup: target === undefined ? undefined : { target, age_hours },
    session,
    accounts: namedAccounts(settings, accounts.accounts, yield* marketToday)?.accounts,
    database: settings.sql ? databaseOf(settings) : undefined,
    migrations: fileURLToPath(new URL("./migrations", import.meta.url)),
    holder: yield* Effect.cached(holder),
    health: yield* Effect.cached(health)
  } satisfies Installation
})

const mapTexts = (value: unknown, change: (text: string) => string): unknown => {
  if (typeof value === "string") return change(value)
  if (Array.isArray(value)) return value.map((each) => mapTexts(each, change))
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, mapTexts(each, change)]))
}

/** Whatever a library quotes in its words, secrets are not shown. */
const shown = (findings: ReadonlyArray<Finding>) => mapTexts(findings, withoutSecrets) as ReadonlyArray<Finding>

const look = Effect.fnUntraced(function* (offline: boolean) {
  const { findings, used } = yield* lookAtSettings(process.env, process.cwd())
  const others = Effect.gen(function* () {
    const on = used === undefined ? undefined : yield* installationOf(used)
    return yield* diagnose(checks, { env: process.env }, on, { offline, deadline })
  }).pipe(Effect.provideService(ChildEnvironment, childEnvironment(process.env)))
  const clock = used?.settings.clock
  const found = yield* clock === undefined ? others : Effect.provideService(others, MarketClock, rehearsed(clock))
  return shown([...findings, ...found])
})

const run = Effect.fnUntraced(function* ({ json, offline }: Command.Command.Config.Infer<typeof flags>) {
  const findings = yield* look(offline)
  const worst = worstOf(findings)
  const isTerminal = process.stdout.isTTY
  const lines = json
    ? [JSON.stringify({ at: new Date().toISOString(), version, checks: findings, worst })]
    : renderFindings(findings, { colours: hasColours(), width: isTerminal ? process.stdout.columns : undefined })
  yield* Effect.forEach(lines, (line) => Console.log(line), { discard: true })
  if (worst !== "ok") return yield* new ProgramEnd({ code: codeOf[worst], lines: [] })
})

/** Whether everything an observer needs is there, and what to do where it is not. */
export const doctorCommand = Command.make("doctor", flags, (given) =>
  run(given).pipe(Effect.provide(Disk.layer), Effect.provideService(References.MinimumLogLevel, "Error"))
).pipe(
  Command.withShortDescription("Check everything an observer needs, and say what to do"),
  Command.withDescription(
    "Looks at settings, folders, disks, clock, the way to the broker, keys, record, database and backup, and says of each whether it is well and what to do. Works beside a running observer and without one; takes no lock, asks for no token and changes nothing. Exit codes: 0 all is well, 1 warnings, 2 something is broken, wrong settings among it, 64 a wrong invocation"
  ),
  Command.withExamples([
    { command: "observer doctor", description: "Before the first start, and when something is odd" },
    { command: "observer doctor --offline", description: "Without asking the broker or a database elsewhere" },
    { command: "observer doctor --json | jq '.checks[] | select(.status == \"fail\")'", description: "For programs" }
  ])
)
