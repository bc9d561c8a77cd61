import { type LogLevel, Redacted, Result } from "effect"
import { hostname } from "node:os"
import { type ClockLine, parseClockLine } from "./calendar/ClockLine.ts"
import * as Value from "./domain/SettingValue.ts"
import { maskPasswords } from "./ops/backup/passwords.ts"
import { allowedTargets, parseTarget } from "./ops/backup/targets.ts"
import { allowedCrons, parseCron } from "./ops/backup/cron.ts"
import { parseSymbolSelection } from "./domain/SymbolSelection.ts"
import { streamSlots } from "./kis/Account.ts"
import { mailAddresses, smtpServer } from "./ops/alerts/channels/smtpServer.ts"
import { telegramTarget } from "./ops/alerts/channels/telegramTarget.ts"
import { ruleChanges } from "./ops/alerts/ruleChanges.ts"

/** One environment variable: what it means, what it may hold, and how its text is read. */
export interface Setting<A, Secret extends boolean = boolean> {
  readonly name: string
  readonly aliases: ReadonlyArray<string>
  /** As text; absent where another setting or the machine decides, which `meaning` then says. */
  readonly default: string | undefined
  readonly meaning: string
  readonly secret: Secret
  readonly value: Value.SettingValue<A>
}

/** A setting that cannot be used: the variable, what is wrong with what it holds (masked if secret), what is allowed. */
export interface SettingProblem {
  readonly variable: string
  readonly found: string
  readonly allowed: string
}

const setting = <A>(
  name: string,
  value: Value.SettingValue<A>,
  text: string,
  meaning: string,
  aliases: ReadonlyArray<string> = []
): Setting<A, false> & { readonly default: string } => ({ name, aliases, default: text, meaning, secret: false, value })

const optional = <A>(name: string, value: Value.SettingValue<A>, meaning: string): Setting<A, false> => ({
  name,
  aliases: [],
  default: undefined,
  meaning,
  secret: false,
  value
})

const secret = (name: string, value: Value.SettingValue<string>, meaning: string): Setting<string, true> => ({
  name,
  aliases: [],
  default: undefined,
  meaning,
  secret: true,
  value
})

const symbols = {
  allowed: "codes such as 005930,000660, @file with one code a line, all, or top:N",
  parse: parseSymbolSelection
}
const clock: Value.SettingValue<ClockLine | undefined> = {
  allowed:
    "real, or a wall instant, = and a market instant, x and a speed, as 2026-11-24T00:00:00Z=2026-11-19T08:20:00x60",
  parse: (text) => (text.toLowerCase() === "real" ? Result.succeed(undefined) : parseClockLine(text))
}
const logLevels: ReadonlyArray<LogLevel.LogLevel> = ["Trace", "Debug", "Info", "Warn", "Error", "Fatal", "None"]

