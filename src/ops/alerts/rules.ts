import type { FolderStatus } from "../DiskWatch.ts"
import type { HealthReport } from "../Health.ts"
import { byteWords, spanWords } from "../amountWords.ts"
import { type Observation, type Rule, unknown } from "./Rule.ts"

const minutes = 60

const share = (part: number, whole: number) => (whole === 0 ? 0 : (100 * part) / whole)
const percent = (value: number) => `${value < 10 ? Math.round(value * 10) / 10 : Math.round(value)} %`
const sum = (values: ReadonlyArray<number>) => values.reduce((total, value) => total + value, 0)
const listed = (words: ReadonlyArray<string>): string | undefined => (words.length === 0 ? undefined : words.join("; "))

/** The reason of a part that is in one of these states. */
const partIs = ({ parts }: HealthReport, name: keyof HealthReport["parts"], ...states: ReadonlyArray<string>) => {
  const { reason, status } = parts[name]
  return states.includes(status) ? (reason ?? `${name} is ${status}`) : undefined
}

/** Of a part: its reason in these states, and nothing that could be told while it starts. */
const partOnceUp = (report: HealthReport, name: keyof HealthReport["parts"], ...states: ReadonlyArray<string>) =>
  report.parts[name].status === "starting" ? unknown : partIs(report, name, ...states)

const folders = ({ report }: Observation) => report.disk?.folders ?? []
const alive = ({ report }: Observation) => report.feed.accounts.filter(({ down }) => down === undefined)

/** In this window refusals, rejects, restarts and lost trades are counted. */
const window_seconds = 10 * minutes

/** What was counted in the window, which has to be full before nothing amiss means that all is well. */
const counted = ({ risen }: Observation, words: string | undefined) =>
  words ?? (risen.reaches(window_seconds) ? undefined : unknown)

/** What is amiss with folders; of one that was not looked at yet nothing is known. */
const ofFolders = (
  seen: Observation,
  words: (folder: FolderStatus) => string | undefined,
  isKnown: (folder: FolderStatus) => boolean = () => true
) => {
  const all = folders(seen)
  const isLookedAt = (folder: FolderStatus) => folder.state !== "ok" || folder.free_bytes !== undefined
  return (
    listed(all.flatMap((folder) => words(folder) ?? [])) ??
    (all.every((folder) => isLookedAt(folder) && isKnown(folder)) ? undefined : unknown)
  )
}

