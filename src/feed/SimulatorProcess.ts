import { Data, Effect, Result, Schema } from "effect"
import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"

/** The simulator could not be started, or ended while it was needed. */
export class SimulatorFailed extends Data.TaggedError("SimulatorFailed")<{ readonly detail: string }> {
  override get message() {
    return `the simulator cannot be used: ${this.detail}`
  }
}

const Ready = Schema.Struct({ ready: Schema.Literal(true), restUrl: Schema.String, wsUrl: Schema.String })
const decode = Schema.decodeUnknownResult(Schema.fromJsonString(Ready))

export interface SimulatorUrls {
  readonly restUrl: string
  readonly wsUrl: string
  /** Fails when the process ends by itself. */
  readonly ended: Effect.Effect<never, SimulatorFailed>
}

const start_timeout = "20 seconds"

/**
 * Runs the exchange simulator as a process of its own on a free loopback port; from then on only its URLs are known. It
 * is in a process group of its own, so that Ctrl-C reaches it only through us, after the drain; and it ends by itself
 * when its standard input closes, so that it cannot outlive us, however we end.
 */
export const startSimulator = Effect.fnUntraced(function* (program: URL, flags: ReadonlyArray<string>) {
  const child = yield* Effect.acquireRelease(
    Effect.sync(() =>
      spawn(process.execPath, [fileURLToPath(program), "--port", "0", "--until-stdin-closes", ...flags], {
        stdio: ["pipe", "pipe", "inherit"],
        detached: process.platform !== "win32"
      })
    ),
    (running) =>
      Effect.callback<void>((resume) => {
        if (running.exitCode !== null || running.signalCode !== null) return resume(Effect.void)
        running.once("exit", () => resume(Effect.void))
        running.stdin?.end()
      }).pipe(Effect.timeoutOption("3 seconds"), Effect.andThen(Effect.sync(() => running.kill("SIGKILL"))))
  )
  const ended: Effect.Effect<never, SimulatorFailed> = Effect.callback((resume) => {
    const say = () => {
      const how = child.signalCode ?? `exit code ${child.exitCode}`
      resume(Effect.fail(new SimulatorFailed({ detail: `its process ended (${how})` })))
    }
    if (child.exitCode !== null || child.signalCode !== null) return say()
    child.once("exit", say)
    child.once("error", (error) => resume(Effect.fail(new SimulatorFailed({ detail: error.message }))))
    return Effect.sync(() => child.off("exit", say))
  })
  const firstLine = Effect.callback<string>((resume) => {
    let text = ""
    child.stdout.setEncoding("utf8")
    const hear = (part: string) => {
      text += part
      if (!text.includes("\n")) return
      // What it says later is read and forgotten: kept, it would grow for ever; left, it would block the simulator.
      child.stdout.off("data", hear).resume()
      resume(Effect.succeed(text.slice(0, text.indexOf("\n"))))
    }
    child.stdout.on("data", hear)
  })
  const line = yield* Effect.raceFirst(firstLine, ended).pipe(
    Effect.timeoutOrElse({
      duration: start_timeout,
      orElse: () => Effect.fail(new SimulatorFailed({ detail: `it was not ready within ${start_timeout}` }))
    })
  )
  const ready = decode(line)
  if (Result.isFailure(ready)) return yield* new SimulatorFailed({ detail: `it said "${line.slice(0, 200)}"` })
  return { restUrl: ready.success.restUrl, wsUrl: ready.success.wsUrl, ended } satisfies SimulatorUrls
})
