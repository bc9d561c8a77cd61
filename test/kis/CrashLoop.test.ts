import { NodeHttpClient } from "@effect/platform-node"
import { assert, describe, it, layer } from "@effect/vitest"
import { Context, Effect, Fiber, Layer, Logger, References } from "effect"
import { HttpClient } from "effect/http"
import { TestClock } from "effect/testing"
import { type ChildProcess, fork } from "node:child_process"
import { readdirSync, readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import { makeApprovalKey } from "../../src/kis/ApprovalKey.ts"
import { makeGovernor } from "../../src/kis/Governor.ts"
import { exchange, type KisCall } from "../../src/kis/KisHttp.ts"
import { connect } from "../../src/kis/StreamSocket.ts"
import { makeToken } from "../../src/kis/Token.ts"
import { accountAt, leakIn, secrets } from "../support/accounts.ts"
import { compiled } from "../support/compiled.ts"
import { json, type KisServer, makeKisServer, type SeenRequest } from "../support/kisServer.ts"
import { scratchFolder, until } from "../support/virtualTime.ts"

/** Close together, the governor lets eight connect. */
const burst = 8

/** What is asked for, a new one each time. */
const issued = ({ requests }: KisServer, { path }: SeenRequest) =>
  path === "/oauth2/tokenP"
    ? json({ access_token: `${secrets.token}.${requests.length}`, expires_in: 86_400 })
    : json({ approval_key: `${secrets.approvalKey}${requests.length}` })
const issueAll = (server: KisServer) => server.answer((request) => issued(server, request))
const asked = ({ requests }: KisServer, path: string) => requests.filter((request) => request.path === path).length

/** Every file of the folder is for its owner alone, and none holds what the broker did not issue. */
const assertClosed = (folder: string) => {
  for (const name of readdirSync(folder)) {
    assert.strictEqual(statSync(join(folder, name)).mode & 0o777, 0o600, name)
    const text = name + readFileSync(join(folder, name), "utf8")
    for (const secret of [secrets.appKey, secrets.appSecret]) assert.notInclude(text, secret)
  }
}

/** Pseudo-random whole numbers below a bound, the same on every run. */
const randomOf = (seed: number) => {
  let state = seed
  return (below: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
    return Math.floor((state / 0x80000000) * below)
  }
}

/** How far a start has come; it is ended somewhere behind the one that chance picks. */
const stages = ["nothing", "made", "asked", "token", "approval", "permitted", "connected"] as const

describe("a hundred starts of an account within a minute, each ended at a random point", () => {
  for (const [seed, first] of [
    [1, "asked"],
    [2, "connected"],
    [3, "connected"],
    [4, "token"]
  ] as const) {
    it.effect(`ask for one token and connect within the budget (${seed}, the first until ${first})`, () => {
      const logged: Array<string> = []
      return Effect.gen(function* () {
        yield* TestClock.setTime(Date.UTC(2026, 9, 1))
        const folder = yield* scratchFolder
        const server = yield* makeKisServer
        let at = 0
        const reach = (stage: (typeof stages)[number]) => Effect.sync(() => void (at = stages.indexOf(stage)))
        server.answer((request) => {
          at = Math.max(at, stages.indexOf("asked"))
          return issued(server, request)
        })
        const account = accountAt(server)
        const client = yield* HttpClient.HttpClient
        const call: KisCall = (request) =>
          Effect.provideService(exchange(account, request), HttpClient.HttpClient, client)
        const start = Effect.gen(function* () {
          const token = yield* makeToken(account, folder, call)
          const approval = yield* makeApprovalKey(account, folder, call)
          const governor = yield* makeGovernor(account, folder)
          yield* reach("made")
          yield* token.current
          yield* reach("token")
          yield* approval.current
          yield* reach("approval")
          yield* governor.permit
          yield* reach("permitted")
          yield* connect(server.wsUrl, () => 0)
          yield* reach("connected")
          return yield* Effect.never
        }).pipe(Effect.scoped)

        const random = randomOf(seed)
        for (let number = 0; number < 100; number++) {
          at = 0
          const waits = logged.length
          const target = number === 0 ? stages.indexOf(first) : random(stages.length)
          let turns = number === 0 ? 0 : random(20)
          const run = yield* Effect.forkScoped(start)
          yield* until(() => at >= target || logged.slice(waits).some((line) => line.includes("wait")))
          yield* until(() => turns-- <= 0)
          yield* Fiber.interrupt(run)
          yield* TestClock.adjust(599)
        }
        assert.strictEqual(asked(server, "/oauth2/tokenP"), 1)
        // One that was cut off is asked for again, a while later.
        assert.isAtMost(asked(server, "/oauth2/Approval"), 3)
        assert.isAtMost(server.connections.length, burst)
        // A start that was ended between its permit and its connection has spent one all the same.
        const { connectsLastHour } = yield* (yield* makeGovernor(account, folder)).status
        assert.isAtLeast(connectsLastHour, server.connections.length)
        assert.isAtMost(connectsLastHour, burst)
        if (first === "connected") assert.isAtLeast(connectsLastHour, 2)
        assertClosed(folder)
        assert.isUndefined(leakIn(logged.join("\n")))
      }).pipe(
        Effect.provide([
          NodeHttpClient.layerUndici,
          Logger.layer([Logger.make(({ message }) => void logged.push(JSON.stringify(message) ?? ""))]),
          Layer.succeed(References.MinimumLogLevel, "Debug")
        ])
      )
    })
  }
})

class Child extends Context.Service<Child, { readonly script: string }>()("test/Child") {
  static readonly layer = Layer.effect(
    this,
    Effect.map(compiled(["test/kis/children/startChild.ts"]), (folder) => ({
      script: join(folder, "test/kis/children/startChild.js")
    }))
  )
}

interface Started {
  readonly child: ChildProcess
  readonly stages: Array<string>
  readonly logged: Array<string>
}

const started = (folder: string, { restUrl, wsUrl }: KisServer) =>
  Effect.gen(function* () {
    const { script } = yield* Child
    return yield* Effect.acquireRelease(
      Effect.sync((): Started => {
        const child = fork(script, [folder, restUrl, wsUrl], { stdio: ["ignore", "ignore", "inherit", "ipc"] })
        const [stages, logged]: [Array<string>, Array<string>] = [[], []]
        child.on("message", (message: { readonly stage?: string; readonly logged?: string }) => {
          if (message.stage !== undefined) stages.push(message.stage)
          if (message.logged !== undefined) logged.push(message.logged)
        })
        return { child, stages, logged }
      }),
      ({ child }) => Effect.sync(() => void child.kill("SIGKILL"))
    )
  })

const killed = ({ child }: Started) =>
  Effect.callback<void>((resume) => {
    child.once("exit", () => resume(Effect.void))
    child.kill("SIGKILL")
  })
const reached =
  ({ stages }: Started, stage: string) =>
  () =>
    stages.some((each) => each.startsWith(stage) || each.startsWith("failed"))

layer(Child.layer, { timeout: "90 seconds", excludeTestServices: true })(
  "processes that share a state folder",
  (it) => {
    it.effect(
      "ask for one token and one approval key, though they all start at once",
      () =>
        Effect.gen(function* () {
          const folder = yield* scratchFolder
          const server = yield* makeKisServer
          issueAll(server)
          const all = yield* Effect.all([started(folder, server), started(folder, server), started(folder, server)])
          yield* until(() => all.every((each) => reached(each, "approval")()))
          const told = all.map(({ stages }) => stages.filter((stage) => /^(token|approval|failed)/.test(stage)))
          assert.strictEqual(told[0]?.length, 2)
          assert.deepStrictEqual(told[1], told[0])
          assert.deepStrictEqual(told[2], told[0])
          assert.strictEqual(asked(server, "/oauth2/tokenP"), 1)
          assert.strictEqual(asked(server, "/oauth2/Approval"), 1)
          yield* until(() => all.some((each) => reached(each, "connected")()))
          assertClosed(folder)
          assert.isUndefined(leakIn(all.flatMap(({ logged, stages }) => [...logged, ...stages]).join("\n")))
        }),
      90_000
    )

    it.effect(
      "are killed at every stage, and ask for one token all the same",
      () =>
        Effect.gen(function* () {
          const folder = yield* scratchFolder
          const server = yield* makeKisServer
          issueAll(server)
          // The first gets so far that nothing is under way when it is killed; what then happens is the next test.
          for (const stage of ["approval", "started", "made", "token", "permitted", "approval"]) {
            const one = yield* started(folder, server)
            yield* until(reached(one, stage))
            yield* killed(one)
            assert.isUndefined(leakIn([...one.logged, ...one.stages].join("\n")))
          }
          assert.strictEqual(asked(server, "/oauth2/tokenP"), 1)
          assert.isAtMost(server.connections.length, burst)
          assertClosed(folder)
        }),
      90_000
    )

    it.effect(
      "wait for the minute of one that was killed while it asked, and say who that was",
      () =>
        Effect.gen(function* () {
          const folder = yield* scratchFolder
          const server = yield* makeKisServer
          let asker: Started | undefined
          server.answer(() => {
            asker?.child.kill("SIGKILL")
            return "cut"
          })
          const first = (asker = yield* started(folder, server))
          yield* until(() => first.child.exitCode !== null || first.child.signalCode !== null)
          const second = yield* started(folder, server)
          yield* until(() => second.logged.some((line) => line.includes("waiting before asking")))
          assert.include(second.logged.join("\n"), `process ${first.child.pid} on `)
          assert.strictEqual(asked(server, "/oauth2/tokenP"), 1)
        }),
      90_000
    )
  }
)
