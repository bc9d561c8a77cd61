import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { json, makeKisServer } from "../support/kisServer.ts"
import { scratchFolder } from "../support/virtualTime.ts"
import { echoing, makeQuotingDatabase } from "./echoes.ts"
import { leaksIn, planted } from "./planted.ts"
import { makeReceiver } from "./receiver.ts"
import { filesBelow, programs, start } from "./programs.ts"

/** Each test waits for real programs. */
const patience_ms = 240_000

/** Waits without taking the processor from the programs that are waited for. */
const until = (happened: () => boolean): Effect.Effect<void> =>
  Effect.suspend(() => (happened() ? Effect.void : Effect.delay(until(happened), "20 millis")))

/** Texts that have left the program, by where; what is found in them is told all at once. */
const makeJudge = () => {
  const leaks: Array<string> = []
  return {
    look: (where: string, text: string) => void leaks.push(...leaksIn(text).map((leak) => `${where}: ${leak}`)),
    leaks
  }
}

const foldersOf = (folder: string) => ({
  OBSERVER_DATA_DIR: join(folder, "data"),
  OBSERVER_LOG_DIR: join(folder, "log"),
  OBSERVER_STATE_DIR: join(folder, "state")
})

/** Settings with every planted secret that a setting can hold. */
const environment = (
  folder: string,
  servers: { readonly restUrl: string; readonly wsUrl: string; readonly receiverUrl: string },
  database: number
) => {
  const accounts = join(folder, "accounts.json")
  const entries = [
    { alias: "main", appKey: planted.appKey, appSecret: planted.appSecret },
    { alias: "other", appKey: planted.otherKey, appSecret: planted.otherSecret },
    // The broker takes all but this one, which is an alarm at once.
    { alias: "refused", appKey: planted.refusedKey, appSecret: planted.refusedSecret }
  ]
  writeFileSync(accounts, JSON.stringify(entries), { mode: 0o600 })
  return {
    ...foldersOf(folder),
    OBSERVER_SOURCE_MODE: "kis",
    OBSERVER_SYMBOLS: "005930,000660",
    OBSERVER_SESSION: "always",
    OBSERVER_LOG_LEVEL: "Trace",
    OBSERVER_HTTP_PORT: "0",
    OBSERVER_HTTP_TOKEN: planted.httpToken,
    OBSERVER_DRAIN_SECONDS: "2",
    OBSERVER_ALERT_SLACK: `${servers.receiverUrl}${planted.webhook}?to=slack`,
    OBSERVER_ALERT_WEBHOOK: `${servers.receiverUrl}${planted.webhook}?to=webhook`,
    OBSERVER_PING_URL: `${servers.receiverUrl}${planted.webhook}?to=ping`,
    OTEL_EXPORTER_OTLP_ENDPOINT: servers.receiverUrl,
    OTEL_METRIC_EXPORT_INTERVAL: "1000",
    OTEL_METRIC_EXPORT_TIMEOUT: "1000",
    OTEL_TRACES_SAMPLER: "always_on",
    OTEL_EXPORTER_OTLP_HEADERS: `authorization=Bearer%20${planted.collectorKey}`,
    DATABASE_URL: `postgres://observer:${encodeURIComponent(planted.databasePassword)}@127.0.0.1:${database}/observer`,
    KIS_ACCOUNTS: accounts,
    KIS_REST_URL: servers.restUrl,
    KIS_WS_URL: servers.wsUrl,
    // Nobody is there; whoever says so may quote the address.
    KIS_MASTER_URL: `http://observer:${planted.addressPassword}@127.0.0.1:9`,
    KIS_CALLS_PER_SECOND: "20"
  }
}

const paths = [
  "/livez",
  "/readyz",
  "/health",
  "/metrics",
  "/openapi.json",
  "/api/v1/actors",
  "/api/v1/symbols",
  "/api/v1/symbols/005930",
  "/api/v1/plan",
  "/api/v1/gaps",
  "/api/v1/certificates",
  "/nowhere"
]

/** Every answer of the HTTP server, to those that know the token and to those that do not, heads included. */
const allAnswers = (url: string) =>
  Effect.promise(async () => {
    const texts: Array<string> = []
    for (const authorization of [`Bearer ${planted.httpToken}`, undefined, `Bearer ${planted.httpToken}x`]) {
      for (const path of paths) {
        const response = await fetch(url + path, authorization === undefined ? {} : { headers: { authorization } })
        texts.push(`${path} ${response.status} ${JSON.stringify([...response.headers])} ${await response.text()}`)
      }
    }
    return texts
  })

