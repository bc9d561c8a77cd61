import { assert, layer } from "@effect/vitest"
import { Clock, Effect, Exit, Fiber, Logger, Redacted, Schema } from "effect"
import { TestClock } from "effect/testing"
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { KisAccount } from "../../src/kis/Account.ts"
import { KisCredentialsRejected, KisThrottled, KisTokenTooSoon, KisUnreachable } from "../../src/kis/KisError.ts"
import type { KisCall } from "../../src/kis/KisHttp.ts"
import type { ReplyBody } from "../../src/kis/Reply.ts"
import { makeToken, type Token } from "../../src/kis/Token.ts"
import { accountAt, leakIn, secrets } from "../support/accounts.ts"
import { movableClock, passUntil, scratchFolder, until } from "../support/virtualTime.ts"

const account = accountAt({ restUrl: "http://broker", wsUrl: "ws://broker" })
const minute_ms = 60_000
const hour_ms = 60 * minute_ms
const day_seconds = 86_400

const issued = (number: number, expires_in: unknown = day_seconds): ReplyBody => ({
  access_token: `${secrets.token}.${number}`,
  token_type: "Bearer",
  expires_in,
  access_token_token_expired: "1999-01-01 00:00:00"
})

/** A token desk: what it says to each request, and when it was asked. */
const makeDesk = (script: (number: number) => ReturnType<KisCall>) => {
  const askedAtMs: Array<number> = []
  const bodies: Array<unknown> = []
  const call: KisCall = ({ body }) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      askedAtMs.push(now)
      bodies.push(body)
      return script(askedAtMs.length)
    })
  return { askedAtMs, bodies, call }
}

const textOf = (token: Redacted.Redacted) => Redacted.value(token)
const unreachable = Effect.fail(new KisUnreachable({ operation: "token", detail: "ECONNREFUSED" }))

/** The token says so before it waits for its minute; time stands still until then, for files take none of it. */
let waits = 0
/** And that it has been issued, once that is on disk. */
let stored = 0
const hearWaits = Logger.layer([
  Logger.make(({ message }) => {
    if (String(message).startsWith("waiting before asking")) waits += 1
    if (String(message).startsWith("a new access token was issued")) stored += 1
  })
])
/** A state folder of its own, on a day of which the token knows nothing yet. */
const scene = Effect.andThen(TestClock.setTime(Date.UTC(2026, 9, 1)), scratchFolder)

/** Runs to the end, with virtual time passing only where the token waits for it: never more than 90 s at a time. */
const settled = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkScoped(effect)
    while (fiber.pollUnsafe() === undefined) {
      const before = waits
      yield* until(() => waits > before || fiber.pollUnsafe() !== undefined)
      if (waits > before) yield* TestClock.adjust("91 seconds")
    }
    return yield* Fiber.await(fiber)
  })

const cacheFile = (folder: string): string => {
  const files = readdirSync(folder).filter((file) => file.endsWith(".json"))
  assert.strictEqual(files.length, 1, files.join(", "))
  return join(folder, files[0] ?? "")
}

const apart = (atMs: ReadonlyArray<number>) => atMs.slice(1).map((at, index) => at - (atMs[index] ?? 0))

