import { Context, Effect, Layer, Logger, Metric } from "effect"
import { HttpClient } from "effect/http"
import { TestClock } from "effect/testing"
import { Supervisor } from "../../src/actor/Supervisor.ts"
import { MarketSession } from "../../src/calendar/MarketSession.ts"
import { marketInstant } from "../../src/calendar/MarketTime.ts"
import { AlertBoard } from "../../src/ops/alerts/AlertBoard.ts"
import type { AlertEvent, AlertMessage } from "../../src/ops/alerts/AlertMessage.ts"
import type { Channel } from "../../src/ops/alerts/Channel.ts"
import { type MachineLook, MachineLooks } from "../../src/ops/alerts/machineLook.ts"
import type { RuleChanges } from "../../src/ops/alerts/ruleChanges.ts"
import { Alerts } from "../../src/ops/Alerts.ts"
import { LogKeeper } from "../../src/ops/logging/LogKeeper.ts"
import { Health, type HealthReport } from "../../src/ops/Health.ts"
import { accountStatus } from "./accountStatus.ts"
import { healthReport } from "./healthReport.ts"
import { MemoryDisk } from "./memoryDisk.ts"

const wellDataMs = accountStatus().stream.lastDataMs

/** An instant of the market's. */
export const at = (date: string, hour: string): number => marketInstant(date, hour) ?? Number.NaN

export interface AlertStageOptions {
  /** Market time at which it begins. */
  readonly fromMs: number
  /** Holds what the engine remembers, and the archive's certificates. */
  readonly disk?: MemoryDisk
  readonly changes?: RuleChanges
  /** In place of one that takes everything. */
  readonly channels?: ReadonlyArray<Channel>
}

/** The whole engine under virtual time, with a health and a machine that say what the test has them say. */
export const alertStage = Effect.fnUntraced(function* (options: AlertStageOptions) {
  yield* TestClock.setTime(options.fromMs)
  const disk = options.disk ?? new MemoryDisk("/scene")
  const messages: Array<AlertMessage> = []
  const lines: Array<string> = []
  const taking: Channel = { name: "taking", send: (message) => Effect.sync(() => void messages.push(message)) }
  const scene = {
    report: (_nowMs: number): HealthReport => healthReport(),
    lostLines: 0,
    machine: { loopBusy_share: 0.1, heapUsed_bytes: 1e8, heapLimit_bytes: 4e9 } as MachineLook
  }
  const registry: typeof Metric.MetricRegistry.Service = new Map()
  const logger = Logger.make(({ logLevel, message }) => void lines.push(`${logLevel} ${[message].flat()[0]}`))
  const health = Layer.effect(
    Health,
    Effect.map(MarketSession, (session) => ({
      report: Effect.gen(function* () {
        const nowMs = yield* Effect.clockWith((clock) => clock.currentTimeMillis)
        const report = scene.report(nowMs)
        // A stream that is not said to be silent has just brought something.
        const accounts = report.feed.accounts.map((each) =>
          each.stream.lastDataMs === wellDataMs ? { ...each, stream: { ...each.stream, lastDataMs: nowMs } } : each
        )
        return { ...report, feed: { ...report.feed, accounts }, phase: session.phaseAt(nowMs) }
      })
    }))
  )
  const layer = Alerts.layer({
    node: "seoul-1",
    dataDir: "/scene/data",
    stateDir: "/scene/state",
    changes: options.changes ?? new Map(),
    channels: options.channels ?? [taking],
    ping: undefined
  }).pipe(
    Layer.provide(health),
    Layer.provideMerge(Layer.mergeAll(AlertBoard.layer, Supervisor.layer, MarketSession.layer("calendar"))),
    Layer.provide([
      disk.layer,
      Layer.succeed(
        HttpClient.HttpClient,
        HttpClient.make(() => Effect.never)
      )
    ])
  )
  const context = yield* Layer.build(Layer.fresh(layer)).pipe(
    Effect.provideService(MachineLooks, () => Effect.sync(() => scene.machine)),
    Effect.provideService(LogKeeper, { run: Effect.never, lostLines: () => scene.lostLines })
  )
  const whole = Layer.merge(Logger.layer([logger]), Layer.succeed(Metric.MetricRegistry, registry))
  yield* Effect.provide(Context.get(context, Alerts).start, whole)
  const events = (): ReadonlyArray<AlertEvent> => messages.flatMap((message) => message.events)
  return {
    scene,
    disk,
    messages,
    events,
    /** What was told so far, as `fired sweepSilent`. */
    told: () => events().map(({ event, rule }) => `${event} ${rule}`),
    lines,
    firing: Context.get(context, AlertBoard).firing,
    supervisor: Context.get(context, Supervisor),
    pass: (seconds: number) => TestClock.adjust(seconds * 1_000)
  }
})
