// A program whose one vital actor dies whenever it runs, beside one that is well.
import { NodeRuntime } from "@effect/platform-node"
import { Effect, Layer, Logger } from "effect"
import { vital } from "../../src/actor/RestartPolicy.ts"
import { Supervisor } from "../../src/actor/Supervisor.ts"
import { endExhausted, teardown } from "../../src/ProgramEnd.ts"

const policy = { ...vital, backOff_ms_min: 1 }

const program = Effect.gen(function* () {
  const supervisor = yield* Supervisor
  yield* supervisor.start({ name: "shard/0", kind: "permanent", policy, run: Effect.never })
  yield* supervisor.start({
    name: "journal",
    kind: "permanent",
    policy,
    run: Effect.die(new Error("the disk is gone"))
  })
  return yield* supervisor.escalated
}).pipe(
  Effect.catchTag("ActorExhausted", endExhausted),
  Effect.provide(Layer.merge(Supervisor.layer, Logger.layer([Logger.withConsoleError(Logger.formatLogFmt)])))
)

NodeRuntime.runMain(program, { disableErrorReporting: true, teardown })
