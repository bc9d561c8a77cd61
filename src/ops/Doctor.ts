import { Cause, Clock, Duration, Effect } from "effect"
import type { Disk } from "../journal/Disk.ts"
import { spanWords } from "./amountWords.ts"
import { type Finding, fail, skipped } from "./doctor/Finding.ts"
import type { Installation } from "./doctor/Installation.ts"

/** One thing to look at. It may give several lines, and may fail or crash as it likes: that becomes its own line. */
export interface Check {
  /** Names it where it crashes, is late or is left out. */
  readonly name: string
  /** Whether it asks another machine. */
  readonly needsNetwork?: (on: Installation) => boolean
  look(on: Installation): Effect.Effect<ReadonlyArray<Finding>, unknown, Disk>
}

/** Where the program runs. */
export interface Machine {
  readonly env: Readonly<Record<string, string | undefined>>
}

/** A thing to look at that does not depend on the settings, and is looked at when these are wrong, too. */
export interface MachineCheck {
  readonly name: string
  look(on: Machine): Effect.Effect<ReadonlyArray<Finding>, unknown>
}

export interface DiagnosisOptions {
  /** Leaves out what asks another machine. */
  readonly offline: boolean
  /** Of all checks together; what is not done by then is a failure. */
  readonly deadline: Duration.Input
}

/** So many at once: most of them wait for something. */
const atOnce = 8
/** Of one check, so that one that hangs leaves time to the others. */
const check_ms_max = 15_000

/** Whatever becomes of one look, the others go on. */
const guarded = <R>(name: string, look: Effect.Effect<ReadonlyArray<Finding>, unknown, R>, endsAtMs: number) =>
  Effect.gen(function* () {
    const startMs = yield* Clock.currentTimeMillis
    const limit_ms = Math.max(1, Math.min(check_ms_max, endsAtMs - startMs))
    const late = fail(
      name,
      `not done within ${spanWords(limit_ms)}`,
      "look at what it waits for: a disk or a server that hangs"
    )
    return yield* look.pipe(
      Effect.timeoutOrElse({ duration: limit_ms, orElse: () => Effect.succeed([late]) }),
      Effect.catchCause((cause) => Effect.succeed([crashOf(name, cause)]))
    )
  })

const crashOf = (name: string, cause: Cause.Cause<unknown>): Finding => {
  const error = Cause.squash(cause)
  const reason = error instanceof Error ? error.message : String(error)
  return fail(name, `the check itself failed: ${reason}`, "this says nothing of what it looks at; report it as a bug")
}

/**
 * Looks at everything, side by side, and gives the findings in the order of the checks. Takes no lock, issues no token and
 * changes nothing but for a probe file that it takes away again; it works beside a running observer and without one.
 *
 * @param on what the settings say; `undefined` when they are wrong, and what depends on them is left out
 */
export const diagnose = Effect.fnUntraced(function* (
  checks: { readonly machine: ReadonlyArray<MachineCheck>; readonly installation: ReadonlyArray<Check> },
  machine: Machine,
  on: Installation | undefined,
  { deadline, offline }: DiagnosisOptions
) {
  const endsAtMs = (yield* Clock.currentTimeMillis) + Duration.toMillis(Duration.fromInputUnsafe(deadline))
  const ofMachine = checks.machine.map((check) =>
    guarded(
      check.name,
      Effect.suspend(() => check.look(machine)),
      endsAtMs
    )
  )
  const ofInstallation = checks.installation.map((check) => {
    if (on === undefined) return Effect.succeed([skipped(check.name, "the settings have to be right first")])
    return guarded(
      check.name,
      Effect.suspend(() =>
        offline && check.needsNetwork?.(on) === true
          ? Effect.succeed([skipped(check.name, "offline, as asked")])
          : check.look(on)
      ),
      endsAtMs
    )
  })
  const found = yield* Effect.all([...ofMachine, ...ofInstallation], { concurrency: atOnce })
  return found.flat()
})
