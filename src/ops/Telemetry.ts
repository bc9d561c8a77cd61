import { Context, Effect, Layer } from "effect"
import { HttpClient, HttpMiddleware } from "effect/http"
import type { TelemetrySettings } from "./telemetry/TelemetrySettings.ts"

export interface TelemetryOptions {
  readonly settings: TelemetrySettings
  readonly version: string
  /** Which of several observers it is. */
  readonly node: string
  /** Takes known secrets out of a text; everything that is sent passes it. */
  readonly scrub: (text: string) => string
  /** When the program ends, what has not been sent by then is let go of. */
  readonly flush_ms: number
}

/**
 * Traces, metrics and logs to an OTLP receiver. The SDK reads addresses, headers and certificates from the environment: there
 * `settings.variables` must be before. Spans are those of the program's own parts: HTTP's are off on both sides,
 * for they hold addresses, queries and headers, and would tell other hosts of our traces.
 */
export class Telemetry extends Context.Service<
  Telemetry,
  {
    /** What brings the metrics up to date, run whenever they are about to be sent. */
    refreshBy(refresh: Effect.Effect<void>): Effect.Effect<void>
  }
>()("observer/ops/Telemetry") {
  /** Nothing is sent, and nothing of OpenTelemetry is loaded. */
  static readonly layerOff = Layer.suspend(() =>
    Layer.merge(quietHttp, Layer.succeed(Telemetry, { refreshBy: () => Effect.void }))
  )

  /** Loads OpenTelemetry, which takes some 40 MB of memory, and sends what the settings say. Never fails and never blocks. */
  static readonly layer = (options: TelemetryOptions): Layer.Layer<Telemetry> =>
    Layer.merge(
      quietHttp,
      Layer.unwrap(
        Effect.map(
          Effect.promise(() => import("./telemetry/openTelemetry.ts")),
          ({ openTelemetry }) => openTelemetry(options)
        )
      )
    )
}

const quietHttp: Layer.Layer<never> = Layer.mergeAll(
  Layer.succeed(HttpClient.TracerDisabledWhen, () => true),
  Layer.succeed(HttpMiddleware.TracerDisabledWhen, () => true)
)
