import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { spawn } from "node:child_process"
import { cpSync, mkdirSync } from "node:fs"
import { join } from "node:path"
import { compiled } from "../support/compiled.ts"
import { notifyMissing, notifySocket } from "../support/notifySocket.ts"
import { scratchFolder, until } from "../support/virtualTime.ts"
import { root } from "./tools.ts"

describe.skipIf(notifyMissing)(
  `the program under systemd${notifyMissing ? ` (skipped: ${notifyMissing})` : ""}`,
  () => {
    it.live(
      "says that it is ready, gives signs of life with words, and says that it stops before it drains",
      () =>
        Effect.gen(function* () {
          const folder = yield* compiled(["src/main.ts", "src/simulator.ts"])
          cpSync(join(root, "data"), join(folder, "data"), { recursive: true })
          const place = yield* scratchFolder
          mkdirSync(join(place, "work"))
          const heard = yield* notifySocket(join(place, "notify"))
          let code: number | null | undefined
          const child = yield* Effect.acquireRelease(
            Effect.sync(() =>
              spawn(process.execPath, [join(folder, "src/main.js")], {
                cwd: join(place, "work"),
                stdio: "ignore",
                env: {
                  PATH: process.env["PATH"],
                  NOTIFY_SOCKET: join(place, "notify"),
                  WATCHDOG_USEC: "4000000",
                  OBSERVER_SYMBOLS: "005930",
                  OBSERVER_SQL: "off",
                  OBSERVER_HTTP_PORT: "0"
                }
              }).on("exit", (ended) => (code = ended))
            ),
            (running) => Effect.sync(() => running.kill("SIGKILL"))
          )
          const signs = () => heard().filter((field) => field === "WATCHDOG=1").length
          yield* until(() => signs() >= 3 || code !== undefined)
          assert.strictEqual(heard()[0], "READY=1")
          assert.match(heard()[1] ?? "", /^STATUS=.*KST .* · symbols .* · journal #\d/)
          child.kill("SIGTERM")
          yield* until(() => code !== undefined)
          assert.strictEqual(code, 0)
          assert.deepStrictEqual(heard().slice(-2), ["STOPPING=1", "STATUS=stores what was received, then ends"])
        }),
      120_000
    )
  }
)
