import { assert, layer } from "@effect/vitest"
import { Context, Effect, Layer, Redacted } from "effect"
import { spawn } from "node:child_process"
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { createServer, type RequestListener } from "node:http"
import { createServer as createTlsServer } from "node:https"
import type { AddressInfo, Server } from "node:net"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import type { Finding } from "../src/ops/doctor/Finding.ts"
import { certificateFor, opensslMissing } from "./support/certificates.ts"
import { compiled } from "./support/compiled.ts"
import { troubledReport } from "./support/healthReport.ts"
import { postgresMissing, postgresServer } from "./support/postgres.ts"
import { scratchFolder } from "./support/virtualTime.ts"

const root = fileURLToPath(new URL("..", import.meta.url))

/** The compiled programs, once for all tests of this file. */
class Programs extends Context.Service<Programs, { readonly cli: string }>()("test/Programs") {
  static readonly layer = Layer.effect(
    Programs,
    Effect.gen(function* () {
      const migrations = readdirSync(join(root, "migrations")).map((file) => `migrations/${file}`)
      const folder = yield* compiled(["src/cli.ts", "src/simulator.ts", "src/sql/embeddedWorker.ts", ...migrations])
      cpSync(join(root, "data"), join(folder, "data"), { recursive: true })
      // As in `dist/`, where the migrations lie beside the programs.
      cpSync(join(folder, "migrations"), join(folder, "src", "migrations"), { recursive: true })
      return { cli: join(folder, "src", "cli.js") }
    })
  )
}

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

type Env = Readonly<Record<string, string>>

/** Nothing of the machine's own may change what is found. */
const bare = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(OBSERVER|KIS|PHASE15)_|^DATABASE_URL$|proxy$/i.test(name))
)

const observer = Effect.fnUntraced(function* (args: ReadonlyArray<string>, cwd: string, env: Env = {}) {
  const { cli } = yield* Programs
  return yield* Effect.callback<Ended>((resume) => {
    const child = spawn(process.execPath, [cli, ...args], { cwd, env: { ...bare, ...env } })
    let stdout = ""
    let stderr = ""
    child.stdout.on("data", (text) => (stdout += String(text)))
    child.stderr.on("data", (text) => (stderr += String(text)))
    child.on("close", (code) => resume(Effect.succeed({ code, stdout, stderr })))
    return Effect.sync(() => child.kill("SIGKILL"))
  })
})

interface Diagnosis {
  readonly at: string
  readonly version: string
  readonly checks: ReadonlyArray<Finding>
  readonly worst: string
}

const diagnosed = Effect.fnUntraced(function* (cwd: string, env: Env, flags: ReadonlyArray<string> = []) {
  const { code, stderr, stdout } = yield* observer(["doctor", "--json", ...flags], cwd, env)
  const said = JSON.parse(stdout) as Diagnosis
  return { code, stderr, stdout, said, of: (name: string) => said.checks.find((each) => each.name === name) }
})

const listening = (server: Server) =>
  Effect.acquireRelease(
    Effect.callback<number>((resume) => {
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed((server.address() as AddressInfo).port)))
    }),
    () => Effect.sync(() => server.close())
  )

const answering = (answer: RequestListener) => listening(createServer(answer))

/** What the machine that runs the tests may lack. */
const ofMachine = new Set(["node", "time zone data", "memory", "open files", "disk room"])

/** The exchange as a program of its own; its addresses. */
const simulator = Effect.gen(function* () {
  const { cli } = yield* Programs
  const child = yield* Effect.acquireRelease(
    Effect.sync(() => spawn(process.execPath, [cli, "simulate", "--port", "0", "--until-stdin-closes"], { env: bare })),
    (started) => Effect.sync(() => started.kill("SIGKILL"))
  )
  return yield* Effect.callback<{ readonly restUrl: string; readonly wsUrl: string; readonly controlUrl: string }>(
    (resume) => {
      let said = ""
      child.stdout.on("data", (text) => {
        said += String(text)
        if (said.includes("\n")) resume(Effect.succeed(JSON.parse(said.split("\n")[0] ?? "")))
      })
    }
  )
})

const planted = {
  KIS_APP_KEY: "planted-app-key-0001",
  KIS_APP_SECRET: "planted/app+secret=0002",
  OBSERVER_HTTP_TOKEN: "planted-http-token-0003",
  DATABASE_URL: "postgres://user:planted%2Fpassword-0004@127.0.0.1:1/x",
  HTTPS_PROXY: "http://user:planted-proxy-0005@proxy.example:3128"
}

/** The first planted secret that is to be seen in what was said. */
const leak = (...texts: ReadonlyArray<string>) =>
  [...Object.values(planted).slice(0, 4), "planted/password-0004", "planted-proxy-0005"].find((secret) =>
    texts.some((text) => text.includes(secret))
  )