/** Every setting, in the order in which `.env.example` and the README show them. */
export const table = {
  sourceMode: setting(
    "OBSERVER_SOURCE_MODE",
    Value.oneOf("simulator", "kis"),
    "simulator",
    "Where prices come from: the simulator in the box, or the broker.",
    ["PHASE15_SOURCE_MODE"]
  ),
  symbols: setting("OBSERVER_SYMBOLS", symbols, "top:2000", "Which symbols are watched; top:N are the most traded.", [
    "PHASE15_SYMBOLS",
    "PHASE15_SYMBOL"
  ]),
  watch: optional(
    "OBSERVER_WATCH",
    Value.symbolCodes,
    "Symbols that are swept by a target of their own and streamed before all others."
  ),
  targets: setting(
    "OBSERVER_TARGET_SECONDS",
    Value.targetSeconds,
    "watch:3,index:10,stock:10,etf:10",
    "How old a quote may become, by class of symbol; what is not named keeps its default."
  ),
  books: setting(
    "OBSERVER_BOOKS",
    Value.wholeNumber(0, 1_000),
    "0",
    "Of how many streamed symbols the order book is streamed, too; each takes a slot more."
  ),
  shards: setting("OBSERVER_SHARDS", Value.wholeNumber(1, 64), "8", "Shards that share the symbols among them."),
  node: optional(
    "OBSERVER_NODE",
    Value.nodeName,
    "Name of this node in file names and ids; the host's name if not set."
  ),
  dataDir: setting("OBSERVER_DATA_DIR", Value.folder, "./var/data", "Folder of the journal."),
  logDir: setting("OBSERVER_LOG_DIR", Value.folder, "./var/log", "Folder of observer.log."),
  stateDir: setting("OBSERVER_STATE_DIR", Value.folder, "./var/state", "Folder of tokens and the embedded database."),
  httpHost: setting("OBSERVER_HTTP_HOST", Value.listenHost, "127.0.0.1", "Address on which health and metrics listen."),
  httpPort: setting("OBSERVER_HTTP_PORT", Value.wholeNumber(0, 65_535), "8787", "Port of it; 0 takes any free one."),
  httpToken: secret(
    "OBSERVER_HTTP_TOKEN",
    Value.secretText(16),
    "Bearer token asked of HTTP clients; needed when OBSERVER_HTTP_HOST is not loopback."
  ),
  session: optional(
    "OBSERVER_SESSION",
    Value.oneOf("calendar", "always"),
    "Observe in trading hours or at any hour; calendar with kis or a clock of its own and always else if not set."
  ),
  clock: setting(
    "OBSERVER_CLOCK",
    clock,
    "real",
    "Market time; to rehearse a day, an instant of it tied to a wall instant, and a speed, given alike to the simulator."
  ),
  sql: setting("OBSERVER_SQL", Value.onOff, "on", "Whether the journal is followed into PostgreSQL."),
  databaseUrl: secret(
    "DATABASE_URL",
    Value.address("postgres", "postgresql"),
    "PostgreSQL server to use; the embedded one if not set."
  ),
  sqlRetention_days: setting(
    "OBSERVER_SQL_RETENTION_DAYS",
    Value.wholeNumber(0, 36_500),
    "0",
    "Days kept in SQL besides today; older ones are dropped after midnight. 0 keeps all."
  ),
  kisEnv: setting("KIS_ENV", Value.oneOf("live", "mock"), "live", "The broker's live or mock service."),
  kisAppKey: secret("KIS_APP_KEY", Value.secretText(1), "App key of the account; needed with kis."),
  kisAppSecret: secret("KIS_APP_SECRET", Value.secretText(1), "App secret of the account; needed with kis."),
  kisAccounts: optional(
    "KIS_ACCOUNTS",
    Value.file,
    "JSON file with several accounts, instead of the pair; only you should be able to read it (mode 0600)."
  ),
  kisRestUrl: optional(
    "KIS_REST_URL",
    Value.address("http", "https"),
    "Another server for calls; with the simulator set both addresses or neither."
  ),
  kisWsUrl: optional("KIS_WS_URL", Value.address("ws", "wss"), "Another server for streams."),
  kisMasterUrl: optional(
    "KIS_MASTER_URL",
    Value.address("http", "https"),
    "Server of the lists of issues; the broker's, or KIS_REST_URL where that is set."
  ),
  callsPerSecond: optional(
    "KIS_CALLS_PER_SECOND",
    Value.wholeNumber(1, 100),
    "Calls a second per app key; the broker's limit of the date (18 live, 1 mock) if not set."
  ),
  wsSlots: setting(
    "KIS_WS_SLOTS",
    Value.wholeNumber(0, 200),
    String(streamSlots),
    "Stream slots per app key; 0 streams nothing."
  ),
  heartbeat_seconds: setting(
    "OBSERVER_HEARTBEAT_SECONDS",
    Value.wholeNumber(1, 86_400),
    "300",
    "After how many seconds an unchanged quote is written anyway."
  ),
  stale_seconds: setting(
    "OBSERVER_STALE_SECONDS",
    Value.wholeNumber(1, 86_400),
    "60",
    "After how many seconds without being seen a symbol counts as stale."
  ),
  segment_mb: setting(
    "OBSERVER_SEGMENT_MB",
    Value.wholeNumber(1, 4_096),
    "128",
    "Size in MB at which a journal file is sealed."
  ),
  gzip_minutes: setting(
    "OBSERVER_GZIP_MINUTES",
    Value.wholeNumberOrOff(0, 525_600),
    "60",
    "How many minutes after its seal a journal file is compressed; off leaves files plain."
  ),
  fsync_ms: setting(
    "OBSERVER_FSYNC_MS",
    Value.wholeNumber(1, 10_000),
    "200",
    "At most so many milliseconds of records are lost in a power cut."
  ),
  backupTarget: optional(
    "OBSERVER_BACKUP_TARGET",
    { allowed: allowedTargets, parse: parseTarget },
    "Where sealed files, manifests, certificates and logs are copied to; nowhere if not set."
  ),
  backupSchedule: setting(
    "OBSERVER_BACKUP_SCHEDULE",
    { allowed: allowedCrons, parse: parseCron },
    "30 20 * * *",
    "When the observer backs up, in market time; off leaves that to a timer that calls observer backup."
  ),
  backupAge_hours: setting(
    "OBSERVER_BACKUP_AGE_HOURS",
    Value.wholeNumber(1, 8_760),
    "30",
    "How long a sealed file may wait for its backup before it is an alarm."
  ),
  retention_days: setting(
    "OBSERVER_RETENTION_DAYS",
    Value.wholeNumber(0, 36_500),
    "0",
    "Days whose journal files are kept besides today; older ones are deleted once they are backed up. 0 keeps all."
  ),
  retentionUnbacked: setting(
    "OBSERVER_RETENTION_UNBACKED",
    Value.oneOf("keep", "delete"),
    "keep",
    "What becomes of older days that are not backed up."
  ),
  diskLow_mb: setting(
    "OBSERVER_DISK_LOW_MB",
    Value.wholeNumber(0, 100_000_000),
    "1024",
    "Free MB below which a disk is low, which is told; on a small disk at most a quarter of it."
  ),
  diskStop_mb: setting(
    "OBSERVER_DISK_STOP_MB",
    Value.wholeNumber(0, 100_000_000),
    "128",
    "Free MB below which the journal stops before the disk is full; on a small disk at most a sixteenth of it."
  ),
  drain_seconds: setting("OBSERVER_DRAIN_SECONDS", Value.wholeNumber(1, 300), "10", "Time for an orderly end."),
  logLevel: setting("OBSERVER_LOG_LEVEL", Value.oneOf(...logLevels), "Info", "Least level that is logged."),
  log_mb: setting("OBSERVER_LOG_MB", Value.wholeNumber(1, 1_024), "50", "Size in MB at which observer.log is rotated."),
  log_days: setting("OBSERVER_LOG_DAYS", Value.wholeNumber(1, 365), "14", "Days for which rotated logs are kept."),
  alertRules: optional(
    "OBSERVER_ALERT_RULES",
    ruleChanges,
    "Alarms with another limit or none, as staleSymbols:10,reconnects:off; docs/alarms.md lists them."
  ),
  alertSlack: secret(
    "OBSERVER_ALERT_SLACK",
    Value.endpoint("https", "http"),
    "Address of a Slack incoming webhook that alarms go to."
  ),
  alertTelegram: secret(
    "OBSERVER_ALERT_TELEGRAM",
    telegramTarget,
    "Telegram bot and chat that alarms go to; the address of a Bot API server of one's own may precede them."
  ),
  alertWebhook: secret(
    "OBSERVER_ALERT_WEBHOOK",
    Value.endpoint("https", "http"),
    "Any address that takes alarms as JSON."
  ),
  alertWebhookSecret: secret(
    "OBSERVER_ALERT_WEBHOOK_SECRET",
    Value.secretText(16),
    "Signs what is sent to OBSERVER_ALERT_WEBHOOK (X-Observer-Signature)."
  ),
  alertSmtp: secret("OBSERVER_ALERT_SMTP", smtpServer, "Mail server through which alarms go to OBSERVER_ALERT_EMAIL."),
  alertEmail: optional("OBSERVER_ALERT_EMAIL", mailAddresses, "Whom OBSERVER_ALERT_SMTP sends alarms to."),
  pingUrl: secret(
    "OBSERVER_PING_URL",
    Value.endpoint("https", "http"),
    "Dead-man address, called once a minute while data is really stored; docs/alarms.md says exactly when."
  )
} as const

