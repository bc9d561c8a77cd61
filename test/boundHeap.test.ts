import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { join } from "node:path"
import { compiled } from "./support/compiled.ts"
import { runToEnd } from "./support/runToEnd.ts"

describe("the bound of the heap", () => {
  it.live(
    "has objects that live for a while collected sooner than the engine would of itself",
    () =>
      Effect.gen(function* () {
        const folder = yield* compiled(["test/children/shortLived.ts"])
        const program = join(folder, "test/children/shortLived.js")
        const free = yield* runToEnd(program, [], {})
        const bounded = yield* runToEnd(program, ["bounded"], {})
        assert.isAbove(Number(bounded.stdout), 0, bounded.stderr)
        assert.isBelow(Number(bounded.stdout), Number(free.stdout) * 0.85)
      }).pipe(Effect.scoped),
    60_000
  )
})