layer(Programs.layer, { timeout: "120 seconds", excludeTestServices: true })("the observer's own programs", (it) => {
  it.effect(
    "doctor: all is well before the first start, and nothing is made by looking",
    () =>
      Effect.gen(function* () {
        const cwd = yield* scratchFolder
        const { code, said, stderr } = yield* diagnosed(cwd, {})
        assert.deepStrictEqual(Object.keys(said), ["at", "version", "checks", "worst"])
        const wanting = said.checks.filter(({ status }) => status === "warn" || status === "fail")
        assert.deepStrictEqual(
          wanting.filter(({ name }) => !ofMachine.has(name)),
          []
        )
        assert.deepInclude({ code, stderr }, { code: ["ok", "warn", "fail"].indexOf(said.worst), stderr: "" })
        if (wanting.length === 0) assert.strictEqual(said.worst, "ok")
        assert.isFalse(existsSync(join(cwd, "var")))
        for (const each of said.checks) assert.containsAllKeys(each, ["name", "status", "words"])
        assert.include(said.checks.find(({ name }) => name === "source")?.words, "the simulator in the box")
      }),
    60_000
  )

  it.effect(
    "doctor: ends with 1 for warnings, 2 for failures with every problem named, and 64 for what it does not know",
    () =>
      Effect.gen(function* () {
        const cwd = yield* scratchFolder
        writeFileSync(join(cwd, ".env"), `KIS_APP_SECRET=${planted.KIS_APP_SECRET}\n`, { mode: 0o644 })
        const warned = yield* diagnosed(cwd, { OBSERVER_FOO: "1" })
        assert.deepInclude({ code: warned.code, worst: warned.said.worst }, { code: 1, worst: "warn" })
        assert.strictEqual(warned.of(".env")?.advice, `chmod 600 ${join(cwd, ".env")}`)
        const wrong = { OBSERVER_SHARDS: "0", KIS_ENV: "paper", OBSERVER_HTTP_TOKEN: "short-secret" }
        const broken = yield* observer(["doctor"], cwd, wrong)
        assert.strictEqual(broken.code, 2)
        const lines = broken.stdout.split("\n").filter((line) => line.startsWith("fail"))
        assert.strictEqual(lines.length, 3)
        for (const variable of Object.keys(wrong)) assert.isTrue(lines.some((line) => line.includes(variable)))
        assert.notInclude(broken.stdout, "short-secret")
        assert.notInclude(broken.stdout, "\u001b")
        assert.isUndefined(leak(broken.stdout, warned.stdout))
        for (const args of [["doctor", "--nonsense"], ["nonsense"], ["status", "--url", "ftp://x"]]) {
          const { code, stderr, stdout } = yield* observer(args, cwd)
          assert.deepInclude({ code, stdout }, { code: 64, stdout: "" })
          assert.strictEqual(stderr.trim().split("\n").length, 1)
        }
      }),
    60_000
  )

  it.effect(
    "doctor: a whole way to a broker, without a token, an approval or a key's session, and no secret in anything it says",
    () =>
      Effect.gen(function* () {
        const cwd = yield* scratchFolder
        const { controlUrl, restUrl, wsUrl } = yield* simulator
        const env = {
          ...planted,
          OBSERVER_SOURCE_MODE: "kis",
          OBSERVER_SESSION: "always",
          KIS_REST_URL: restUrl,
          KIS_WS_URL: wsUrl
        }
        const { code, of, said, stderr, stdout } = yield* diagnosed(cwd, env)
        for (const name of [
          "rest dns",
          "rest tcp",
          "rest http",
          "clock",
          "stream dns",
          "stream tcp",
          "stream upgrade"
        ]) {
          assert.strictEqual(of(name)?.status, "ok", name)
        }
        for (const name of ["rest tls", "stream tls"]) assert.isUndefined(of(name))
        assert.strictEqual(of("token")?.status, "ok")
        assert.deepInclude(of("database"), { status: "fail" })
        assert.deepInclude(of("proxy"), { status: "warn" })
        assert.deepInclude({ code, worst: said.worst }, { code: 2, worst: "fail" })
        const text = yield* observer(["doctor", "--offline"], cwd, env)
        assert.isUndefined(leak(stdout, stderr, text.stdout, text.stderr))

        const counts = yield* Effect.promise(() => fetch(controlUrl).then((answer) => answer.text()))
        const page = readFileSync(join(root, "docs", "doctor.md"), "utf8")
        for (const { name } of said.checks)
          assert.include(page, `\`${name}\``, "a check that its page does not explain")

        const { approvals, sessions, tokensIssued } = JSON.parse(counts) as Record<string, unknown>
        assert.deepStrictEqual({ approvals, sessions, tokensIssued }, { approvals: 0, sessions: 0, tokensIssued: 0 })
      }),
    60_000
  )

  it.effect.skipIf(opensslMissing !== undefined)(
    "doctor: a certificate that is trusted is well, one that has ended and one of another name are not",
    () =>
      Effect.gen(function* () {
        const cwd = yield* scratchFolder
        const ask = Effect.fnUntraced(function* (name: string, days: number) {
          const { cert, file, key } = yield* certificateFor(name, days)
          const port = yield* listening(createTlsServer({ cert, key }, (_, response) => response.end()))
          const { of } = yield* diagnosed(cwd, {
            KIS_APP_KEY: "key",
            KIS_APP_SECRET: "secret",
            OBSERVER_SOURCE_MODE: "kis",
            KIS_REST_URL: `https://localhost:${port}`,
            KIS_WS_URL: `wss://localhost:${port}`,
            NODE_EXTRA_CA_CERTS: file
          })
          return of
        })
        const good = yield* ask("localhost", 90)
        assert.match(good("rest tls")?.words ?? "", /^TLSv1\.3, certificate of localhost until \d{4}-\d\d-\d\d$/)
        assert.deepInclude(good("rest tls"), { status: "ok" })
        assert.deepInclude(good("rest http"), { status: "ok" })
        assert.deepInclude(good("stream tls"), { status: "ok" })
        // That server answers an upgrade as it answers anything.
        assert.deepInclude(good("stream upgrade"), { status: "fail" })
        assert.deepInclude((yield* ask("localhost", 5))("rest tls"), { status: "warn" })
        const ended = (yield* ask("localhost", 0))("rest tls")
        assert.deepInclude(ended, { status: "fail" })
        assert.include(ended?.words, "CERT_HAS_EXPIRED")
        assert.include(ended?.advice, "clock first")
        const other = yield* ask("another.example", 90)
        assert.deepInclude(other("rest tls"), { status: "fail" })
        assert.deepInclude(other("stream upgrade"), { status: "skipped" })
      }),
    120_000
  )

  it.effect(
    "doctor and status beside a running observer, found by the port that it took; each says that it is well",
    () =>
      Effect.gen(function* () {
        const cwd = yield* scratchFolder
        const { cli } = yield* Programs
        const env = { OBSERVER_HTTP_PORT: "0", OBSERVER_SYMBOLS: "005930,000660", OBSERVER_SQL: "off" }
        const running = yield* Effect.acquireRelease(
          Effect.sync(() => spawn(process.execPath, [cli, "run"], { cwd, env: { ...bare, ...env }, stdio: "ignore" })),
          (started) => Effect.sync(() => started.kill("SIGKILL"))
        )
        const quiet = observer(["status", "--quiet"], cwd, env)
        yield* Effect.repeat(quiet, { while: ({ code }) => code !== 0 && running.exitCode === null })
        const page = yield* observer(["status"], cwd, env)
        assert.deepInclude(page, { code: 0, stderr: "" })
        assert.match(page.stdout, /\nsymbols +\d of \d seen/)
        const { of } = yield* diagnosed(cwd, env)
        assert.include(of("data folder")?.words, `process ${running.pid} (journal) holds it, as it should`)
        assert.match(of("observer")?.words ?? "", /^version \S+ runs and is \w+, ready/)
        assert.strictEqual(of("journal")?.status, "ok")
        assert.strictEqual(of("universe")?.status, "ok")

        running.kill("SIGKILL")
        yield* Effect.callback<void>((resume) => {
          running.once("close", () => resume(Effect.void))
        })
        const { of: after } = yield* diagnosed(cwd, env)
        assert.deepInclude(after("observer"), { status: "ok", words: "none runs here" })
        assert.include(after("journal")?.words, "the last run was killed")
        assert.strictEqual((yield* quiet).code, 69)
      }),
    120_000
  )

  it.effect(
    "status: 0 ready, 1 not ready, 69 nobody or another program, 64 another token; quiet prints nothing",
    () =>
      Effect.gen(function* () {
        const cwd = yield* scratchFolder
        let ready = true
        const token = planted.OBSERVER_HTTP_TOKEN
        const port = yield* answering(({ headers, url }, response) => {
          if (url === "/readyz") return response.writeHead(ready ? 200 : 503).end(ready ? "ready\n" : "not ready\n")
          if (headers.authorization !== `Bearer ${token}`) return response.writeHead(401).end("{}")
          if (url === "/health") return response.end(JSON.stringify({ ...troubledReport, ready }))
          return response.writeHead(404).end()
        })
        const env = { OBSERVER_HTTP_PORT: String(port), OBSERVER_HTTP_HOST: "0.0.0.0", OBSERVER_HTTP_TOKEN: token }
        const page = yield* observer(["status"], cwd, env)
        assert.deepInclude(page, { code: 0, stderr: "" })
        assert.match(page.stdout, /^ok, ready {2}· {2}observer 0\.0\.0 on test/)
        const json = yield* observer(["status", "--json"], cwd, env)
        assert.deepStrictEqual(JSON.parse(json.stdout), JSON.parse(JSON.stringify(troubledReport)))
        const quiet = { stdout: "", stderr: "" }
        // The probe needs no token.
        const withoutToken = ["status", "--quiet", "--url", `http://127.0.0.1:${port}`]
        assert.deepStrictEqual(yield* observer(withoutToken, cwd), { code: 0, ...quiet })
        const other = yield* observer(["status"], cwd, { ...env, OBSERVER_HTTP_TOKEN: "x".repeat(16) })
        assert.deepInclude(other, { code: 64, stdout: "" })
        assert.include(other.stderr, "OBSERVER_HTTP_TOKEN")

        ready = false
        assert.strictEqual((yield* observer(["status"], cwd, env)).code, 1)
        assert.deepStrictEqual(yield* observer(["status", "--quiet"], cwd, env), { code: 1, ...quiet })

        const nobody = { OBSERVER_HTTP_PORT: "1" }
        assert.deepStrictEqual(yield* observer(["status", "--quiet"], cwd, nobody), { code: 69, ...quiet })
        const alone = yield* observer(["status"], cwd, nobody)
        assert.deepInclude(alone, { code: 69, stdout: "" })
        assert.include(alone.stderr, "nobody answers at http://127.0.0.1:1 (ECONNREFUSED)")
        const stranger = yield* answering((_, response) => response.end("hello"))
        const strange = yield* observer(["status"], cwd, { OBSERVER_HTTP_PORT: String(stranger) })
        assert.strictEqual(strange.code, 69)
        assert.isUndefined(leak(page.stdout, json.stdout, other.stderr, alone.stderr))

        // Where any free port is taken, the one that was is written down.
        mkdirSync(join(cwd, "state"))
        const free = { ...env, OBSERVER_HTTP_PORT: "0", OBSERVER_STATE_DIR: join(cwd, "state") }
        assert.strictEqual((yield* observer(["status", "--quiet"], cwd, free)).code, 69)
        writeFileSync(join(cwd, "state", "http.json"), JSON.stringify({ url: `http://127.0.0.1:${port}`, pid: 1 }))
        assert.strictEqual((yield* observer(["status", "--quiet"], cwd, free)).code, 1)
      }),
    120_000
  )

  it.effect.skipIf(postgresMissing !== undefined)(
    "migrate: says what is pending and what it ran, and has nothing to do the second time",
    () =>
      Effect.gen(function* () {
        const cwd = yield* scratchFolder
        const server = yield* postgresServer
        const env = { DATABASE_URL: Redacted.value(server.url) }
        const names = readdirSync(join(root, "migrations")).map((file) => file.replace(/\.ts$/, ""))
        const dry = yield* observer(["migrate", "--dry-run"], cwd, env)
        assert.deepInclude(dry, { code: 1, stderr: "" })
        assert.deepStrictEqual(
          dry.stdout.trim().split("\n"),
          names.map((name) => `pending ${name}`)
        )
        const ran = yield* observer(["migrate"], cwd, env)
        assert.deepInclude(ran, { code: 0, stderr: "" })
        assert.deepStrictEqual(
          ran.stdout.trim().split("\n"),
          names.map((name) => `ran ${name}`)
        )
        const again = yield* observer(["migrate"], cwd, env)
        assert.deepInclude(again, { code: 0, stdout: `nothing to do: all ${names.length} were run\n` })
        const settled = yield* observer(["migrate", "--dry-run"], cwd, env)
        assert.deepInclude(settled, { code: 0, stdout: "nothing is pending\n" })
        yield* server.kill
        const down = yield* observer(["migrate"], cwd, env)
        assert.deepInclude(down, { code: 69, stdout: "" })
        assert.strictEqual((yield* observer(["migrate"], cwd, { OBSERVER_SQL: "off" })).code, 64)
      }),
    120_000
  )

  it.effect(
    "migrate: makes the embedded database, but not in a dry run",
    () =>
      Effect.gen(function* () {
        const cwd = yield* scratchFolder
        const dry = yield* observer(["migrate", "--dry-run"], cwd)
        assert.strictEqual(dry.code, 1)
        assert.isFalse(existsSync(join(cwd, "var")))
        const ran = yield* observer(["migrate"], cwd)
        assert.deepInclude(ran, { code: 0, stderr: "" })
        assert.deepInclude(yield* observer(["migrate", "--dry-run"], cwd), { code: 0, stdout: "nothing is pending\n" })
      }),
    120_000
  )
})
