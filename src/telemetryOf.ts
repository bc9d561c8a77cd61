import { Effect, type Layer } from "effect"
import { withoutSecrets } from "./domain/Secrets.ts"
import { Telemetry } from "./ops/Telemetry.ts"
import { readTelemetry, type TelemetrySettings } from "./ops/telemetry/TelemetrySettings.ts"
import { exitCode, ProgramEnd } from "./ProgramEnd.ts"
import { describeProblem } from "./Settings.ts"
import { version } from "./version.ts"

/** What the `OTEL_*` variables ask for; ends with exit code 64 and every wrong one named. */
export const readTelemetrySettings = (env: Readonly<Record<string, string | undefined>>) =>
  Effect.fromResult(readTelemetry(env)).pipe(
    Effect.mapError((problems) => new ProgramEnd({ code: exitCode.settings, lines: problems.map(describeProblem) }))
  )

export interface TelemetryOf {
  readonly settings: TelemetrySettings | undefined
  readonly node: string
  readonly drain_seconds: number
}

/** Part of the drain time in which what is not yet sent is sent, each signal after the other; it is within what closing may take. */
const flush_share = 0.04

/** The telemetry of a program. Where something is sent, what `.env` says of it is put where the SDK reads it, in the environment. */
export const telemetryOf = ({ drain_seconds, node, settings }: TelemetryOf): Layer.Layer<Telemetry> => {
  if (settings === undefined) return Telemetry.layerOff
  Object.assign(process.env, settings.variables)
  const flush_ms = drain_seconds * 1_000 * flush_share
  return Telemetry.layer({ settings, version, node, scrub: withoutSecrets, flush_ms })
}
