#!/usr/bin/env node
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Effect, Exit } from "effect"
import { Command } from "effect/cli"
import { auditCommand } from "./auditCommand.ts"
import { exportCommand } from "./exportCommand.ts"
import { certifyCommand } from "./certifyCommand.ts"
import { gapsCommand } from "./gapsCommand.ts"
import { teardown } from "./ProgramEnd.ts"
import { replayCommand } from "./replayCommand.ts"
import { asProgram } from "./runProgram.ts"
import { simulateCommand } from "./simulateCommand.ts"
import { verifyCommand } from "./verifyCommand.ts"

/** The main job is a program of its own, with its own signals and ending: it is begun once this one is done. */
let isMainWanted = false

const run = Command.make("run", {}, () =>
  Effect.sync(() => {
    isMainWanted = true
  })
).pipe(Command.withDescription("Observes until it is ended; its settings are environment variables (.env.example)"))

const observer = Command.make("observer").pipe(
  Command.withDescription("A 24/7 recorder of the Korean stock market for the Korea Investment & Securities Open API"),
  Command.withSubcommands([
    run,
    simulateCommand("simulate"),
    replayCommand,
    verifyCommand,
    certifyCommand,
    exportCommand,
    gapsCommand,
    auditCommand
  ])
)

NodeRuntime.runMain(asProgram(observer), {
  disableErrorReporting: true,
  teardown: (exit, onExit) => {
    teardown(exit, onExit)
    if (isMainWanted && Exit.isSuccess(exit)) void import("./main.ts")
  }
})