layer(hearWaits)("the access token", (it) => {
  it.effect("is asked for once by fifty who want it at the same time", () =>
    Effect.gen(function* () {
      const folder = yield* scene
      const { askedAtMs, bodies, call } = makeDesk((number) => Effect.as(Effect.yieldNow, issued(number)))
      const token = yield* makeToken(account, folder, call)
      const all = yield* settled(
        Effect.all(
          Array.from({ length: 50 }, () => token.current),
          { concurrency: "unbounded" }
        )
      )
      assert.isTrue(Exit.isSuccess(all))
      if (Exit.isSuccess(all)) assert.deepStrictEqual(new Set(all.value.map(textOf)), new Set([`${secrets.token}.1`]))
      assert.strictEqual(askedAtMs.length, 1)
      assert.deepStrictEqual(bodies, [
        { grant_type: "client_credentials", appkey: account.appKey, appsecret: account.appSecret }
      ])
      assert.strictEqual((yield* token.status).issues, 1)
    })
  )

  for (const [what, answer] of [
    ["is lost", unreachable],
    ["cannot be read", Effect.succeed({ token: secrets.token, expires_in: day_seconds })]
  ] as const) {
    it.effect(`is asked for ever less often while each answer ${what}, though the program starts again and again`, () =>
      Effect.gen(function* () {
        const folder = yield* scene
        const startMs = yield* Clock.currentTimeMillis
        const { askedAtMs, call } = makeDesk(() => answer)
        while ((yield* Clock.currentTimeMillis) - startMs < 6 * hour_ms) {
          const token = yield* makeToken(account, folder, call)
          for (let tries = 0; tries < 2; tries++) assert.isTrue(Exit.isFailure(yield* settled(token.current)))
          yield* TestClock.adjust("1 minute")
        }
        assert.isAtLeast(Math.min(...apart(askedAtMs)), minute_ms + 1_000)
        assert.isAtMost(Math.max(...apart(askedAtMs)), 17 * minute_ms)
        assert.isAtMost(askedAtMs.length, 29)
        const withheld = yield* Effect.flip((yield* makeToken(account, folder, call)).current)
        assert.include(withheld.message, `the last ${askedAtMs.length} requests for the token`)
      })
    )
  }

  it.effect("is asked for without growing waits once one was issued, and while the broker is out of reach", () =>
    Effect.gen(function* () {
      const folder = yield* scene
      const unsent = Effect.fail(new KisUnreachable({ operation: "token", detail: "ECONNREFUSED", unsent: true }))
      const { askedAtMs, call } = makeDesk((number) =>
        number <= 2 || number === 4 ? unreachable : number === 3 ? Effect.succeed(issued(3, 1)) : unsent
      )
      const token = yield* makeToken(account, folder, call)
      for (let tries = 0; tries < 12; tries++) {
        yield* settled(Effect.exit(token.current))
        if (tries === 2) yield* TestClock.adjust(1_000)
      }
      assert.strictEqual(askedAtMs.length, 12)
      assert.isAtMost(Math.max(...apart(askedAtMs)), 2 * minute_ms)
    })
  )

  it.effect("is not asked for by a second asker whose first was interrupted within the minute", () =>
    Effect.gen(function* () {
      const folder = yield* scene
      const { askedAtMs, call } = makeDesk((number) => (number === 1 ? Effect.never : Effect.succeed(issued(number))))
      const killed = yield* Effect.forkScoped((yield* makeToken(account, folder, call)).current)
      yield* passUntil(() => askedAtMs.length === 1, 0)
      yield* Fiber.interrupt(killed)
      yield* settled((yield* makeToken(account, folder, call)).current)
      assert.isAtLeast(apart(askedAtMs)[0] ?? 0, minute_ms)
    })
  )

  it.effect("is asked for without waiting at a server started for this run, which has issued nothing yet", () =>
    Effect.gen(function* () {
      const folder = yield* scene
      const { askedAtMs, call } = makeDesk((number) => (number === 1 ? unreachable : Effect.succeed(issued(number))))
      const own: KisAccount = { ...account, endpoints: { ...account.endpoints, startedForUs: true } }
      yield* settled(Effect.exit((yield* makeToken(own, folder, call)).current))
      yield* settled((yield* makeToken(own, folder, call)).current)
      assert.strictEqual(askedAtMs[1], askedAtMs[0])
    })
  )

  it.effect("is kept for the next run, for its owner alone, by place and key, and not by the key's own name", () =>
    Effect.gen(function* () {
      const folder = yield* scene
      const { askedAtMs, call } = makeDesk((number) => Effect.succeed(issued(number)))
      yield* settled((yield* makeToken(account, folder, call)).current)
      const file = cacheFile(folder)
      assert.strictEqual(statSync(file).mode & 0o777, 0o600)
      assert.notInclude(file, secrets.appKey)
      assert.notInclude(readFileSync(file, "utf8"), secrets.appKey)
      assert.notInclude(readFileSync(file, "utf8"), secrets.appSecret)

      const again = yield* makeToken(account, folder, call)
      assert.strictEqual(textOf(yield* again.current), `${secrets.token}.1`)
      assert.strictEqual(askedAtMs.length, 1)

      const others: ReadonlyArray<KisAccount> = [
        accountAt({ restUrl: "http://broker", wsUrl: "ws://broker" }, "mock"),
        accountAt({ restUrl: "http://broker", wsUrl: "ws://broker" }, "127.0.0.1:9443"),
        { ...account, endpoints: { ...account.endpoints, env: "mock" } },
        { ...account, appKey: Redacted.make("another") }
      ]
      for (const [at, other] of others.entries()) {
        const exit = yield* settled((yield* makeToken(other, folder, call)).current)
        assert.isTrue(Exit.isSuccess(exit))
        assert.strictEqual(askedAtMs.length, at + 2)
      }
      assert.strictEqual(readdirSync(folder).length, 5)
      assert.strictEqual(askedAtMs.at(-1), askedAtMs[0])
    })
  )

  for (const [name, text] of [
    ["cut in the middle", '{"attemptedAtMs":0,"tok'],
    ["empty", ""],
    ["of another shape", '{"attemptedAtMs":"now"}'],
    ["no object", "[1]"]
  ] as const) {
    it.effect(`is asked for anew when its file is ${name}`, () =>
      Effect.gen(function* () {
        const folder = yield* scene
        const { askedAtMs, call } = makeDesk((number) => Effect.succeed(issued(number)))
        yield* settled((yield* makeToken(account, folder, call)).current)
        const file = cacheFile(folder)
        writeFileSync(file, text)
        const exit = yield* settled((yield* makeToken(account, folder, call)).current)
        assert.isTrue(Exit.isSuccess(exit))
        assert.strictEqual(askedAtMs.length, 2)
        assert.include(readFileSync(cacheFile(folder), "utf8"), `${secrets.token}.2`)
      })
    )
  }

  it.effect("works without its file, too", () =>
    Effect.gen(function* () {
      const folder = yield* scene
      const taken = join(folder, "state")
      writeFileSync(taken, "a file where the folder should be")
      const { askedAtMs, call } = makeDesk((number) => Effect.succeed(issued(number)))
      const token = yield* makeToken(account, taken, call)
      assert.isTrue(Exit.isSuccess(yield* settled(token.current)))
      assert.strictEqual(textOf(yield* token.current), `${secrets.token}.1`)
      assert.strictEqual(askedAtMs.length, 1)
    })
  )

  it.effect("makes the folder of its file when there is none", () =>
    Effect.gen(function* () {
      const folder = join(yield* scene, "deep", "state")
      const { call } = makeDesk((number) => Effect.succeed(issued(number)))
      yield* settled((yield* makeToken(account, folder, call)).current)
      assert.isTrue(statSync(cacheFile(folder)).isFile())
    })
  )

  it.effect("ends after the seconds the broker gave it, not at the wall clock time in the reply", () =>
    Effect.gen(function* () {
      const folder = yield* scene
      const { askedAtMs, call } = makeDesk((number) => Effect.succeed(issued(number, number === 1 ? 3_600 : "7200")))
      const token = yield* makeToken(account, folder, call)
      yield* settled(token.current)
      assert.strictEqual((yield* token.status).expiresAtMs, (askedAtMs[0] ?? 0) + hour_ms)
      yield* TestClock.setTime((askedAtMs[0] ?? 0) + hour_ms - 1)
      assert.strictEqual(textOf(yield* token.current), `${secrets.token}.1`)
      yield* TestClock.adjust(1)
      yield* settled(token.current)
      assert.strictEqual(textOf(yield* token.current), `${secrets.token}.2`)
    })
  )

  it.effect("is renewed ten minutes before its end, for ever, while the old one still serves", () => {
    const told: Array<unknown> = []
    return Effect.gen(function* () {
      const folder = yield* scene
      const { askedAtMs, call } = makeDesk((number) => Effect.delay(Effect.succeed(issued(number)), 10_000))
      const token = yield* makeToken(account, folder, call)
      const first = yield* Effect.forkScoped(token.current)
      yield* until(() => askedAtMs.length === 1)
      yield* TestClock.adjust("10 seconds")
      yield* until(() => first.pollUnsafe() !== undefined)
      yield* Effect.forkScoped(token.keepFresh)
      const { expiresAtMs = 0 } = yield* token.status
      for (let renewal = 2; renewal <= 4; renewal++) {
        const dueAtMs = ((yield* token.status).expiresAtMs ?? 0) - 10 * minute_ms
        yield* TestClock.setTime(dueAtMs - 1)
        assert.strictEqual(askedAtMs.length, renewal - 1)
        yield* TestClock.adjust(1)
        yield* until(() => askedAtMs.length === renewal)
        assert.strictEqual(askedAtMs.at(-1), dueAtMs)
        assert.strictEqual(textOf(yield* token.current), `${secrets.token}.${renewal - 1}`)
        yield* TestClock.adjust("10 seconds")
        // The file can be read before its writer knows that it is written, and only then does the keeper sleep again.
        yield* until(() => told.length === renewal)
        assert.include(readFileSync(cacheFile(folder), "utf8"), `${secrets.token}.${renewal}`)
        assert.strictEqual(textOf(yield* token.current), `${secrets.token}.${renewal}`)
      }
      assert.strictEqual(expiresAtMs, (askedAtMs[0] ?? 0) + day_seconds * 1_000)
    }).pipe(Effect.provide(Logger.layer([Logger.make(({ message }) => void told.push(message))])))
  })

  it.effect(
    "is asked for a minute after the answer to a failed request, which may have been counted as late as that",
    () =>
      Effect.gen(function* () {
        const folder = yield* scene
        const { askedAtMs, call } = makeDesk(() => Effect.delay(unreachable, 10_000))
        const first = yield* Effect.forkScoped(Effect.exit((yield* makeToken(account, folder, call)).current))
        yield* until(() => askedAtMs.length === 1)
        yield* TestClock.adjust("10 seconds")
        yield* until(() => first.pollUnsafe() !== undefined)
        yield* Effect.forkScoped(Effect.exit((yield* makeToken(account, folder, call)).current))
        yield* passUntil(() => askedAtMs.length === 2, 1_000)
        assert.isAtLeast((askedAtMs[1] ?? 0) - (askedAtMs[0] ?? 0), 70_000)
      })
  )

  it.effect("is asked for again at once when the broker was never reached", () =>
    Effect.gen(function* () {
      const folder = yield* scene
      const { askedAtMs, call } = makeDesk((number) =>
        number === 1
          ? Effect.fail(new KisUnreachable({ operation: "token", detail: "ECONNREFUSED", unsent: true }))
          : Effect.succeed(issued(number))
      )
      const token = yield* makeToken(account, folder, call)
      assert.isTrue(Exit.isFailure(yield* settled(token.current)))
      assert.isTrue(Exit.isSuccess(yield* settled(token.current)))
      assert.deepStrictEqual(apart(askedAtMs), [0])
    })
  )

  it.effect("is forgotten only when it is the one that was refused", () =>
    Effect.gen(function* () {
      const folder = yield* scene
      const { askedAtMs, call } = makeDesk((number) => Effect.succeed(issued(number)))
      const token = yield* makeToken(account, folder, call)
      yield* settled(token.current)
      const first = yield* token.current
      yield* token.drop(Redacted.make("another"))
      assert.strictEqual(textOf(yield* token.current), textOf(first))
      yield* token.drop(first)
      assert.isFalse(readFileSync(cacheFile(folder), "utf8").includes(secrets.token))
      yield* settled(token.current)
      yield* token.drop(first)
      assert.strictEqual(textOf(yield* token.current), `${secrets.token}.2`)
      assert.strictEqual(askedAtMs.length, 2)
      assert.isAtLeast(apart(askedAtMs)[0] ?? 0, minute_ms)
    })
  )

  it.effect("stays forgotten when it is refused while its successor is being asked for", () =>
    Effect.gen(function* () {
      const folder = yield* scene
      const { askedAtMs, call } = makeDesk((number) => (number === 1 ? Effect.succeed(issued(1, 650)) : Effect.never))
      const token = yield* makeToken(account, folder, call)
      yield* settled(token.current)
      const first = yield* token.current
      yield* Effect.forkScoped(token.keepFresh)
      yield* passUntil(() => askedAtMs.length === 2, 1_000)
      yield* token.drop(first)
      assert.isUndefined((yield* token.status).expiresAtMs)
      assert.isFalse(readFileSync(cacheFile(folder), "utf8").includes(secrets.token))
    })
  )

  it.effect("is asked for again a minute after the broker said that it was too soon", () =>
    Effect.gen(function* () {
      const folder = yield* scene
      const { askedAtMs, call } = makeDesk((number) =>
        number < 3 ? Effect.fail(new KisTokenTooSoon({ operation: "token" })) : Effect.succeed(issued(number))
      )
      const token = yield* makeToken(account, folder, call)
      const exit = yield* settled(token.current)
      assert.isTrue(Exit.isSuccess(exit))
      assert.strictEqual(askedAtMs.length, 3)
      assert.isAtLeast(Math.min(...apart(askedAtMs)), minute_ms)
    })
  )

  it.effect("is given up after four answers of too soon", () =>
    Effect.gen(function* () {
      const folder = yield* scene
      const { askedAtMs, call } = makeDesk(() => Effect.fail(new KisTokenTooSoon({ operation: "token" })))
      assert.isTrue(Exit.isFailure(yield* settled((yield* makeToken(account, folder, call)).current)))
      assert.strictEqual(askedAtMs.length, 4)
    })
  )

  it.effect("does not hide refused credentials, and asks no further", () =>
    Effect.gen(function* () {
      const folder = yield* scene
      const { askedAtMs, call } = makeDesk(() =>
        Effect.fail(new KisCredentialsRejected({ account: "main", code: "EGW00103" }))
      )
      const token = yield* makeToken(account, folder, call)
      const error = yield* Effect.flip(token.current)
      assert.strictEqual(error._tag, "KisCredentialsRejected")
      assert.strictEqual(
        error.message,
        'the broker rejects the credentials of account "main" (EGW00103: the app key is not valid); check KIS_APP_KEY, KIS_APP_SECRET and KIS_ENV, or the account\'s entry in the file that KIS_ACCOUNTS names'
      )
      assert.strictEqual(askedAtMs.length, 1)
    })
  )

  for (const [name, body] of [
    ["no token", { expires_in: 1 }],
    ["an empty token", { ...issued(1), access_token: "" }],
    ["a token that is no text", { ...issued(1), access_token: 7 }]
  ] as const) {
    it.effect(`is not taken from a reply with ${name}, and no secret shows in the error`, () =>
      Effect.gen(function* () {
        const folder = yield* scene
        const { call } = makeDesk(() => Effect.succeed(body))
        const error = yield* Effect.flip((yield* makeToken(account, folder, call)).current)
        assert.strictEqual(error._tag, "KisReplyMalformed")
        for (const text of [JSON.stringify(error), String(error), error.message]) assert.isUndefined(leakIn(text))
      })
    )
  }

  for (const [name, body] of [
    ["no life", { access_token: secrets.token }],
    ["a life of zero", issued(1, 0)],
    ["a life that is no number", issued(1, "soon")],
    ["a life of true", issued(1, true)]
  ] as const) {
    it.effect(`is used for an hour when the reply has ${name}, for it has been issued`, () =>
      Effect.gen(function* () {
        const folder = yield* scene
        const { askedAtMs, call } = makeDesk(() => Effect.succeed(body))
        const token = yield* makeToken(account, folder, call)
        yield* settled(token.current)
        assert.strictEqual((yield* token.status).expiresAtMs, (askedAtMs[0] ?? 0) + hour_ms)
        yield* settled(token.current)
        assert.strictEqual(askedAtMs.length, 1)
      })
    )
  }

  it.effect("is not waited for longer than a minute when the clock was set back", () =>
    Effect.gen(function* () {
      const folder = yield* scene
      const { askedAtMs, call } = makeDesk((number) => Effect.succeed(issued(number)))
      yield* settled((yield* makeToken(account, folder, call)).current)
      const before = JSON.parse(readFileSync(cacheFile(folder), "utf8")) as object
      writeFileSync(
        cacheFile(folder),
        JSON.stringify({ ...before, token: undefined, attemptedAtMs: Date.UTC(2027, 0, 1) })
      )
      const startMs = yield* Clock.currentTimeMillis
      yield* settled((yield* makeToken(account, folder, call)).current)
      assert.isAtMost((askedAtMs[1] ?? 0) - startMs, 2 * minute_ms)
    })
  )

  it.effect("is not waited for longer when the clock is set back while it is waited for", () =>
    Effect.gen(function* () {
      const { clock, setBack } = yield* movableClock
      const folder = yield* scene
      const { askedAtMs, call } = makeDesk((number) => (number === 1 ? unreachable : Effect.succeed(issued(number))))
      yield* Effect.gen(function* () {
        const token = yield* makeToken(account, folder, call)
        yield* Effect.exit(token.current)
        const before = waits
        const asking = yield* Effect.forkScoped(token.current)
        yield* until(() => waits > before)
        setBack(5 * hour_ms)
        yield* passUntil(() => asking.pollUnsafe() !== undefined, 50)
      }).pipe(Effect.provideService(Clock.Clock, clock))
      assert.strictEqual(askedAtMs.length, 2)
      // The hand went back by five hours between the two.
      assert.isBelow((askedAtMs[1] ?? 0) + 5 * hour_ms - (askedAtMs[0] ?? 0), hour_ms)
    })
  )

  it.effect("is asked for once by ten processes of one folder; the others find it on disk", () =>
    Effect.gen(function* () {
      const folder = yield* scene
      const { askedAtMs, call } = makeDesk((number) => Effect.as(Effect.yieldNow, issued(number)))
      const tokens = yield* Effect.all(Array.from({ length: 10 }, () => makeToken(account, folder, call)))
      const before = stored
      const asking = yield* Effect.forkScoped(
        Effect.forEach(tokens, ({ current }) => current, { concurrency: "unbounded" })
      )
      // The minute of the one who asks must not pass while its answer is being written.
      yield* until(() => stored > before)
      yield* passUntil(() => asking.pollUnsafe() !== undefined, 1_000)
      const all = yield* Fiber.await(asking)
      assert.isTrue(Exit.isSuccess(all))
      if (Exit.isSuccess(all)) assert.deepStrictEqual(new Set(all.value.map(textOf)), new Set([`${secrets.token}.1`]))
      assert.strictEqual(askedAtMs.length, 1)
      const issues = yield* Effect.forEach(tokens, ({ status }) => Effect.map(status, (each) => each.issues))
      assert.deepStrictEqual(issues.toSorted(), [0, 0, 0, 0, 0, 0, 0, 0, 0, 1])
    })
  )

  it.effect("is taken from the process that has renewed it already, when the old one is refused", () =>
    Effect.gen(function* () {
      const folder = yield* scene
      const { askedAtMs, call } = makeDesk((number) => Effect.succeed(issued(number)))
      const ours = yield* makeToken(account, folder, call)
      yield* settled(ours.current)
      const old = yield* ours.current
      const theirs = yield* makeToken(account, folder, call)
      yield* theirs.drop(old)
      yield* settled(theirs.current)
      assert.strictEqual(textOf(yield* ours.current), `${secrets.token}.1`)
      yield* ours.drop(old)
      assert.strictEqual(textOf(yield* ours.current), `${secrets.token}.2`)
      assert.strictEqual(askedAtMs.length, 2)
    })
  )

  it.effect("is looked for on disk first after the broker said that it was too soon", () =>
    Effect.gen(function* () {
      const folder = yield* scene
      const { askedAtMs, call } = makeDesk(() =>
        Effect.andThen(
          Effect.sync(() => {
            const file = cacheFile(folder)
            const known = JSON.parse(readFileSync(file, "utf8")) as object
            const theirs = { secret: `${secrets.token}.theirs`, issuedAtMs: 0, endsAtMs: Date.UTC(2027, 0, 1) }
            writeFileSync(file, JSON.stringify({ ...known, ...theirs }))
          }),
          Effect.fail(new KisTokenTooSoon({ operation: "token" }))
        )
      )
      const token = yield* makeToken(account, folder, call)
      assert.strictEqual(textOf(yield* token.current), `${secrets.token}.theirs`)
      assert.strictEqual(askedAtMs.length, 1)
    })
  )

  it.effect("is asked for ever less often of a broker that accepts none of its tokens, restarts or not", () =>
    Effect.gen(function* () {
      const folder = yield* scene
      const startMs = yield* Clock.currentTimeMillis
      const { askedAtMs, call } = makeDesk((number) => Effect.succeed(issued(number)))
      while ((yield* Clock.currentTimeMillis) - startMs < 6 * hour_ms) {
        const token = yield* makeToken(account, folder, call)
        const known = yield* settled(token.current)
        if (Exit.isSuccess(known)) yield* token.drop(known.value)
        else yield* TestClock.adjust("10 minutes")
      }
      assert.isAtLeast(apart(askedAtMs)[0] ?? 0, minute_ms)
      assert.isAtMost(askedAtMs.length, 14)
      const withheld = yield* Effect.flip((yield* makeToken(account, folder, call)).current)
      assert.strictEqual(withheld._tag, "KisIssueWithheld")
      assert.isUndefined(leakIn(withheld.message + JSON.stringify(withheld)))
    })
  )

  it.effect("is waited for a minute after the start when the attempt cannot be written down", () =>
    Effect.gen(function* () {
      const taken = join(yield* scene, "state")
      writeFileSync(taken, "a file where the folder should be")
      const { askedAtMs, call } = makeDesk((number) => Effect.succeed(issued(number)))
      for (let start = 0; start < 3; start++) {
        const startMs = yield* Clock.currentTimeMillis
        yield* settled((yield* makeToken(account, taken, call)).current)
        assert.isAtLeast((askedAtMs[start] ?? 0) - startMs, minute_ms)
      }
    })
  )

  it.effect("is waited for as long when the folder fails after its record was read", () =>
    Effect.gen(function* () {
      const folder = join(yield* scene, "state")
      const { askedAtMs, call } = makeDesk((number) => Effect.succeed(issued(number, number === 1 ? 600 : day_seconds)))
      yield* settled((yield* makeToken(account, folder, call)).current)
      yield* TestClock.adjust("1 hour")
      const startMs = yield* Clock.currentTimeMillis
      const token = yield* makeToken(account, folder, call)
      rmSync(folder, { recursive: true })
      writeFileSync(folder, "a file where the folder was")
      yield* settled(token.current)
      assert.strictEqual(askedAtMs.length, 2)
      assert.isAtLeast((askedAtMs[1] ?? 0) - startMs, minute_ms)
    })
  )

  it.effect("is given up when the broker does not answer, and renewed at half its life when that is short", () =>
    Effect.gen(function* () {
      const folder = yield* scene
      const { askedAtMs, call } = makeDesk((number) =>
        number === 1 ? Effect.never : Effect.succeed(issued(number, 600))
      )
      const token = yield* makeToken(account, folder, call)
      const mute = yield* Effect.forkScoped(Effect.flip(token.current))
      yield* until(() => askedAtMs.length === 1)
      yield* TestClock.adjust("20 seconds")
      yield* until(() => mute.pollUnsafe() !== undefined)
      assert.strictEqual((yield* Fiber.join(mute))._tag, "KisUnreachable")
      yield* settled(token.current)
      yield* Effect.forkScoped(token.keepFresh)
      yield* TestClock.adjust("299 seconds")
      assert.strictEqual(askedAtMs.length, 2)
      yield* TestClock.adjust("2 seconds")
      yield* until(() => askedAtMs.length === 3)
    })
  )

  const Step = Schema.Literals(["ask", "drop", "restart", "wait", "fail", "tooSoon", "throttle"])
  it.effect.prop(
    "is never asked for twice within a minute, whatever happens in whatever order",
    [Schema.Array(Step).check(Schema.isMaxLength(25))],
    ([steps]) =>
      Effect.scoped(
        Effect.gen(function* () {
          const folder = yield* scene
          let mood: (typeof steps)[number] = "ask"
          const { askedAtMs, call } = makeDesk((number) => {
            if (mood === "fail") return unreachable
            if (mood === "tooSoon") return Effect.fail(new KisTokenTooSoon({ operation: "token" }))
            if (mood === "throttle") return Effect.fail(new KisThrottled({ operation: "token", code: "EGW00201" }))
            return Effect.succeed(issued(number))
          })
          let token: Token = yield* makeToken(account, folder, call)
          for (const step of steps) {
            if (step === "restart") token = yield* makeToken(account, folder, call)
            else if (step === "wait") yield* TestClock.adjust("20 seconds")
            else if (step === "drop") {
              const known = yield* settled(token.current)
              if (Exit.isSuccess(known)) yield* token.drop(known.value)
            } else {
              mood = step
              yield* settled(token.current)
            }
          }
          for (const gap_ms of apart(askedAtMs)) assert.isAtLeast(gap_ms, minute_ms)
        })
      ),
    { arbitrary: { runs: 25 }, timeout: 90_000 }
  )
})
