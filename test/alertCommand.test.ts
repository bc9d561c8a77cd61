import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { cpSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { compiled } from "./support/compiled.ts"
import { mailServer } from "./support/mailServer.ts"
import { messageServer } from "./support/messageServer.ts"
import { runToEnd } from "./support/runToEnd.ts"

const root = fileURLToPath(new URL("..", import.meta.url))
const path = "/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX"

describe("observer alert test", () => {
  it.live(
    "sends through each channel that is set, says in a line each how it went, and ends as the worst of them",
    () =>
      Effect.gen(function* () {
        const folder = yield* compiled(["src/cli.ts"])
        cpSync(join(root, "data"), join(folder, "data"), { recursive: true })
        const test = (env: Record<string, string>, ...more: ReadonlyArray<string>) =>
          runToEnd(join(folder, "src", "cli.js"), ["alert", "test", ...more], { OBSERVER_NODE: "seoul-1", ...env })
        const taking = yield* messageServer()
        const refusing = yield* messageServer((request) => ({ status: 404, body: `no_service ${request.path}` }))
        const mails = yield* mailServer({ authOptional: true, disabledCommands: ["AUTH", "STARTTLS"] })

        const none = yield* test({})
        assert.deepInclude(none, { code: 64, stdout: "" })
        assert.match(none.stderr, /^observer: no channel for alarms is set: set OBSERVER_ALERT_SLACK, .*\n$/)

        const all = {
          OBSERVER_ALERT_SLACK: `${refusing.url}${path}`,
          OBSERVER_ALERT_WEBHOOK: `${taking.url}/hook`,
          OBSERVER_ALERT_SMTP: `smtp://127.0.0.1:${mails.port}?tls=off`,
          OBSERVER_ALERT_EMAIL: "ops@example.com"
        }
        const mixed = yield* test(all)
        assert.deepInclude(mixed, { code: 1, stderr: "" })
        assert.match(
          mixed.stdout,
          /^slack: FAILED, answers 404: no_service \*\*\* \(\d+ ms\)\nwebhook: sent \(\d+ ms\)\nemail: sent \(\d+ ms\)\n$/
        )
        assert.strictEqual(refusing.posted.length, 1)
        const { alerts, node } = JSON.parse(taking.posted[0]?.body ?? "") as {
          readonly node: string
          readonly alerts: ReadonlyArray<{ readonly event: string }>
        }
        assert.deepStrictEqual([node, ...alerts.map(({ event }) => event)], ["seoul-1", "test"])
        assert.include(mails.mails[0]?.text, "Subject: [seoul-1] TEST: this channel works")

        const one = yield* test(all, "--channel", "webhook")
        assert.deepInclude(one, { code: 0, stderr: "" })
        assert.match(one.stdout, /^webhook: sent \(\d+ ms\)\n$/)

        const absent = yield* test(all, "--channel", "telegram")
        assert.deepInclude(absent, { code: 64, stdout: "" })
        assert.match(absent.stderr, /^observer: the channel telegram is not set/)

        const wrong = yield* test({ OBSERVER_ALERT_EMAIL: "ops@example.com", OBSERVER_ALERT_RULES: "nonsense:1" })
        assert.strictEqual(wrong.code, 64)
        assert.include(wrong.stderr, 'OBSERVER_ALERT_RULES is "nonsense:1": there is no rule nonsense')
        assert.include(wrong.stderr, "OBSERVER_ALERT_SMTP not set, though OBSERVER_ALERT_EMAIL is")
      }),
    60_000
  )
})