/** Every alarm, in the order in which messages and docs/alarms.md name them. A new one needs a scene in the test of this table. */
export const rules: ReadonlyArray<Rule> = [
  {
    name: "journalUnwritable",
    severity: "critical",
    title: "The journal cannot be written",
    applies: "always",
    fire_seconds: 3,
    recover_seconds: 10,
    amiss: ({ report: { journal } }) => (journal.writable ? undefined : (journal.reason ?? "appends wait")),
    meaning: "Nothing is recorded while this lasts: appends wait, and the sources with them.",
    action:
      "Look at the disk of OBSERVER_DATA_DIR: room, mount, owner. Writing resumes by itself, with a gap on record for the time between."
  },
  {
    name: "folderUnusable",
    severity: "critical",
    title: "A folder cannot be used",
    applies: "always",
    fire_seconds: 0,
    recover_seconds: 10,
    amiss: (seen) =>
      ofFolders(seen, ({ name, path, reason, state }) =>
        state === "ok" || state === "low"
          ? undefined
          : `${name} folder ${path} is ${state}${reason ? `: ${reason}` : ""}`
      ),
    meaning: "The data, log or state folder is missing, read-only, unreadable, or its file system is full.",
    action: "Mount it, make it writable for the observer's user, or make room; the observer goes on by itself."
  },
  {
    name: "folderLow",
    severity: "warning",
    title: "A disk is nearly full",
    applies: "always",
    fire_seconds: 1 * minutes,
    recover_seconds: 5 * minutes,
    amiss: (seen) =>
      ofFolders(seen, ({ free_bytes, name, path, state }) =>
        state === "low"
          ? `${name} folder ${path}${free_bytes === undefined ? "" : `: ${byteWords(free_bytes)} free`}`
          : undefined
      ),
    meaning: "Less room is left than OBSERVER_DISK_LOW_MB asks for.",
    action: "Make room, enlarge the disk, or let old days go once they are backed up (OBSERVER_RETENTION_DAYS)."
  },
  {
    name: "diskFullSoon",
    severity: "warning",
    title: "A disk will soon be full",
    applies: "always",
    limit: { default: 24, unit: "hours", least: 1, most: 8_760 },
    fire_seconds: 10 * minutes,
    recover_seconds: 30 * minutes,
    amiss: (seen, limit) =>
      ofFolders(
        seen,
        ({ full_hours, name, path }) =>
          full_hours !== undefined && full_hours < limit
            ? `${name} folder ${path}: full in ${spanWords(full_hours * 3_600_000)}`
            : undefined,
        ({ isPaceKnown }) => isPaceKnown === true
      ),
    meaning: "At the pace of late, the file system is full within the limit.",
    action: "Make room or enlarge the disk before then; see what else writes on it."
  },
  {
    name: "sqlDown",
    severity: "warning",
    title: "The database does not take records",
    applies: "always",
    fire_seconds: 2 * minutes,
    recover_seconds: 30,
    amiss: ({ report }) => partOnceUp(report, "sql", "degraded", "down"),
    meaning: "The SQL follower cannot write. Nothing is lost: the journal keeps what SQL has not stored.",
    action:
      "Look at the database server: does it run, has it room, does DATABASE_URL still fit? It catches up by itself."
  },
  {
    name: "sqlLag",
    severity: "warning",
    title: "The database lags behind",
    applies: "always",
    limit: { default: 300, unit: "seconds", least: 10, most: 86_400 },
    fire_seconds: 1 * minutes,
    recover_seconds: 1 * minutes,
    amiss: ({ report: { sql } }, limit) => {
      if (sql === undefined) return undefined
      if (sql.lag_records > 0 && sql.lag_seconds > limit) {
        return `${sql.lag_records} records behind, the oldest ${spanWords(sql.lag_seconds * 1_000)} old`
      }
      return sql.state === "starting" ? unknown : undefined
    },
    meaning: "Rows come into SQL later than the limit. Nothing is lost: the journal has them.",
    action: "See whether the database is slow, busy or short of room; while it catches up after an outage, wait."
  },
  {
    name: "sweepSilent",
    severity: "critical",
    title: "The sweep has no answer",
    applies: "open",
    fire_seconds: 5,
    recover_seconds: 30,
    amiss: ({ report }) => partOnceUp(report, "sweep", "down"),
    meaning: "The market is open and no quote has come for a minute: prices are missing from the record.",
    action: "See whether the network and the broker are up (observer doctor); the sweep tries again by itself."
  },
  {
    name: "streamDown",
    severity: "critical",
    title: "No stream is left",
    applies: "open",
    fire_seconds: 30,
    recover_seconds: 30,
    amiss: ({ report }) => partOnceUp(report, "stream", "down"),
    meaning: "No account streams any more: trades are seen by the sweep alone.",
    action:
      "Read the reason: credentials, a blocked key, or another program that uses it. Others keep trying by themselves."
  },
  {
    name: "streamTroubled",
    severity: "warning",
    title: "A stream is interrupted",
    applies: "open",
    fire_seconds: 3 * minutes,
    recover_seconds: 1 * minutes,
    amiss: ({ report }) => partIs(report, "stream", "degraded", "starting"),
    meaning: "A stream has not come back for minutes. Its symbols are swept meanwhile, and the hole is on record.",
    action: "Mostly wait: it connects again as often as the broker allows. Stop other programs that use the app key."
  },
  {
    name: "streamSilent",
    severity: "critical",
    title: "The streams bring no data",
    applies: "continuous",
    limit: { default: 90, unit: "seconds", least: 10, most: 3_600 },
    fire_seconds: 10,
    recover_seconds: 30,
    amiss: (seen, limit) => {
      // A market that is halted is silent with good reason.
      if (seen.report.feed.phase.difference !== undefined) return undefined
      const streaming = alive(seen).filter(({ streamed }) => streamed > 0)
      if (streaming.length === 0) return undefined
      const live = streaming.filter(({ stream }) => stream.state._tag === "live")
      if (live.length === 0) return unknown
      const newestMs = Math.max(...live.map(({ stream }) => stream.lastDataMs ?? stream.sinceMs))
      const silent_seconds = (seen.nowMs - newestMs) / 1_000
      return silent_seconds > limit
        ? `nothing for ${spanWords(silent_seconds * 1_000)} on ${live.length} connections that are open`
        : live.some(({ stream }) => stream.lastDataMs !== undefined)
          ? undefined
          : unknown
    },
    meaning: "Connections are open and say nothing while the market trades.",
    action:
      "If the market trades elsewhere too, restart the observer; what was missed is filled from the broker's lists."
  },
  {
    name: "gapsOpen",
    severity: "warning",
    title: "Many streamed symbols do not come",
    applies: "open",
    limit: { default: 25, unit: "% of streamed symbols", least: 1, most: 100 },
    fire_seconds: 3 * minutes,
    recover_seconds: 1 * minutes,
    amiss: (seen, limit) => {
      const accounts = alive(seen)
      const holes = sum(accounts.map(({ stream }) => stream.openHoles))
      const streamed = sum(accounts.map((account) => account.streamed))
      return share(holes, streamed) > limit ? `${holes} of ${streamed} streamed symbols have an open gap` : undefined
    },
    meaning: "Symbols that are to be streamed do not reach us; each has a gap on record that is still open.",
    action: "See streamTroubled and /api/v1/gaps; the sweep still sees these symbols."
  },
  {
    name: "accountRefused",
    severity: "critical",
    title: "The broker refuses an account",
    applies: "always",
    fire_seconds: 0,
    recover_seconds: 1 * minutes,
    amiss: ({ report }) => partIs(report, "accounts", "degraded", "down"),
    meaning: "App key or secret are not accepted: the account is stopped, others take over its symbols.",
    action: "Check the pair at the broker (expired, reissued, wrong environment), set it anew and restart the observer."
  },
  {
    name: "refusals",
    severity: "warning",
    title: "The broker refuses many calls",
    applies: "open",
    limit: { default: 5, unit: "% of the calls of ten minutes", least: 1, most: 100 },
    fire_seconds: 1 * minutes,
    recover_seconds: 5 * minutes,
    amiss: (seen, limit) => {
      const refused = seen.risen.over(window_seconds, "refusals")
      const refused_share = share(refused, seen.risen.over(window_seconds, "calls"))
      const words = `${refused} calls refused for their number within 10 min, ${percent(refused_share)}`
      return counted(seen, refused >= 10 && refused_share > limit ? words : undefined)
    },
    meaning: "The broker takes fewer calls than planned, so quotes are older than they should be.",
    action:
      "Stop other programs that use the app key; a new key has a lower limit for three days; else lower KIS_CALLS_PER_SECOND."
  },
  {
    name: "reconnects",
    severity: "warning",
    title: "A stream connects again and again",
    applies: "open",
    limit: { default: 6, unit: "connects an hour", least: 2, most: 100 },
    fire_seconds: 0,
    recover_seconds: 10 * minutes,
    amiss: ({ report: { feed } }, limit) =>
      listed(
        feed.accounts.flatMap(({ account, connects: { connectsLastHour, connectsPerHour_max } }) =>
          connectsLastHour >= limit
            ? [`${account}: ${connectsLastHour} connects within the hour of ${connectsPerHour_max} allowed`]
            : []
        )
      ),
    meaning: "Connections do not last; keys that connect too often are blocked by the broker.",
    action: "Look for an unstable network or another program with the same app key."
  },
  {
    name: "staleSymbols",
    severity: "warning",
    title: "Many symbols are stale",
    applies: "open",
    limit: { default: 5, unit: "% of symbols", least: 1, most: 100 },
    fire_seconds: 2 * minutes,
    recover_seconds: 2 * minutes,
    amiss: ({ report: { coverage } }, limit) => {
      const known = coverage.symbols - coverage.unknown.length
      const stale = coverage.stale + Math.max(0, known - coverage.seen)
      return share(stale, known) > limit
        ? `${stale} of ${known} symbols not seen in time, ${percent(share(stale, known))}`
        : undefined
    },
    meaning: "More symbols than the limit have not been seen for OBSERVER_STALE_SECONDS, or not at all.",
    action: "See the reasons of sweep and stream in /health, and /api/v1/plan: what is planned may need more app keys."
  },
  {
    name: "universeOld",
    severity: "warning",
    title: "The list of symbols is not today's",
    applies: "continuous",
    fire_seconds: 30 * minutes,
    recover_seconds: 0,
    amiss: ({ report: { universe } }) =>
      universe.list === "today" ? undefined : `${universe.list} list, of ${universe.date}`,
    meaning: "The broker's master files could not be had this morning: new listings are not observed yet.",
    action:
      "See the reason in universe of /health, and whether the master files' server is reachable; it is tried again."
  },
  {
    name: "conservation",
    severity: "critical",
    title: "Records are missing from the count",
    applies: "always",
    fire_seconds: 0,
    recover_seconds: 1 * minutes,
    amiss: ({ report }) => partIs(report, "conservation", "degraded", "down"),
    meaning: "Records were received and are neither stored, refused nor on their way: a defect of the observer.",
    action: "Keep observer.log and the journal of the hour, report the defect; a restart begins the count anew."
  },
  {
    name: "actorParked",
    severity: "critical",
    title: "A part of the program rests",
    applies: "always",
    fire_seconds: 0,
    recover_seconds: 2 * minutes,
    amiss: ({ report: { actors } }) =>
      listed(
        actors.flatMap(({ lastError, name, state }) =>
          state._tag === "parked" ? [`${name}: ${lastError ?? state.cause}`] : []
        )
        // One that is tried again may rest again.
      ) ?? (actors.some(({ state }) => state._tag === "backingOff") ? unknown : undefined),
    meaning: "A part failed so often that it is left alone for a while; what it does is not done meanwhile.",
    action: "Read its error in observer.log and /api/v1/actors; it is tried again after a minute."
  },
  {
    name: "actorRestarts",
    severity: "warning",
    title: "A part of the program fails again and again",
    applies: "always",
    limit: { default: 5, unit: "restarts in ten minutes", least: 1, most: 1_000 },
    fire_seconds: 0,
    recover_seconds: 10 * minutes,
    amiss: (seen, limit) => {
      const words = seen.report.actors.flatMap(({ lastError, name }) => {
        const restarts = seen.risen.over(window_seconds, `restarts of ${name}`)
        return restarts >= limit ? [`${name}: ${restarts} restarts within 10 min, last ${lastError ?? "unknown"}`] : []
      })
      return counted(seen, listed(words))
    },
    meaning: "A part is restarted often. Each restart is harmless; so many say that something is broken.",
    action: "Read its error in observer.log and /api/v1/actors."
  },
  {
    name: "rejects",
    severity: "warning",
    title: "Many records are refused",
    applies: "open",
    limit: { default: 1, unit: "% of the records of ten minutes", least: 1, most: 100 },
    fire_seconds: 1 * minutes,
    recover_seconds: 10 * minutes,
    amiss: (seen, limit) => {
      const rejected = seen.risen.over(window_seconds, "rejected")
      const rejected_share = share(rejected, seen.risen.over(window_seconds, "received"))
      const words = `${rejected} records refused within 10 min, ${percent(rejected_share)}`
      return counted(seen, rejected >= 20 && rejected_share > limit ? words : undefined)
    },
    meaning: "Records do not have the shape or the values that are known; they are kept whole as reject.",
    action:
      "Look at the reasons of kind reject in the journal: has the broker changed a layout? Then update the observer."
  },
  {
    name: "layoutChanged",
    severity: "warning",
    title: "The broker's layout has changed",
    applies: "always",
    fire_seconds: 0,
    recover_seconds: 1 * minutes,
    amiss: ({ report: { feed, phase } }) => {
      const drifts = [...new Set(feed.accounts.flatMap(({ stream }) => stream.drifts))]
      if (drifts.length > 0) return listed(drifts.map((drift) => `more columns than known: ${drift}`))
      // Until records of every kind come, none can show what it has.
      const hasCome = feed.accounts.some(({ stream }) => stream.lastDataMs !== undefined)
      return phase === "continuous" && hasCome ? undefined : unknown
    },
    meaning: "Stream records have more columns than are known. Nothing is lost: they are read and kept whole.",
    action: "Read the broker's notices and update the observer; streams that are as they were end the alarm."
  },
  {
    name: "lostTrades",
    severity: "warning",
    title: "Trades of live streams are lost",
    applies: "open",
    limit: { default: 500, unit: "trades in ten minutes", least: 1, most: 100_000_000 },
    fire_seconds: 0,
    recover_seconds: 10 * minutes,
    amiss: (seen, limit) => {
      const lost = seen.risen.over(window_seconds, "lostTrades") - seen.risen.over(window_seconds, "foundTrades")
      return counted(seen, lost > limit ? `${lost} trades within 10 min, by the broker's counters` : undefined)
    },
    meaning:
      "Streams bring fewer trades than the broker counted, and the lists did not fill all of it. Gaps say where.",
    action: "See whether the machine is overloaded (loopBusy) or the network drops; stream fewer symbols if it is."
  },
  {
    name: "certificateBad",
    severity: "warning",
    title: "A day is not complete",
    applies: "always",
    fire_seconds: 0,
    recover_seconds: 0,
    amiss: ({ certificates }) => {
      if (certificates === undefined) return unknown
      const { newest } = certificates
      return newest !== undefined && (newest.verdict === "incomplete" || newest.verdict === "damaged")
        ? `the certificate of ${newest.day} says ${newest.verdict}`
        : undefined
    },
    meaning: "The newest certified day has holes that matter, or files that are not as they were written.",
    action:
      "Read the certificate's page and observer gaps --day; observer verify if it says damaged. The next good day ends the alarm."
  },
  {
    name: "certificateMissing",
    severity: "warning",
    title: "A day has no certificate",
    applies: "always",
    fire_seconds: 0,
    recover_seconds: 0,
    amiss: ({ certificates }) => {
      if (certificates === undefined) return unknown
      const { overdue } = certificates
      return overdue.length === 0 ? undefined : `overdue by more than an hour: ${overdue.join(", ")}`
    },
    meaning: "A day of the last week is over, has a record, and was not certified.",
    action: "Look for the certifier's error in observer.log; observer certify <day> makes it by hand."
  },
  {
    name: "backupOld",
    severity: "warning",
    title: "The backup is too old",
    applies: "always",
    fire_seconds: 0,
    recover_seconds: 0,
    amiss: ({ report }) => partOnceUp(report, "backup", "degraded", "down"),
    meaning: "A sealed file is not at the backup's target for longer than OBSERVER_BACKUP_AGE_HOURS.",
    action: "Read the reason, see whether the target is reachable and has room, then run observer backup."
  },
  {
    name: "logLost",
    severity: "warning",
    title: "Log lines are lost",
    applies: "always",
    fire_seconds: 0,
    recover_seconds: 10 * minutes,
    amiss: (seen) => {
      const lines = seen.risen.over(window_seconds, "logLost_lines")
      return counted(seen, lines > 0 ? `${lines} lines within 10 min` : undefined)
    },
    meaning: "observer.log could not take lines. The record is not concerned.",
    action: "Look at OBSERVER_LOG_DIR: room, mount, owner."
  },
  {
    name: "loopBusy",
    severity: "warning",
    title: "The program is overloaded",
    applies: "always",
    limit: { default: 90, unit: "% of one core", least: 10, most: 100 },
    fire_seconds: 1 * minutes,
    recover_seconds: 1 * minutes,
    amiss: ({ machine: { loopBusy_share } }, limit) =>
      100 * loopBusy_share >= limit
        ? `the event loop is at work ${percent(100 * loopBusy_share)} of the time`
        : undefined,
    meaning: "The event loop has no rest: everything comes late, and streams may be cut by the broker.",
    action: "See what else uses the machine; observe or stream fewer symbols, or take a faster core."
  },
  {
    name: "memoryHigh",
    severity: "warning",
    title: "Memory runs out",
    applies: "always",
    limit: { default: 85, unit: "% of the heap's limit", least: 10, most: 100 },
    fire_seconds: 5 * minutes,
    recover_seconds: 5 * minutes,
    amiss: ({ machine: { heapLimit_bytes, heapUsed_bytes } }, limit) => {
      const used = share(heapUsed_bytes, heapLimit_bytes)
      return used > limit ? `${percent(used)} of ${byteWords(heapLimit_bytes)} of heap used` : undefined
    },
    meaning: "The heap is nearly as large as Node lets it become; beyond that the process ends.",
    action:
      "Restart at a quiet hour, report it with observer.log, and raise the limit (NODE_OPTIONS=--max-old-space-size) meanwhile."
  }
]
