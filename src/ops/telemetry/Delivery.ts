import { type Context, Effect, Metric } from "effect"

export type Signal = "traces" | "metrics" | "logs"

const items = Metric.counter("observer_telemetry_items_total", {
  description: "Spans, metrics and log lines for the OTLP receiver, by signal and what became of them",
  incremental: true
})

/** The part of an exporter's answer that matters here; code 0 is success. */
interface ExportResult {
  readonly code: number
  readonly error?: Error
}

interface Exporter<Items> {
  export(items: Items, done: (result: ExportResult) => void): void
}

/**
 * Counts what becomes of one kind of what is sent. A receiver that is down, slow or refuses costs what was to be sent, which is counted, one
 * line in the log, and another one when it takes something again.
 */
export class Delivery {
  private readonly signal: Signal
  private readonly services: Context.Context<never>
  private isFailing = false
  /** In the queue before the exporter. */
  private waiting = 0

  constructor(signal: Signal, services: Context.Context<never>) {
    this.signal = signal
    this.services = services
    for (const result of ["sent", "failed", "dropped"] as const) this.count(result, 0)
  }

  /** One more for a queue of the SDK's that drops what does not fit. */
  queued(queue_max: number): void {
    if (this.waiting < queue_max) this.waiting += 1
    else this.count("dropped", 1)
  }

  /** Has an exporter prepare what it sends, and tell here what came of it. */
  watch<Items>(exporter: Exporter<Items>, sizeOf: (items: Items) => number, prepare?: (items: Items) => void): void {
    const send = exporter.export.bind(exporter)
    exporter.export = (batch, done) => {
      const size = sizeOf(batch)
      this.waiting = Math.max(0, this.waiting - size)
      prepare?.(batch)
      send(batch, (result) => {
        this.ended(size, result)
        done(result)
      })
    }
  }

  private ended(size: number, { code, error }: ExportResult): void {
    const isFailing = code !== 0
    this.count(isFailing ? "failed" : "sent", size)
    if (isFailing === this.isFailing) return
    this.isFailing = isFailing
    const { signal } = this
    this.say(
      isFailing
        ? Effect.logWarning("the OTLP receiver does not take what is sent; it is let go of", {
            signal,
            reason: reasonOf(error)
          })
        : Effect.logInfo("the OTLP receiver takes what is sent again", { signal })
    )
  }

  private say(line: Effect.Effect<void>): void {
    Effect.runForkWith(this.services)(line)
  }

  private count(result: "sent" | "failed" | "dropped", amount: number): void {
    Metric.withAttributes(items, { signal: this.signal, result }).updateUnsafe(amount, this.services)
  }
}

/** An address of several hosts fails with an error that has no words of its own. */
const reasonOf = (error: Error | undefined): string => {
  if (error === undefined) return "no reason given"
  if (error.message !== "") return error.message
  return "code" in error ? String(error.code) : error.name
}
