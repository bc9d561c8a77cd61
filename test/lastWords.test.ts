import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { json, makeKisServer } from "./support/kisServer.ts"
import { messageServer } from "./support/messageServer.ts"
import { scratchFolder, until } from "./support/virtualTime.ts"
import { programs, start } from "./secrets/programs.ts"

interface Body {
  readonly node: string
  readonly alerts: ReadonlyArray<{ readonly event: string; readonly severity: string; readonly words: string }>
}

describe("the last words of the program", () => {
  it.live(
    "reach every channel when it cannot go on, once an hour for the same reason, and are not said when its end was asked for",
    () =>
      Effect.gen(function* () {
        const { main } = yield* programs
        const place = yield* scratchFolder
        mkdirSync(join(place, "work"))
        const taking = yield* messageServer()
        const hanging = yield* messageServer(() => "hang")
        const broker = yield* makeKisServer
        broker.answer(() => json({ error_code: "EGW00103", error_description: "not valid" }, 403))
        const common = {
          OBSERVER_NODE: "seoul-1",
          OBSERVER_SYMBOLS: "005930",
          OBSERVER_SQL: "off",
          OBSERVER_HTTP_PORT: "0",
          OBSERVER_ALERT_WEBHOOK: `${taking.url}/hook`,
          OBSERVER_ALERT_SLACK: `${hanging.url}/hook`
        }
        const refused = {
          ...common,
          KIS_APP_KEY: "k".repeat(36),
          KIS_APP_SECRET: "s".repeat(180),
          KIS_MASTER_URL: broker.restUrl,
          KIS_REST_URL: broker.restUrl,
          KIS_WS_URL: broker.wsUrl
        }
        const toEnd = Effect.fnUntraced(function* (env: Record<string, string>, signal?: NodeJS.Signals) {
          const running = yield* start(main, [], env, join(place, "work"))
          if (signal !== undefined) {
            yield* until(() => running.said().includes("/health") || running.code() !== undefined)
            running.kill(signal)
          }
          yield* until(() => running.code() !== undefined)
          return { code: running.code(), said: running.said() }
        })
        // While the other channel is waited for, alarms may be told, too.
        const told = () =>
          taking.posted
            .map(({ body }) => JSON.parse(body) as Body)
            .filter(({ alerts }) => alerts.some(({ event }) => event === "ended"))

        const first = yield* toEnd(refused)
        assert.strictEqual(first.code, 69, first.said)
        assert.deepStrictEqual(
          told().map(({ alerts: [one], node }) => [node, one?.event, one?.severity]),
          [["seoul-1", "ended", "critical"]]
        )
        assert.include(told()[0]?.alerts[0]?.words, "EGW00103")
        assert.isTrue(hanging.posted.some(({ body }) => body.includes("The observer has ended")))
        assert.strictEqual((yield* toEnd(refused)).code, 69)
        assert.strictEqual(told().length, 1)

        const asked = yield* toEnd(common, "SIGTERM")
        assert.strictEqual(asked.code, 0, asked.said)
        assert.strictEqual(told().length, 1)

        writeFileSync(join(place, "work", "file"), "")
        const folder = yield* toEnd({ ...common, OBSERVER_DATA_DIR: join(place, "work", "file") })
        assert.strictEqual(folder.code, 73, folder.said)
        assert.strictEqual(told().length, 2)
        assert.include(told()[1]?.alerts[0]?.words, "OBSERVER_DATA_DIR")
      }),
    180_000
  )
})
