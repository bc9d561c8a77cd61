#!/usr/bin/env node
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Effect, Exit } from "effect"
import { Command } from "effect/cli"
import { hideArguments } from "./hideArguments.ts"
import { hearUncaught, teardown } from "./ProgramEnd.ts"
import { asProgram } from "./runProgram.ts"

hearUncaught()
hideArguments()

/** The main job is a program of its own, with its own signals and ending: it is begun once this one is done. */
let isMainWanted = false

const run = Command.make("run", {}, () =>
  Effect.sync(() => {
    isMainWanted = true
  })
).pipe(
  Command.withShortDescription("Observe until it is ended"),
  Command.withDescription(
    "Observes until it is ended; its settings are environment variables (.env.example). Exit codes: 0 ended as asked, 64 a wrong setting, 69 the broker refuses the credentials, 73 a folder cannot be written, 70 a bug"
  )
)

/** What each command brings with it, loaded for the one that is asked for: a probe that runs twice a minute pays for itself alone. */
const commands = {
  run: async () => run,
  status: async () => (await import("./statusCommand.ts")).statusCommand,
  doctor: async () => (await import("./doctorCommand.ts")).doctorCommand,
  simulate: async () => (await import("./simulateCommand.ts")).simulateCommand("simulate"),
  replay: async () => (await import("./replayCommand.ts")).replayCommand,
  migrate: async () => (await import("./migrateCommand.ts")).migrateCommand,
  verify: async () => (await import("./verifyCommand.ts")).verifyCommand,
  certify: async () => (await import("./certifyCommand.ts")).certifyCommand,
  export: async () => (await import("./exportCommand.ts")).exportCommand,
  gaps: async () => (await import("./gapsCommand.ts")).gapsCommand,
  backup: async () => (await import("./backupCommand.ts")).backupCommand,
  restore: async () => (await import("./restoreCommand.ts")).restoreCommand,
  alert: async () => (await import("./alertCommand.ts")).alertCommand,
  "audit-ledger": async () => (await import("./auditCommand.ts")).auditCommand
}

const named = Object.entries(commands).filter(([name]) => name === process.argv[2])
// Help, completions and a wrong name need to know them all.
const wanted = named.length > 0 ? named : Object.entries(commands)
const loaded = await Promise.all(wanted.map(([, load]) => load()))

const observer = Command.make("observer").pipe(
  Command.withDescription("A 24/7 recorder of the Korean stock market for the Korea Investment & Securities Open API"),
  Command.withSubcommands(loaded)
)

NodeRuntime.runMain(asProgram(observer), {
  disableErrorReporting: true,
  teardown: (exit, onExit) => {
    teardown(exit, onExit)
    if (isMainWanted && Exit.isSuccess(exit)) void import("./main.ts")
  }
})
