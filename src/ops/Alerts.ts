import { Clock, Context, Effect, Layer, Metric, type Redacted } from "effect"
import { HttpClient } from "effect/http"
import { patient } from "../actor/RestartPolicy.ts"
import { Supervisor } from "../actor/Supervisor.ts"
import { MarketClock } from "../calendar/MarketClock.ts"
import { MarketSession } from "../calendar/MarketSession.ts"
import { Disk } from "../journal/Disk.ts"
import { type Alarm, isFiring, isFlapping, next, quiet, type Telling } from "./alerts/Alarm.ts"
import { AlertBoard } from "./alerts/AlertBoard.ts"
import { makeAlarmMemory } from "./alerts/AlarmMemory.ts"
import type { AlertEvent } from "./alerts/AlertMessage.ts"
import { type CertificateLook, lookAtCertificates } from "./alerts/certificateLook.ts"
import type { Channel } from "./alerts/Channel.ts"
import { makeCourier } from "./alerts/Courier.ts"
import { beginDeliveries } from "./alerts/deliveryMeter.ts"
import { makeDeadMan } from "./alerts/DeadMan.ts"
import { Increases } from "./alerts/Increases.ts"
import { judge, type Judgement } from "./alerts/judge.ts"
import { MachineLooks } from "./alerts/machineLook.ts"
import type { Observation, Rule } from "./alerts/Rule.ts"
import type { RuleChanges } from "./alerts/ruleChanges.ts"
import { rules } from "./alerts/rules.ts"
import { totalsOf } from "./alerts/totalsOf.ts"
import { Health } from "./Health.ts"
import { LogKeeper } from "./logging/LogKeeper.ts"

export interface AlertsOptions {
  readonly node: string
  readonly dataDir: string
  readonly stateDir: string
  readonly changes: RuleChanges
  readonly channels: ReadonlyArray<Channel>
  /** Called once a minute while data is stored. */
  readonly ping: Redacted.Redacted | undefined
}

/** So often health is looked at: what a watch has noticed is told two seconds later at the most, at night four. */
const pace_ms = { open: 2_000, closed: 4_000 }
/** A report comes from memory: this long means that something hangs, and the next look finds it or not. */
const report_timeout = "2 seconds"
/** Around a change of phase streams and sweeps begin or end; on either side of it nothing is made of that. */
const turning_ms = 30_000
/** After a restart much is well because it has not begun: what was told before it is not over for so long. */
const settling_ms = 120_000
const certificates_pace = "1 minute"

const firingCount = Metric.gauge("observer_alerts_firing_count", {
  description: "1 while a rule's alarm was told and is not over"
})

/**
 * Looks at health again and again, holds it against the rules, and tells people: once when an alarm fires, again when it
 * lasts, once when it is over. Log, metrics and `/health` have alarms whether or not a channel is set up. Nothing waits
 * for a channel: each has a courier of its own under the supervisor.
 */
export class Alerts extends Context.Service<
  Alerts,
  {
    /** Starts the engine, the couriers and the ping under the supervisor. */
    readonly start: Effect.Effect<void>
  }
>()("observer/ops/Alerts") {
  static readonly layer = (options: AlertsOptions) => Layer.effect(Alerts, make(options))
}

interface Watched {
  readonly rule: Rule
  readonly limit: number
  alarm: Alarm
  /** Of the newest look at which it was amiss. */
  words: string
  /** It was told before a restart, and has not been found amiss since. */
  isRestored: boolean
}

