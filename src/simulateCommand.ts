import { Console, Effect, Layer, Option, Result } from "effect"
import { Command } from "effect/cli"
import { readFile } from "node:fs/promises"
import { exitCode, ProgramEnd } from "./ProgramEnd.ts"
import { optionsOf, rulesOf, simulateFlags } from "./simulateFlags.ts"
import { Exchange } from "./simulator/Exchange.ts"
import type { Fault } from "./simulator/faults/Fault.ts"
import { faultLines } from "./simulator/faults/faultKinds.ts"
import { parseFaultScript } from "./simulator/faults/FaultScript.ts"

/** Says why on standard error, and ends with a code. */
const endSaying = (code: number, lines: ReadonlyArray<string>) =>
  Effect.andThen(
    Effect.forEach(lines, (line) => Console.error(line), { discard: true }),
    Effect.fail(new ProgramEnd({ code, lines: [] }))
  )

const stdinClosed = Effect.callback<void>((resume) => {
  const done = () => resume(Effect.void)
  process.stdin.once("end", done).once("close", done).once("error", done).resume()
  return Effect.sync(() => void process.stdin.destroy())
})

const announce = Effect.gen(function* () {
  const { controlUrl, restUrl, wsUrl } = yield* Exchange
  if (!process.stdout.isTTY) return yield* Console.log(JSON.stringify({ ready: true, restUrl, wsUrl, controlUrl }))
  yield* Console.log(`The KIS exchange simulator is open.

  REST    ${restUrl}
  stream  ${wsUrl}
  counts  ${controlUrl}

Any app key and secret will do. To point the observer at it:
  OBSERVER_SOURCE_MODE=kis KIS_APP_KEY=demo KIS_APP_SECRET=demo KIS_REST_URL=${restUrl} KIS_WS_URL=${wsUrl} node dist/main.js
Any other KIS client: replace its REST host and its WebSocket host by these two. Ctrl-C ends it.`)
})

const readScript = Effect.fnUntraced(function* (file: string): Effect.fn.Return<ReadonlyArray<Fault>, ProgramEnd> {
  const text = yield* Effect.tryPromise({
    try: (signal) => readFile(file, { encoding: "utf8", signal }),
    catch: (cause) => (cause instanceof Error ? cause.message : String(cause))
  }).pipe(
    Effect.timeoutOrElse({ duration: "10 seconds", orElse: () => Effect.fail("reading it took 10 s") }),
    Effect.catch((reason) => endSaying(exitCode.settings, [`the fault script ${file} cannot be read: ${reason}`]))
  )
  const script = parseFaultScript(text)
  if (Result.isSuccess(script)) return script.success
  const { problems } = script.failure
  return yield* endSaying(
    exitCode.settings,
    problems.map((problem) => `the fault script ${file} is wrong: ${problem}`)
  )
})

/** The exchange until it is told to end. Standard output is the one line that says where it is. */
export const simulateCommand = (name: string) =>
  Command.make(
    name,
    simulateFlags,
    Effect.fnUntraced(function* (given) {
      const options = optionsOf(given)
      if (Result.isFailure(options)) return yield* endSaying(exitCode.settings, [`${name}: ${options.failure}`])
      const faults = Option.isSome(given.faults) ? yield* readScript(given.faults.value) : []
      yield* Effect.andThen(announce, given.untilStdinCloses ? stdinClosed : Effect.never).pipe(
        Effect.provide(Exchange.layer({ ...options.success, faults }).pipe(Layer.provide(rulesOf(given)))),
        Effect.catchTag("ExchangeFailed", (error) => endSaying(exitCode.folders, [error.message]))
      )
    })
  ).pipe(
    Command.withShortDescription("A KIS Open API exchange on this machine"),
    Command.withDescription(
      `A KIS Open API exchange on this machine: token, prices, streams, and a market that moves.

Faults for a script (--faults) or POST /simulator/faults; each takes from, for, count, rate and where, see docs/simulator.md:
${faultLines.map((line) => `  ${line}`).join("\n")}

Exit codes: 0 ended as asked, 64 a wrong flag or script, 73 the port or the ledger's folder cannot be used`
    ),
    Command.withExamples(({ commandPath }) => [
      { command: commandPath.join(" "), description: "Until Ctrl-C; it says how to point the observer at it" },
      {
        command: `${commandPath.join(" ")} --port 9443 --ledger ./ledger`,
        description: "On a port of its own, writing down all it sends"
      }
    ])
  )
