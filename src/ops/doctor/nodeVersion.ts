import { Effect } from "effect"
import type { MachineCheck } from "../Doctor.ts"
import { fail, type Finding, ok, warn } from "./Finding.ts"

const name = "node"
const least = [20, 19] as const
/** On which every test is run. */
const tested = [20, 22, 24] as const

/** What is to be said of a version of Node, as `process.versions.node` has it. */
export const judgeNode = (version: string): Finding => {
  const [major = 0, minor = 0] = version.split(".").map(Number)
  const details = { version }
  if (major < least[0] || (major === least[0] && minor < least[1])) {
    return fail(name, `Node ${version} is too old`, `install Node ${least.join(".")} or newer`, { details })
  }
  if (!tested.some((each) => each === major)) {
    const advice = `use Node ${tested.join(", ")} unless you mean to try another`
    return warn(name, `Node ${version} is not a version that Observer is tested on`, advice, { details })
  }
  return ok(name, `Node ${version}`, { details })
}

export const nodeVersion: MachineCheck = { name, look: () => Effect.sync(() => [judgeNode(process.versions.node)]) }