type Table = typeof table
type Read<S> =
  S extends Setting<infer A, infer Secret>
    ? (Secret extends true ? Redacted.Redacted : A) | (S extends { readonly default: string } ? never : undefined)
    : never

/** Every setting, read. What is optional and not set is `undefined`; secrets stay redacted. */
export type Settings = {
  readonly [K in keyof Omit<Table, "node" | "session">]: Read<Table[K]>
} & {
  readonly node: string
  readonly session: "calendar" | "always"
}

type Environment = Readonly<Record<string, string | undefined>>

/** Reads all settings, or says everything that is wrong with them at once. Blank is the same as not set. */
export const loadSettings = (
  env: Environment,
  machine: { readonly hostname: string } = { hostname: hostname() }
): Result.Result<Settings, ReadonlyArray<SettingProblem>> => {
  const problems: Array<SettingProblem> = []
  const entries = Object.entries(table).map(([key, each]) => [key, read(env, each, problems)])
  const values = Object.fromEntries(entries) as { readonly [K in keyof Table]: Read<Table[K]> }
  problems.push(...together(values, problems))
  if (problems.length > 0) return Result.fail(problems)
  return Result.succeed({
    ...values,
    node: values.node ?? Value.nodeNameOf(machine.hostname),
    session: values.session ?? (values.sourceMode === "kis" || values.clock !== undefined ? "calendar" : "always")
  })
}