const make = Effect.fnUntraced(function* (options: AlertsOptions) {
  const { changes, channels, dataDir, node, ping, stateDir } = options
  const supervisor = yield* Supervisor
  const health = yield* Health
  const session = yield* MarketSession
  const board = yield* AlertBoard
  const disk = yield* Disk
  const client = yield* HttpClient.HttpClient
  const marketClock = yield* MarketClock
  const { lostLines } = yield* LogKeeper
  const lookAtMachine = (yield* MachineLooks)()
  const memory = yield* makeAlarmMemory(stateDir)
  const couriers = yield* Effect.forEach(channels, (channel) => makeCourier(channel, node))
  const risen = new Increases()
  const broken = new Set<string>()
  let certificates: CertificateLook | undefined
  let firstLookMs: number | undefined
  const watched: ReadonlyArray<Watched> = rules.flatMap((rule) => {
    const change = changes.get(rule.name)
    if (change === "off") return []
    return [{ rule, limit: change ?? rule.limit?.default ?? 0, alarm: quiet, words: "", isRestored: false }]
  })

  const isTurning = (nowMs: number) => {
    const phaseAt = (wallMs: number) => session.phaseAt(marketClock.at(wallMs))
    return phaseAt(nowMs - turning_ms) !== phaseAt(nowMs) || phaseAt(nowMs + turning_ms) !== phaseAt(nowMs)
  }

  const observe = Effect.gen(function* () {
    const report = yield* Effect.timeoutOption(health.report, report_timeout)
    if (report._tag === "None") return undefined
    const nowMs = yield* Clock.currentTimeMillis
    const logLost_lines = lostLines()
    risen.note(nowMs, totalsOf(report.value, logLost_lines))
    const machine = yield* lookAtMachine
    return { report: report.value, nowMs, risen, machine, certificates, logLost_lines } satisfies Observation
  })

  /** A rule that throws costs its own alarm only. */
  const judged = Effect.fnUntraced(function* ({ limit, rule }: Watched, seen: Observation) {
    const judgement = Effect.sync(() => judge(rule, limit, seen, isTurning(seen.nowMs)))
    return yield* Effect.catchDefect(judgement, (defect) => {
      const unsettled: Judgement = { verdict: "unsettled", words: "" }
      if (broken.has(rule.name)) return Effect.succeed(unsettled)
      broken.add(rule.name)
      return Effect.as(Effect.logError("a rule of alarms is broken", { rule: rule.name, defect }), unsettled)
    })
  })

  const eventOf = ({ rule, words }: Watched, told: Alarm, event: Telling, nowMs: number): AlertEvent => {
    const sinceMs = isFiring(told) ? told.sinceMs : nowMs
    // What is over was over when it began to be well.
    const endMs = event === "recovered" && told._tag === "recovering" ? told.wellSinceMs : nowMs
    const comesAndGoes = event === "fired" && isFlapping(told.firedAtMs)
    return {
      event,
      rule: rule.name,
      severity: rule.severity,
      title: rule.title,
      sinceMs,
      marketSinceMs: marketClock.at(sinceMs),
      duration_seconds: Math.round((endMs - sinceMs) / 1_000),
      words: comesAndGoes ? `${words}; it comes and goes, and is told over once it has been gone for 15 min` : words,
      meaning: rule.meaning,
      action: rule.action
    }
  }

  const log = ({ event, rule, severity, title, words }: AlertEvent) => {
    const figures = { rule, reason: words }
    if (event === "recovered") return Effect.logInfo(`alarm over: ${title}`, figures)
    return severity === "critical"
      ? Effect.logError(`alarm: ${title}`, figures)
      : Effect.logWarning(`alarm: ${title}`, figures)
  }

  const show = Effect.gen(function* () {
    const firing = watched.flatMap(({ alarm, rule, words }) =>
      isFiring(alarm)
        ? [{ rule: rule.name, severity: rule.severity, since: new Date(alarm.sinceMs).toISOString(), words }]
        : []
    )
    yield* board.post(firing)
  })

  const meter = Effect.forEach(
    watched,
    ({ alarm, rule }) =>
      Metric.update(Metric.withAttributes(firingCount, { rule: rule.name }), isFiring(alarm) ? 1 : 0),
    { discard: true }
  )

  const look = Effect.gen(function* () {
    const seen = yield* observe
    if (seen === undefined) return
    const events: Array<AlertEvent> = []
    firstLookMs ??= seen.nowMs
    const isSettling = Math.abs(seen.nowMs - firstLookMs) < settling_ms
    for (const each of watched) {
      const { verdict: found, words } = yield* judged(each, seen)
      const verdict = found === "well" && each.isRestored && isSettling ? "unsettled" : found
      const { fire_seconds, recover_seconds } = each.rule
      const holds = { fire_ms: fire_seconds * 1_000, recover_ms: recover_seconds * 1_000 }
      const before = each.alarm
      const [after, telling] = next(before, verdict, seen.nowMs, holds)
      each.alarm = after
      if (verdict === "amiss") {
        each.words = words
        each.isRestored = false
      }
      if (telling === undefined) continue
      if (telling === "recovered") each.words = words
      events.push(eventOf(each, telling === "recovered" ? before : after, telling, seen.nowMs))
    }
    yield* show
    if (events.length === 0) return
    yield* meter
    yield* Effect.forEach(events, log, { discard: true })
    yield* Effect.forEach(couriers, ({ offer }) => offer(events), { discard: true })
    yield* memory.keep(new Map(watched.map(({ alarm, rule }) => [rule.name, alarm])))
  })

  let isRemembered = false
  /** Once in the life of the program: an engine that is started again knows what it has told. */
  const remember = Effect.gen(function* () {
    if (isRemembered) return
    const remembered = yield* memory.load
    for (const each of watched) {
      const alarm = remembered.get(each.rule.name)
      if (alarm === undefined) continue
      each.alarm = alarm
      each.words = "told before a restart; since then it could not be judged"
      each.isRestored = true
    }
    isRemembered = true
    yield* meter
  })

  const engine = Effect.andThen(
    remember,
    Effect.forever(
      Effect.andThen(
        look,
        Effect.flatMap(session.isOpen, (isOpen) => Effect.sleep(isOpen ? pace_ms.open : pace_ms.closed))
      )
    )
  )

  const watchCertificates = Effect.gen(function* () {
    certificates = yield* lookAtCertificates(dataDir).pipe(
      Effect.provideService(Disk, disk),
      Effect.provideService(MarketSession, session),
      Effect.catchTag("DiskError", ({ message }) =>
        Effect.as(Effect.logDebug("certificates cannot be looked at", { reason: message }), certificates)
      )
    )
    yield* Effect.sleep(certificates_pace)
  }).pipe(Effect.forever)

  const start = Effect.gen(function* () {
    const spec = (part: string) => ({ name: `alerts/${part}`, kind: "permanent", policy: patient }) as const
    for (const { name } of channels) yield* beginDeliveries(name)
    yield* supervisor.start({ ...spec("memory"), run: memory.run })
    yield* supervisor.start({ ...spec("certificates"), run: watchCertificates })
    for (const { channel, run } of couriers) yield* supervisor.start({ ...spec(channel), run })
    yield* supervisor.start({ ...spec("engine"), run: engine })
    if (ping === undefined) return
    yield* beginDeliveries("ping")
    const run = Effect.provideService(makeDeadMan(ping, health.report), HttpClient.HttpClient, client)
    yield* supervisor.start({ ...spec("ping"), run })
  })
  return Alerts.of({ start })
})
