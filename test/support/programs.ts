import { execFileSync } from "node:child_process"

/** Why tests with a program of the machine are not run here; `undefined` where it is. Printed by those that skip. */
export const programMissing = (program: string, ...args: ReadonlyArray<string>): string | undefined => {
  try {
    execFileSync(program, args, { stdio: "ignore" })
    return undefined
  } catch {
    return `there is no ${program}`
  }
}
