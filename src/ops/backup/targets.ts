import { Redacted, Result } from "effect"
import { keepSecret } from "../../domain/Secrets.ts"
import type { BackupTarget, TargetKind } from "./BackupTarget.ts"
import { passwordsIn } from "./passwords.ts"
import { folderKind } from "./folderTarget.ts"
import { rcloneKind } from "./rcloneTarget.ts"
import { rsyncKind } from "./rsyncTarget.ts"

/** Every kind of target. The first one that knows an address has it; a folder takes any. */
const kinds: ReadonlyArray<TargetKind> = [rsyncKind, rcloneKind, folderKind]

/** Reads a target's address, whose passwords are kept as secrets, be it right or not; a failure is a detail in words. */
export const parseTarget = (address: string): Result.Result<BackupTarget, string> => {
  for (const secret of passwordsIn(address)) keepSecret(Redacted.make(secret))
  try {
    for (const { parse } of kinds) {
      const target = parse(address)
      if (target !== undefined) return Result.succeed(target)
    }
  } catch (error) {
    return Result.fail(error instanceof Error ? error.message : String(error))
  }
  return Result.fail("")
}

export const allowedTargets = kinds
  .map(({ allowed }) => allowed)
  .toReversed()
  .join(", ")
  .replace(/, ([^,]*)$/, " or $1")
