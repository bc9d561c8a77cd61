import { nodeVersionProblem } from "./nodeVersion.mjs"

/** Runs a script's work once Node is new enough; what a person can mend is said in one line. Exits 64 for a wrong Node, 1 for a failed step. */
export const orExit = async (work) => {
  const problem = nodeVersionProblem(process.versions.node)
  if (problem !== undefined) {
    process.stderr.write(problem + "\n")
    process.exit(64)
  }
  const { SetupFailure } = await import("./failure.mjs")
  try {
    await work()
  } catch (error) {
    if (!(error instanceof SetupFailure)) throw error
    process.stderr.write(error.message + "\n")
    process.exit(1)
  }
}
