import { Effect } from "effect"
import { TargetError } from "./BackupTarget.ts"
import { runChild } from "./childProgram.ts"

interface Need {
  readonly target: string
  readonly program: string
  readonly args: ReadonlyArray<string>
  readonly version_min: readonly [number, number]
  readonly pattern: RegExp
}

const silence_seconds = 20

/** Fails unless a program is on the PATH and new enough. */
export const needProgram = Effect.fnUntraced(function* ({ args, pattern, program, target, version_min }: Need) {
  const [major, minor] = version_min
  const wanted = `${program} ${major}.${minor} or newer`
  const failure = (detail: string) => new TargetError({ target, reason: "program", detail })
  const { stdout } = yield* Effect.mapError(runChild({ program, args, silence_seconds }), (error) =>
    failure(
      error.reason === "missing"
        ? `there is no ${program} on the PATH: install ${wanted}`
        : `${error.message}; ${wanted} is needed`
    )
  )
  const [, first, second] = pattern.exec(stdout) ?? []
  const [is, isMinor] = [Number(first), Number(second)]
  if (is > major || (is === major && isMinor >= minor)) return
  const found = first === undefined ? (stdout.split("\n")[0] ?? "").slice(0, 80) : `${first}.${second}`
  return yield* failure(`${program} is ${found || "of no known version"}: install ${wanted}`)
})
