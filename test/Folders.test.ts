import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { mkdirSync, readdirSync, rmSync } from "node:fs"
import { join } from "node:path"
import { programs, start } from "./secrets/programs.ts"
import { fillUp, hasMounts, mounted } from "./support/mounts.ts"
import { scratchFolder, until } from "./support/virtualTime.ts"

describe.skipIf(!hasMounts)("a start on disks that take no writes", { timeout: 120_000 }, () => {
  it.live("waits for room for its data, goes on without log and state, and ends where only somebody can help", () =>
    Effect.gen(function* () {
      const place = yield* scratchFolder
      const { main } = yield* programs
      const [data, full, readOnly] = [yield* mounted(16), yield* mounted(1), yield* mounted(1)]
      for (const { path } of [data, full]) fillUp(join(path, "filler"))
      readOnly.setReadOnly(true)
      const env = {
        OBSERVER_SYMBOLS: "005930",
        OBSERVER_SQL: "off",
        OBSERVER_HTTP_PORT: "0",
        OBSERVER_DATA_DIR: data.path,
        OBSERVER_LOG_DIR: join(readOnly.path, "log"),
        OBSERVER_STATE_DIR: join(full.path, "state")
      }
      for (const variable of ["OBSERVER_DATA_DIR", "OBSERVER_STATE_DIR"]) {
        const data = join(place, "data")
        mkdirSync(data, { recursive: true })
        const refused = yield* start(main, [], { ...env, OBSERVER_DATA_DIR: data, [variable]: readOnly.path }, place)
        yield* until(() => refused.code() !== undefined)
        assert.strictEqual(refused.code(), 73, refused.said())
        assert.include(refused.said(), `${variable} is "${readOnly.path}": it cannot be written (EROFS)`)
      }
      const running = yield* start(main, [], env, place)
      const says = (words: string) => until(() => running.said().includes(words) || running.code() !== undefined)
      yield* says("the start waits until there is some")
      assert.deepStrictEqual(readdirSync(data.path), ["filler"])
      rmSync(join(data.path, "filler"))
      yield* says("the observer runs")
      running.kill("SIGTERM")
      yield* until(() => running.code() !== undefined)
      assert.strictEqual(running.code(), 0, running.said())
      assert.include(running.said(), "the start goes on, and the log file is tried again")
      assert.include(running.said(), "everything is stored")
    }).pipe(Effect.scoped)
  )
})
