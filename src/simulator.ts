import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { teardown } from "./ProgramEnd.ts"
import { asProgram } from "./runProgram.ts"
import { simulateCommand } from "./simulateCommand.ts"

NodeRuntime.runMain(asProgram(simulateCommand("simulator")), { disableErrorReporting: true, teardown })