/** A problem in one line. */
export const describeProblem = ({ allowed, found, variable }: SettingProblem): string =>
  `${variable} ${found}; allowed: ${allowed}`

/** Variables that look like ours but are not: most often a typing error, which would otherwise pass in silence. */
export const unknownVariables = (env: Environment): ReadonlyArray<string> => {
  const known = new Set<string>(Object.values(table).flatMap(({ aliases, name }) => [name, ...aliases]))
  return Object.keys(env).filter((name) => /^(OBSERVER|KIS|PHASE15)_/.test(name) && !known.has(name))
}

const read = (env: Environment, each: Setting<unknown>, problems: Array<SettingProblem>): unknown => {
  const given = [each.name, ...each.aliases].flatMap((variable) => {
    const text = env[variable]?.trim() ?? ""
    return text === "" ? [] : [{ variable, text }]
  })
  const [first] = given
  const other = given.find(({ text }) => text !== first?.text)
  const shown = (text: string) => (each.secret ? "***" : quote(maskPasswords(text)))
  if (first && other) {
    const found = `is ${shown(first.text)}, but ${other.variable}, which means the same, is ${shown(other.text)}`
    problems.push({ variable: first.variable, found, allowed: "one of the two, or the same in both" })
    return undefined
  }
  const text = first?.text ?? each.default
  if (text === undefined) return undefined
  const parsed = each.value.parse(text)
  if (Result.isSuccess(parsed)) {
    return each.secret ? Redacted.make(parsed.success) : parsed.success
  }
  const found = parsed.failure === "" ? `is ${shown(text)}` : `is ${shown(text)}: ${oneLine(parsed.failure)}`
  problems.push({ variable: first?.variable ?? each.name, found, allowed: each.value.allowed })
  return undefined
}

