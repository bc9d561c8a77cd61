import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { teardown } from "./ProgramEnd.ts"
import { replayCommand } from "./replayCommand.ts"
import { asProgram } from "./runProgram.ts"

NodeRuntime.runMain(asProgram(replayCommand), { disableErrorReporting: true, teardown })