/** What the program tells of itself by its own account. The ping is not among it: a broker that refuses all earns none. */
const told = ["/v1/traces", "/v1/metrics", "/v1/logs", "?to=webhook", "?to=slack"] as const

const urlIn = (text: string) => /http:\/\/127\.0\.0\.1:\d+(?=\/health)/.exec(text)?.[0]

const running = Effect.gen(function* () {
  const folder = yield* scratchFolder
  const broker = yield* makeKisServer
  const database = yield* makeQuotingDatabase
  const receiver = yield* makeReceiver
  const { cli, main } = yield* programs
  const env = environment(folder, { ...broker, receiverUrl: receiver.url }, database.port)
  mkdirSync(join(folder, "cwd"))
  return { folder, broker, database, receiver, main, cli, env, cwd: join(folder, "cwd") }
})

const ended = (program: { readonly code: () => number | null | undefined }) => until(() => program.code() !== undefined)

describe("a planted secret", () => {
  it.live(
    "is in nothing that the program says, serves or writes while everybody refuses it and quotes what it sent",
    () =>
      Effect.gen(function* () {
        const { broker, cli, cwd, database, env, folder, main, receiver } = yield* running
        const { leaks, look } = makeJudge()
        echoing(broker)
        const observer = yield* start(main, [], env, cwd)
        yield* until(() => observer.code() !== undefined || urlIn(observer.said()) !== undefined)
        const calls = () => broker.requests.filter(({ path }) => path.startsWith("/uapi")).length
        const words = () => broker.connections.flatMap(({ said }) => said).length
        // Each way of quoting has been gone through, by both accounts, the stream and the database.
        yield* until(
          () => observer.code() !== undefined || (calls() >= 60 && words() >= 4 && database.asked.length >= 2)
        )
        yield* until(() => observer.code() !== undefined || told.every((part) => receiver.heard(part) !== ""))
        assert.isUndefined(observer.code(), observer.said())
        assert.include(receiver.heard("?to=webhook"), '"rule":"accountRefused"')
        assert.strictEqual(database.asked[0], planted.databasePassword)
        assert.isTrue(broker.requests.some(({ headers }) => headers["appsecret"] === planted.otherSecret))
        const answers = yield* allAnswers(urlIn(observer.said()) ?? "")
        for (const answer of answers) look("HTTP", answer)
        assert.isTrue(answers.some((answer) => answer.startsWith("/health 200")))
        look("the command line", readFileSync(`/proc/${observer.pid}/cmdline`, "latin1"))
        observer.kill("SIGTERM")
        yield* ended(observer)
        assert.strictEqual(observer.code(), 0, observer.said())
        look("standard output and error", observer.said())
        for (const part of told) {
          assert.notStrictEqual(receiver.heard(part), "", part)
          look(part, receiver.heard(part))
        }
        look("what others are told", receiver.heard())
        const days = filesBelow(folder).flatMap(({ name }) => /^data\/(\d{4}\/\d\d\/\d\d)\//.exec(name)?.[1] ?? [])
        const day = String(days[0]).replaceAll("/", "-")
        const out = ["--out", join(folder, "out"), "--format", "csv"]
        for (const args of [["export", "--day", day, ...out], ["gaps"], ["verify"], ["replay"]]) {
          const command = yield* start(cli, args, env, cwd)
          yield* ended(command)
          look(args.join(" "), command.said())
        }
        const files = filesBelow(folder)
        const isOf = (kind: string) => (name: string) => name.startsWith(`state/${kind}-`)
        for (const { mode, name, text } of files) {
          const isCache = isOf("token")(name) || isOf("approval")(name)
          if (isCache || name === "accounts.json") assert.strictEqual(mode, 0o600, name)
          else look(name, text)
        }
        assert.strictEqual(statSync(join(folder, "state")).mode & 0o777, 0o700)
        // What was looked through is what it should be: the record with what was refused, the log, the export, the tokens.
        const joined = (part: (name: string) => boolean) =>
          files.flatMap(({ name, text }) => (part(name) ? [text] : [])).join("")
        assert.include(
          joined((name) => name.endsWith(".jsonl")),
          '"reason":"frameShape"'
        )
        assert.include(
          joined((name) => name === "log/observer.log"),
          "<redacted>"
        )
        assert.include(
          joined((name) => name.startsWith("out/")),
          "<redacted>"
        )
        assert.include(joined(isOf("token")), planted.token)
        assert.deepStrictEqual(leaks, [])
      }),
    patience_ms
  )

  it.live(
    "is in no last words: of refused credentials, wrong settings, or a defect nobody waits for",
    () =>
      Effect.gen(function* () {
        const { broker, cli, cwd, database, env, folder, main } = yield* running
        const { leaks, look } = makeJudge()
        const dies = Effect.fnUntraced(function* (
          what: string,
          code: number,
          more: Readonly<Record<string, string>>,
          args: ReadonlyArray<string> = []
        ) {
          const program = yield* start(args.length === 0 ? main : cli, args, { ...env, ...more }, cwd)
          yield* ended(program)
          assert.strictEqual(program.code(), code, `${what}: ${program.said()}`)
          look(what, program.said())
          return program.said()
        })

        broker.answer(({ body, headers }) =>
          json({ error_code: "EGW00103", error_description: `${body} ${JSON.stringify(headers)}` }, 403)
        )
        const word = { OBSERVER_PING_URL: env.OBSERVER_PING_URL.replace("//", "//observer:pinged@") }
        const refused = yield* dies("refused credentials", 69, word)
        assert.include(refused, "rejects the credentials")
        assert.include(refused, "the password in OBSERVER_PING_URL is short or a plain word")

        // Every secret in the wrong place, or in the right one in a form that is not accepted.
        const one = { KIS_ACCOUNTS: "", KIS_APP_KEY: planted.appKey, KIS_APP_SECRET: planted.appSecret }
        const wrong = yield* dies("wrong settings", 64, {
          ...one,
          KIS_APP_KEY: `${planted.appKey} x`,
          KIS_APP_SECRET: `${planted.appSecret}\n.`,
          OBSERVER_HTTP_TOKEN: `${planted.httpToken} .`,
          DATABASE_URL: env.DATABASE_URL.replace("postgres:", "mysql:"),
          KIS_REST_URL: env.DATABASE_URL,
          KIS_WS_URL: env.DATABASE_URL
        })
        for (const name of ["KIS_APP_KEY", "KIS_APP_SECRET", "OBSERVER_HTTP_TOKEN", "DATABASE_URL", "KIS_REST_URL"]) {
          assert.include(wrong, `observer: ${name} is `)
        }
        const broken = join(folder, "broken.json")
        writeFileSync(
          broken,
          `[{"alias": "main", "appKey": "${planted.appKey}", "appSecret": "${planted.appSecret}",}]`
        )
        yield* dies("accounts that are no JSON", 64, { KIS_ACCOUNTS: broken })
        writeFileSync(broken, JSON.stringify([{ alias: planted.appKey, appKey: "x y", appSecret: planted.appSecret }]))
        yield* dies("accounts with keys in the wrong places", 64, { KIS_ACCOUNTS: broken })

        // A defect that holds everything, thrown where nobody waits for it, in both programs.
        const crash = join(folder, "crash.mjs")
        const log = join(env.OBSERVER_LOG_DIR, "observer.log")
        rmSync(log, { force: true })
        writeFileSync(
          crash,
          `import { existsSync, readFileSync, statSync } from "node:fs"
           const secrets = { ...process.env, accounts: readFileSync(${JSON.stringify(env.KIS_ACCOUNTS)}, "utf8") }
           const words = JSON.stringify(secrets)
           const isRunning = () => existsSync(${JSON.stringify(log)}) && statSync(${JSON.stringify(log)}).size > 0
           setInterval(() => {
             if (isRunning()) throw Object.assign(new Error(words), { headers: secrets, body: words })
           }, 50)`
        )
        broker.answer(() => json({ rt_cd: "1", msg_cd: "EGW00201" }, 500))
        const node = { NODE_OPTIONS: `--import=${crash}` }
        assert.include(yield* dies("a defect", 70, node), "observer: a bug: Error: ")
        const slow = `postgres://observer:${encodeURIComponent(planted.databasePassword)}@127.0.0.1:${database.port}/x`
        mkdirSync(env.OBSERVER_DATA_DIR, { recursive: true })
        const asked = database.asked.length
        const replay = yield* start(cli, ["replay", "--target", slow], env, cwd)
        yield* until(() => replay.code() !== undefined || database.asked.length > asked)
        look("the arguments of a replay", readFileSync(`/proc/${replay.pid}/cmdline`, "latin1"))
        yield* ended(replay)
        look("a replay", replay.said())
        // Node writes reports, with the environment in them, only when it is told to.
        assert.deepStrictEqual(filesBelow(cwd), [])
        for (const { name, text } of filesBelow(folder)) {
          if (!/^(state\/(token|approval)-|accounts\.json|broken\.json)/.test(name)) look(name, text)
        }
        assert.deepStrictEqual(leaks, [])
      }),
    patience_ms
  )
})