/** Rules between settings. A setting that is wrong by itself is not accused a second time. */
const together = (
  values: { readonly [K in keyof Table]: Read<Table[K]> | undefined },
  found: ReadonlyArray<SettingProblem>
): ReadonlyArray<SettingProblem> => {
  const missing = (...settings: ReadonlyArray<Setting<unknown>>) =>
    settings.map(({ name }) => name).filter((name) => !found.some(({ variable }) => variable === name))
  const problems: Array<SettingProblem> = []
  const demand = (names: ReadonlyArray<string>, detail: string, allowed: string) => {
    if (names.length > 0) problems.push({ variable: names.join(" and "), found: `not set, ${detail}`, allowed })
  }
  const { alertEmail, alertSmtp, alertWebhook, alertWebhookSecret } = values
  if ((alertEmail === undefined) !== (alertSmtp === undefined)) {
    const [absent, present] =
      alertEmail === undefined ? [table.alertEmail, table.alertSmtp] : [table.alertSmtp, table.alertEmail]
    demand(missing(absent), `though ${present.name} is`, `${absent.value.allowed}; or neither of the two`)
  }
  if (alertWebhookSecret !== undefined && alertWebhook === undefined) {
    const allowed = `${table.alertWebhook.value.allowed}; or neither of the two`
    demand(missing(table.alertWebhook), `though ${table.alertWebhookSecret.name} is`, allowed)
  }
  const { clock, httpHost, httpToken, kisAccounts, kisAppKey, kisAppSecret, kisRestUrl, kisWsUrl, sourceMode } = values
  if (httpHost !== undefined && !Value.isLoopback(httpHost) && httpToken === undefined) {
    demand(missing(table.httpToken), `which ${table.httpHost.name}=${httpHost} needs`, table.httpToken.value.allowed)
  }
  if (kisAccounts !== undefined && (kisAppKey !== undefined || kisAppSecret !== undefined)) {
    problems.push({
      variable: table.kisAccounts.name,
      found: `is set, and so is ${table.kisAppKey.name} or ${table.kisAppSecret.name}`,
      allowed: "the file with all accounts, or one pair"
    })
  }
  if (sourceMode === "kis" && kisAccounts === undefined && (kisAppKey === undefined || kisAppSecret === undefined)) {
    const absent = [...(kisAppKey ? [] : [table.kisAppKey]), ...(kisAppSecret ? [] : [table.kisAppSecret])]
    demand(
      missing(...absent),
      `which ${table.sourceMode.name}=kis needs`,
      `${table.kisAppKey.name} and ${table.kisAppSecret.name}, the pair issued by the broker, or ${table.kisAccounts.name}`
    )
  }
  const official = missing(...(kisRestUrl ? [] : [table.kisRestUrl]), ...(kisWsUrl ? [] : [table.kisWsUrl]))
  if (sourceMode === "kis" && clock !== undefined && official.length > 0) {
    // The broker's own market is in real time and nowhere else: every record would bear a false date.
    const allowed = `real, or ${table.kisRestUrl.name} and ${table.kisWsUrl.name} of a server that rehearses the day too`
    problems.push({ variable: table.clock.name, found: "rehearses a day, which the broker does not", allowed })
  }
  if (sourceMode === "simulator" && (kisRestUrl === undefined) !== (kisWsUrl === undefined)) {
    const [absent, present] =
      kisRestUrl === undefined ? [table.kisRestUrl, table.kisWsUrl] : [table.kisWsUrl, table.kisRestUrl]
    demand(missing(absent), `though ${present.name} is`, `${absent.value.allowed}; or neither of the two`)
  }
  return problems
}

const quote = (text: string): string => JSON.stringify(oneLine(text))

const oneLine = (text: string): string => {
  const plain = text.replace(/[\x00-\x1f\x7f-\x9f]/g, "?")
  return plain.length > 120 ? `${plain.slice(0, 120)}…` : plain
}
