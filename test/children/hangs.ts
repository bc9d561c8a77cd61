import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Effect, Exit } from "effect"
import { readFile } from "node:fs/promises"
import { endInTime } from "../../src/endInTime.ts"
import { codeOf, ProgramEnd, teardown } from "../../src/ProgramEnd.ts"

/** A program that reads a file which nobody ever writes, and whose closing waits for it where it is told to. */
const [path = "", waits = "", fails = ""] = process.argv.slice(2)
const reading = readFile(path)

const main = Effect.gen(function* () {
  yield* Effect.addFinalizer(() => (waits === "waits" ? Effect.promise(() => reading) : Effect.void))
  process.stdout.write("runs\n")
  const life = fails === "fails" ? Effect.fail(new ProgramEnd({ code: 69, lines: ["refused"] })) : Effect.never
  return yield* Effect.onExit(life, (exit) => Effect.sync(() => endInTime(codeOf(Exit.asVoid(exit)), 0)))
}).pipe(Effect.scoped)

NodeRuntime.runMain(main, { disableErrorReporting: true, teardown })
